import { useState } from 'react';
import type { ApiError } from './http';
import { asApiError, useFetched } from './use-fetched';

/** A page of a list that is read both ways, newest first; a cursor is `null` where the list ends. */
export interface TwoWayPage<Item> {
  readonly items: readonly Item[];
  readonly next_cursor: string | null;
  readonly previous_cursor: string | null;
}

/** Where a page begins: at the newest, after a cursor towards the older or the newer, or at an instant. */
export type Place =
  | { readonly cursor: string }
  | { readonly newer: string }
  | { readonly until: string }
  | Readonly<Record<string, never>>;

export type Direction = 'older' | 'newer';

export interface ListWindow<Item> {
  readonly items: readonly Item[];
  /** Nothing has arrived yet. */
  readonly opening: boolean;
  readonly hasOlder: boolean;
  readonly hasNewer: boolean;
  /** Which way more is on its way. */
  readonly going: Direction | null;
  readonly error: ApiError | null;
  readonly go: (direction: Direction) => void;
  readonly reload: () => void;
}

/** Pages that stay on the screen: further ones push those at the other end out, so that no list grows without end. */
export const PAGES_KEPT = 8;

/** The pages after one more was read: at its end, and no more than are kept. */
export function moved<Item>(
  pages: readonly TwoWayPage<Item>[],
  page: TwoWayPage<Item>,
  direction: Direction,
): readonly TwoWayPage<Item>[] {
  return direction === 'older' ? [...pages, page].slice(-PAGES_KEPT) : [page, ...pages].slice(0, PAGES_KEPT);
}

/** A window on a long list: it opens at `start` per `key`, and goes on both ways. */
export function useWindow<Item>(
  key: string,
  start: Place,
  load: (place: Place, signal: AbortSignal) => Promise<TwoWayPage<Item>>,
): ListWindow<Item> {
  const first = useFetched(key, (signal) => load(start, signal));
  const [kept, setKept] = useState<{ of: unknown; pages: readonly TwoWayPage<Item>[] }>({ of: null, pages: [] });
  const [going, setGoing] = useState<Direction | null>(null);
  const [failed, setFailed] = useState<{ of: unknown; error: ApiError } | null>(null);
  const opened = first.value ? [first.value] : [];
  const pages = kept.of === first.value && kept.pages.length > 0 ? kept.pages : opened;
  const older = pages.at(-1)?.next_cursor ?? null;
  const newer = pages[0]?.previous_cursor ?? null;
  const go = (direction: Direction) => {
    const cursor = direction === 'older' ? older : newer;
    if (cursor === null || going) return;
    setGoing(direction);
    setFailed(null);
    load(direction === 'older' ? { cursor } : { newer: cursor }, new AbortController().signal)
      .then(
        (page) => setKept({ of: first.value, pages: moved(pages, page, direction) }),
        (error: unknown) => setFailed({ of: first.value, error: asApiError(error) }),
      )
      .finally(() => setGoing(null));
  };
  return {
    items: pages.flatMap((page) => page.items),
    opening: first.value === null && first.error === null,
    hasOlder: older !== null,
    hasNewer: newer !== null,
    going,
    error: first.error ?? (failed?.of === first.value ? failed.error : null),
    go,
    reload: first.reload,
  };
}
