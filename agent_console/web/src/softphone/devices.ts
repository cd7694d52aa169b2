import { recall, remember, type Preference } from '../preferences';

/** The three devices of an agent: the headset's two ends, and what rings (often a loudspeaker). */
export type DeviceUse = 'microphone' | 'speaker' | 'ringer';

const KINDS: Readonly<Record<DeviceUse, MediaDeviceKind>> = {
  microphone: 'audioinput',
  speaker: 'audiooutput',
  ringer: 'audiooutput',
};

export interface Device {
  readonly id: string;
  readonly label: string;
}

export type Devices = Readonly<Record<DeviceUse, readonly Device[]>>;

/** What is plugged in now; names are only told once the microphone was allowed. */
export async function listDevices(): Promise<Devices> {
  const all = await navigator.mediaDevices.enumerateDevices();
  const of = (use: DeviceUse) =>
    all.filter((device) => device.kind === KINDS[use]).map(({ deviceId, label }) => ({ id: deviceId, label }));
  return { microphone: of('microphone'), speaker: of('speaker'), ringer: of('ringer') };
}

/** The device that was chosen, an empty string for the system's own choice. */
export function chosenDevice(use: DeviceUse): string {
  return recall(use satisfies Preference) ?? '';
}

export function chooseDevice(use: DeviceUse, id: string): void {
  remember(use, id);
}

/** Whether the browser takes echo and noise out of the voice. Headsets that do so themselves sound better without. */
export function improvesVoice(): boolean {
  return recall('voice_processing') !== 'off';
}

export function improveVoice(wanted: boolean): void {
  remember('voice_processing', wanted ? 'on' : 'off');
}

/** The microphone's stream. One that was chosen and is unplugged now is replaced by the system's own. */
export async function openMicrophone(): Promise<MediaStream> {
  const id = chosenDevice('microphone');
  const on = improvesVoice();
  const processing = { echoCancellation: on, noiseSuppression: on, autoGainControl: on };
  return navigator.mediaDevices.getUserMedia({
    audio: id === '' ? processing : { ...processing, deviceId: { ideal: id } },
  });
}

/** Lets an element play on the chosen device; where that is gone or cannot be chosen, on the system's own. */
export async function playOn(element: HTMLMediaElement, use: DeviceUse): Promise<void> {
  if (!('setSinkId' in element)) return;
  await element.setSinkId(chosenDevice(use)).catch(() => element.setSinkId(''));
}
