import { beforeEach, describe, expect, it, vi } from 'vitest';
import { anAgent, aSnapshot, aWelcome, NOON, numbered } from '../test/views';
import type { FromBrowser, ToBrowser } from '../wire';
import { backoff, LiveConnection, type SocketLike, type Surroundings } from './connection';

class FakeSocket implements SocketLike {
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: unknown }) => void) | null = null;
  onclose: ((event: { code: number }) => void) | null = null;
  readonly sent: FromBrowser[] = [];
  closed = false;

  send(text: string) {
    this.sent.push(JSON.parse(text) as FromBrowser);
  }

  close() {
    this.closed = true;
  }

  says(...frames: readonly ToBrowser[]) {
    for (const frame of frames) this.onmessage?.({ data: JSON.stringify(frame) });
  }

  types() {
    return this.sent.map((frame) => frame.type);
  }
}

/** A browser whose clock moves only when told, and whose sockets are in the test's hands. */
class FakeBrowser implements Surroundings {
  time = NOON;
  readonly sockets: FakeSocket[] = [];
  signedIn = true;
  private timers: { at: number; callback: () => void }[] = [];
  private ids = 0;

  open() {
    const socket = new FakeSocket();
    this.sockets.push(socket);
    return socket;
  }

  now = () => this.time;
  random = () => 0;
  newId = () => `i${++this.ids}`;

  schedule(callback: () => void, milliseconds: number) {
    const timer = { at: this.time + milliseconds, callback };
    this.timers.push(timer);
    return timer;
  }

  cancel(timer: unknown) {
    this.timers = this.timers.filter((other) => other !== timer);
  }

  isSignedIn = () => Promise.resolve(this.signedIn);

  get socket(): FakeSocket {
    const socket = this.sockets.at(-1);
    if (!socket) throw new Error('no socket was opened');
    return socket;
  }

  pass(milliseconds: number) {
    const end = this.time + milliseconds;
    for (;;) {
      const due = this.timers.filter((timer) => timer.at <= end).sort((a, b) => a.at - b.at)[0];
      if (!due) break;
      this.cancel(due);
      this.time = due.at;
      due.callback();
    }
    this.time = end;
  }
}

let browser: FakeBrowser;
let connection: LiveConnection;
const signedOut = vi.fn<() => void>();

function greet(frames: readonly ToBrowser[] = [aWelcome(false), aSnapshot(1)]) {
  browser.socket.onopen?.();
  browser.socket.says(...frames);
}

beforeEach(() => {
  signedOut.mockReset();
  browser = new FakeBrowser();
  connection = new LiveConnection(browser, 'anna', signedOut);
  connection.start();
});

describe('the connection', () => {
  it('says hello without a past at first and with it after a reconnect', () => {
    greet();
    browser.socket.says({ ...numbered(2), type: 'agent.changed', agent: anAgent() });
    const first = browser.socket;
    first.onclose?.({ code: 1006 });
    expect(connection.read().connected).toBe(false);
    browser.pass(600);
    browser.socket.onopen?.();
    expect(first.sent[0]).toEqual({ type: 'hello', epoch: null, seq: null });
    expect(browser.socket.sent[0]).toEqual({ type: 'hello', epoch: 'e1', seq: 2 });
  });

  it('keeps showing the floor while it is away', () => {
    greet();
    browser.socket.onclose?.({ code: 1006 });
    expect(connection.read().floor.agents.get('anna')?.name).toBe('Anna');
    expect(connection.read().disconnectedSince).toBe(NOON);
  });

  it('pings every ten seconds and measures the round trip and the clock', () => {
    greet();
    browser.pass(40);
    browser.socket.says({ v: 1, type: 'pong', server_time: NOON + 5_020 });
    expect(connection.read().roundTrip).toBe(40);
    expect(connection.read().clockOffset).toBe(5_000);
    browser.pass(10_000);
    expect(browser.socket.types().filter((type) => type === 'ping')).toHaveLength(2);
  });

  it('counts as dead after 25 seconds of silence', () => {
    greet();
    browser.pass(24_900);
    expect(connection.read().connected).toBe(true);
    const silent = browser.socket;
    browser.pass(1_100);
    expect(connection.read().connected).toBe(false);
    expect(silent.closed).toBe(true);
  });

  it('asks for a snapshot when a delta is missing', () => {
    greet();
    browser.socket.says({ ...numbered(4), type: 'agent.changed', agent: anAgent() });
    expect(browser.socket.types().at(-1)).toBe('resync');
  });

  it('repeats an unanswered intent under its own id after a reconnect', () => {
    greet();
    connection.send('agent.ready');
    browser.socket.onclose?.({ code: 1006 });
    browser.pass(600);
    greet([aWelcome(true)]);
    const repeated = browser.socket.sent.find((frame) => frame.type === 'intent');
    expect(repeated).toEqual({ type: 'intent', intent_id: 'i1', intent: 'agent.ready' });
  });

  it('sends an intent made while it was away once it is back', () => {
    greet();
    browser.socket.onclose?.({ code: 1006 });
    connection.send('contact.hang_up', { contact_id: 'c1' });
    browser.pass(600);
    greet([aWelcome(true)]);
    expect(browser.socket.types()).toContain('intent');
  });

  it('gives an intent up that nobody answers', () => {
    connection.send('agent.ready');
    browser.pass(13_000);
    expect(connection.read().refusals.map((refusal) => refusal.code)).toEqual(['no-answer']);
    expect(connection.read().pending.size).toBe(0);
  });

  it('forgets earlier refusals when the person acts again', () => {
    greet();
    connection.send('agent.ready');
    browser.socket.says({ v: 1, type: 'intent.refused', intent_id: 'i1', code: 'no', message: '' });
    expect(connection.read().refusals).toHaveLength(1);
    connection.send('agent.ready');
    expect(connection.read().refusals).toHaveLength(0);
  });

  it('ends with the session', () => {
    greet();
    browser.socket.onclose?.({ code: 4401 });
    expect(signedOut).toHaveBeenCalledOnce();
    browser.pass(60_000);
    expect(browser.sockets).toHaveLength(1);
  });

  it('finds out that the session is over when it is turned away', async () => {
    browser.signedIn = false;
    browser.socket.onclose?.({ code: 1006 });
    await vi.waitFor(() => expect(signedOut).toHaveBeenCalledOnce(), { timeout: 10_000 });
  });

  it('leaves the place to a newer window until it is asked back', () => {
    greet();
    browser.socket.onclose?.({ code: 4409 });
    browser.pass(60_000);
    expect(connection.read().superseded).toBe(true);
    expect(browser.sockets).toHaveLength(1);
    connection.retryNow();
    expect(browser.sockets).toHaveLength(2);
  });

  it('tries at once when the network is back', () => {
    greet();
    connection.cutOff();
    expect(connection.read().connected).toBe(false);
    connection.retryNow();
    expect(browser.sockets).toHaveLength(2);
  });

  it('opens no socket after it was stopped', () => {
    greet();
    connection.stop();
    browser.pass(60_000);
    expect(browser.sockets).toHaveLength(1);
  });
});

describe('the wait before another attempt', () => {
  it('doubles from half a second up to fifteen, with jitter', () => {
    expect([0, 1, 2, 3, 4, 5, 9].map((attempt) => backoff(attempt, 1))).toEqual([
      500, 1_000, 2_000, 4_000, 8_000, 15_000, 15_000,
    ]);
    expect(backoff(5, 0)).toBe(7_500);
    expect(backoff(0, 0)).toBe(500);
  });
});
