/** What a person chose in this browser; nothing personal is kept under these names. */
export type Preference = 'language' | 'sound' | 'phone' | 'microphone' | 'speaker' | 'ringer' | 'voice_processing';

const PREFIX = 'console.';

/** The remembered choice, `null` when there is none or the browser keeps nothing. */
export function recall(preference: Preference): string | null {
  try {
    return localStorage.getItem(PREFIX + preference);
  } catch {
    return null; // storage is switched off: the choice lasts as long as the page
  }
}

export function remember(preference: Preference, value: string): void {
  try {
    localStorage.setItem(PREFIX + preference, value);
  } catch {
    // storage is switched off or full: the choice lasts as long as the page
  }
}
