import { describe, expect, it } from 'vitest';
import { aContact } from '../test/views';
import { cardEntryOrder, mayBeSent } from './card-entry';

describe('what may be wanted of the card entry', () => {
  it('is to begin it, then to end it, and nothing without a customer', () => {
    expect(cardEntryOrder(aContact({ state: 'connected' }))).toBe('on');
    expect(cardEntryOrder(aContact({ state: 'connected', is_secured: true }))).toBe('off');
    expect(cardEntryOrder(aContact({ state: 'wrap_up', is_secured: true }))).toBeNull();
    expect(cardEntryOrder(aContact({ state: 'offered' }))).toBeNull();
  });

  it('is to send it once all that was typed is well-formed', () => {
    const number = { field: 'number', digits: 16, is_valid: true };
    expect(mayBeSent([])).toBe(false);
    expect(mayBeSent([number])).toBe(true);
    expect(mayBeSent([number, { field: 'code', digits: 2, is_valid: false }])).toBe(false);
  });
});
