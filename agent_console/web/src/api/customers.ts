import type { LineQuality } from '../quality/line-quality';
import { get, post, withQuery } from './http';
import type { CustomerPromise } from './promises';
import type { Change } from './record';
import type { Place, TwoWayPage } from './use-window';

// What the customer store answers, as far as it is shown. Ids are strings, instants RFC 3339 texts, durations
// milliseconds. The whole of it is in the server's OpenAPI document.

/** A customer in a list. */
export interface CustomerSummary {
  readonly id: string;
  readonly kind: 'person' | 'org';
  readonly display_name: string;
  readonly level: string | null;
  readonly preferred_language: string | null;
  readonly last_contact_at: string | null;
}

/** A customer who has the number that was looked up. */
export interface Candidate {
  readonly customer_id: string;
  readonly display_name: string;
  readonly level: string | null;
  readonly preferred_language: string | null;
  readonly last_contact_at: string | null;
  readonly badge: CustomerCard['badge'];
}

/** Who has a number, best first. */
export interface Lookup {
  readonly state: 'none' | 'one' | 'many';
  readonly candidates: readonly Candidate[];
}

/** What was recorded of a conversation; `state` is `recording`, `stored`, `lost` or `deleted`. */
export interface Recording {
  readonly recording_id: string;
  readonly contact_id: string;
  readonly state: string;
  readonly agent_name: string | null;
  readonly announced: boolean | null;
  readonly duration_ms: number | null;
  readonly truncated: string | null;
  /** From and to, milliseconds from the start. */
  readonly pauses: readonly (readonly [number, number])[];
  readonly legal_hold: boolean;
  readonly hold_reason: string | null;
}

/** Whether a recording (none: the whole contact) was written down, or why not; the words are asked for by themselves. */
export interface TranscriptSummary {
  readonly recording_id: string | null;
  readonly state: string;
  readonly source: string;
  readonly error: string | null;
}

/** Something a party said, in milliseconds from the start of the recording. */
export interface SpokenLine {
  readonly start_ms: number;
  readonly end_ms: number;
  readonly party: string;
  readonly text: string;
}

export interface Transcript {
  readonly recording_id: string | null;
  readonly source: string;
  readonly segments: readonly SpokenLine[];
  readonly pauses: readonly (readonly [number, number])[];
}

/** What lists show of an interaction. */
export interface InteractionLine {
  readonly contact_id: string;
  readonly started_at: string;
  readonly channel: string;
  readonly direction: string;
  readonly outcome: string;
  readonly queue_id: string | null;
  readonly agent_name: string | null;
  readonly disposition: string | null;
  readonly notes: string | null;
  readonly talk_ms: number;
  /** What the customer said of it when asked: `csat` 1 to 5, `nps` 0 to 10. */
  readonly survey?: { readonly kind: string; readonly score: number | null; readonly comment?: string } | null;
  /** The number that forwarded the call to us; the customer's card leaves it out. */
  readonly diverted_from?: string | null;
  /** The contact this one came from, and who had it; not everywhere either. */
  readonly parent?: {
    readonly contact_id: string;
    readonly relation: string;
    readonly agent_name: string | null;
  } | null;
  /** Not everywhere: the customer's card leaves them out. */
  readonly recordings?: readonly Recording[];
  readonly transcripts?: readonly TranscriptSummary[];
  /** How each party was heard, the customer first. */
  readonly lines?: readonly LineQuality[];
}

/** One contact from its arrival to its end. */
export interface Interaction extends InteractionLine {
  readonly id: string;
  readonly from_value: string;
  readonly from_name: string;
  readonly to_value: string;
  readonly customer_id: string | null;
  /** As the customer's record has it now. */
  readonly customer_name: string | null;
  readonly flow_path: readonly string[];
}

export interface CardContact {
  readonly value: string;
  readonly normal_form: string;
  readonly is_primary: boolean;
}

