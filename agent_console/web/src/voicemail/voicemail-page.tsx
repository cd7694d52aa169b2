import { Button } from '@mantine/core';
import { maySeeFloor } from '../api/session';
import { useServerNow } from '../clock';
import { lookOf, StatePill } from '../floor/states';
import { useLocalisation } from '../i18n/context';
import { CallBack, HandOn, ItemPlayer } from '../items/item-card';
import { useConnection, useLive } from '../live/context';
import { isPending } from '../live/pending';
import { useLabels, useSignedIn } from '../session/session';
import type { ContactView } from '../wire';
import classes from './voicemail.module.css';

function Message({ message }: { readonly message: ContactView }) {
  const { t, format } = useLocalisation();
  const labels = useLabels();
  const serverNow = useServerNow();
  const { send } = useConnection();
  const { pending, floor } = useLive();
  const { person } = useSignedIn();
  const who = message.customer.name ?? (message.caller_name || message.caller || t('voicemail.unknown'));
  const left = new Date(message.arrived_at).toISOString();
  const agent = message.agent_id ? (floor.agents.get(message.agent_id)?.name ?? message.agent_id) : null;
  return (
    <article className={`panel ${classes.message}`} data-testid="voicemail" aria-label={who}>
      <p>
        <strong>{who}</strong>{' '}
        <span className="soft">
          {message.for_agent
            ? (floor.agents.get(message.for_agent)?.name ?? message.for_agent)
            : labels.queue(message.queue_id ?? '')}
        </span>{' '}
        <time dateTime={left} title={format.dateTime(left)} className="soft">
          {format.ago(left, serverNow())}
        </time>{' '}
        <StatePill look={lookOf(message)} detail={agent} />
      </p>
      <ItemPlayer item={message} />
      <div className={classes.actions}>
        <CallBack item={message} />
        <Button
          variant="light"
          loading={isPending(pending, 'contact.finish', message.contact_id)}
          onClick={() => send('contact.finish', { contact_id: message.contact_id })}
          data-testid="voicemail-done"
        >
          {t('voicemail.done')}
        </Button>
        {maySeeFloor(person) && <HandOn item={message} intent="contact.move" />}
      </div>
    </article>
  );
}

/** The messages that are not dealt with, of the boxes of whoever looks, the oldest first: the same as on the floor. */
export default function VoicemailPage() {
  const { t } = useLocalisation();
  const { contacts } = useLive().floor;
  const messages = [...contacts.values()]
    .filter((contact) => contact.channel === 'message' && contact.state !== 'wrap_up')
    .sort((a, b) => a.arrived_at - b.arrived_at);
  return (
    <section className={classes.page} aria-label={t('nav.voicemail')}>
      <div className={`panel ${classes.head}`}>
        <h1>{t('nav.voicemail')}</h1>
        {messages.length === 0 && <p className="soft">{t('voicemail.none')}</p>}
      </div>
      {messages.map((message) => (
        <Message key={message.contact_id} message={message} />
      ))}
    </section>
  );
}
