import type { AgentView, ContactState, ContactView } from '../wire';
import type { Floor } from './floor';

const ON_THE_DESK: ReadonlySet<ContactState> = new Set<ContactState>(['offered', 'dialling', 'connected', 'wrap_up']);

/** One agent's desk: who sits there, and the contact that rings, is dialled, talks or is being wrapped up. */
export interface DeskView {
  readonly agent: AgentView | null;
  readonly contact: ContactView | null;
}

/** The desk of an agent. A contact shows whether the agent's or the contact's own change came first. */
export function deskOf(floor: Floor, agentId: string | null): DeskView {
  if (agentId === null) return { agent: null, contact: null };
  const agent = floor.agents.get(agentId) ?? null;
  const held = agent?.contact_id ? floor.contacts.get(agent.contact_id) : undefined;
  const isMine = (contact: ContactView) => contact.agent_id === agentId && ON_THE_DESK.has(contact.state);
  const contact = held && isMine(held) ? held : [...floor.contacts.values()].find(isMine);
  return { agent, contact: contact ?? null };
}

/** The pause an agent goes to after the present contact: a reason's code, `offline` for signing out, else `null`. */
export function deferredState(agent: AgentView): string | null {
  return agent.pending?.replace(/^not_ready:/, '') ?? null;
}

/** Whether asking for contacts makes sense now; during a wrap-up it is the finished wrap-up that asks. */
export function mayAskForContacts(agent: AgentView): boolean {
  return agent.state === 'not_ready' || agent.state === 'offline' || agent.pending !== null;
}

/** Whether the agent let a call ring out and was made not ready for it. */
export function missedAnOffer(agent: AgentView | null): boolean {
  return agent?.state === 'not_ready' && agent.reason === 'no_answer';
}
