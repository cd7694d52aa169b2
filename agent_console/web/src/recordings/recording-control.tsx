import { Button } from '@mantine/core';
import { useLocalisation } from '../i18n/context';
import type { Key } from '../i18n/translate';
import { useConnection, useLive } from '../live/context';
import { isPending } from '../live/pending';
import { useSignedIn } from '../session/session';
import type { ContactView, RecordingState } from '../wire';
import classes from './recordings.module.css';

const LOOKS: Record<RecordingState, { readonly label: Key; readonly tone: string }> = {
  recording: { label: 'recording.state.recording', tone: 'tone-bad' },
  paused: { label: 'recording.state.paused', tone: 'tone-pause' },
  impaired: { label: 'recording.state.impaired', tone: 'tone-attention' },
  failed: { label: 'recording.state.failed', tone: 'tone-attention' },
};

type Order = 'start' | 'stop' | 'pause' | 'resume';

/** What may be asked of a recording now; `onDemand` is whether it is the agent's to begin and end it. */
export function ordersOf(state: RecordingState | null, onDemand: boolean): readonly Order[] {
  if (state === null || state === 'failed') return onDemand ? ['start'] : [];
  const change: Order = state === 'paused' ? 'resume' : 'pause';
  return onDemand ? [change, 'stop'] : [change];
}

/** How it stands with the recording of this conversation. */
export function RecordingPill({ state }: { readonly state: RecordingState | null }) {
  const { t } = useLocalisation();
  if (state === null) return null;
  return (
    <span className={`pill ${LOOKS[state].tone}`} data-testid="recording-state">
      {t(LOOKS[state].label)}
    </span>
  );
}

/** The recording of the conversation at this desk: how it stands, and what the agent may ask of it. */
export function RecordingControl({ contact }: { readonly contact: ContactView }) {
  const { t } = useLocalisation();
  const { send } = useConnection();
  const { pending } = useLive();
  const { settings } = useSignedIn();
  const onDemand = contact.queue_id !== null && settings.recording_on_demand.includes(contact.queue_id);
  // Card entry goes before what the desk wants: an order given meanwhile would only be carried out after it.
  const orders = contact.is_secured ? [] : ordersOf(contact.recording, onDemand);
  if (contact.recording === null && orders.length === 0) return null;
  const labels: Record<Order, string> = {
    start: t('recording.start'),
    stop: t('recording.stop'),
    pause: t('recording.pause'),
    resume: t('recording.resume'),
  };
  return (
    <div className={classes.control} role="group" aria-label={t('recording.title')}>
      <RecordingPill state={contact.recording} />
      {orders.map((order) => (
        <Button
          key={order}
          variant="default"
          loading={isPending(pending, `recording.${order}`, contact.contact_id)}
          onClick={() => send(`recording.${order}`, { contact_id: contact.contact_id })}
          data-testid={`recording-${order}`}
        >
          {labels[order]}
        </Button>
      ))}
    </div>
  );
}
