import type { Activity } from '../api/shifts';
import type { Key } from '../i18n/translate';

/** What the roster's activities are called. */
export const ACTIVITIES: Readonly<Record<Activity, Key>> = {
  on_queue: 'shifts.on_queue',
  break: 'shifts.break',
  training: 'shifts.training',
  meeting: 'shifts.meeting',
  leave: 'shifts.leave',
};

export const isActivity = (text: string | null): text is Activity => text !== null && text in ACTIVITIES;
