import { useEffect, useState } from 'react';
import { chosenDevice, listDevices, pickDevice } from '../softphone/devices';
import { Ringer } from './ringer';

/** Milliseconds that each of the two titles is shown. */
const FLASH_EVERY = 900;

const ringer = new Ringer();

/** Rings on the chosen device from now on, on the system's own while that is unplugged. */
export function ringOnChosenDevice(): void {
  if (!('mediaDevices' in navigator)) return; // a page without a secure address may not choose
  void listDevices().then(({ ringer: plugged }) => ringer.playOn(pickDevice(chosenDevice('ringer'), plugged).id));
}

ringOnChosenDevice();
if ('mediaDevices' in navigator) navigator.mediaDevices.addEventListener('devicechange', ringOnChosenDevice);

/** Whether the page may make a sound yet: it may from the first click or key press on. */
export function useSoundUnlocked(): boolean {
  const [unlocked, setUnlocked] = useState(() => ringer.isAudible());
  useEffect(() => {
    const unlock = () => void ringer.unlock().then(() => setUnlocked(ringer.isAudible()));
    window.addEventListener('pointerdown', unlock);
    window.addEventListener('keydown', unlock);
    return () => {
      window.removeEventListener('pointerdown', unlock);
      window.removeEventListener('keydown', unlock);
    };
  }, []);
  return unlocked;
}

/** Rings while `active`, unless the person has switched sound off. */
export function useRinging(active: boolean): void {
  useEffect(() => {
    if (!active) return;
    ringer.start();
    return () => ringer.stop();
  }, [active]);
}

/** The title of the tab; with `alert` it alternates with that, so that a tab in the background is noticed. */
export function useTitle(title: string, alert: string | null): void {
  useEffect(() => {
    document.title = alert ?? title;
    if (alert === null) return;
    let alerting = true;
    const timer = setInterval(() => {
      alerting = !alerting;
      document.title = alerting ? alert : title;
    }, FLASH_EVERY);
    return () => {
      clearInterval(timer);
      document.title = title;
    };
  }, [title, alert]);
}
