import { get } from './http';

// Why a contact went where it went. Instants are milliseconds since the epoch.

/** One offer, and what decided it. */
export interface Decision {
  readonly offer_id: string;
  readonly at: number;
  readonly agent_id: string;
  readonly queue_id: string;
  readonly rule: string;
  /** From 0. */
  readonly step: number;
  readonly candidates: number;
  readonly winner_key: string;
  readonly runner_up: string | null;
  readonly runner_up_key: string | null;
  /** `null` while it rings. */
  readonly result: string | null;
  /** The version of the policy that held; empty when nobody knows. */
  readonly policy: string;
}

/** One agent as a decision saw it; no reasons: was chosen, or would be. */
export interface Candidate {
  readonly agent_id: string;
  readonly state: string;
  readonly reasons: readonly string[];
  readonly detail: string;
  readonly key: readonly number[] | null;
}

export interface Waiting {
  readonly queue_id: string;
  readonly step: number;
  /** Empty is anybody of the queue. */
  readonly demand: string;
  readonly somebody_there: boolean;
  readonly ahead: number;
  readonly fitting: Readonly<Record<string, number>>;
  readonly idle_but: Readonly<Record<string, number>>;
  readonly next_step_at: number | null;
  readonly next_free_at: number | null;
  readonly candidates: readonly Candidate[];
}

export interface Why {
  readonly contact_id: string;
  readonly decisions: readonly Decision[];
  readonly waiting: Waiting | null;
}

const pathOf = (contactId: string) => `/api/v1/contacts/${encodeURIComponent(contactId)}/why`;

export const why = (contactId: string, signal?: AbortSignal) => get<Why>(pathOf(contactId), signal);

export const decisionTable = (contactId: string, offerId: string, signal?: AbortSignal) =>
  get<{ readonly decision: Decision; readonly candidates: readonly Candidate[] }>(
    `${pathOf(contactId)}/offers/${encodeURIComponent(offerId)}`,
    signal,
  );
