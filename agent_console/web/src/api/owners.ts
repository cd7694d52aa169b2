import { get, post, withQuery } from './http';

// Who looks after customers: claims, and what somebody has who leaves.

/** Two people want one customer: `owner_id` has it, `claimant_id` claims it. */
export interface OwnerClaim {
  readonly id: string;
  readonly customer_id: string;
  readonly line_of_business: string;
  readonly owner_id: string;
  readonly claimant_id: string;
  readonly at: string;
  readonly reason: string | null;
  readonly state: 'open' | 'granted' | 'refused';
}

/** Who looked after a customer, from when to when, and why it began and ended. */
export interface Owned {
  readonly user_id: string;
  readonly line_of_business: string;
  readonly since_at: string;
  readonly until_at: string | null;
  readonly reason: string;
  readonly end_reason: string | null;
}

/** What one person has; `total` is 0 when all of it is handed over. */
export interface Holdings {
  readonly user_id: string;
  readonly customers: Readonly<Record<string, number>>;
  readonly promises: number;
  readonly claims: number;
  readonly total: number;
}

export const ownerClaims = (signal?: AbortSignal) =>
  get<readonly OwnerClaim[]>(withQuery('/api/v1/owner-claims', { state: 'open', limit: 100 }), signal);

export const decideClaim = (id: string, decision: 'grant' | 'refuse') =>
  post<OwnerClaim>(`/api/v1/owner-claims/${encodeURIComponent(id)}/decision`, { decision });

export const ownersOf = (customerId: string, signal?: AbortSignal) =>
  get<readonly Owned[]>(`/api/v1/customers/${encodeURIComponent(customerId)}/owners`, signal);

/** Everybody who looks after customers or has promised something. */
export const holders = (signal?: AbortSignal) => get<readonly string[]>('/api/v1/owners', signal);

export const holdingsOf = (userId: string, signal?: AbortSignal) =>
  get<Holdings>(`/api/v1/owners/${encodeURIComponent(userId)}/holdings`, signal);

/** Moves a portion; how much it was. To be asked for again until it is nothing. */
export const handOver = async (from_user: string, to_user: string) =>
  (await post<{ readonly count: number }>('/api/v1/owners/hand-over', { from_user, to_user })).count;
