import { describe, expect, it } from 'vitest';
import { NOON } from '../test/views';
import { clockDigits, formats } from './format';

describe('words beside each other', () => {
  it('are parted as each language parts them', () => {
    expect(formats('en').list(['Sales', 'Support'])).toBe('Sales, Support');
    expect(formats('zh').list(['销售', '技术支持'])).toBe('销售、技术支持');
  });
});

describe('times', () => {
  it('are digits, with hours only when there are some', () => {
    expect(clockDigits(7_900)).toBe('0:07');
    expect(clockDigits(750_000)).toBe('12:30');
    expect(clockDigits(3_723_000)).toBe('1:02:03');
    expect(clockDigits(-1)).toBe('0:00');
  });

  it('say how long ago in the largest whole unit, in each language', () => {
    expect(formats('en').ago(NOON - 3 * 86_400_000, NOON)).toBe('3 days ago');
    expect(formats('en').ago(NOON - 2 * 3_600_000, NOON)).toBe('2 hours ago');
    expect(formats('zh').ago(NOON - 5 * 60_000, NOON)).toBe('5分钟前');
  });
});
