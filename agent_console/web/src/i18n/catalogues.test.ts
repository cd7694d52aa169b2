import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import en from './en.json';
import { supported, translator } from './translate';
import zh from './zh.json';

const SOURCE = join(import.meta.dirname, '..');

function sourceText(): string {
  const files = readdirSync(SOURCE, { recursive: true, encoding: 'utf8' });
  const wanted = files.filter((file) => /\.tsx?$/.test(file) && !/\.test\.tsx?$/.test(file));
  return wanted.map((file) => readFileSync(join(SOURCE, file), 'utf8')).join('\n');
}

const placeholders = (text: string) => [...text.matchAll(/\{(\w+)\}/g)].map((match) => match[1]).sort();

describe('the catalogues', () => {
  it('have the same keys, in order', () => {
    expect(Object.keys(zh)).toEqual(Object.keys(en));
    expect(Object.keys(en)).toEqual(Object.keys(en).sort());
  });

  it('have the same placeholders in each sentence', () => {
    for (const key of Object.keys(en) as (keyof typeof en)[]) {
      expect([key, ...placeholders(zh[key])]).toEqual([key, ...placeholders(en[key])]);
    }
  });

  it('have no sentence that nobody says', () => {
    const text = sourceText();
    const said = new Set([...text.matchAll(/(['"])([\w.]+)\1/g)].map((match) => match[2]));
    const unused = Object.keys(en).filter((key) => !said.has(key.replace(/_(one|other)$/, '')));
    expect(unused).toEqual([]);
  });

  it('have no empty sentence', () => {
    for (const catalogue of [en, zh]) expect(Object.values(catalogue).filter((text) => text.trim() === '')).toEqual([]);
  });
});

describe('the translator', () => {
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
