import { get, post, remove } from './http';

// Tokens by which programs use the API.

/** What a token may allow. */
export const SCOPES = ['read', 'write', 'import'] as const;
export type Scope = (typeof SCOPES)[number];

export interface ApiToken {
  readonly id: string;
  readonly name: string;
  readonly hint: string;
  readonly scopes: readonly Scope[];
  readonly created_at: string;
  readonly created_by: string;
  readonly expires_at: string;
  readonly last_used_at: string | null;
  readonly revoked_at: string | null;
  readonly revoked_by: string | null;
}

/** A token that was just made: the only answer in which it stands. */
export interface MadeToken extends ApiToken {
  readonly token: string;
}

export const tokens = (signal?: AbortSignal) => get<readonly ApiToken[]>('/api/v1/tokens', signal);

export const makeToken = (name: string, scopes: readonly Scope[], days: number) =>
  post<MadeToken>('/api/v1/tokens', { name, scopes, days });

export const revokeToken = (id: string) => remove(`/api/v1/tokens/${encodeURIComponent(id)}`);
