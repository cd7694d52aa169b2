import { describe, expect, it } from 'vitest';
import type { InteractionLine } from '../api/customers';
import { asOne } from './conversation';

const aPart = (over: Partial<InteractionLine> = {}): InteractionLine => ({
  contact_id: 'c1',
  started_at: '2026-03-02T10:00:00Z',
  channel: 'voice',
  direction: 'inbound',
  outcome: 'answered',
  queue_id: 'sales',
  agent_name: 'Lin',
  disposition: null,
  notes: null,
  talk_ms: 60_000,
  ...over,
});

describe('a conversation of several parts', () => {
  it('is one line with everybody in turn, all the talk and the last word', () => {
    const parts = [
      aPart({ contact_id: 'c2', agent_name: 'Ben', disposition: 'sold', notes: 'Two.', talk_ms: 30_000 }),
      aPart({ contact_id: 'c3', agent_name: 'Ben', talk_ms: 1_000 }),
      aPart({ contact_id: 'c4', talk_ms: 2_000 }),
    ];
    const line = asOne(aPart({ disposition: 'asked', notes: 'One.' }), parts);
    expect([line.contact_id, line.queue_id]).toEqual(['c1', 'sales']);
    expect(line.agent_name).toBe('Lin → Ben → Lin');
    expect([line.talk_ms, line.disposition, line.notes]).toEqual([93_000, 'sold', 'Two.']);
  });

  it('names nobody where nobody had the customer', () => {
    expect(asOne(aPart({ agent_name: null }), []).agent_name).toBeNull();
  });
});
