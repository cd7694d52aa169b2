import { get, post } from './http';

/** One line of a form by which conversations are scored. */
export interface Criterion {
  readonly id: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly weight: number;
  readonly most: number;
  readonly fatal: boolean;
  readonly may_not_apply: boolean;
}

export interface QualityForm {
  readonly id: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly criteria: readonly Criterion[];
}

export interface Mark {
  readonly criterion: string;
  /** `null`: it did not apply. */
  readonly points: number | null;
}

export interface Score {
  readonly at: number;
  readonly by: string;
  readonly form: string;
  /** Per cent. */
  readonly score: number;
  readonly is_fatal: boolean;
  readonly notes: string;
  readonly marks: readonly Mark[];
}

/** What customer and supervisors said of an interaction. */
export interface Appraisal {
  readonly asked: boolean;
  readonly answer: { readonly kind: 'csat' | 'nps'; readonly score: number; readonly at: number } | null;
  /** The newest first. */
  readonly scores: readonly Score[];
  /** For whoever may score it. */
  readonly form: QualityForm | null;
}

const path = (contactId: string) => `/api/v1/interactions/${encodeURIComponent(contactId)}`;

export const appraisal = (contactId: string, signal?: AbortSignal) =>
  get<Appraisal>(`${path(contactId)}/appraisal`, signal);

export const giveScore = (contactId: string, form: string, marks: readonly Mark[], notes: string) =>
  post<null>(`${path(contactId)}/scores`, { form, marks, notes });
