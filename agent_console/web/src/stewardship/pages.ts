import { may, type Permission } from '../api/permissions';
import type { Key } from '../i18n/translate';
import type { Route } from '../shell/route';
import type { SessionView } from '../wire';

/** A page about customers. */
export type Page =
  | 'customers'
  | 'duplicates'
  | 'import'
  | 'audit'
  | 'access'
  | 'holds'
  | 'collisions'
  | 'quality'
  | 'hand-over'
  | 'tokens';

/** The pages about customers, and what one has to be allowed to open them. */
export const PAGES: readonly { readonly page: Page; readonly label: Key; readonly needs: Permission | null }[] = [
  { page: 'customers', label: 'customers.search', needs: null },
  { page: 'duplicates', label: 'duplicates.title', needs: 'merge' },
  { page: 'collisions', label: 'collisions.title', needs: 'merge' },
  { page: 'quality', label: 'quality.title', needs: 'merge' },
  { page: 'hand-over', label: 'hand_over.title', needs: 'assign' },
  { page: 'import', label: 'import.title', needs: 'import' },
  { page: 'holds', label: 'hold.list', needs: 'privacy' },
  { page: 'access', label: 'access.title', needs: 'audit' },
  { page: 'audit', label: 'audit.title', needs: 'audit' },
  { page: 'tokens', label: 'tokens.title', needs: 'tokens' },
];

/** Whether a person may open a page about customers. */
export function mayOpen(route: Route, person: SessionView): boolean {
  const found = PAGES.find(({ page }) => page === route.page);
  return !found?.needs || may(person, found.needs);
}
