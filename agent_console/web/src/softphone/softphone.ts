import type { FromBrowser, ToBrowser } from '../wire';
import { openMicrophone } from './devices';
import { Headset, type MissingDevice } from './headset';
import { lead } from './leader';
import { gradeOf, levelOf, measure, type Counters, type Quality } from './quality';

/** Milliseconds between measurements, and between looks at the microphone's level. */
const MEASURE_EVERY = 2_000;
const LEVEL_EVERY = 200;
/** Milliseconds a path may be disturbed before another one is asked for. */
const DISTURBED_FOR = 1_500;
/** Milliseconds of a digit's tone and of the pause after it. */
const DIGIT_TONE = 160;
const DIGIT_PAUSE = 80;

/**
 * What the phone can do now. `unplugged`: there is no microphone at all; `follower`: another page of this browser has
 * the phone; `replaced`: one elsewhere.
 */
export type PhoneStatus = 'asking' | 'denied' | 'unplugged' | 'follower' | 'ready' | 'replaced';
export type CallPhase = 'ringing' | 'connecting' | 'up' | 'reconnecting';

export interface PhoneCall {
  readonly legId: string;
  readonly phase: CallPhase;
  readonly muted: boolean;
  readonly quality: Quality | null;
  /** Of the microphone, 0 to 1. */
  readonly level: number;
}

export interface PhoneState {
  readonly status: PhoneStatus;
  readonly call: PhoneCall | null;
  readonly missing: readonly MissingDevice[];
}

/** The console's socket, as far as the phone needs it. */
export interface PhoneLine {
  say(frame: FromBrowser): void;
  listen(listener: (frame: ToBrowser) => void): () => void;
  readonly connected: boolean;
}

type Offer = Extract<ToBrowser, { type: 'softphone.offer' }>;
type IceServers = Extract<ToBrowser, { type: 'softphone.welcome' }>['ice_servers'];

/** What belongs to one connection with the exchange. */
interface Parts {
  readonly peer: RTCPeerConnection;
  readonly microphone: MediaStream;
  readonly sender: RTCRtpSender;
}

/**
 * The agent's phone in this page: one call at a time, its audio straight to the exchange.
 *
 * The exchange leads: it offers, and offers anew when a path is lost or the page was reloaded. The socket may be away
 * meanwhile; audio does not need it.
 */
export class Softphone {
  private state: PhoneState = { status: 'asking', call: null, missing: [] };
  private readonly listeners = new Set<() => void>();
  private readonly phoneId: string;
  private readonly audio = new Audio();
  private readonly headset = new Headset();
  private offer: Offer | null = null;
  private parts: Parts | null = null;
  private counters: Counters | null = null;
  private servers: IceServers = [];
  private release: (() => void) | null = null;
  private unlisten: (() => void) | null = null;
  private timers: ReturnType<typeof setInterval>[] = [];
  private disturbed: ReturnType<typeof setTimeout> | null = null;
  private work: Promise<void> = Promise.resolve();

  constructor(
    private readonly line: PhoneLine,
    private readonly agentId: string,
  ) {
    this.phoneId = Array.from(crypto.getRandomValues(new Uint8Array(12)), (byte) =>
      byte.toString(16).padStart(2, '0'),
    ).join('');
    this.audio.autoplay = true;
  }

  read = (): PhoneState => this.state;

  subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  /** Asks for the microphone once, then takes calls as soon as no other page does. */
  async start(): Promise<void> {
    this.update({ status: 'asking' });
    navigator.mediaDevices.addEventListener('devicechange', this.devicesChanged);
    try {
      stop(await openMicrophone(''));
    } catch (error) {
      const isUnplugged = error instanceof DOMException && error.name === 'NotFoundError';
      this.update({ status: isUnplugged ? 'unplugged' : 'denied' });
      return;
    }
    this.update({ status: 'follower', missing: await this.headset.look() });
    this.unlisten = this.line.listen(this.receive);
    window.addEventListener('online', this.reconnect);
    this.release = lead(this.agentId, () => {
      this.update({ status: 'ready' });
      this.report();
    });
  }

