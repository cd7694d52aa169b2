import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { en, zh } from '../test/catalogues';
import enDesk from './en.json';
import enPages from './en.pages.json';
import { supported, translator } from './translate';
import zhDesk from './zh.json';
import zhPages from './zh.pages.json';

const SOURCE = join(import.meta.dirname, '..');

function sourceText(): string {
  const files = readdirSync(SOURCE, { recursive: true, encoding: 'utf8' });
  const wanted = files.filter((file) => /\.tsx?$/.test(file) && !/\.test\.tsx?$/.test(file));
  return wanted.map((file) => readFileSync(join(SOURCE, file), 'utf8')).join('\n');
}

const AT_ONCE = ['main.tsx', 'desk/desk-page.tsx', 'session/sign-in-page.tsx'];

/** The files that a browser has loaded when it shows the desk: those of `AT_ONCE` and all that they import. */
function filesAtOnce(): Set<string> {
  const found = new Set<string>();
  const waiting = AT_ONCE.map((file) => join(SOURCE, file));
  for (let file = waiting.pop(); file; file = waiting.pop()) {
    if (found.has(file)) continue;
    found.add(file);
    const imports = readFileSync(file, 'utf8').matchAll(/^(?:import|export)\s(?!type\s)[^;]*?from\s+'(\.[^']+)'/gm);
    for (const [, path] of imports) {
      const base = join(dirname(file), path ?? '');
      waiting.push(...[`${base}.ts`, `${base}.tsx`].filter((candidate) => existsSync(candidate)));
    }
  }
  return found;
}

const saidIn = (text: string) => new Set([...text.matchAll(/(['"])([\w.]+)\1/g)].map((match) => match[2]));
const ofKey = (key: string) => key.replace(/_(one|other)$/, '');

const placeholders = (text: string) => [...text.matchAll(/\{(\w+)\}/g)].map((match) => match[1]).sort();

describe('the catalogues', () => {
  it('have the same keys, in order', () => {
    for (const [english, chinese] of [
      [enDesk, zhDesk],
      [enPages, zhPages],
    ] as const) {
      expect(Object.keys(chinese)).toEqual(Object.keys(english));
      expect(Object.keys(english)).toEqual(Object.keys(english).sort());
    }
  });

  it('have the sentences of desk and sign-in in the part that is waited for, and no others', () => {
    const files = filesAtOnce();
    expect(files.size).toBeGreaterThan(50);
    const said = saidIn([...files].map((file) => readFileSync(file, 'utf8')).join('\n'));
    expect(Object.keys(enPages).filter((key) => said.has(ofKey(key)))).toEqual([]);
    expect(Object.keys(enDesk).filter((key) => !said.has(ofKey(key)))).toEqual([]);
  });

  it('have the same placeholders in each sentence', () => {
    for (const key of Object.keys(en) as (keyof typeof en)[]) {
      expect([key, ...placeholders(zh[key])]).toEqual([key, ...placeholders(en[key])]);
    }
  });

  it('have no sentence that nobody says', () => {
    const said = saidIn(sourceText());
    const unused = Object.keys(en).filter((key) => !said.has(ofKey(key)));
    expect(unused).toEqual([]);
  });

  it('have no empty sentence', () => {
    for (const catalogue of [en, zh]) expect(Object.values(catalogue).filter((text) => text.trim() === '')).toEqual([]);
  });
});

describe('the translator', () => {
  it('says nothing where the sentence has not come yet', () => {
    const t = translator('en', enDesk);
    expect([t('reports.surveys_asked'), t.count('duplicates.found', 2)]).toEqual(['', '']);
  });

  it('fills in values and leaves unknown placeholders visible', () => {
    const t = translator('en', en);
    expect(t('offer.title', { caller: 'Jane' })).toBe('Incoming: Jane');
    expect(t('offer.title')).toBe('Incoming: {caller}');
  });

  it('chooses the plural form of the language', () => {
    expect(translator('en', en).count('customer.contacts_in_week', 1)).toBe('1 contact in 7 days');
    expect(translator('en', en).count('customer.contacts_in_week', 1_200)).toBe('1,200 contacts in 7 days');
    expect(translator('zh', zh).count('customer.contacts_in_week', 1)).toBe('7 天内联系 1 次');
  });

  it('knows which of its languages a wish means', () => {
    expect(supported('zh-CN')).toBe('zh');
    expect(supported('en_GB')).toBeNull();
    expect(supported('de')).toBeNull();
    expect(supported(null)).toBeNull();
  });
});
