/** Notes on a contact that the server does not have yet. */
export interface Draft {
  readonly contactId: string;
  readonly caller: string;
  readonly customerId: string | null;
  readonly disposition: string;
  readonly notes: string;
  /** Milliseconds since the epoch, on the server's clock. */
  readonly savedAt: number;
}

/** The part of the browser's storage that is needed here. */
export type DraftStorage = Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>;

/** Milliseconds after which a forgotten draft is thrown away: a shift and a half. */
export const KEEP_DRAFTS = 12 * 3_600_000;

const NAME = 'console.drafts.';

/**
 * Keeps the notes of one agent in this browser until the server has them: a reload, a lost connection or a wrap-up that
 * ran out loses no sentence. They hold personal data, so they go when saved, when discarded, and after `KEEP_DRAFTS`.
 */
export class DraftBox {
  private readonly listeners = new Set<() => void>();
  private changes = 0;

  constructor(
    private readonly storage: DraftStorage,
    private readonly userId: string,
  ) {}

  /** Calls `listener` after each change; returns the function that ends it. */
  subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  /** Another number after each change. */
  version = (): number => this.changes;

  /** The drafts still worth keeping at `now`, oldest first. */
  all(now: number): readonly Draft[] {
    return this.read().filter((draft) => now - draft.savedAt < KEEP_DRAFTS);
  }

  of(contactId: string, now: number): Draft | null {
    return this.all(now).find((draft) => draft.contactId === contactId) ?? null;
  }

  /** Keeps `draft` in place of an earlier one of the same contact; an empty one is not kept. */
  save(draft: Draft): void {
    const others = this.all(draft.savedAt).filter((other) => other.contactId !== draft.contactId);
    this.write(draft.notes.trim() || draft.disposition ? [...others, draft] : others);
  }

  discard(contactId: string): void {
    this.write(this.read().filter((draft) => draft.contactId !== contactId));
  }

  private read(): readonly Draft[] {
    try {
      const drafts: unknown = JSON.parse(this.storage.getItem(NAME + this.userId) ?? '[]');
      return Array.isArray(drafts) ? (drafts as Draft[]) : [];
    } catch {
      return []; // unreadable or switched off: there is nothing to give back
    }
  }

  private write(drafts: readonly Draft[]): void {
    try {
      if (drafts.length === 0) this.storage.removeItem(NAME + this.userId);
      else this.storage.setItem(NAME + this.userId, JSON.stringify(drafts));
    } catch {
      // storage is full or switched off: the text stays in its field
    }
    this.changes += 1;
    for (const listener of this.listeners) listener();
  }
}
