import { describe, expect, test } from 'vitest';
import { gradeOfLine } from './line-quality';

const FINE = { mos: 4.3, worst_mos: 4.2, is_heard: true };

describe('a line', () => {
  test.each([
    [FINE, 'good'],
    [{ ...FINE, worst_mos: 2.1 }, 'fair'],
    [{ ...FINE, worst_mos: null }, 'good'],
    [{ ...FINE, mos: 3.7 }, 'fair'],
    [{ ...FINE, mos: 3.2 }, 'poor'],
    [{ ...FINE, is_heard: false }, 'poor'],
    [{ ...FINE, mos: null }, 'poor'],
  ] as const)('%o is %s', (line, grade) => {
    expect(gradeOfLine(line)).toBe(grade);
  });
});
