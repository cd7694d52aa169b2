import { describe, expect, it } from 'vitest';
import { shortcutOf, SHORTCUTS } from './shortcuts';

const press = (code: string, over: Partial<Parameters<typeof shortcutOf>[0]> = {}) =>
  shortcutOf({
    code,
    altKey: true,
    shiftKey: true,
    ctrlKey: false,
    metaKey: false,
    isComposing: false,
    repeat: false,
    ...over,
  });

describe('shortcuts', () => {
  it('are told by the physical key with Alt and Shift', () => {
    expect(press('KeyR')).toBe('ready');
    expect(press('KeyP')).toBe('notReady');
    expect(press('KeyE')).toBe('hangUp');
    expect(press('KeyW')).toBe('finishWrapUp');
    expect(press('KeyQ')).toBeNull();
  });

  it('need both keys and no others', () => {
    expect(press('KeyR', { shiftKey: false })).toBeNull();
    expect(press('KeyR', { altKey: false })).toBeNull();
    expect(press('KeyR', { ctrlKey: true })).toBeNull();
    expect(press('KeyR', { metaKey: true })).toBeNull();
  });

  it('do nothing while an input method composes or a key is held', () => {
    expect(press('KeyR', { isComposing: true })).toBeNull();
    expect(press('KeyR', { repeat: true })).toBeNull();
  });

  it('have one key and one action each', () => {
    expect(new Set(SHORTCUTS.map((shortcut) => shortcut.code)).size).toBe(SHORTCUTS.length);
    expect(new Set(SHORTCUTS.map((shortcut) => shortcut.action)).size).toBe(SHORTCUTS.length);
    for (const { code, letter } of SHORTCUTS) expect(code).toBe(letter === '?' ? 'Slash' : `Key${letter}`);
  });
});
