import {
  chosenDevice,
  DEVICE_USES,
  improvesVoice,
  listDevices,
  openMicrophone,
  pickDevice,
  playOn,
  type DeviceUse,
  type Pick,
} from './devices';

/** A device that was chosen and is not plugged in. */
export interface MissingDevice {
  readonly use: DeviceUse;
  readonly label: string;
  /** Whether there is not even another one to use instead. */
  readonly nothingElse: boolean;
}

const SYSTEM_OWN: Pick = { id: '', missing: null };

/** The devices of the phone as they are plugged in, each replaced by the system's own while the chosen one is not. */
export class Headset {
  private picks: Readonly<Record<DeviceUse, Pick>> = {
    microphone: SYSTEM_OWN,
    speaker: SYSTEM_OWN,
    ringer: SYSTEM_OWN,
  };
  private opened = '';
  private isMute = false;

  /** Looks what is plugged in now, and says what is missing. */
  async look(): Promise<readonly MissingDevice[]> {
    const plugged = await listDevices();
    const pick = (use: DeviceUse) => pickDevice(chosenDevice(use), plugged[use]);
    this.picks = { microphone: pick('microphone'), speaker: pick('speaker'), ringer: pick('ringer') };
    return this.missing(plugged.microphone.length === 0);
  }

  /** Whether a stream is not what `microphone` would give now. Which one the system prefers can only be tried. */
  isOutdated(stream: MediaStream): boolean {
    const ended = stream.getAudioTracks().every((track) => track.readyState === 'ended');
    return ended || this.isMute || this.wanted() === '' || this.wanted() !== this.opened;
  }

  /** The microphone's stream; silence where there is none, so that who is called hears at least. */
  async microphone(): Promise<MediaStream> {
    this.opened = this.wanted();
    try {
      const stream = await openMicrophone(this.picks.microphone.id);
      this.isMute = false;
      return stream;
    } catch {
      this.isMute = true;
      return new AudioContext().createMediaStreamDestination().stream;
    }
  }

  async playOnSpeaker(element: HTMLMediaElement): Promise<void> {
    await playOn(element, this.picks.speaker.id);
  }

  private wanted(): string {
    const { id } = this.picks.microphone;
    return id && `${id} ${improvesVoice()}`;
  }

  private missing(noMicrophone: boolean): readonly MissingDevice[] {
    const missing: MissingDevice[] = [];
    for (const use of DEVICE_USES) {
      const gone = this.picks[use].missing;
      const nothingElse = use === 'microphone' && noMicrophone;
      if (gone !== null || nothingElse) missing.push({ use, label: gone?.label ?? '', nothingElse });
    }
    return missing;
  }
}
