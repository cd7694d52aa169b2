import { ApiError, get, withQuery } from './http';

/** What the roster knows. */
export type Activity = 'on_queue' | 'break' | 'training' | 'meeting' | 'leave';

/** Milliseconds since the epoch. */
export interface Shift {
  readonly agent_id: string;
  readonly from: number;
  readonly to: number;
  readonly activity: Activity;
  readonly paid: boolean;
}

/** What a file plans. */
export interface Planned {
  readonly agents: readonly string[];
  readonly shifts: number;
  readonly from: number;
  readonly to: number;
  readonly planned: boolean;
}

export const shiftsBetween = (from: number, to: number, signal?: AbortSignal) =>
  get<readonly Shift[]>(withQuery('/api/v1/shifts', { from, to }), signal);

/** Brings in a roster; with `preview` it is only looked at. */
export async function bringIn(file: Blob, preview: boolean): Promise<Planned> {
  const path = withQuery('/api/v1/shifts', { preview: String(preview) });
  const headers = { 'Content-Type': 'text/csv', Accept: 'application/json' };
  const response = await fetch(path, { method: 'POST', headers, body: file, credentials: 'same-origin' }).catch(() => {
    throw new ApiError(0, 'unreachable', '');
  });
  const answer = (await response.json().catch(() => null)) as (Planned & { code?: string; message?: string }) | null;
  if (!response.ok || !answer)
    throw new ApiError(response.status, answer?.code ?? `http-${response.status}`, answer?.message ?? '');
  return answer;
}
