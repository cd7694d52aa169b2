import type { SessionView } from '../wire';

/** What the customer store asks of a person's roles. The server decides; here it is only what is worth showing. */
export type Permission =
  'write' | 'sensitive' | 'assign' | 'merge' | 'import' | 'export' | 'privacy' | 'audit' | 'tokens';

const AGENT: readonly Permission[] = ['write', 'sensitive'];
const TEAM_LEAD: readonly Permission[] = [...AGENT, 'assign', 'merge'];
const SUPERVISOR: readonly Permission[] = [...TEAM_LEAD, 'import', 'export', 'privacy'];

const PERMISSIONS: Readonly<Record<string, readonly Permission[]>> = {
  agent: AGENT,
  team_lead: TEAM_LEAD,
  supervisor: SUPERVISOR,
  administrator: [...SUPERVISOR, 'audit', 'tokens'],
  auditor: ['audit'],
};

/** Whether any of the person's roles allows it. */
export function may(person: SessionView, permission: Permission): boolean {
  return person.roles.some((role) => PERMISSIONS[role]?.includes(permission));
}
