import { useLive } from '../live/context';
import { useLocalisation } from '../i18n/context';
import { useOnClock } from '../clock';
import type { Key } from '../i18n/translate';
import classes from './shell.module.css';

/** Milliseconds of round trip up to which a connection is good, and up to which it is fair. */
const GOOD = 200;
const FAIR = 600;
/** Milliseconds without a connection before anybody is bothered with it. */
export const BANNER_AFTER = 2_000;

interface Health {
  readonly label: Key;
  readonly tone: string;
  /** Bars out of three. */
  readonly bars: number;
}

function healthOf(connected: boolean, roundTrip: number | null): Health {
  if (!connected) return { label: 'connection.lost', tone: 'tone-bad', bars: 0 };
  if (roundTrip === null || roundTrip <= GOOD) return { label: 'connection.good', tone: 'tone-good', bars: 3 };
  if (roundTrip <= FAIR) return { label: 'connection.fair', tone: 'tone-pause', bars: 2 };
  return { label: 'connection.poor', tone: 'tone-attention', bars: 1 };
}

/** Whether the connection has been away for long enough to say so. */
export function useIsCutOff(): boolean {
  const { disconnectedSince } = useLive();
  // Both instants are local, so the server's clock plays no part.
  return useOnClock(() => disconnectedSince !== null && Date.now() - disconnectedSince >= BANNER_AFTER);
}

/** Three bars and a word for screen readers. */
export function ConnectionHealth() {
  const { t } = useLocalisation();
  const { connected, roundTrip } = useLive();
  const cutOff = useIsCutOff();
  const health = healthOf(connected || !cutOff, roundTrip);
  const text =
    roundTrip === null ? t(health.label) : t('connection.detail', { health: t(health.label), ms: roundTrip });
  return (
    <span
      className={`${classes.health} ${health.tone}`}
      role="img"
      aria-label={text}
      title={text}
      data-testid="connection"
    >
      {[1, 2, 3].map((bar) => (
        <span key={bar} data-on={bar <= health.bars} style={{ height: `${bar * 5 + 1}px` }} />
      ))}
    </span>
  );
}
