import type { CustomValue } from './record';
import { get, post, put, remove, withQuery } from './http';

// Sensitive fields, who looked at them, legal holds, and collisions.

/** One look at sensitive fields. The values are not in it. */
export interface Access {
  readonly id: string;
  readonly customer_id: string;
  readonly at: string;
  readonly actor_id: string;
  readonly fields: readonly string[];
  readonly purpose: string;
  readonly legal_basis: string;
}

export interface AccessFilter {
  readonly customer_id?: string;
  readonly actor?: string;
}

/** A customer, or a recording of a contact, that is kept; why, by whose order, and who lifted it. */
export interface LegalHold {
  readonly id: string;
  readonly customer_id: string | null;
  readonly contact_id: string | null;
  readonly recording_id: string | null;
  readonly reason: string;
  readonly held_by: string;
  readonly held_at: string;
  readonly lifted_by: string | null;
  readonly lifted_at: string | null;
}

/** Somebody entered a customer who seemed to be there already. */
export interface Collision {
  readonly id: string;
  readonly at: string;
  readonly existing_id: string;
  readonly existing_owner: string | null;
  readonly entered_by: string | null;
  readonly created_id: string | null;
  readonly signals: readonly string[];
  readonly outcome: string;
}

const customer = (id: string) => `/api/v1/customers/${encodeURIComponent(id)}`;

/** The values of sensitive fields. That they were looked at is written down before they are told. */
export const lookAtFields = async (id: string, fields: readonly string[], purpose: string, legal_basis: string) =>
  (
    await post<{ readonly values: Readonly<Record<string, CustomValue>> }>(`${customer(id)}/sensitive-fields`, {
      fields,
      purpose,
      legal_basis,
    })
  ).values;

export const accesses = (filter: AccessFilter, before: string | null, signal?: AbortSignal) =>
  get<readonly Access[]>(withQuery('/api/v1/access-log', { ...filter, before, limit: 50 }), signal);

export const collisions = (signal?: AbortSignal) => get<readonly Collision[]>('/api/v1/collisions?limit=100', signal);

export const legalHolds = (lifted: boolean, signal?: AbortSignal) =>
  get<readonly LegalHold[]>(withQuery('/api/v1/legal-holds', { lifted: String(lifted) }), signal);

export const holdsOf = (id: string, signal?: AbortSignal) =>
  get<readonly LegalHold[]>(`${customer(id)}/legal-hold`, signal);

export const holdCustomer = (id: string, reason: string) => put<LegalHold>(`${customer(id)}/legal-hold`, { reason });

export const liftFromCustomer = (id: string) => remove(`${customer(id)}/legal-hold`);

const ofRecording = (contactId: string, recordingId: string) =>
  `/api/v1/interactions/${encodeURIComponent(contactId)}/recordings/${encodeURIComponent(recordingId)}/legal-hold`;

export const holdRecording = (contactId: string, recordingId: string, reason: string) =>
  put(ofRecording(contactId, recordingId), { reason });

export const liftFromRecording = (contactId: string, recordingId: string) =>
  remove(ofRecording(contactId, recordingId));
