import type { Formats } from './format';
import type { Translate } from './translate';

const UNITS = [
  ['duration.days', 86_400],
  ['duration.hours', 3_600],
  ['duration.minutes', 60],
  ['duration.seconds', 1],
] as const;

/** A length of time as people say it, in two units at most: `20 s`, `1 min 30 s`, `4 h`. */
export function spokenDuration(seconds: number, t: Translate, format: Formats): string {
  let left = Math.max(0, Math.round(seconds));
  const parts: string[] = [];
  for (const [key, size] of UNITS) {
    const count = Math.floor(left / size);
    left -= count * size;
    if (count > 0) parts.push(t(key, { count: format.number(count) }));
  }
  return parts.length > 0 ? parts.slice(0, 2).join(' ') : t('duration.seconds', { count: 0 });
}
