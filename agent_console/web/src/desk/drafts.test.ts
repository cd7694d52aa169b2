import { beforeEach, describe, expect, it } from 'vitest';
import { NOON } from '../test/views';
import { DraftBox, KEEP_DRAFTS, type Draft } from './drafts';

const aDraft = (over: Partial<Draft> = {}): Draft => ({
  contactId: 'c1',
  caller: '+442079460991',
  customerId: null,
  disposition: '',
  notes: 'refund',
  savedAt: NOON,
  ...over,
});

/** A browser's storage, empty. */
function aStorage() {
  const entries = new Map<string, string>();
  return {
    entries,
    getItem: (name: string) => entries.get(name) ?? null,
    setItem: (name: string, value: string) => void entries.set(name, value),
    removeItem: (name: string) => void entries.delete(name),
  };
}

let storage: ReturnType<typeof aStorage>;
let box: DraftBox;
beforeEach(() => {
  storage = aStorage();
  box = new DraftBox(storage, 'user-anna');
});

describe('drafts', () => {
  it('come back for their contact, the latest text of each', () => {
    box.save(aDraft());
    box.save(aDraft({ notes: 'refund promised' }));
    box.save(aDraft({ contactId: 'c2' }));
    expect(box.of('c1', NOON)?.notes).toBe('refund promised');
    expect(box.all(NOON)).toHaveLength(2);
  });

  it('are not kept when nothing was written', () => {
    box.save(aDraft());
    box.save(aDraft({ notes: ' ' }));
    expect(box.of('c1', NOON)).toBeNull();
    expect(storage.entries.size).toBe(0);
  });

  it('go when they are discarded and when they are old', () => {
    box.save(aDraft());
    expect(box.all(NOON + KEEP_DRAFTS)).toHaveLength(0);
    box.discard('c1');
    expect(box.all(NOON)).toHaveLength(0);
  });

  it('are not shown to another person at the same browser', () => {
    box.save(aDraft());
    expect(new DraftBox(storage, 'user-boris').all(NOON)).toHaveLength(0);
  });

  it('tell those who watch of each change', () => {
    let told = 0;
    const stop = box.subscribe(() => (told += 1));
    const before = box.version();
    box.save(aDraft());
    expect(told).toBe(1);
    expect(box.version()).not.toBe(before);
    stop();
    box.discard('c1');
    expect(told).toBe(1);
  });

  it('survive storage that cannot be read', () => {
    storage.setItem('console.drafts.user-anna', '{broken');
    expect(box.all(NOON)).toHaveLength(0);
    box.save(aDraft());
    expect(box.all(NOON)).toHaveLength(1);
  });

  it('do not break a browser that stores nothing', () => {
    const full = {
      getItem: () => null,
      removeItem: () => undefined,
      setItem: () => {
        throw new DOMException('full', 'QuotaExceededError');
      },
    };
    expect(() => new DraftBox(full, 'user-anna').save(aDraft())).not.toThrow();
  });
});
