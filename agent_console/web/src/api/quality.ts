import type { CustomerSummary, Page } from './customers';
import { get, withQuery } from './http';

/** What may be wrong with a customer, in the order in which it is shown. */
export const QUALITY_PROBLEMS = ['unreachable', 'without_phone', 'doubtful_phone', 'stale'] as const;
export type QualityProblem = (typeof QUALITY_PROBLEMS)[number];

/** One week's counts of active customers, by problem. */
export interface QualityReport {
  readonly at: string;
  readonly customers: number;
  readonly counts: Readonly<Record<string, number>>;
}

export const qualityReports = (signal?: AbortSignal) =>
  get<readonly QualityReport[]>(withQuery('/api/v1/data-quality', { weeks: 12 }), signal);

/** A page may be empty and still lead on: the store looks at so many customers at a time. */
export const customersWith = (problem: QualityProblem, cursor: string | null, signal?: AbortSignal) =>
  get<Page<CustomerSummary>>(withQuery(`/api/v1/data-quality/${problem}`, { cursor, limit: 25 }), signal);
