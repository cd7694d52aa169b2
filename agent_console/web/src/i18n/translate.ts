import type desk from './en.json';
import type pages from './en.pages.json';

/** Every sentence of the console has one of these keys. */
export type Key = keyof typeof desk | keyof typeof pages;
/** Keys that come in plural forms, without the form: `x` for `x_one` and `x_other`. */
export type CountedKey = { [K in Key]: K extends `${infer Base}_other` ? Base : never }[Key];
export type Language = 'en' | 'zh';

/** The languages of the console, each named in itself. */
export const LANGUAGES: Record<Language, { readonly name: string; readonly tag: string }> = {
  en: { name: 'English', tag: 'en' },
  zh: { name: '中文', tag: 'zh-CN' },
};

/** Every sentence of one language. */
export type Catalogue = Readonly<Record<Key, string>>;

export type Values = Readonly<Record<string, string | number>>;

/** Says things in one language. */
export interface Translate {
  (key: Key, values?: Values): string;
  /** The plural form for `count`, which the sentence may use as `{count}`. */
  count(key: CountedKey, count: number, values?: Values): string;
}

function fill(template: string, values: Values): string {
  return template.replace(/\{(\w+)\}/g, (placeholder, name: string) => String(values[name] ?? placeholder));
}

/** The translator of a language; `{name}` in a sentence is replaced by the value of that name. A sentence that has not
 *  come yet is empty. */
export function translator(language: Language, catalogue: Partial<Catalogue>): Translate {
  const plurals = new Intl.PluralRules(LANGUAGES[language].tag);
  const numbers = new Intl.NumberFormat(LANGUAGES[language].tag);
  const translate = (key: Key, values: Values = {}) => fill(catalogue[key] ?? '', values);
  const count = (key: CountedKey, amount: number, values: Values = {}) => {
    const form = plurals.select(amount) === 'one' ? 'one' : 'other';
    return fill(catalogue[`${key}_${form}`] ?? '', { ...values, count: numbers.format(amount) });
  };
  return Object.assign(translate, { count });
}

/** The console's language for a wish like `zh-CN`; English when it has none of its own. */
export function supported(wish: string | null | undefined): Language | null {
  const base = wish?.toLowerCase().split('-')[0];
  return base === 'en' || base === 'zh' ? base : null;
}
