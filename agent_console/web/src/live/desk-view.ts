import type { AgentView, ContactState, ContactView } from '../wire';
import type { Floor } from './floor';

const ON_THE_DESK: ReadonlySet<ContactState> = new Set<ContactState>(['offered', 'dialling', 'connected', 'wrap_up']);

/** One agent's desk: who sits there, and the call that rings, is dialled, talks or is being wrapped up. */
export interface DeskView {
  readonly agent: AgentView | null;
  readonly contact: ContactView | null;
  /** What the agent has or is offered besides, oldest offer first: messages and the like. */
  readonly items: readonly ContactView[];
}

/** The desk of an agent. A contact shows whether the agent's or the contact's own change came first. */
export function deskOf(floor: Floor, agentId: string | null): DeskView {
  if (agentId === null) return { agent: null, contact: null, items: [] };
  const agent = floor.agents.get(agentId) ?? null;
  const isMine = (contact: ContactView) =>
    ON_THE_DESK.has(contact.state) && (contact.agent_id === agentId || ringAt(contact, agentId) !== undefined);
  const mine = [...floor.contacts.values()].filter(isMine).map((contact) => asItRingsAt(contact, agentId));
  const held = agent?.contact_id ? mine.find(({ contact_id }) => contact_id === agent.contact_id) : undefined;
  const contact = held ?? mine.find(({ channel }) => channel === 'voice');
  const items = mine.filter(({ channel }) => channel !== 'voice');
  items.sort((a, b) => (a.offered_at ?? a.arrived_at) - (b.offered_at ?? b.arrived_at));
  return { agent, contact: contact ?? null, items };
}

const ringAt = (contact: ContactView, agentId: string) => contact.ringing.find((ring) => ring.agent_id === agentId);

/** The contact with this agent's own ringing time, where it rings at several. */
function asItRingsAt(contact: ContactView, agentId: string): ContactView {
  const ring = ringAt(contact, agentId);
  if (!ring || contact.agent_id === agentId) return contact;
  return { ...contact, agent_id: agentId, offered_at: ring.offered_at, offer_expires_at: ring.expires_at };
}

/** What rings at the desk: the call, else the first item that does. */
export function offeredOn({ contact, items }: DeskView): ContactView | null {
  if (contact?.state === 'offered') return contact;
  return items.find(({ state }) => state === 'offered') ?? null;
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

/** Whether the agent is only kept for a customer who is being called: nothing rings and nobody talks yet. */
export function isKept(agent: AgentView | null, contact: ContactView): boolean {
  return agent?.is_kept === true && agent.contact_id === contact.contact_id;
}
