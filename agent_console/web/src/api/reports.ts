import { get, withQuery } from './http';

/** A figure by the id of its formula. */
export type Figure = number | null | Readonly<Record<string, number>>;

export interface ReportLine {
  /** `null`: all of them together. */
  readonly id: string | null;
  readonly name: string | null;
  readonly from: string;
  readonly to: string;
  readonly metrics: Readonly<Record<string, Figure>>;
}

export interface Formula {
  readonly id: string;
  readonly version: number;
  readonly unit: string;
  readonly formula: string;
}

export interface Report {
  readonly formulas: readonly Formula[];
  readonly queues: readonly ReportLine[];
  readonly agents: readonly ReportLine[];
  readonly warnings: readonly string[];
}

/** What a report is about; days as `2026-03-29`, in the browser's time zone. */
export interface Asked {
  readonly from: string;
  readonly to: string;
  readonly by: 'total' | 'day';
}

const zone = () => Intl.DateTimeFormat().resolvedOptions().timeZone;

export const reportPath = (asked: Asked, format: 'json' | 'csv') =>
  withQuery('/api/v1/reports/statistics', { ...asked, time_zone: zone(), format });

export const statistics = (asked: Asked, signal?: AbortSignal) => get<Report>(reportPath(asked, 'json'), signal);
