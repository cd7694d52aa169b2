import { describe, expect, it } from 'vitest';
import { aContact } from '../test/views';
import { wishesOf } from './supervise-control';

const talking = aContact({ state: 'connected', agent_id: 'anna' });

describe('what a supervisor may want', () => {
  it('is nothing of a call that nobody talks in, and nothing of the own one', () => {
    expect(wishesOf(aContact({ state: 'queued', agent_id: null }), 'sofia')).toEqual([]);
    expect(wishesOf(talking, 'anna')).toEqual([]);
  });

  it('is every way in, and once there every other way, the call itself, and out', () => {
    expect(wishesOf(talking, 'sofia')).toEqual(['monitor', 'whisper', 'barge']);
    const there = {
      ...talking,
      supervision: [{ supervisor_id: 'sofia', how: 'whisper' as const, is_there: true, name: 'Robin' }],
    };
    expect(wishesOf(there, 'sofia')).toEqual(['monitor', 'barge', 'take_over', 'leave']);
    expect(wishesOf(there, 'sam')).toEqual(['monitor', 'whisper', 'barge']);
  });

  it('is its end, of a customer who was handed to a number outside', () => {
    const outside = aContact({ state: 'connected', agent_id: null, handed_out_by: 'anna' });
    expect(wishesOf(outside, 'sofia')).toEqual(['end']);
  });

  it('is not the call itself while the own phone still rings', () => {
    const ringing = {
      ...talking,
      supervision: [{ supervisor_id: 'sofia', how: 'barge' as const, is_there: false, name: 'Robin' }],
    };
    expect(wishesOf(ringing, 'sofia')).toEqual(['monitor', 'whisper', 'leave']);
  });
});
