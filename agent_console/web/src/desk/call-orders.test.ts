import { describe, expect, it } from 'vitest';
import { aContact } from '../test/views';
import { callOrders, digitsIn, mayTransfer, whyNot } from './call-orders';

const talking = aContact({ state: 'connected', connected_at: 1 });
const intents = (over: Partial<typeof talking>) => callOrders({ ...talking, ...over }).map(({ intent }) => intent);

describe('what may be asked of a call', () => {
  it('is hold or resume, and park, while there are two', () => {
    expect(intents({})).toEqual(['contact.hold', 'contact.park']);
    expect(intents({ held_since: 5 })).toEqual(['contact.resume', 'contact.park']);
  });

  it('is talking with the customer meanwhile, and taking it back, while the second party is looked for', () => {
    expect(intents({ consult_state: 'seeking' })).toEqual(['consult.swap', 'consult.cancel']);
  });

  it('is all of a consultation once the second party talks or waits', () => {
    const all = ['consult.complete', 'consult.swap', 'consult.conference', 'consult.cancel'];
    expect(intents({ consult_state: 'talking' })).toEqual(all);
    expect(intents({ consult_state: 'held' })).toEqual(all);
    expect(intents({ consult_state: 'conference' })).toEqual(['consult.complete', 'consult.cancel']);
  });

  it('is nothing before and after the conversation', () => {
    expect(intents({ state: 'dialling' })).toEqual([]);
    expect(intents({ state: 'wrap_up' })).toEqual([]);
  });

  it('is a transfer as long as nobody else is in it', () => {
    expect(mayTransfer(talking)).toBe(true);
    expect(mayTransfer({ ...talking, consult_state: 'seeking' })).toBe(false);
    expect(mayTransfer({ ...talking, state: 'wrap_up' })).toBe(false);
  });
});

describe('orders that would be refused', () => {
  it('have a reason: the customer is a colleague’s, or the colleague lets one wait', () => {
    expect(whyNot(talking)).toBeNull();
    expect(whyNot({ ...talking, orders_refused: 'not-yours' })).toBe('refusal.not_yours');
    expect(whyNot({ ...talking, orders_refused: 'not-now' })).toBe('refusal.let_wait');
  });
});

describe('digits', () => {
  it('are found in what people paste', () => {
    expect(digitsIn('(021) 61-23*#')).toBe('0216123*#');
    expect(digitsIn('abc')).toBe('');
  });
});
