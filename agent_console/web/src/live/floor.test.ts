import { describe, expect, it } from 'vitest';
import { aContact, aFloor, anAgent, aQueue, aSnapshot, aWelcome, numbered } from '../test/views';
import type { ToBrowser } from '../wire';
import { apply, EMPTY_FLOOR, type Floor } from './floor';

const after = (frames: readonly ToBrowser[], start: Floor = EMPTY_FLOOR) =>
  frames.reduce((floor, frame) => apply(floor, frame).floor, start);

describe('the floor', () => {
  it('is replaced as a whole by a snapshot', () => {
    const before = after([aSnapshot(3, aFloor({ contacts: [aContact()] }))]);
    const floor = after([aSnapshot(9, aFloor({ agents: [anAgent({ name: 'Anna B' })] }))], before);
    expect(floor.seq).toBe(9);
    expect(floor.contacts.size).toBe(0);
    expect(floor.agents.get('anna')?.name).toBe('Anna B');
  });

  it('is the same from a stale snapshot and its deltas as from a fresh snapshot', () => {
    const busy = anAgent({ state: 'busy', contact_id: 'c1' });
    const waiting = aQueue({ waiting: 1 });
    const talking = aContact({ state: 'connected' });
    const stale = aFloor({ contacts: [aContact({ contact_id: 'c0' })] });
    const replayed = after([
      aSnapshot(1, stale),
      { ...numbered(2), type: 'agent.changed', agent: busy },
      { ...numbered(3), type: 'queue.changed', queue: waiting },
      { ...numbered(4), type: 'contact.changed', contact: talking },
      { ...numbered(5), type: 'contact.removed', contact_id: 'c0' },
    ]);
    const fresh = after([aSnapshot(5, aFloor({ agents: [busy], queues: [waiting], contacts: [talking] }))]);
    expect(replayed).toEqual(fresh);
  });

  it('asks for a resync at a gap, keeps what it shows and waits for the snapshot', () => {
    const floor = after([aSnapshot(1)]);
    const missed = apply(floor, { ...numbered(5), type: 'agent.changed', agent: anAgent({ state: 'busy' }) });
    expect(missed.gap).toBe(true);
    expect(missed.floor.agents.get('anna')?.state).toBe('ready');
    const next = apply(missed.floor, { ...numbered(6), type: 'agent.changed', agent: anAgent({ state: 'busy' }) });
    expect(next.gap).toBe(false);
    expect(next.floor.seq).toBe(1);
    expect(after([aSnapshot(7)], next.floor)).toMatchObject({ seq: 7, synced: true });
  });

  it('follows numbers that skip those of other browsers', () => {
    const floor = after([
      aSnapshot(1),
      { ...numbered(8, 1), type: 'agent.changed', agent: anAgent({ state: 'busy' }) },
    ]);
    expect(floor).toMatchObject({ seq: 8, synced: true });
  });

  it('goes on after a resumed welcome and waits after another', () => {
    const floor = after([aSnapshot(4)]);
    expect(after([aWelcome(true)], floor).synced).toBe(true);
    expect(after([aWelcome(false, 'e2')], floor)).toMatchObject({ synced: false, epoch: 'e2' });
  });

  it('tells whether the exchange answers', () => {
    expect(after([{ v: 1, type: 'exchange.status', up: false }]).exchangeUp).toBe(false);
  });

  it('is not changed by frames it does not know', () => {
    const floor = after([aSnapshot(1)]);
    const strange = { v: 1, type: 'weather.changed' } as unknown as ToBrowser;
    expect(apply(floor, strange)).toEqual({ floor, gap: false });
  });
});
