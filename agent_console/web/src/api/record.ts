import { get, patch, post, put, remove, withQuery } from './http';
import type { CustomerSummary } from './customers';

// The customer record as the store answers it, as far as it is shown.

export type CustomerKind = 'person' | 'org';
export type PointKind = 'phone' | 'email';

export interface ContactPoint {
  readonly id: string;
  readonly kind: PointKind;
  readonly usage: string;
  readonly value_raw: string;
  readonly value_norm: string;
  readonly is_primary: boolean;
}

export interface Identity {
  readonly id: string;
  readonly provider: string;
  readonly external_id: string;
}

/** A way to reach the customer for a purpose. Minutes count from the customer's midnight. */
export interface Preference {
  readonly purpose: string;
  readonly channel: string;
  readonly language: string | null;
  readonly from_minute: number | null;
  readonly to_minute: number | null;
  readonly weekdays: readonly string[];
  /** Where it is known from, and since when; nothing for what was entered before that was asked. */
  readonly source?: string | null;
  readonly noted_at?: string | null;
}

/** Something to remember about the customer's taste. */
export interface PersonalPreference {
  readonly id: string;
  readonly kind: string;
  readonly value: string;
  readonly source: string;
  readonly noted_at: string;
  readonly noted_by: string | null;
}

/** `from_id` is `type` of `to_id`. */
export interface Relation {
  readonly id: string;
  readonly from_id: string;
  readonly to_id: string;
  readonly type: string;
  readonly note: string | null;
}

export interface Tag {
  readonly tag: string;
  readonly expires_at: string | null;
}

export interface Level {
  readonly code: string;
  readonly name: string;
  readonly rank: number;
  readonly colour: string;
}

export type FieldGroup = 'visible' | 'related' | 'extended';

export interface Completeness {
  readonly filled: number;
  readonly total: number;
  readonly percent: number;
  readonly missing: readonly string[];
}

export type CustomValue = string | number | boolean | readonly string[] | null;

export interface Profile {
  readonly party_kind: string;
  readonly lifecycle_stage: string | null;
  readonly family_name: string | null;
  readonly given_name: string | null;
  readonly gender: string | null;
  readonly birth_date: string | null;
  readonly occupation: string | null;
  readonly timezone: string | null;
  readonly region_code: string | null;
  readonly address: string | null;
  readonly legal_name: string | null;
  readonly tax_number: string | null;
  readonly industry: string | null;
  readonly parent_id: string | null;
  readonly owner_id: string | null;
  readonly team_id: string | null;
  readonly level_is_manual: boolean;
  readonly custom: Readonly<Record<string, CustomValue>>;
}

export interface CustomerRecord extends CustomerSummary {
  readonly kind: CustomerKind;
  readonly status: string;
  readonly created_at: string;
  readonly row_version: number;
  readonly profile: Profile;
  readonly contact_points: readonly ContactPoint[];
  readonly identities: readonly Identity[];
  readonly preferences: readonly Preference[];
  readonly personal_preferences: readonly PersonalPreference[];
  readonly relations: readonly Relation[];
  readonly tags: readonly Tag[];
  readonly level_badge: Level | null;
  readonly merged_into: string | null;
  readonly completeness: Readonly<Record<FieldGroup, Completeness>>;
}

/** A field that the installation has added. */
export interface CustomField {
  readonly code: string;
  readonly label: string;
  readonly type: 'text' | 'number' | 'integer' | 'boolean' | 'date' | 'choice' | 'choices';
  readonly field_group: FieldGroup;
  readonly data_class: string;
  readonly is_required: boolean;
  /** What the field is kept for; a sensitive one is shown for this only. */
  readonly purpose: string | null;
  readonly options: readonly string[];
}

/** A field before and after, as JSON texts; both null when the values are not for everybody's eyes. */
export interface Change {
  readonly id: string;
  readonly at: string;
  readonly actor_id: string | null;
  readonly field: string;
  readonly old_value: string | null;
  readonly new_value: string | null;
  readonly reason: string | null;
}

export interface Attachment {
  readonly id: string;
  readonly file_name: string;
  readonly media_type: string;
  readonly size_bytes: number;
  readonly author_id: string | null;
  readonly created_at: string;
}

export type ConsentStatus = 'given' | 'denied' | 'withdrawn' | 'pending';

export interface Consent {
  readonly id: string;
  readonly channel: string;
  readonly purpose: string;
  readonly status: ConsentStatus;
  readonly legal_basis: string;
  readonly source: string;
  readonly value_norm: string | null;
  readonly captured_at: string;
  readonly until_at: string | null;
  readonly evidence: string | null;
  readonly actor_id: string | null;
}