  /** Gives the phone up; a call that is up goes on elsewhere, or is lost after a while. */
  stop(): void {
    if (this.state.status === 'ready') this.line.say({ type: 'softphone.gone' });
    this.unlisten?.();
    this.release?.();
    window.removeEventListener('online', this.reconnect);
    navigator.mediaDevices.removeEventListener('devicechange', this.devicesChanged);
    this.drop();
    this.update({ call: null });
  }

  /** Takes the call that rings. */
  accept = (): void => {
    const { offer } = this;
    if (offer && this.state.call?.phase === 'ringing') this.connect(offer);
  };

  mute = (muted: boolean): void => {
    this.parts?.microphone.getAudioTracks().forEach((track) => {
      track.enabled = !muted;
    });
    if (this.state.call) rememberMuted(muted ? this.state.call.legId : null);
    this.updateCall({ muted });
  };

  /** Sends digits as telephone events. */
  press = (digits: string): void => {
    this.parts?.sender.dtmf?.insertDTMF(digits, DIGIT_TONE, DIGIT_PAUSE);
  };

  /** Others were chosen, plugged in or pulled out: take what there is into use, in mid-call too. */
  devicesChanged = (): void => {
    if (this.state.status === 'unplugged') {
      void this.start();
      return;
    }
    this.enqueue(async () => {
      const { parts } = this;
      this.update({ missing: await this.headset.look() });
      await this.headset.playOnSpeaker(this.audio);
      if (!parts || !this.headset.isOutdated(parts.microphone)) return;
      const microphone = await this.headset.microphone();
      const [track] = microphone.getAudioTracks();
      if (track) track.enabled = !this.state.call?.muted;
      await parts.sender.replaceTrack(track ?? null);
      stop(parts.microphone);
      this.parts = { ...parts, microphone };
    });
  };

  /** Asks for another path to the exchange; the keys and the call stay. */
  private reconnect = (): void => {
    const { call } = this.state;
    if (!call || call.phase === 'ringing') return;
    const fresh = !this.parts || this.parts.peer.connectionState === 'failed';
    this.line.say({ type: 'softphone.reconnect', leg_id: call.legId, fresh });
  };

  private report(): void {
    if (this.line.connected) this.line.say({ type: 'softphone.ready', phone_id: this.phoneId });
  }

  private receive = (frame: ToBrowser): void => {
    if (frame.type === 'welcome' && this.state.status === 'ready') this.report();
    else if (frame.type === 'softphone.welcome') this.servers = frame.ice_servers;
    else if (frame.type === 'softphone.offer') this.offered(frame);
    else if (frame.type === 'softphone.ended') this.ended(frame.leg_id);
    else if (frame.type === 'softphone.replaced') this.replaced();
  };

  private offered(offer: Offer): void {
    this.offer = offer;
    if (offer.purpose === 'ring') {
      this.update({ call: { legId: offer.leg_id, phase: 'ringing', muted: false, quality: null, level: 0 } });
    } else {
      this.connect(offer);
    }
  }

  private ended(legId: string): void {
    if (this.state.call?.legId !== legId) return;
    this.drop();
    this.update({ call: null });
  }

  private replaced(): void {
    this.drop();
    this.update({ status: 'replaced', call: null });
  }

  private connect(offer: Offer): void {
    const muted = mutedLeg() === offer.leg_id;
    const phase = offer.purpose === 'ring' ? 'connecting' : 'reconnecting';
    this.update({ call: { legId: offer.leg_id, phase, muted, quality: null, level: 0 } });
    this.enqueue(async () => {
      if (!this.isAt(offer.leg_id)) return;
      const again = offer.purpose === 'restart' && this.parts !== null;
      const parts = again && this.parts ? this.parts : await this.begin(muted);
      await parts.peer.setRemoteDescription({ type: 'offer', sdp: offer.sdp });
      await parts.peer.setLocalDescription(await parts.peer.createAnswer());
      if (this.parts !== parts) return;
      if (!this.isAt(offer.leg_id)) {
        this.drop();
        return;
      }
      this.line.say({ type: 'softphone.answer', leg_id: offer.leg_id, sdp: parts.peer.localDescription?.sdp ?? '' });
      if (again && parts.peer.connectionState === 'connected') this.updateCall({ phase: 'up' });
    });
  }

