import { LANGUAGES, type Language } from './translate';

/** Dates and numbers in one language, in the time zone of the browser. */
export interface Formats {
  /** A date with its time: `7 Mar 2026, 14:05`. */
  dateTime(at: string | number): string;
  /** How long ago, in the largest whole unit: `3 days ago`. */
  ago(at: string | number, now: number): string;
  /** A day without its time: `7 Mar 2026`. A date such as `1990-03-07` is that day in every time zone. */
  day(at: string): string;
  /** A size in the largest fitting unit: `12 kB`. */
  bytes(size: number): string;
  /** The name of a day of the week; 0 is Monday. */
  weekday(day: number): string;
  percent(share: number): string;
  number(value: number): string;
  /** Words beside each other: `sales, support`. */
  list(words: readonly string[]): string;
}

const SIZES = ['byte', 'kilobyte', 'megabyte', 'gigabyte'] as const;

const UNITS: readonly (readonly [Intl.RelativeTimeFormatUnit, number])[] = [
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
];

export function formats(language: Language): Formats {
  const { tag } = LANGUAGES[language];
  const dateTime = new Intl.DateTimeFormat(tag, { dateStyle: 'medium', timeStyle: 'short' });
  const relative = new Intl.RelativeTimeFormat(tag, { numeric: 'auto' });
  const day = new Intl.DateTimeFormat(tag, { dateStyle: 'medium' });
  const wholeDay = new Intl.DateTimeFormat(tag, { dateStyle: 'medium', timeZone: 'UTC' });
  const weekday = new Intl.DateTimeFormat(tag, { weekday: 'long', timeZone: 'UTC' });
  const percent = new Intl.NumberFormat(tag, { style: 'percent' });
  const number = new Intl.NumberFormat(tag);
  return {
    dateTime: (at) => dateTime.format(new Date(at)),
    ago: (at, now) => {
      const elapsed = now - new Date(at).getTime();
      const [unit, size] = UNITS.find(([, length]) => elapsed >= length) ?? (['minute', 60_000] as const);
      return relative.format(-Math.floor(elapsed / size), unit);
    },
    day: (at) => (/^\d{4}-\d\d-\d\d$/.test(at) ? wholeDay : day).format(new Date(at)),
    bytes: (size) => {
      const place = Math.min(SIZES.length - 1, Math.max(0, Math.floor(Math.log10(Math.max(1, size)) / 3)));
      const unit = SIZES[place] ?? 'byte';
      const shown = new Intl.NumberFormat(tag, { style: 'unit', unit, unitDisplay: 'short', maximumFractionDigits: 1 });
      return shown.format(size / 1_000 ** place);
    },
    weekday: (day) => weekday.format(Date.UTC(2024, 0, 1 + day)), // a Monday
    percent: (share) => percent.format(share),
    number: (value) => number.format(value),
    list: (words) => words.join(language === 'zh' ? '、' : ', '),
  };
}

/** A duration as digits, the same in every language: `0:07`, `12:30`, `1:02:03`. Negative ones read as zero. */
export function clockDigits(milliseconds: number): string {
  const seconds = Math.max(0, Math.floor(milliseconds / 1_000));
  const two = (value: number) => String(value).padStart(2, '0');
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes}:${two(seconds % 60)}`;
  return `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${two(seconds % 60)}`;
}
