import { describe, expect, it } from 'vitest';
import { en, zh } from '../test/catalogues';
import { spokenDuration } from './duration';
import { formats } from './format';
import { translator, type Language } from './translate';

const said = (seconds: number, language: Language = 'en') =>
  spokenDuration(seconds, translator(language, language === 'en' ? en : zh), formats(language));

describe('a length of time', () => {
  it('is said in the units that fit', () => {
    expect([20, 90, 900, 14_400, 5_400, 86_400, 90_061, 0].map((seconds) => said(seconds))).toEqual([
      '20 s',
      '1 min 30 s',
      '15 min',
      '4 h',
      '1 h 30 min',
      '1 d',
      '1 d 1 h',
      '0 s',
    ]);
  });

  it('is said in Chinese', () => {
    expect([20, 14_400, 5_400].map((seconds) => said(seconds, 'zh'))).toEqual(['20 秒', '4 小时', '1 小时 30 分钟']);
  });
});
