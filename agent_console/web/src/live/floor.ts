import type { AgentView, CallbackView, ContactView, QueueView, ToBrowser } from '../wire';

/** What this browser knows of the floor, and how far in the numbering it is. */
export interface Floor {
  /** The server's numbering; another one means another history. */
  readonly epoch: string | null;
  /** The last numbered frame seen, to resume after it. */
  readonly seq: number | null;
  /** False until the first snapshot, and from a gap until the next one. */
  readonly synced: boolean;
  readonly exchangeUp: boolean;
  readonly agents: ReadonlyMap<string, AgentView>;
  readonly queues: ReadonlyMap<string, QueueView>;
  readonly contacts: ReadonlyMap<string, ContactView>;
  readonly callbacks: ReadonlyMap<string, CallbackView>;
}

/** A floor after a frame; `gap` asks the connection to request a snapshot. */
export interface Applied {
  readonly floor: Floor;
  readonly gap: boolean;
}

export const EMPTY_FLOOR: Floor = {
  epoch: null,
  seq: null,
  synced: false,
  exchangeUp: true,
  agents: new Map(),
  queues: new Map(),
  contacts: new Map(),
  callbacks: new Map(),
};

function indexed<View>(views: readonly View[], id: (view: View) => string): ReadonlyMap<string, View> {
  return new Map(views.map((view) => [id(view), view]));
}

function changed<View>(views: ReadonlyMap<string, View>, id: string, view: View): ReadonlyMap<string, View> {
  return new Map(views).set(id, view);
}

function removed<View>(views: ReadonlyMap<string, View>, id: string): ReadonlyMap<string, View> {
  const rest = new Map(views);
  rest.delete(id);
  return rest;
}

type DeltaType =
  'agent.changed' | 'queue.changed' | 'contact.changed' | 'contact.removed' | 'callback.changed' | 'callback.removed';
type Delta = Extract<ToBrowser, { type: DeltaType }>;

function withDelta(floor: Floor, frame: Delta): Floor {
  switch (frame.type) {
    case 'agent.changed':
      return { ...floor, agents: changed(floor.agents, frame.agent.agent_id, frame.agent) };
    case 'queue.changed':
      return { ...floor, queues: changed(floor.queues, frame.queue.queue_id, frame.queue) };
    case 'contact.changed':
      return { ...floor, contacts: changed(floor.contacts, frame.contact.contact_id, frame.contact) };
    case 'contact.removed':
      return { ...floor, contacts: removed(floor.contacts, frame.contact_id) };
    case 'callback.changed':
      return { ...floor, callbacks: changed(floor.callbacks, frame.callback.callback_id, frame.callback) };
    case 'callback.removed':
      return { ...floor, callbacks: removed(floor.callbacks, frame.callback_id) };
  }
}

function applyDelta(floor: Floor, frame: Delta): Applied {
  if (!floor.synced) return { floor, gap: false }; // a snapshot is already on its way
  if (frame.after !== floor.seq) return { floor: { ...floor, synced: false }, gap: true };
  return { floor: { ...withDelta(floor, frame), seq: frame.seq }, gap: false };
}

/**
 * The floor after one frame. Frames of unknown types change nothing, so that a newer server may say more.
 *
 * A delta counts only when its `after` is the last `seq` seen; otherwise something was missed, the floor keeps what it
 * shows and waits for a snapshot.
 */
export function apply(floor: Floor, frame: ToBrowser): Applied {
  switch (frame.type) {
    case 'welcome':
      return {
        floor: { ...floor, epoch: frame.epoch, synced: frame.resumed && floor.seq !== null },
        gap: false,
      };
    case 'snapshot':
      return {
        floor: {
          ...floor,
          seq: frame.seq,
          synced: true,
          agents: indexed(frame.floor.agents, (agent) => agent.agent_id),
          queues: indexed(frame.floor.queues, (queue) => queue.queue_id),
          contacts: indexed(frame.floor.contacts, (contact) => contact.contact_id),
          callbacks: indexed(frame.floor.callbacks, (callback) => callback.callback_id),
        },
        gap: false,
      };
    case 'agent.changed':
    case 'queue.changed':
    case 'contact.changed':
    case 'contact.removed':
    case 'callback.changed':
    case 'callback.removed':
      return applyDelta(floor, frame);
    case 'exchange.status':
      return { floor: { ...floor, exchangeUp: frame.up }, gap: false };
    default:
      return { floor, gap: false };
  }
}
