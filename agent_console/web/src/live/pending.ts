import type { Intent, ToBrowser } from '../wire';

/** Milliseconds after which an unanswered intent is given up; the server itself gives up after ten seconds. */
export const INTENT_DEADLINE = 12_000;
/** Milliseconds an accepted intent may wait for its change; some change nothing (ready when ready already). */
export const CHANGE_DEADLINE = 1_500;

/** What the desk may ask for. */
export type IntentName = Intent['intent'];

/** An intent on its way: the button that caused it shows as busy until the floor has changed. */
export interface PendingIntent {
  readonly intent: Intent;
  /** Local milliseconds. */
  readonly sentAt: number;
  readonly acceptedAt: number | null;
  /** Whether the agent or the contact it is about has changed since it was sent. */
  readonly changed: boolean;
}

export type PendingIntents = ReadonlyMap<string, PendingIntent>;

/** Why an intent came to nothing; `code` is the server's, or `no-answer` from this side. */
export interface Refusal {
  readonly intentId: string;
  readonly intent: IntentName;
  readonly code: string;
  readonly message: string;
  /** What was asked for, so that it can be asked again. */
  readonly asked: Intent;
}

export interface Settled {
  readonly pending: PendingIntents;
  readonly refusals: readonly Refusal[];
}

function keep(pending: PendingIntents, update: (one: PendingIntent) => PendingIntent | null): PendingIntents {
  const next = new Map<string, PendingIntent>();
  let same = true;
  for (const [id, one] of pending) {
    const updated = update(one);
    if (updated) next.set(id, updated);
    same &&= updated === one;
  }
  return same ? pending : next;
}

const done = (one: PendingIntent) => (one.acceptedAt !== null && one.changed ? null : one);

function concerns(one: PendingIntent, frame: ToBrowser, agentId: string | null): boolean {
  switch (frame.type) {
    case 'agent.changed':
      return frame.agent.agent_id === agentId;
    case 'contact.changed':
      return frame.contact.contact_id === one.intent.contact_id;
    case 'contact.removed':
      return frame.contact_id === one.intent.contact_id;
    case 'callback.changed':
    case 'callback.removed':
      return one.intent.intent.startsWith('callback.');
    case 'snapshot':
      return true;
    default:
      return false;
  }
}

/** The intents still on their way after one frame, and those it refused. `agentId` is this desk's own agent. */
export function settle(pending: PendingIntents, frame: ToBrowser, agentId: string | null, now: number): Settled {
  if (pending.size === 0) return { pending, refusals: [] };
  if (frame.type === 'intent.refused') {
    const refused = pending.get(frame.intent_id);
    if (!refused) return { pending, refusals: [] };
    return {
      pending: keep(pending, (one) => (one === refused ? null : one)),
      refusals: [refusal(refused.intent, frame.code, frame.message)],
    };
  }
  if (frame.type === 'intent.accepted') {
    const accept = (one: PendingIntent) =>
      one.intent.intent_id === frame.intent_id ? done({ ...one, acceptedAt: now }) : one;
    return { pending: keep(pending, accept), refusals: [] };
  }
  const change = (one: PendingIntent) =>
    !one.changed && concerns(one, frame, agentId) ? done({ ...one, changed: true }) : one;
  return { pending: keep(pending, change), refusals: [] };
}

/** The intents that may still be answered at `now`; those past their deadline come back as refusals. */
export function expire(pending: PendingIntents, now: number): Settled {
  const refusals: Refusal[] = [];
  const kept = keep(pending, (one) => {
    if (one.acceptedAt !== null) return now - one.acceptedAt < CHANGE_DEADLINE ? one : null;
    if (now - one.sentAt < INTENT_DEADLINE) return one;
    refusals.push(refusal(one.intent, 'no-answer', ''));
    return null;
  });
  return { pending: kept, refusals };
}

function refusal(intent: Intent, code: string, message: string): Refusal {
  return { intentId: intent.intent_id, intent: intent.intent, code, message, asked: intent };
}

/** Whether an intent of this name (about this contact, when given) is on its way. */
export function isPending(pending: PendingIntents, name: IntentName, contactId?: string): boolean {
  for (const { intent } of pending.values()) {
    if (intent.intent === name && (contactId === undefined || intent.contact_id === contactId)) return true;
  }
  return false;
}
