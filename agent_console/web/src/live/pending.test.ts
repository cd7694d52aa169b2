import { describe, expect, it } from 'vitest';
import { aContact, anAgent, numbered } from '../test/views';
import type { ToBrowser } from '../wire';
import { CHANGE_DEADLINE, expire, INTENT_DEADLINE, isPending, settle, type PendingIntents } from './pending';

const one: PendingIntents = new Map([
  [
    'i1',
    { intent: { type: 'intent', intent_id: 'i1', intent: 'agent.ready' }, sentAt: 0, acceptedAt: null, changed: false },
  ],
]);
const accepted: ToBrowser = { v: 1, type: 'intent.accepted', intent_id: 'i1' };
const changed: ToBrowser = { ...numbered(2), type: 'agent.changed', agent: anAgent() };

const settled = (frames: readonly ToBrowser[], pending = one) =>
  frames.reduce((before, frame) => settle(before, frame, 'anna', 10).pending, pending);

describe('an intent', () => {
  it('is on its way until it is accepted and the change has come, in either order', () => {
    expect(isPending(settled([accepted]), 'agent.ready')).toBe(true);
    expect(isPending(settled([changed]), 'agent.ready')).toBe(true);
    expect(settled([accepted, changed]).size).toBe(0);
    expect(settled([changed, accepted]).size).toBe(0);
  });

  it('is not ended by a change of somebody else', () => {
    const other: ToBrowser = { ...numbered(2), type: 'agent.changed', agent: anAgent({ agent_id: 'boris' }) };
    expect(settled([accepted, other]).size).toBe(1);
  });

  it('about a contact ends with the change of that contact', () => {
    const about: PendingIntents = new Map([
      [
        'i1',
        {
          intent: { type: 'intent', intent_id: 'i1', intent: 'contact.identify', contact_id: 'c1' },
          sentAt: 0,
          acceptedAt: null,
          changed: false,
        },
      ],
    ]);
    expect(isPending(about, 'contact.identify', 'c1')).toBe(true);
    expect(isPending(about, 'contact.identify', 'c2')).toBe(false);
    expect(settled([accepted, { ...numbered(2), type: 'contact.changed', contact: aContact() }], about).size).toBe(0);
    expect(settled([accepted, { ...numbered(2), type: 'contact.removed', contact_id: 'c1' }], about).size).toBe(0);
  });

  it('that is refused ends at once and says why', () => {
    const refused: ToBrowser = {
      v: 1,
      type: 'intent.refused',
      intent_id: 'i1',
      code: 'phone-not-registered',
      message: 'no',
    };
    const result = settle(one, refused, 'anna', 10);
    expect(result.pending.size).toBe(0);
    expect(result.refusals).toEqual([
      {
        intentId: 'i1',
        intent: 'agent.ready',
        code: 'phone-not-registered',
        message: 'no',
        asked: one.get('i1')?.intent,
      },
    ]);
  });

  it('that nobody answers is refused by this side', () => {
    expect(expire(one, INTENT_DEADLINE - 1).pending).toBe(one);
    const result = expire(one, INTENT_DEADLINE);
    expect(result.pending.size).toBe(0);
    expect(result.refusals[0]?.code).toBe('no-answer');
  });

  it('that was accepted and changes nothing ends without a word', () => {
    const waiting = settled([accepted]);
    expect(expire(waiting, 10 + CHANGE_DEADLINE - 1).pending.size).toBe(1);
    expect(expire(waiting, 10 + CHANGE_DEADLINE)).toEqual({ pending: new Map(), refusals: [] });
  });
});
