import { describe, expect, it } from 'vitest';
import { serviceLevel } from './service-level';
import { sorted } from './sorting';

describe('the service level', () => {
  it('is the share of finished waits that were answered in time', () => {
    expect(serviceLevel({ answered: 8, abandoned: 2, answered_in_target: 7 })).toBe(0.7);
  });

  it('is unknown before anybody has finished waiting', () => {
    expect(serviceLevel({ answered: 0, abandoned: 0, answered_in_target: 0 })).toBeNull();
  });
});

describe('rows', () => {
  it('are sorted as a reader expects, both ways, and stay themselves', () => {
    const rows = ['b10', 'a', 'b2'];
    expect(sorted(rows, (row) => row, false, 'en')).toEqual(['a', 'b2', 'b10']);
    expect(sorted(rows, (row) => row, true, 'en')).toEqual(['b10', 'b2', 'a']);
    expect(rows).toEqual(['b10', 'a', 'b2']);
  });

  it('are sorted by size when they are numbers, endless ones included', () => {
    expect(sorted([3, -Infinity, 10, -Infinity], (row) => row, false, 'en')).toEqual([-Infinity, -Infinity, 3, 10]);
  });
});
