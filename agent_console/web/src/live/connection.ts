import type { FromBrowser, Intent, ToBrowser } from '../wire';
import { apply, EMPTY_FLOOR, type Floor } from './floor';
import { expire, settle, type IntentName, type PendingIntents, type Refusal } from './pending';

/** Milliseconds between pings. */
export const PING_EVERY = 10_000;
/** Milliseconds of silence after which the connection counts as dead. */
export const DEAD_AFTER = 25_000;
/** The server's own close codes: the session ended; the same person opened too many windows. */
const CLOSED_SESSION_ENDED = 4401;
const CLOSED_SUPERSEDED = 4409;
const BACKOFF_FIRST = 500;
const BACKOFF_LAST = 15_000;

/** The part of a WebSocket that is needed here. */
export interface SocketLike {
  send(text: string): void;
  close(): void;
  onopen: (() => void) | null;
  onmessage: ((event: { data: unknown }) => void) | null;
  onclose: ((event: { code: number }) => void) | null;
}

/** What the connection needs from the browser; tests bring their own. */
export interface Surroundings {
  open(): SocketLike;
  /** Local milliseconds since the epoch. */
  now(): number;
  /** From 0 up to 1. */
  random(): number;
  newId(): string;
  schedule(callback: () => void, milliseconds: number): unknown;
  cancel(timer: unknown): void;
  /** Whether the cookie is still good; asked when the server closes before a welcome. */
  isSignedIn(): Promise<boolean>;
}

/** Everything the screens read: the floor, the health of the connection, and what is on its way. */
export interface Live {
  readonly floor: Floor;
  /** Welcomed and in step with the server. */
  readonly connected: boolean;
  /** Local instant since when it is not connected. */
  readonly disconnectedSince: number | null;
  /** Another window of the same person took this one's place; it stays away until `retryNow`. */
  readonly superseded: boolean;
  /** Milliseconds from a ping to its answer, `null` before the first. */
  readonly roundTrip: number | null;
  /** Server clock minus local clock, in milliseconds. */
  readonly clockOffset: number;
  readonly pending: PendingIntents;
  /** Refusals since the last intent that nobody has dismissed. */
  readonly refusals: readonly Refusal[];
}

/** What an intent may carry besides its name. */
export type IntentDetails = Omit<Intent, 'type' | 'intent_id' | 'intent'>;

/** Milliseconds to wait before attempt number `attempt` (0 is the first): doubling, at most 15 s, half of it jitter. */
export function backoff(attempt: number, random: number): number {
  const whole = Math.min(BACKOFF_LAST, BACKOFF_FIRST * 2 ** attempt);
  return Math.max(BACKOFF_FIRST, Math.round(whole * (0.5 + random / 2)));
}

/**
 * Keeps one socket to the server alive and the floor in step with it.
 *
 * It never guesses what an intent will do: an intent is on its way until the server has answered and the change has
 * come back as a delta. After a reconnect, unanswered intents are repeated under their own id, which the server
 * answers from memory.
 */
export class LiveConnection {
  private live: Live;
  private socket: SocketLike | null = null;
  private attempt = 0;
  private heardAt = 0;
  private pingedAt = 0;
  private awaitingPong = false;
  private heartbeat: unknown = null;
  private retry: unknown = null;
  private running = false;
  private readonly listeners = new Set<() => void>();
  private readonly frameListeners = new Set<(frame: ToBrowser) => void>();
  private readonly whenAccepted = new Map<string, () => void>();

  constructor(
    private readonly surroundings: Surroundings,
    private readonly agentId: string | null,
    private readonly onSignedOut: () => void,
  ) {
    this.live = {
      floor: EMPTY_FLOOR,
      connected: false,
      disconnectedSince: surroundings.now(),
      superseded: false,
      roundTrip: null,
      clockOffset: 0,
      pending: new Map(),
      refusals: [],
    };
  }

  /** The present state; the same object until something changes. */
  read = (): Live => this.live;

  /** Calls `listener` after each change; returns the function that ends it. */
  subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  start(): void {
    if (this.running) return;
    this.running = true;
    this.connect();
    this.beat();
  }

  stop(): void {
    this.running = false;
    this.surroundings.cancel(this.retry);
    this.surroundings.cancel(this.heartbeat);
    this.drop();
  }

  /** Tries at once instead of waiting for the next attempt; for when the network is back. */
  retryNow = (): void => {
    if (!this.running || this.socket) return;
    this.surroundings.cancel(this.retry);
    this.update({ superseded: false });
    this.connect();
  };

  /** The network went away: not worth waiting for the silence to be noticed. */
  cutOff = (): void => {
    if (this.socket) this.lost(this.socket);
  };

  /**
   * Sends what the person wants; the answer shows in `pending` and `refusals`. Earlier refusals are read by then.
   *
   * `onAccepted` is called once the server has carried it out, however late, and never when it was refused.
   */
  send = (name: IntentName, details: IntentDetails = {}, onAccepted?: () => void): void => {
    const intent: Intent = { type: 'intent', intent_id: this.surroundings.newId(), intent: name, ...details };
    const sentAt = this.surroundings.now();
    if (onAccepted) this.whenAccepted.set(intent.intent_id, onAccepted);
    const pending = new Map(this.live.pending);
    pending.set(intent.intent_id, { intent, sentAt, acceptedAt: null, changed: false });
    this.update({ pending, refusals: [] });
    if (this.live.connected) this.write(intent);
  };

