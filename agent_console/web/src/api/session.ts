import type { Choice, DeskSettings, SessionView } from '../wire';
import { get, post, remove } from './http';

export const signIn = (login: string, password: string) => post<SessionView>('/api/session', { login, password });
export const currentPerson = () => get<SessionView>('/api/session');
export const signOut = () => remove('/api/session');
export const deskSettings = () => get<DeskSettings>('/api/settings');

/** Whether there is more for a person to see than the own desk: the whole floor, or the teams led. */
export const maySeeFloor = (person: SessionView) => person.sees_floor;

/** Whether a person may ask for reports. */
export const maySeeReports = (person: SessionView) => person.sees_floor || person.roles.includes('auditor');

/** The label of `code` in `language`, English or the code itself when there is none. */
export function label(choices: readonly Choice[], code: string, language: string): string {
  const choice = choices.find((candidate) => candidate.code === code);
  return choice?.labels[language] ?? choice?.labels.en ?? code;
}
