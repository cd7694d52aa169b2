import { recall, remember, type Preference } from '../preferences';

/** The three devices of an agent: the headset's two ends, and what rings (often a loudspeaker). */
export type DeviceUse = 'microphone' | 'speaker' | 'ringer';

const KINDS: Readonly<Record<DeviceUse, MediaDeviceKind>> = {
  microphone: 'audioinput',
  speaker: 'audiooutput',
  ringer: 'audiooutput',
};
export const DEVICE_USES: readonly DeviceUse[] = ['microphone', 'speaker', 'ringer'];

/** A device as the browser tells it; as it was chosen, an empty id is the system's own choice. */
export interface Device {
  readonly id: string;
  readonly label: string;
}

export type Devices = Readonly<Record<DeviceUse, readonly Device[]>>;

/** What is used now: the id for the browser (empty for the system's own), and the chosen device that is not there. */
export interface Pick {
  readonly id: string;
  readonly missing: Device | null;
}

/** What is plugged in now; names are only told once the microphone was allowed. */
export async function listDevices(): Promise<Devices> {
  const all = await navigator.mediaDevices.enumerateDevices();
  const of = (use: DeviceUse) =>
    all.filter((device) => device.kind === KINDS[use]).map(({ deviceId, label }) => ({ id: deviceId, label }));
  return { microphone: of('microphone'), speaker: of('speaker'), ringer: of('ringer') };
}

/** The device that was chosen at this workplace, whoever works here. */
export function chosenDevice(use: DeviceUse): Device {
  const kept = recall(use satisfies Preference) ?? '';
  try {
    const { id, label } = JSON.parse(kept) as Device;
    return { id, label };
  } catch {
    return { id: kept, label: '' }; // as it was kept before names were
  }
}

export function chooseDevice(use: DeviceUse, chosen: Device): void {
  remember(use, chosen.id === '' ? '' : JSON.stringify({ id: chosen.id, label: chosen.label }));
}

/**
 * The device to use of those that are plugged in: the chosen one by its id, else by its name (ids change with the
 * socket, and when the browser's data is cleared), else the system's own.
 */
export function pickDevice(chosen: Device, plugged: readonly Device[]): Pick {
  const told = plugged.filter(({ id }) => id !== '');
  if (chosen.id === '' || told.length === 0) return { id: chosen.id, missing: null };
  const found =
    told.find(({ id }) => id === chosen.id) ??
    told.find(({ id, label }) => label !== '' && label === chosen.label && !SYSTEM_OWN.has(id));
  return found ? { id: found.id, missing: null } : { id: '', missing: chosen };
}

/** Chromium lists the system's own devices a second time, under these ids. */
const SYSTEM_OWN: ReadonlySet<string> = new Set(['default', 'communications']);

/** Whether the browser takes echo and noise out of the voice. Headsets that do so themselves sound better without. */
export function improvesVoice(): boolean {
  return recall('voice_processing') !== 'off';
}

export function improveVoice(wanted: boolean): void {
  remember('voice_processing', wanted ? 'on' : 'off');
}

/** The stream of a microphone; where it was pulled out this moment, of the system's own. Raises where there is none. */
export async function openMicrophone(id: string): Promise<MediaStream> {
  const on = improvesVoice();
  const processing = { echoCancellation: on, noiseSuppression: on, autoGainControl: on };
  return navigator.mediaDevices.getUserMedia({
    audio: id === '' ? processing : { ...processing, deviceId: { ideal: id } },
  });
}

/** Lets an element play on a device; where that is gone or cannot be chosen, on the system's own. */
export async function playOn(element: HTMLMediaElement, id: string): Promise<void> {
  if (!('setSinkId' in element)) return;
  await element.setSinkId(id).catch(() => element.setSinkId(''));
}
