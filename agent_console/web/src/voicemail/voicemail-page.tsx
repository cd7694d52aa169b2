import { Button } from '@mantine/core';
import { useEffect } from 'react';
import { openVoicemail, type Voicemail } from '../api/voicemail';
import { useFetched } from '../api/use-fetched';
import { useServerNow } from '../clock';
import { LoadProblem } from '../customers/load-problem';
import { useLocalisation } from '../i18n/context';
import { useConnection, useLive } from '../live/context';
import { isPending } from '../live/pending';
import { Player } from '../recordings/player';
import { useLabels, useSignedIn } from '../session/session';
import classes from './voicemail.module.css';

/** How often the list is read again, milliseconds. */
const REFRESH = 15_000;

function Message({ message, onDone }: { readonly message: Voicemail; readonly onDone: () => void }) {
  const { t, format } = useLocalisation();
  const labels = useLabels();
  const serverNow = useServerNow();
  const { send } = useConnection();
  const { pending } = useLive();
  const { person } = useSignedIn();
  const who = message.caller_name || message.caller || t('voicemail.unknown');
  return (
    <article className={`panel ${classes.message}`} data-testid="voicemail" aria-label={who}>
      <p>
        <strong>{who}</strong> <span className="soft">{labels.queue(message.box) || message.box}</span>{' '}
        <time dateTime={message.left_at} title={format.dateTime(message.left_at)} className="soft">
          {format.ago(message.left_at, serverNow())}
        </time>
      </p>
      {message.is_playable ? <Player source={message} /> : <p className="soft">{t('recording.being_made')}</p>}
      <div className={classes.actions}>
        {message.caller !== '' && person.agent_id !== null && (
          <Button
            variant="default"
            loading={isPending(pending, 'call.dial')}
            onClick={() => send('call.dial', { target_kind: 'number', target: message.caller })}
            data-testid="voicemail-call-back"
          >
            {t('voicemail.call_back')}
          </Button>
        )}
        <Button
          variant="light"
          onClick={() => {
            send('voicemail.finish', { target: message.recording_id });
            onDone();
          }}
          data-testid="voicemail-done"
        >
          {t('voicemail.done')}
        </Button>
      </div>
    </article>
  );
}

/** The messages that wait in the boxes of whoever looks, the oldest first. */
export default function VoicemailPage() {
  const { t } = useLocalisation();
  const list = useFetched('voicemail', openVoicemail);
  const { reload } = list;
  useEffect(() => {
    const timer = window.setInterval(reload, REFRESH);
    return () => window.clearInterval(timer);
  }, [reload]);
  return (
    <section className={classes.page} aria-label={t('nav.voicemail')}>
      <h1>{t('nav.voicemail')}</h1>
      {list.error && <LoadProblem onRetry={reload} />}
      {list.value?.length === 0 && <p className="soft">{t('voicemail.none')}</p>}
      {list.value?.map((message) => (
        <Message key={message.recording_id} message={message} onDone={() => window.setTimeout(reload, 1_000)} />
      ))}
    </section>
  );
}
