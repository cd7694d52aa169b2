import { Button } from '@mantine/core';
import { lazy, Suspense } from 'react';
import { PromiseCallback } from '../callbacks/promise-callback';
import { Elapsed } from '../clock';
import { useLocalisation } from '../i18n/context';
import { Icon } from '../icons';
import { useConnection, useLive } from '../live/context';
import { isPending } from '../live/pending';
import { PoorLines } from '../quality/line-quality';
import { CardEntryControl } from '../recordings/card-entry';
import { RecordingControl } from '../recordings/recording-control';
import type { ContactView } from '../wire';
import { CallControls } from './call-controls';
import { CallerBlock, CardHead, ContactFacts } from './caller-block';
import { usePhone } from '../softphone/context';
import { useDraft } from './drafts-context';
import { NotesField } from './notes-field';
import { keysOf } from './shortcuts';
import classes from './desk.module.css';

const PhonePanel = lazy(() => import('../softphone/phone-panel'));

/** A conversation: how long it lasts, its end, and notes that go on into the wrap-up. */
export function CallCard({ contact }: { readonly contact: ContactView }) {
  const { t } = useLocalisation();
  const { send } = useConnection();
  const { pending } = useLive();
  const { state } = usePhone();
  const [draft, changeDraft] = useDraft(contact);
  const dialling = contact.state === 'dialling';
  return (
    <article className={`panel ${classes.card}`}>
      <CardHead tone="tone-engaged" icon="phone" title={dialling ? t('call.dialling') : t('call.title')}>
        {contact.connected_at !== null && <Elapsed since={contact.connected_at} />}
      </CardHead>
      <CallerBlock contact={contact} testId="call-caller" />
      <ContactFacts contact={contact} />
      <RecordingControl contact={contact} />
      <PoorLines contact={contact} />
      <CardEntryControl contact={contact} />
      <Suspense>{state.call && <PhonePanel />}</Suspense>
      {contact.is_supervised && <p className="soft">{t('supervision.told')}</p>}
      <CallControls contact={contact} />
      <NotesField notes={draft.notes} onChange={changeDraft} testId="call-notes" />
      <div className={classes.actions}>
        <Button
          color="red.9"
          size="md"
          leftSection={<Icon name="hangUp" />}
          loading={isPending(pending, 'contact.hang_up', contact.contact_id)}
          onClick={() => send('contact.hang_up', { contact_id: contact.contact_id })}
          title={keysOf('hangUp')}
          data-testid="hang-up"
        >
          {t('call.hang_up')}
        </Button>
        {contact.state === 'connected' && <PromiseCallback contact={contact} />}
      </div>
    </article>
  );
}
