import { get } from './http';

/** Where one thing about a customer is known from; `origin` is how it was known before a merge. */
export interface Source {
  readonly kind: 'import' | 'api' | 'agent' | 'call' | 'merge' | 'self' | 'rule' | 'unknown';
  readonly at: string | null;
  readonly actor_id: string | null;
  readonly contact_id: string | null;
  readonly file_name: string | null;
  readonly customer_id: string | null;
  readonly origin: Source | null;
}

/** One thing that a record shows: a field, or with `item_id` a row of one of its lists. */
export interface Known {
  readonly field: string;
  readonly item_id: string | null;
  readonly source: Source;
  readonly ground: {
    readonly legal_basis: string | null;
    readonly purpose: string | null;
    readonly decided_by: 'installation' | 'consent' | 'usual' | null;
  };
}

export const knownOf = (customerId: string, signal?: AbortSignal) =>
  get<readonly Known[]>(`/api/v1/customers/${encodeURIComponent(customerId)}/provenance`, signal);