  private async begin(muted: boolean): Promise<Parts> {
    this.drop();
    this.update({ missing: await this.headset.look() });
    const microphone = await this.headset.microphone();
    const peer = new RTCPeerConnection({
      bundlePolicy: 'max-bundle',
      iceServers: this.servers.map(({ urls, username, credential }) => ({
        urls: [...urls],
        ...(username !== '' && { username, credential }),
      })),
    });
    const [track] = microphone.getAudioTracks();
    if (!track) throw new Error('the microphone has no track');
    track.enabled = !muted;
    const sender = peer.addTrack(track, microphone);
    const parts = { peer, microphone, sender };
    this.parts = parts;
    peer.ontrack = ({ track: heard }) => {
      this.audio.srcObject = new MediaStream([heard]);
      void this.audio.play().catch(() => undefined); // played at the next click otherwise
    };
    peer.onconnectionstatechange = () => this.watch(parts);
    await this.headset.playOnSpeaker(this.audio);
    this.counters = null;
    this.timers = [
      setInterval(() => void this.measure(parts), MEASURE_EVERY),
      setInterval(() => void this.lookAtLevel(parts), LEVEL_EVERY),
    ];
    return parts;
  }

  private watch(parts: Parts): void {
    if (parts !== this.parts) return;
    const { connectionState } = parts.peer;
    if (this.disturbed) clearTimeout(this.disturbed);
    this.disturbed = null;
    if (connectionState === 'connected') this.updateCall({ phase: 'up' });
    if (connectionState === 'disconnected') {
      this.updateCall({ phase: 'reconnecting' });
      this.disturbed = setTimeout(this.reconnect, DISTURBED_FOR);
    }
    if (connectionState === 'failed') {
      this.updateCall({ phase: 'reconnecting' });
      this.reconnect();
    }
  }

  private async measure(parts: Parts): Promise<void> {
    const report = await parts.peer.getStats();
    if (parts !== this.parts) return;
    const { measured, counters } = measure(stats(report), this.counters);
    this.counters = counters;
    this.updateCall({ quality: gradeOf(measured) });
  }

  private async lookAtLevel(parts: Parts): Promise<void> {
    const level = levelOf(stats(await parts.sender.getStats()));
    if (parts === this.parts && level !== this.state.call?.level) this.updateCall({ level });
  }

  /** One piece of work after the other: offers may come faster than they are answered. */
  private enqueue(work: () => Promise<void>): void {
    this.work = this.work.then(work).catch((error: unknown) => {
      console.warn('softphone', error);
      this.reconnect();
    });
  }

  private drop(): void {
    this.timers.forEach(clearInterval);
    this.timers = [];
    if (this.disturbed) clearTimeout(this.disturbed);
    const { parts } = this;
    this.parts = null;
    if (!parts) return;
    parts.peer.onconnectionstatechange = parts.peer.ontrack = null;
    parts.peer.close();
    stop(parts.microphone);
    this.audio.srcObject = null;
  }

  /** Whether the phone still has to do with this leg. */
  private isAt(legId: string): boolean {
    return this.state.call?.legId === legId;
  }

  private updateCall(part: Partial<PhoneCall>): void {
    if (this.state.call) this.update({ call: { ...this.state.call, ...part } });
  }

  private update(part: Partial<PhoneState>): void {
    this.state = { ...this.state, ...part };
    for (const listener of this.listeners) listener();
  }
}

const MUTED = 'softphone.muted';

/** The leg that was muted in this tab: who was muted before a reload must not be heard after it. */
function mutedLeg(): string | null {
  return sessionStorage.getItem(MUTED);
}

function rememberMuted(legId: string | null): void {
  if (legId === null) sessionStorage.removeItem(MUTED);
  else sessionStorage.setItem(MUTED, legId);
}

function stop(stream: MediaStream): void {
  for (const track of stream.getTracks()) track.stop();
}

function stats(report: RTCStatsReport): Iterable<RTCStats> {
  const all: RTCStats[] = [];
  report.forEach((stat: RTCStats) => all.push(stat));
  return all;
}
