import { describe, expect, test } from 'vitest';
import { gradeOf, levelOf, measure } from './quality';

const CLEAN = { lossIn: 0, lossOut: 0, jitter: 2, roundTrip: 30 };

describe('quality', () => {
  test('a clean line is good and has no cause', () => {
    const quality = gradeOf(CLEAN);
    expect(quality.grade).toBe('good');
    expect(quality.cause).toBeNull();
    expect(quality.mos).toBeGreaterThan(4.3);
  });

  test.each([
    [{ ...CLEAN, lossOut: 0.05 }, 'fair', 'loss'],
    [{ ...CLEAN, lossIn: 0.2 }, 'poor', 'loss'],
    [{ ...CLEAN, roundTrip: 700 }, 'poor', 'delay'],
    [{ ...CLEAN, jitter: 125 }, 'fair', 'jitter'],
  ] as const)('%o is %s because of %s', (measured, grade, cause) => {
    expect(gradeOf(measured)).toMatchObject({ grade, cause });
  });

  test('loss counts from one report to the next, and the first one tells none', () => {
    const report = (packetsReceived: number, packetsLost: number) => [
      { type: 'inbound-rtp', kind: 'audio', packetsReceived, packetsLost, jitter: 0.004 },
      { type: 'remote-inbound-rtp', fractionLost: 0.25, roundTripTime: 0.08 },
      { type: 'candidate-pair', nominated: true, currentRoundTripTime: 0.05 },
      { type: 'media-source', kind: 'audio', audioLevel: 0.5 },
    ];
    const first = measure(report(1_000, 10), null);
    expect(first.measured).toEqual({ lossIn: 0, lossOut: 0.25, jitter: 4, roundTrip: 50 });
    expect(measure(report(1_090, 20), first.counters).measured.lossIn).toBeCloseTo(0.1);
    expect(levelOf(report(1, 0))).toBe(0.5);
  });
});