/**
 * Whether a number or address may be contacted now; `again_at` when waiting is all it takes. `local_times` are where the
 * customer may be, written with the zone's own hours.
 */
export interface Contactability {
  readonly is_allowed: boolean;
  readonly reasons: readonly string[];
  readonly again_at: string | null;
  readonly local_times?: readonly string[];
}

export type NewConsent = Pick<Consent, 'channel' | 'purpose' | 'status' | 'legal_basis' | 'source'> & {
  readonly evidence?: string;
};

export const pathOf = (id: string) => `/api/v1/customers/${encodeURIComponent(id)}`;

export const customerRecord = (id: string, signal?: AbortSignal) => get<CustomerRecord>(`${pathOf(id)}/record`, signal);

export const editCustomer = (id: string, changes: Readonly<Record<string, unknown>>, version: number) =>
  patch<CustomerRecord>(pathOf(id), changes, version);

export const putPreferences = (id: string, preferences: readonly Preference[], version: number) =>
  put<CustomerRecord>(`${pathOf(id)}/preferences`, { preferences }, version);

export const putTags = (id: string, tags: readonly Tag[], version: number) =>
  put<CustomerRecord>(`${pathOf(id)}/tags`, { tags }, version);

export const addPoint = (id: string, point: { kind: PointKind; value: string; usage: string }) =>
  post<ContactPoint>(`${pathOf(id)}/contact-points`, point);

export const changePoint = (id: string, point: string, change: { usage?: string; is_primary?: true }) =>
  patch<ContactPoint>(`${pathOf(id)}/contact-points/${encodeURIComponent(point)}`, change);

export const removePoint = (id: string, point: string) =>
  remove(`${pathOf(id)}/contact-points/${encodeURIComponent(point)}`);

export const addIdentity = (id: string, identity: Pick<Identity, 'provider' | 'external_id'>) =>
  post<Identity>(`${pathOf(id)}/identities`, identity);

export const addRelation = (id: string, relation: { to_id: string; type: string; note: string | null }) =>
  post<Relation>(`${pathOf(id)}/relations`, relation);

export const removeRelation = (id: string, relation: string) =>
  remove(`${pathOf(id)}/relations/${encodeURIComponent(relation)}`);

export const putOwner = (id: string, owner: { user_id: string | null; take_over: boolean; reason: string | null }) =>
  put<CustomerRecord>(`${pathOf(id)}/owner`, owner);

export const putLevel = (id: string, level: { code: string | null; reason: string | null }) =>
  put<CustomerRecord>(`${pathOf(id)}/level`, level);

export const oneCustomer = (id: string, signal?: AbortSignal) =>
  get<CustomerSummary & { readonly kind: CustomerKind }>(pathOf(id), signal);

export const subsidiaries = (id: string, signal?: AbortSignal) =>
  get<readonly CustomerSummary[]>(`${pathOf(id)}/subsidiaries`, signal);

export const changesOf = (id: string, field: string | null, signal?: AbortSignal) =>
  get<readonly Change[]>(withQuery(`${pathOf(id)}/changes`, { field, limit: 50 }), signal);

export const attachmentsOf = (id: string, signal?: AbortSignal) =>
  get<readonly Attachment[]>(`${pathOf(id)}/attachments`, signal);

/** Keeps a file in the store, twenty million bytes at most. */
export const keepFile = (id: string, file: File) =>
  post<Attachment>(
    withQuery(`${pathOf(id)}/files`, { file_name: file.name, media_type: file.type || 'application/octet-stream' }),
    file,
  );

export const removeFile = (id: string, file: string) => remove(`${pathOf(id)}/attachments/${encodeURIComponent(file)}`);

/** Where the bytes of a file are saved from. */
export const contentPath = (file: string) => `/api/v1/attachments/${encodeURIComponent(file)}/content`;

export const consentsOf = (id: string, signal?: AbortSignal) =>
  get<readonly Consent[]>(`${pathOf(id)}/consents`, signal);

export const recordConsent = (id: string, consent: NewConsent) => post<Consent>(`${pathOf(id)}/consents`, consent);

export const contactability = (value: string, channel: string, purpose: string, signal?: AbortSignal) =>
  get<Contactability>(withQuery('/api/v1/contactability', { value, channel, purpose }), signal);

export const customFields = (signal?: AbortSignal) => get<readonly CustomField[]>('/api/v1/custom-fields', signal);

export const levels = (signal?: AbortSignal) => get<readonly Level[]>('/api/v1/levels', signal);
