import { useEffect, useRef } from 'react';
import type { Key } from '../i18n/translate';

/** What a shortcut does. */
export type ShortcutAction =
  | 'ready'
  | 'notReady'
  | 'accept'
  | 'mute'
  | 'decline'
  | 'hangUp'
  | 'hold'
  | 'transfer'
  | 'complete'
  | 'swap'
  | 'conference'
  | 'cancelConsult'
  | 'park'
  | 'keypad'
  | 'dial'
  | 'finishWrapUp'
  | 'extendWrapUp'
  | 'speakStatus'
  | 'help';

/** One shortcut: always with Alt+Shift, which no browser and no screen reader takes. */
export interface Shortcut {
  readonly action: ShortcutAction;
  /** The physical key, so that it is the same under every keyboard layout and input method. */
  readonly code: string;
  /** What is printed on that key of a US keyboard. */
  readonly letter: string;
  readonly label: Key;
}

export const SHORTCUTS: readonly Shortcut[] = [
  { action: 'ready', code: 'KeyR', letter: 'R', label: 'shortcut.ready' },
  { action: 'notReady', code: 'KeyP', letter: 'P', label: 'shortcut.not_ready' },
  { action: 'accept', code: 'KeyA', letter: 'A', label: 'shortcut.accept' },
  { action: 'mute', code: 'KeyM', letter: 'M', label: 'shortcut.mute' },
  { action: 'decline', code: 'KeyX', letter: 'X', label: 'shortcut.decline' },
  { action: 'hangUp', code: 'KeyE', letter: 'E', label: 'shortcut.hang_up' },
  { action: 'hold', code: 'KeyH', letter: 'H', label: 'shortcut.hold' },
  { action: 'transfer', code: 'KeyT', letter: 'T', label: 'shortcut.transfer' },
  { action: 'complete', code: 'KeyC', letter: 'C', label: 'shortcut.complete' },
  { action: 'swap', code: 'KeyB', letter: 'B', label: 'shortcut.swap' },
  { action: 'conference', code: 'KeyJ', letter: 'J', label: 'shortcut.conference' },
  { action: 'cancelConsult', code: 'KeyZ', letter: 'Z', label: 'shortcut.cancel_consult' },
  { action: 'park', code: 'KeyK', letter: 'K', label: 'shortcut.park' },
  { action: 'keypad', code: 'KeyN', letter: 'N', label: 'shortcut.keypad' },
  { action: 'dial', code: 'KeyD', letter: 'D', label: 'shortcut.dial' },
  { action: 'finishWrapUp', code: 'KeyW', letter: 'W', label: 'shortcut.finish_wrap_up' },
  { action: 'extendWrapUp', code: 'KeyL', letter: 'L', label: 'shortcut.extend_wrap_up' },
  { action: 'speakStatus', code: 'KeyS', letter: 'S', label: 'shortcut.speak_status' },
  { action: 'help', code: 'Slash', letter: '?', label: 'shortcut.help' },
];

type KeyPress = Pick<KeyboardEvent, 'code' | 'altKey' | 'shiftKey' | 'ctrlKey' | 'metaKey' | 'isComposing' | 'repeat'>;

/** The action of a key press; `null` for others, for repeats of a held key, and while an input method composes. */
export function shortcutOf(press: KeyPress): ShortcutAction | null {
  if (!press.altKey || !press.shiftKey || press.ctrlKey || press.metaKey || press.isComposing || press.repeat)
    return null;
  return SHORTCUTS.find((shortcut) => shortcut.code === press.code)?.action ?? null;
}

/** `Alt+Shift+R` for an action. */
export function keysOf(action: ShortcutAction): string {
  const shortcut = SHORTCUTS.find((candidate) => candidate.action === action);
  return `Alt+Shift+${shortcut?.letter ?? ''}`;
}

export type ShortcutActions = Partial<Readonly<Record<ShortcutAction, () => void>>>;

/** Carries out those shortcuts that have an action now; the others stay the browser's. */
export function useShortcuts(actions: ShortcutActions): void {
  const latest = useRef(actions);
  useEffect(() => {
    latest.current = actions;
  });
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent) => {
      const action = shortcutOf(event);
      const act = action && latest.current[action];
      if (!act) return;
      event.preventDefault();
      act();
    };
    window.addEventListener('keydown', onKeyDown);
    return () => window.removeEventListener('keydown', onKeyDown);
  }, []);
}
