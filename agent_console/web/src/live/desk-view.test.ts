import { describe, expect, it } from 'vitest';
import { aContact, aFloor, anAgent, aSnapshot, NOON } from '../test/views';
import type { AgentView, ContactView } from '../wire';
import { deferredState, deskOf, isKept, mayAskForContacts, missedAnOffer, offeredOn } from './desk-view';
import { lookOfAgent } from '../floor/states';
import { apply, EMPTY_FLOOR } from './floor';

const floorWith = (agent: AgentView, ...contacts: readonly ContactView[]) =>
  apply(EMPTY_FLOOR, aSnapshot(1, aFloor({ agents: [agent], contacts }))).floor;

describe('the desk', () => {
  it('has the contact its agent holds', () => {
    const floor = floorWith(anAgent({ state: 'offered', contact_id: 'c1' }), aContact());
    expect(deskOf(floor, 'anna').contact?.contact_id).toBe('c1');
  });

  it('tells being kept for a customer who is called from ringing', () => {
    const call = aContact({ state: 'dialling' });
    expect(isKept(anAgent({ state: 'offered', contact_id: 'c1', is_kept: true }), call)).toBe(true);
    expect(isKept(anAgent({ state: 'busy', contact_id: 'c1' }), call)).toBe(false);
    expect(lookOfAgent(anAgent({ state: 'offered', is_kept: true })).label).toBe('state.kept');
    expect(lookOfAgent(anAgent({ state: 'offered' })).label).toBe('state.offered');
  });

  it('shows an offer whose agent has not changed yet', () => {
    expect(deskOf(floorWith(anAgent(), aContact()), 'anna').contact?.contact_id).toBe('c1');
  });

  it('does not show what waits or belongs to others', () => {
    const waiting = aContact({ contact_id: 'c2', state: 'queued', agent_id: null });
    const others = aContact({ contact_id: 'c3', agent_id: 'boris' });
    expect(deskOf(floorWith(anAgent(), waiting, others), 'anna').contact).toBeNull();
  });

  it('has items beside the call, and the call rings first', () => {
    const call = aContact({ contact_id: 'c1', offered_at: NOON + 5 });
    const first = aContact({ contact_id: 'm1', channel: 'message', state: 'connected', offered_at: NOON });
    const second = aContact({ contact_id: 'm2', channel: 'message', offered_at: NOON + 9 });
    const desk = deskOf(floorWith(anAgent(), second, first, call), 'anna');
    expect(desk.contact?.contact_id).toBe('c1');
    expect(desk.items.map(({ contact_id }) => contact_id)).toEqual(['m1', 'm2']);
    expect(offeredOn(desk)?.contact_id).toBe('c1');
    expect(offeredOn({ ...desk, contact: null })?.contact_id).toBe('m2');
  });

  it('has what rings at its agent beside others, with its own time', () => {
    const ringing = [
      { agent_id: 'boris', offered_at: NOON, expires_at: NOON + 20_000 },
      { agent_id: 'anna', offered_at: NOON + 5_000, expires_at: NOON + 25_000 },
    ];
    const contact = aContact({ agent_id: 'boris', ringing });
    const mine = deskOf(floorWith(anAgent({ state: 'offered' }), contact), 'anna').contact;
    expect([mine?.agent_id, mine?.offered_at, mine?.offer_expires_at]).toEqual(['anna', NOON + 5_000, NOON + 25_000]);
  });

  it('is empty for people without a seat', () => {
    expect(deskOf(floorWith(anAgent(), aContact()), null)).toEqual({ agent: null, contact: null, items: [] });
  });
});

describe('an agent', () => {
  it('has the reason of a deferred pause without its prefix', () => {
    expect(deferredState(anAgent({ pending: 'not_ready:lunch' }))).toBe('lunch');
    expect(deferredState(anAgent({ pending: 'offline' }))).toBe('offline');
    expect(deferredState(anAgent())).toBeNull();
  });

  it('missed an offer only when not ready for that reason', () => {
    expect(missedAnOffer(anAgent({ state: 'not_ready', reason: 'no_answer' }))).toBe(true);
    expect(missedAnOffer(anAgent({ state: 'not_ready', reason: 'lunch' }))).toBe(false);
  });

  it('may ask for contacts when not ready, offline, or to take back a deferred pause', () => {
    expect(mayAskForContacts(anAgent({ state: 'not_ready' }))).toBe(true);
    expect(mayAskForContacts(anAgent({ state: 'busy', pending: 'not_ready:lunch' }))).toBe(true);
    expect(mayAskForContacts(anAgent({ state: 'wrap_up' }))).toBe(false);
  });
});
