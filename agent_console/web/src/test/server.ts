import { act } from '@testing-library/react';
import { vi } from 'vitest';
import type { DeskSettings, FloorView, FromBrowser, Intent, SessionView, ToBrowser } from '../wire';
import { aSnapshot, NOON } from './views';

const PERSON: SessionView = {
  user_id: 'user-anna',
  name: 'Anna',
  roles: ['agent'],
  agent_id: 'anna',
  language: 'en',
  queue_ids: ['billing'],
  teams: [],
  sees_floor: false,
};

const SETTINGS: DeskSettings = {
  company: 'Example',
  not_ready_reasons: [{ code: 'lunch', labels: { en: 'Lunch', zh: '午餐' } }],
  recording_on_demand: [],
  wrap_up: [
    { queue_id: 'billing', mode: 'timed_no_early_exit', may_extend: true, timeout_code: 'solved' },
    { queue_id: 'short', mode: 'timed', may_extend: false, timeout_code: '' },
  ],
  dispositions: [{ code: 'solved', labels: { en: 'Solved', zh: '已解决' } }],
  queues: [{ code: 'billing', labels: { en: 'Billing', zh: '账务' } }],
  languages: ['en', 'zh'],
  agents: [
    { code: 'anna', labels: { en: 'Anna' } },
    { code: 'boris', labels: { en: 'Boris' } },
  ],
  people: [
    { code: 'anna', labels: { en: 'Anna' } },
    { code: 'boris', labels: { en: 'Boris' } },
  ],
};

/** Answers by method and path, such as `GET /api/session`; others are 404. */
export type Answers = Record<string, (body: unknown) => readonly [status: number, body: unknown]>;

/** A server in the page's place of the network: HTTP answers from a table, and the other end of the socket. */
export class FakeServer {
  readonly requests: { readonly call: string; readonly body: unknown }[] = [];
  readonly frames: FromBrowser[] = [];
  signedIn = true;
  private socket: { onopen: (() => void) | null; onmessage: ((event: { data: string }) => void) | null } | null = null;
  private seq = 1;

  constructor(private readonly answers: Answers = {}) {
    const standard: Answers = {
      'GET /api/session': () => (this.signedIn ? [200, PERSON] : [401, { code: 'not-signed-in', message: '' }]),
      'GET /api/settings': () => [200, SETTINGS],
    };
    vi.stubGlobal('fetch', (path: string, init: RequestInit) => {
      const call = `${init.method ?? 'GET'} ${path}`;
      const body: unknown = typeof init.body === 'string' ? JSON.parse(init.body) : null;
      this.requests.push({ call, body });
      const answer = this.answers[call] ?? standard[call];
      const [status, content] = answer?.(body) ?? [404, { code: 'not-found', message: call }];
      return Promise.resolve(new Response(JSON.stringify(content), { status }));
    });
    const take = (socket: FakeServer['socket']) => {
      this.socket = socket;
    };
    const { frames } = this;
    vi.stubGlobal(
      'WebSocket',
      class {
        onopen = null;
        onmessage = null;
        onclose = null;
        constructor() {
          take(this);
        }
        send(text: string) {
          frames.push(JSON.parse(text) as FromBrowser);
        }
        close() {}
      },
    );
  }

  /** Opens the socket and sends the floor. */
  async welcome(floor: FloorView): Promise<void> {
    await vi.waitFor(
      () => {
        if (!this.socket) throw new Error('no socket yet');
      },
      { timeout: 10_000 },
    );
    act(() => this.socket?.onopen?.());
    this.say({ v: 1, type: 'welcome', epoch: 'e1', resumed: false, server_time: NOON });
    this.say(aSnapshot(this.seq, floor));
  }

  say(frame: ToBrowser): void {
    act(() => this.socket?.onmessage?.({ data: JSON.stringify(frame) }));
  }

  /** Accepts the last intent that came, or refuses it with a code. */
  answerIntent(refusal?: string): void {
    const intent_id = this.frames.findLast((frame) => frame.type === 'intent')?.intent_id ?? '';
    if (refusal === undefined) this.say({ v: 1, type: 'intent.accepted', intent_id });
    else this.say({ v: 1, type: 'intent.refused', intent_id, code: refusal, message: '' });
  }

  /** The numbering of the next delta. */
  next() {
    this.seq += 1;
    return { v: 1 as const, seq: this.seq, after: this.seq - 1, at: NOON };
  }

  /** The intents that came, without their ids. */
  intents(): readonly Omit<Intent, 'intent_id'>[] {
    return this.frames.flatMap((frame) => {
      if (frame.type !== 'intent') return [];
      const { intent_id, ...rest } = frame;
      return intent_id ? [rest] : [];
    });
  }
}