/** What an agent should know of a customer before saying hello. */
export interface CustomerCard {
  readonly customer_id: string;
  readonly display_name: string;
  readonly preferred_language: string | null;
  readonly level: string | null;
  readonly customer_since: string;
  readonly numbers: readonly CardContact[];
  readonly emails: readonly CardContact[];
  /** The last five at most, latest first. */
  readonly last_interactions: readonly InteractionLine[];
  /** Contacts in the last seven days. */
  readonly contacts_in_window: number;
  readonly is_repeat_caller: boolean;
  /** The level as everybody sees it at a glance. */
  readonly badge: { readonly name: string; readonly rank: number; readonly colour: string } | null;
  /** The favourite of each purpose. */
  readonly preferences: readonly {
    readonly purpose: string;
    readonly channel: string;
    readonly language: string | null;
  }[];
  /** How, or when, the customer likes to be spoken to, in words. */
  readonly wishes?: readonly { readonly kind: string; readonly value: string }[];
  /** What the customer waits for, the most urgent first, five at most. */
  readonly promises: readonly {
    readonly id: string;
    readonly what: string;
    readonly due_at: string;
    readonly assignee_id: string;
    readonly is_overdue: boolean;
  }[];
  /** Customers this one has to do with, five at most; `is_from`: this customer is the `type` of the other one. */
  readonly related: readonly {
    readonly customer_id: string;
    readonly display_name: string;
    readonly type: string;
    readonly is_from: boolean;
  }[];
}

/** One entry of a customer's history; `interaction` or `note` is filled according to `kind`. */
export interface TimelineItem {
  readonly id: string;
  readonly at: string;
  readonly kind: string;
  readonly actor_name: string | null;
  readonly interaction: Interaction | null;
  readonly note: string | null;
  readonly change: Change | null;
  readonly promise: CustomerPromise | null;
  /** The contacts that followed from `interaction` when the customer was handed on, in the order they happened. */
  readonly parts: readonly Interaction[];
}

/** A part of a list, and where the next part starts; `null` at its end. */
export interface Page<Item> {
  readonly items: readonly Item[];
  readonly next_cursor: string | null;
}

export interface NewCustomer {
  readonly display_name: string;
  readonly kind: 'person' | 'org';
  readonly preferred_language: string | null;
  readonly contact_points: readonly { readonly kind: 'phone' | 'email'; readonly value: string }[];
  /** Names elsewhere; the number of an identity card (`id_card`) is kept as a digest and comes back nowhere. */
  readonly identities?: readonly { readonly provider: string; readonly external_id: string }[];
}

const customerPath = (id: string) => `/api/v1/customers/${encodeURIComponent(id)}`;

export const searchCustomers = (q: string, cursor: string | null, signal?: AbortSignal) =>
  get<Page<CustomerSummary>>(withQuery('/api/v1/customers', { q, cursor, limit: 25 }), signal);

/** What to do when the customer seems to be there: refuse, give the numbers to who is there, or enter it all the same. */
export type OnDuplicate = 'block' | 'link' | 'warn';

/** A customer who seems to be the one that is being entered. */
export interface Suspect {
  readonly customer_id: string;
  readonly display_name: string;
  readonly owner_id: string | null;
  readonly signals: readonly string[];
  /** Hardly a coincidence. */
  readonly is_strong: boolean;
}

/** Who seems to be there already; nothing is written. */
export const checkCustomer = (customer: NewCustomer) => post<readonly Suspect[]>('/api/v1/customers/check', customer);

export const createCustomer = (customer: NewCustomer, on_duplicate: OnDuplicate) =>
  post<CustomerSummary>(withQuery('/api/v1/customers', { on_duplicate }), customer);

export const lookUpNumber = (number: string, signal?: AbortSignal) =>
  get<Lookup>(withQuery('/api/v1/customers/lookup', { number }), signal);

export const customerCard = (id: string, signal?: AbortSignal) => get<CustomerCard>(`${customerPath(id)}/card`, signal);

/** Which entries of a timeline are wanted: all, those of one kind, the contacts of one channel, or what has words. */
export interface TimelineFilter {
  readonly words?: string;
  readonly kind?: string;
  readonly channel?: string;
}

export const customerTimeline = (
  id: string,
  place: Place,
  limit: number,
  { kind, channel, words }: TimelineFilter,
  signal?: AbortSignal,
) =>
  get<TwoWayPage<TimelineItem>>(
    withQuery(`${customerPath(id)}/timeline`, { conversations: 'true', limit, kind, channel, words, ...place }),
    signal,
  );

/** What was said in a contact; that it is read is in the access log. */
export const transcriptsOf = (contactId: string, signal?: AbortSignal) =>
  get<readonly Transcript[]>(`/api/v1/interactions/${encodeURIComponent(contactId)}/transcript`, signal);

export const addNote = (id: string, body: string) => post<TimelineItem>(`${customerPath(id)}/notes`, { body });

export const recentInteractions = (cursor: string | null, signal?: AbortSignal) =>
  get<Page<Interaction>>(withQuery('/api/v1/interactions', { cursor, limit: 25 }), signal);