  /** Forgets a refusal that has been read. */
  dismiss = (intentId: string): void => {
    this.update({ refusals: this.live.refusals.filter((refusal) => refusal.intentId !== intentId) });
  };

  /** Whether the server has welcomed this page. */
  get connected(): boolean {
    return this.live.connected;
  }

  /** Calls `listener` with each frame of the server, after the state has followed it; returns what ends that. */
  listen = (listener: (frame: ToBrowser) => void): (() => void) => {
    this.frameListeners.add(listener);
    return () => this.frameListeners.delete(listener);
  };

  /** Sends a frame now or never: what it says would be wrong later. */
  say = (frame: FromBrowser): void => {
    if (this.live.connected) this.write(frame);
  };

  private connect(): void {
    const socket = this.surroundings.open();
    this.socket = socket;
    this.heardAt = this.surroundings.now();
    this.awaitingPong = false;
    socket.onopen = () => {
      const { epoch, seq } = this.live.floor;
      this.write({ type: 'hello', epoch, seq });
    };
    socket.onmessage = (event) => {
      if (typeof event.data === 'string') this.receive(JSON.parse(event.data) as ToBrowser);
    };
    socket.onclose = ({ code }) => this.closed(socket, code);
  }

  private receive(frame: ToBrowser): void {
    const now = this.surroundings.now();
    this.heardAt = now;
    const { floor, gap } = apply(this.live.floor, frame);
    const { pending, refusals } = settle(this.live.pending, frame, this.agentId, now);
    const shown = refusals.length > 0 ? [...this.live.refusals, ...refusals] : this.live.refusals;
    this.update({ floor, pending, refusals: shown });
    if (frame.type === 'intent.accepted') this.accepted(frame.intent_id);
    if (frame.type === 'intent.refused') this.whenAccepted.delete(frame.intent_id);
    if (gap) this.write({ type: 'resync' });
    if (frame.type === 'welcome') this.welcomed(frame.server_time - now);
    if (frame.type === 'pong') this.answered(frame.server_time, now);
    for (const listener of this.frameListeners) listener(frame);
  }

  private accepted(intentId: string): void {
    this.whenAccepted.get(intentId)?.();
    this.whenAccepted.delete(intentId);
  }

  private welcomed(clockOffset: number): void {
    this.attempt = 0;
    this.update({ connected: true, disconnectedSince: null, clockOffset });
    for (const { intent, acceptedAt } of this.live.pending.values()) if (acceptedAt === null) this.write(intent);
    this.ping();
  }

  private answered(serverTime: number, now: number): void {
    if (!this.awaitingPong) return;
    this.awaitingPong = false;
    const roundTrip = now - this.pingedAt;
    this.update({ roundTrip, clockOffset: serverTime + Math.round(roundTrip / 2) - now });
  }

  private ping(): void {
    this.pingedAt = this.surroundings.now();
    this.awaitingPong = true;
    this.write({ type: 'ping' });
  }

  /** Once a second: gives up intents and connections past their deadline, pings when it is time. */
  private beat = (): void => {
    if (!this.running) return;
    const now = this.surroundings.now();
    const { pending, refusals } = expire(this.live.pending, now);
    if (pending !== this.live.pending) this.update({ pending, refusals: [...this.live.refusals, ...refusals] });
    if (this.socket && now - this.heardAt >= DEAD_AFTER) this.lost(this.socket);
    else if (this.live.connected && now - this.pingedAt >= PING_EVERY) this.ping();
    this.heartbeat = this.surroundings.schedule(this.beat, 1_000);
  };

  private closed(socket: SocketLike, code: number): void {
    if (code === CLOSED_SESSION_ENDED) {
      this.stop();
      this.onSignedOut();
    } else if (code === CLOSED_SUPERSEDED) {
      this.drop();
      this.update({ connected: false, disconnectedSince: this.surroundings.now(), superseded: true });
    } else {
      this.lost(socket);
    }
  }

  private lost(socket: SocketLike): void {
    if (socket !== this.socket) return;
    const wasWelcomed = this.live.connected;
    this.drop();
    if (wasWelcomed) this.update({ connected: false, disconnectedSince: this.surroundings.now(), roundTrip: null });
    if (!this.running) return;
    this.retry = this.surroundings.schedule(() => this.connect(), backoff(this.attempt, this.surroundings.random()));
    this.attempt += 1;
    if (!wasWelcomed) void this.leaveWhenSignedOut();
  }

  private async leaveWhenSignedOut(): Promise<void> {
    if (await this.surroundings.isSignedIn()) return;
    this.stop();
    this.onSignedOut();
  }

  private drop(): void {
    const socket = this.socket;
    this.socket = null;
    if (!socket) return;
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close();
  }

  private write(frame: FromBrowser): void {
    this.socket?.send(JSON.stringify(frame));
  }

  private update(part: Partial<Live>): void {
    this.live = { ...this.live, ...part };
    for (const listener of this.listeners) listener();
  }
}
