/** Milliseconds from one ring to the next. */
const RING_EVERY = 2_400;
/** Hertz and start (seconds) of the two tones of one ring. */
const TONES = [
  [660, 0],
  [880, 0.22],
] as const;
const TONE_SECONDS = 0.2;
const VOLUME = 0.12;

/** Not every browser lets a page choose where its sounds come out. */
interface WithSink {
  setSinkId?: (device: string) => Promise<void>;
}

/**
 * The sound of an offer, made in the browser. Browsers allow sound only after a click or a key press on the page;
 * before that `isAudible` is false and ringing is silent.
 */
export class Ringer {
  private context: AudioContext | null = null;
  private timer: ReturnType<typeof setInterval> | undefined;
  private ringing = false;
  private device = '';

  isAudible(): boolean {
    return this.context?.state === 'running';
  }

  /** To be called from a click or a key press. */
  async unlock(): Promise<void> {
    if (typeof AudioContext === 'undefined') return;
    if (!this.context) {
      this.context = new AudioContext();
      await this.playOn(this.device);
    }
    if (this.context.state === 'suspended') await this.context.resume();
  }

  /** Rings on this output device; an empty string, and a device that is gone, mean the system's own. */
  async playOn(device: string): Promise<void> {
    this.device = device;
    const context: (AudioContext & WithSink) | null = this.context;
    await context?.setSinkId?.(device).catch(() => context.setSinkId?.('').catch(() => undefined));
  }

  start(): void {
    if (this.ringing) return;
    this.ringing = true;
    this.ringOnce();
    this.timer = setInterval(() => this.ringOnce(), RING_EVERY);
  }

  stop(): void {
    this.ringing = false;
    clearInterval(this.timer);
  }

  private ringOnce(): void {
    if (!this.context || !this.isAudible()) return;
    for (const [hertz, start] of TONES) this.tone(this.context, hertz, this.context.currentTime + start);
  }

  private tone(context: AudioContext, hertz: number, at: number): void {
    const oscillator = context.createOscillator();
    const gain = context.createGain();
    oscillator.frequency.value = hertz;
    gain.gain.setValueAtTime(0, at);
    gain.gain.linearRampToValueAtTime(VOLUME, at + 0.02);
    gain.gain.exponentialRampToValueAtTime(0.001, at + TONE_SECONDS);
    oscillator.connect(gain).connect(context.destination);
    oscillator.start(at);
    oscillator.stop(at + TONE_SECONDS);
  }
}
