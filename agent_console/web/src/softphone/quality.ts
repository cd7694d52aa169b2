/** What the browser measured of a call, taken from two reports of `getStats`. */
export interface Measured {
  /** Share of packets lost on the way to us, and on the way from us, 0 to 1. */
  readonly lossIn: number;
  readonly lossOut: number;
  /** Milliseconds. */
  readonly jitter: number;
  readonly roundTrip: number;
}

export type Grade = 'good' | 'fair' | 'poor';
export type Cause = 'loss' | 'delay' | 'jitter' | null;

export interface Quality extends Measured {
  /** Mean opinion score as it may be expected, 1 to 4.5. */
  readonly mos: number;
  readonly grade: Grade;
  /** What spoils it most, when it is not good. */
  readonly cause: Cause;
}

/** Packet-loss robustness of G.711 with concealment (ITU-T G.113 appendix I). */
const ROBUSTNESS = 25.1;
/** Users are satisfied from here on; below FAIR many are not (ITU-T G.109). */
export const GOOD = 4;
export const FAIR = 3.6;
/** Milliseconds of a packet and of the device on each side. */
const FIXED_DELAY = 40;

function delayImpairment(milliseconds: number): number {
  return 0.024 * milliseconds + 0.11 * Math.max(0, milliseconds - 177.3);
}

function lossImpairment(share: number): number {
  const percent = 100 * share;
  return (95 * percent) / (percent + ROBUSTNESS);
}

/** The E-model (ITU-T G.107) with its default values, reduced to delay and loss. */
export function gradeOf(measured: Measured): Quality {
  const network = measured.roundTrip / 2 + FIXED_DELAY;
  const buffered = 2 * measured.jitter;
  const loss = lossImpairment(Math.max(measured.lossIn, measured.lossOut));
  const delay = delayImpairment(network);
  const jitter = delayImpairment(network + buffered) - delay;
  const rating = Math.max(0, Math.min(93.2, 93.2 - loss - delay - jitter));
  const mos = 1 + 0.035 * rating + rating * (rating - 60) * (100 - rating) * 7e-6;
  const rounded = Math.round(Math.max(1, mos) * 10) / 10;
  const grade = rounded >= GOOD ? 'good' : rounded >= FAIR ? 'fair' : 'poor';
  const worst = Math.max(loss, delay, jitter);
  const cause = grade === 'good' ? null : worst === loss ? 'loss' : worst === delay ? 'delay' : 'jitter';
  return { ...measured, mos: rounded, grade, cause };
}

/** The counters of one report that are needed for the next. */
export interface Counters {
  readonly received: number;
  readonly lost: number;
}

interface Stat {
  readonly type: string;
  readonly kind?: string;
  readonly packetsReceived?: number;
  readonly packetsLost?: number;
  readonly jitter?: number;
  readonly roundTripTime?: number;
  readonly fractionLost?: number;
  readonly nominated?: boolean;
  readonly currentRoundTripTime?: number;
  readonly audioLevel?: number;
}

/** What one report says, compared with the counters before it. */
export function measure(report: Iterable<Stat>, before: Counters | null): { measured: Measured; counters: Counters } {
  let counters: Counters = { received: 0, lost: 0 };
  let jitter = 0;
  let roundTrip = 0;
  let lossOut = 0;
  for (const stat of report) {
    if (stat.type === 'inbound-rtp' && stat.kind === 'audio') {
      counters = { received: stat.packetsReceived ?? 0, lost: Math.max(0, stat.packetsLost ?? 0) };
      jitter = 1_000 * (stat.jitter ?? 0);
    } else if (stat.type === 'remote-inbound-rtp') {
      lossOut = stat.fractionLost ?? 0;
      roundTrip ||= 1_000 * (stat.roundTripTime ?? 0);
    } else if (stat.type === 'candidate-pair' && stat.nominated && stat.currentRoundTripTime !== undefined) {
      roundTrip = 1_000 * stat.currentRoundTripTime;
    }
  }
  const lost = Math.max(0, counters.lost - (before?.lost ?? counters.lost));
  const received = Math.max(0, counters.received - (before?.received ?? counters.received));
  const lossIn = lost + received > 0 ? lost / (lost + received) : 0;
  return { measured: { lossIn, lossOut, jitter: Math.round(jitter), roundTrip: Math.round(roundTrip) }, counters };
}

/** How loud the microphone is, 0 to 1. */
export function levelOf(report: Iterable<Stat>): number {
  for (const stat of report) if (stat.type === 'media-source' && stat.kind === 'audio') return stat.audioLevel ?? 0;
  return 0;
}
