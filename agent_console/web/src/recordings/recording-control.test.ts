import { describe, expect, it } from 'vitest';
import { ordersOf } from './recording-control';

describe('what may be asked of a recording', () => {
  it('is nothing where the queue does not leave it to the agent and nothing is recorded', () => {
    expect(ordersOf(null, false)).toEqual([]);
    expect(ordersOf('failed', false)).toEqual([]);
  });

  it('is a pause and its end, also while audio is being lost', () => {
    expect(ordersOf('recording', false)).toEqual(['pause']);
    expect(ordersOf('impaired', false)).toEqual(['pause']);
    expect(ordersOf('paused', false)).toEqual(['resume']);
  });

  it('is its beginning and end, too, on demand', () => {
    expect(ordersOf(null, true)).toEqual(['start']);
    expect(ordersOf('recording', true)).toEqual(['pause', 'stop']);
    expect(ordersOf('paused', true)).toEqual(['resume', 'stop']);
  });
});
