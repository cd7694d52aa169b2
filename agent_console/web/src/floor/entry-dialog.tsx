import { Button, Modal } from '@mantine/core';
import { queueHours, type Period, type QueueHours } from '../api/hours';
import { useFetched } from '../api/use-fetched';
import { LoadProblem } from '../customers/load-problem';
import { useLocalisation } from '../i18n/context';
import type { Key } from '../i18n/translate';
import { Icon } from '../icons';
import { useConnection, useLive } from '../live/context';
import { isPending } from '../live/pending';
import { useLabels } from '../session/session';
import type { QueueView } from '../wire';
import classes from './floor.module.css';

const MINUTES_A_DAY = 1440;

/** `09:00`; the end of a day is `24:00`, a time after it one of the next day. */
function clockFace(minutes: number): string {
  const here = minutes > MINUTES_A_DAY ? minutes - MINUTES_A_DAY : minutes;
  return [Math.floor(here / 60), here % 60].map((part) => String(part).padStart(2, '0')).join(':');
}

function Periods({ periods }: { readonly periods: readonly Period[] }) {
  const { t } = useLocalisation();
  if (periods.length === 0) return <span className="soft">{t('entry.shut')}</span>;
  return periods.map(({ start, end }) => `${clockFace(start)}–${clockFace(end)}`).join(', ');
}

function Hours({ hours }: { readonly hours: QueueHours }) {
  const { t, format } = useLocalisation();
  if (hours.timezone === null) return <p className="soft">{t('entry.always')}</p>;
  const word: Key = hours.is_open ? 'entry.within' : 'entry.outside';
  const told =
    hours.next_change_at === null
      ? t(word)
      : t(hours.is_open ? 'entry.within_until' : 'entry.outside_until', {
          time: format.dateTime(hours.next_change_at),
        });
  return (
    <>
      <p data-testid="hours-now" data-open={hours.is_open}>
        <span className={`pill ${hours.is_open ? 'tone-good' : 'tone-pause'}`}>
          <Icon name={hours.is_open ? 'check' : 'clock'} size={16} /> {told}
        </span>
      </p>
      <dl className={classes.hours} data-testid="hours-week">
        {hours.week.map((periods, day) => (
          <div key={format.weekday(day)}>
            <dt>{format.weekday(day)}</dt>
            <dd>
              <Periods periods={periods} />
            </dd>
          </div>
        ))}
      </dl>
      {hours.holidays.length > 0 && (
        <>
          <h3 className={classes.dialogHeading}>{t('entry.holidays')}</h3>
          <dl className={classes.hours} data-testid="hours-holidays">
            {hours.holidays.map(({ date, periods }) => (
              <div key={date}>
                <dt>{format.day(date)}</dt>
                <dd>
                  <Periods periods={periods} />
                </dd>
              </div>
            ))}
          </dl>
        </>
      )}
      <p className="soft">{t('entry.zone', { zone: hours.timezone })}</p>
    </>
  );
}

function Switch({ queue }: { readonly queue: QueueView }) {
  const { t } = useLocalisation();
  const { send } = useConnection();
  const { pending } = useLive();
  const intent = queue.closed ? 'queue.open' : 'queue.close';
  return (
    <>
      <p>{t(queue.closed ? 'entry.closed_text' : 'entry.close_text')}</p>
      <Button
        {...(!queue.closed && { color: 'red.9' })}
        loading={isPending(pending, intent)}
        onClick={() => send(intent, { target: queue.queue_id })}
        data-testid="entry-switch"
      >
        {t(queue.closed ? 'entry.reopen' : 'entry.close')}
      </Button>
    </>
  );
}

interface EntryDialogProps {
  readonly queue: QueueView;
  /** Whether this person may close and open the queue. */
  readonly mayOrder: boolean;
  readonly onClose: () => void;
}

/** Who is let into a queue: the switch for an emergency, and the hours and holidays of the site. */
export default function EntryDialog({ queue, mayOrder, onClose }: EntryDialogProps) {
  const { t } = useLocalisation();
  const labels = useLabels();
  const hours = useFetched(queue.queue_id, (signal) => queueHours(queue.queue_id, signal));
  return (
    <Modal
      opened
      onClose={onClose}
      title={t('entry.title', { queue: labels.queue(queue.queue_id) || queue.name })}
      centered
      closeButtonProps={{ 'aria-label': t('action.close'), size: 36 }}
    >
      <div data-testid="entry">
        <p>
          <span className={`pill ${queue.closed ? 'tone-attention' : 'tone-good'}`} data-testid="entry-state">
            <Icon name={queue.closed ? 'warning' : 'check'} size={16} />{' '}
            {t(queue.closed ? 'entry.closed' : 'entry.open')}
          </span>
        </p>
        {mayOrder && <Switch queue={queue} />}
        <h2 className={classes.dialogHeading}>{t('entry.hours')}</h2>
        {hours.error && <LoadProblem onRetry={hours.reload} />}
        {hours.value && <Hours hours={hours.value} />}
      </div>
    </Modal>
  );
}
