import { describe, expect, it, vi } from 'vitest';
import { ApiError, get, post, withQuery } from './http';

const answer = (status: number, body: unknown, headers: Record<string, string> = {}) =>
  vi.stubGlobal(
    'fetch',
    vi.fn(() => Promise.resolve(new Response(JSON.stringify(body), { status, headers }))),
  );

describe('a request', () => {
  it('that is refused says why in the words of the server', async () => {
    answer(429, { code: 'too-many-attempts', message: 'Slow down.' }, { 'Retry-After': '7' });
    const error: unknown = await post('/api/session', {}).catch((refusal: unknown) => refusal);
    expect(error).toBeInstanceOf(ApiError);
    expect(error).toMatchObject({ status: 429, code: 'too-many-attempts', message: 'Slow down.', retryAfter: 7 });
  });

  it('that is refused without a body has a code all the same', async () => {
    vi.stubGlobal('fetch', () => Promise.resolve(new Response('<html>', { status: 502 })));
    await expect(get('/api/session')).rejects.toMatchObject({ status: 502, code: 'http-502' });
  });

  it('that reaches nobody is unreachable', async () => {
    vi.stubGlobal('fetch', () => Promise.reject(new TypeError('failed')));
    await expect(get('/api/session')).rejects.toMatchObject({ status: 0, code: 'unreachable' });
  });
});

describe('an address', () => {
  it('has the values that are set, escaped', () => {
    expect(withQuery('/a', { q: '+44 & co', cursor: null, limit: 5, x: '' })).toBe('/a?q=%2B44+%26+co&limit=5');
    expect(withQuery('/a', { cursor: undefined })).toBe('/a');
  });
});
