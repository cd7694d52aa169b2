import { get, post } from './http';

/** Something a customer was promised. `is_overdue`: still open, and its time is past. */
export interface CustomerPromise {
  readonly id: string;
  readonly what: string;
  readonly due_at: string;
  readonly assignee_id: string;
  readonly state: 'open' | 'kept' | 'broken' | 'withdrawn';
  readonly is_overdue: boolean;
  readonly outcome: string | null;
}

const pathOf = (customerId: string) => `/api/v1/customers/${encodeURIComponent(customerId)}/promises`;

export const promisesOf = (customerId: string, signal?: AbortSignal) =>
  get<readonly CustomerPromise[]>(pathOf(customerId), signal);

/** `due_at` with its time zone. */
export const makePromise = (customerId: string, promise: { what: string; due_at: string }) =>
  post<CustomerPromise>(pathOf(customerId), promise);

export const settlePromise = (id: string, state: 'kept' | 'broken' | 'withdrawn') =>
  post<CustomerPromise>(`/api/v1/promises/${encodeURIComponent(id)}/settle`, { state });
