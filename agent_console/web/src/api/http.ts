/** The server said no, or could not be reached (`status` 0, code `unreachable`). */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    /** Seconds to wait before another try, when the server says so. */
    readonly retryAfter: number | null = null,
  ) {
    super(message);
  }
}

type Query = Readonly<Record<string, string | number | null | undefined>>;

/** `path` with those values of `query` that are set. */
export function withQuery(path: string, query: Query): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== null && value !== undefined && value !== '') parameters.set(name, String(value));
  }
  const text = parameters.toString();
  return text ? `${path}?${text}` : path;
}

function stringField(body: unknown, name: string): string | null {
  if (typeof body !== 'object' || body === null) return null;
  const value = (body as Record<string, unknown>)[name];
  return typeof value === 'string' ? value : null;
}

async function refusal(response: Response): Promise<ApiError> {
  const body: unknown = await response.json().catch(() => null);
  const retryAfter = Number(response.headers.get('Retry-After')) || null;
  const code = stringField(body, 'code') ?? `http-${response.status}`;
  return new ApiError(response.status, code, stringField(body, 'message') ?? response.statusText, retryAfter);
}

interface Sent {
  /** Sent as JSON; a file as it is. */
  readonly body?: unknown;
  readonly signal?: AbortSignal | undefined;
  /** The version of the record that is being edited. */
  readonly version?: number;
}

function initOf(method: string, { body, signal, version }: Sent): RequestInit {
  const headers: Record<string, string> = { Accept: 'application/json' };
  const init: RequestInit = { method, headers, credentials: 'same-origin' };
  if (body instanceof Blob) {
    headers['Content-Type'] = 'application/octet-stream';
    init.body = body;
  } else if (body !== undefined) {
    headers['Content-Type'] = 'application/json';
    init.body = JSON.stringify(body);
  }
  if (version !== undefined) headers['If-Match'] = `"${version}"`;
  if (signal) init.signal = signal;
  return init;
}

async function request(method: string, path: string, sent: Sent = {}): Promise<unknown> {
  const { signal } = sent;
  let response: Response;
  try {
    response = await fetch(path, initOf(method, sent));
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new ApiError(0, 'unreachable', '');
  }
  if (!response.ok) throw await refusal(response);
  return response.status === 204 ? null : response.json();
}

// The shape of an answer is the server's promise, taken at its word here and nowhere else.
export const get = async <Answer>(path: string, signal?: AbortSignal) =>
  (await request('GET', path, { signal })) as Answer;
export const post = async <Answer>(path: string, body?: unknown) => (await request('POST', path, { body })) as Answer;
/** An edit of the version of a record that the editor saw; refused with 412 when there is a newer one. */
export const patch = async <Answer>(path: string, body: unknown, version?: number) =>
  (await request('PATCH', path, { body, ...(version !== undefined && { version }) })) as Answer;
/** As `patch`, for a part that is replaced. */
export const put = async <Answer>(path: string, body: unknown, version?: number) =>
  (await request('PUT', path, { body, ...(version !== undefined && { version }) })) as Answer;
export const remove = (path: string) => request('DELETE', path);
