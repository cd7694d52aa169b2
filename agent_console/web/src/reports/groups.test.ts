import { describe, expect, it } from 'vitest';
import type { Figure, ReportLine } from '../api/reports';
import { GROUPS, tellingLines } from './groups';

const line = (id: string | null, metrics: Readonly<Record<string, Figure>>): ReportLine => ({
  id,
  name: id,
  from: '2026-03-01T00:00:00Z',
  to: '2026-03-02T00:00:00Z',
  metrics,
});
const UNITS: Readonly<Record<string, string>> = { scheduled_split: 'ms', handled: 'count', dials: 'count' };
const unitOf = (metric: string) => UNITS[metric] ?? 'share';
const group = (key: string) => {
  const found = GROUPS.find((each) => each.key === key);
  if (!found) throw new Error(key);
  return found;
};

describe('the lines of a report', () => {
  it('are left out where nobody has what the table is about', () => {
    const lines = [
      line('anna', { scheduled_split: 3_600_000, adherence: 0.9 }),
      line('ben', { scheduled_split: 0, adherence: null }),
    ];
    expect(tellingLines(group('roster'), lines, unitOf).map(({ id }) => id)).toEqual(['anna']);
  });

  it('stay where a share is 0, which says something', () => {
    const lines = [line('sales', { dials: 0, drop_rate: 0 }), line('support', { dials: 0, drop_rate: null })];
    expect(tellingLines(group('calls-out'), lines, unitOf).map(({ id }) => id)).toEqual(['sales']);
  });

  it('stay in tables that every house has', () => {
    expect(tellingLines(group('work'), [line('anna', { handled: 0 })], unitOf)).toHaveLength(1);
  });
});
