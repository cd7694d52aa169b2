import { get, post, withQuery } from './http';

// Looking after the store: duplicates and merges, tables in and out, the audit log, the rights of a person.

/** Two customers that may be one. `score` is in bits, 0 is even odds; `signals` is what each field adds to it. */
export interface DuplicatePair {
  readonly id: string;
  readonly a_id: string;
  readonly b_id: string;
  readonly score: number;
  readonly signals: Readonly<Record<string, number>>;
}

export interface Merge {
  readonly id: string;
  readonly survivor_id: string;
  readonly merged_id: string;
  readonly at: string;
  readonly actor_id: string | null;
  readonly undone_at: string | null;
}

export interface RefusedRow {
  readonly row?: number;
  readonly [detail: string]: unknown;
}

/** What became of the rows of a table, or would become of them; the lists hold the first hundred of each kind. */
export interface ImportReport {
  readonly rows: number;
  readonly created: number;
  readonly duplicates: number;
  readonly invalid: number;
  readonly duplicate_rows: readonly RefusedRow[];
  readonly invalid_rows: readonly RefusedRow[];
}

export interface ImportPreview extends ImportReport {
  readonly header: readonly string[];
  /** The place of the column by field. */
  readonly mapping: Readonly<Record<string, number>>;
}

export interface ImportJob {
  readonly id: string;
  readonly file_name: string;
  readonly state: 'running' | 'done' | 'undone';
  readonly at: string;
  readonly actor_id: string | null;
  readonly report: Partial<ImportReport>;
}

export interface AuditEntry {
  readonly seq: string;
  readonly at: string;
  readonly actor_id: string;
  readonly action: string;
  readonly table_name: string;
  readonly row_key: string;
  readonly fields: readonly string[];
}

export interface AuditFilter {
  readonly table?: string;
  readonly row_key?: string;
  readonly actor?: string;
}

export interface Receipt {
  readonly id: string;
  readonly customer_id: string;
  readonly at: string;
  readonly actor_id: string | null;
  readonly legal_basis: string;
  readonly signature: string;
}

const customer = (id: string) => `/api/v1/customers/${encodeURIComponent(id)}`;

/** What a column of a table can be. */
export const IMPORT_FIELDS = [
  'display_name',
  'kind',
  'phone',
  'phone_2',
  'email',
  'preferred_language',
  'level',
  'family_name',
  'given_name',
  'gender',
  'birth_date',
  'occupation',
  'address',
  'region_code',
  'timezone',
  'legal_name',
  'industry',
  'member_no',
  'id_card',
] as const;

export const scanDuplicates = () => post<{ readonly count: number }>('/api/v1/duplicates/scan');

export const duplicates = async (signal?: AbortSignal) =>
  (await get<{ readonly items: readonly DuplicatePair[] }>('/api/v1/duplicates?limit=50', signal)).items;

export const rejectPair = (id: string) => post<DuplicatePair>(`/api/v1/duplicates/${encodeURIComponent(id)}/reject`);

/** `fields` are those in which the value of the one that goes is kept. */
export const mergeCustomers = (survivor_id: string, merged_id: string, fields: readonly string[]) =>
  post<Merge>('/api/v1/merges', { survivor_id, merged_id, fields });

export const undoMerge = (id: string) => post<Merge>(`/api/v1/merges/${encodeURIComponent(id)}/undo`);

export const mergesOf = (id: string, signal?: AbortSignal) => get<readonly Merge[]>(`${customer(id)}/merges`, signal);

type Mapping = Readonly<Record<string, number>> | null;
const asked = (file: File, mapping: Mapping) => ({
  file_name: file.name,
  mapping: mapping && JSON.stringify(mapping),
});

export const previewImport = (file: File, mapping: Mapping) =>
  post<ImportPreview>(withQuery('/api/v1/imports/preview', asked(file, mapping)), file);

export const runImport = (file: File, mapping: Mapping) =>
  post<ImportJob>(withQuery('/api/v1/imports', asked(file, mapping)), file);

export const imports = (signal?: AbortSignal) => get<readonly ImportJob[]>('/api/v1/imports?limit=20', signal);

export const undoImport = (id: string) =>
  post<{ readonly removed: number; readonly kept: number }>(`/api/v1/imports/${encodeURIComponent(id)}/undo`);

export const auditEntries = (filter: AuditFilter, before: string | null, signal?: AbortSignal) =>
  get<readonly AuditEntry[]>(withQuery('/api/v1/audit', { ...filter, before, limit: 50 }), signal);

export const auditChain = () =>
  get<{ readonly is_whole: boolean; readonly first_broken: string | null }>('/api/v1/audit/chain');

export const erasurePreview = (id: string) =>
  get<{ readonly customer_ids: readonly string[]; readonly rows: Readonly<Record<string, number>> }>(
    `${customer(id)}/erasure-preview`,
  );

export const erase = (id: string, legal_basis: string) => post<Receipt>(`${customer(id)}/erasure`, { legal_basis });

/** Everything the store knows of the person, by table. */
export const exportPerson = (id: string) => get<Readonly<Record<string, unknown>>>(`${customer(id)}/export`);
