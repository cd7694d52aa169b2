import { get } from './http';

/** Minutes since local midnight; `end` is past 1440 for a period over midnight. */
export interface Period {
  readonly start: number;
  readonly end: number;
}

/** When a queue lets people in. */
export interface QueueHours {
  readonly queue_id: string;
  /** `null`: always open. */
  readonly timezone: string | null;
  readonly is_open: boolean;
  /** Milliseconds since the epoch. */
  readonly next_change_at: number | null;
  /** Monday first. */
  readonly week: readonly (readonly Period[])[];
  readonly holidays: readonly { readonly date: string; readonly periods: readonly Period[] }[];
}

export const queueHours = (queueId: string, signal?: AbortSignal) =>
  get<QueueHours>(`/api/v1/queues/${encodeURIComponent(queueId)}/hours`, signal);
