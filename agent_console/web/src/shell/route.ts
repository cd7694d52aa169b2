import { useSyncExternalStore } from 'react';

/** Where one can be. Kept in the address after `#`, so that the server needs to know no page but one. */
export type Route =
  | { readonly page: 'desk' }
  | { readonly page: 'floor' }
  | { readonly page: 'reports' }
  | { readonly page: 'customers' }
  | { readonly page: 'voicemail' }
  | { readonly page: 'duplicates' }
  | { readonly page: 'import' }
  | { readonly page: 'audit' }
  | { readonly page: 'access' }
  | { readonly page: 'holds' }
  | { readonly page: 'collisions' }
  | { readonly page: 'quality' }
  | { readonly page: 'hand-over' }
  | { readonly page: 'tokens' }
  | { readonly page: 'customer'; readonly customerId: string };

/** The pages that are named by one word. */
const PAGES: readonly Exclude<Route, { readonly page: 'customer' }>[] = [
  { page: 'desk' },
  { page: 'floor' },
  { page: 'reports' },
  { page: 'customers' },
  { page: 'voicemail' },
  { page: 'duplicates' },
  { page: 'import' },
  { page: 'audit' },
  { page: 'access' },
  { page: 'holds' },
  { page: 'collisions' },
  { page: 'quality' },
  { page: 'hand-over' },
  { page: 'tokens' },
];

/** A part of an address as it was before escaping; `null` when it cannot have been escaped. */
function unescaped(part: string): string | null {
  try {
    return decodeURIComponent(part);
  } catch {
    return null; // an address that somebody mistyped names nothing
  }
}

/** The route of an address such as `#/customers/42`; `null` when it names none. */
export function parseRoute(hash: string): Route | null {
  const [page, id, ...rest] = hash.replace(/^#\/?/, '').split('/');
  if (rest.length > 0) return null;
  if (page === 'customers' && id) {
    const customerId = unescaped(id);
    return customerId === null ? null : { page: 'customer', customerId };
  }
  if (id) return null;
  return PAGES.find((known) => known.page === page) ?? null;
}

/** The address of a route, for links. */
export function addressOf(route: Route): string {
  return route.page === 'customer' ? `#/customers/${encodeURIComponent(route.customerId)}` : `#/${route.page}`;
}

function subscribe(listener: () => void): () => void {
  window.addEventListener('hashchange', listener);
  return () => window.removeEventListener('hashchange', listener);
}

/** The present address. */
export function useAddress(): string {
  return useSyncExternalStore(subscribe, () => window.location.hash);
}
