import { useEffect, useState } from 'react';
import { recall } from '../preferences';
import { Ringer } from './ringer';

/** Milliseconds that each of the two titles is shown. */
const FLASH_EVERY = 900;

const ringer = new Ringer();
void ringer.playOn(recall('ringer') ?? '');

/** Rings on another device from now on. */
export function ringOnChosenDevice(device: string): void {
  void ringer.playOn(device);
}

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
