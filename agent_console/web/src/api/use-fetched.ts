import { useCallback, useEffect, useRef, useState } from 'react';
import { ApiError } from './http';
import type { Page } from './customers';

/** Something asked of the server: on its way, arrived, or failed. */
export interface Fetched<Answer> {
  readonly value: Answer | null;
  readonly error: ApiError | null;
  readonly reload: () => void;
}

export const asApiError = (error: unknown) =>
  error instanceof ApiError ? error : new ApiError(0, 'unreachable', String(error));

/** Asks `load` once per `key` and after each `reload`; an answer to an earlier key is thrown away. */
export function useFetched<Answer>(key: string, load: (signal: AbortSignal) => Promise<Answer>): Fetched<Answer> {
  const [state, setState] = useState<{ key: string; value: Answer | null; error: ApiError | null }>({
    key,
    value: null,
    error: null,
  });
  const [round, setRound] = useState(0);
  const latestLoad = useRef(load);
  useEffect(() => {
    latestLoad.current = load;
  });
  useEffect(() => {
    const abort = new AbortController();
    latestLoad.current(abort.signal).then(
      (value) => {
        if (!abort.signal.aborted) setState({ key, value, error: null });
      },
      (error: unknown) => {
        if (!abort.signal.aborted)
          setState((before) => ({ key, value: before.key === key ? before.value : null, error: asApiError(error) }));
      },
    );
    return () => abort.abort();
  }, [key, round]);
  const reload = useCallback(() => setRound((before) => before + 1), []);
  const current = state.key === key;
  return { value: current ? state.value : null, error: current ? state.error : null, reload };
}

/** A list read part by part. */
export interface Paged<Item> {
  readonly items: readonly Item[];
  readonly more: boolean;
  readonly loading: boolean;
  readonly error: ApiError | null;
  readonly loadMore: () => void;
  readonly reload: () => void;
}

type LoadPage<Item> = (cursor: string | null, signal: AbortSignal) => Promise<Page<Item>>;

/** Reads the first part of a list per `key`, and the next one on each `loadMore`. */
export function usePaged<Item>(key: string, load: LoadPage<Item>): Paged<Item> {
  const first = useFetched(key, (signal) => load(null, signal));
  const [rest, setRest] = useState<{ of: Page<Item> | null; pages: readonly Page<Item>[] }>({ of: null, pages: [] });
  const [loadingMore, setLoadingMore] = useState(false);
  const [moreError, setMoreError] = useState<ApiError | null>(null);
  const pages = rest.of === first.value ? rest.pages : [];
  const last = pages.at(-1) ?? first.value;
  const cursor = last?.next_cursor ?? null;
  const loadMore = () => {
    if (!cursor || loadingMore) return;
    setLoadingMore(true);
    setMoreError(null);
    load(cursor, new AbortController().signal)
      .then(
        (page) => setRest({ of: first.value, pages: [...pages, page] }),
        (error: unknown) => setMoreError(asApiError(error)),
      )
      .finally(() => setLoadingMore(false));
  };
  return {
    items: [...(first.value?.items ?? []), ...pages.flatMap((page) => page.items)],
    more: cursor !== null,
    loading: loadingMore || (first.value === null && first.error === null),
    error: first.error ?? moreError,
    loadMore,
    reload: first.reload,
  };
}
