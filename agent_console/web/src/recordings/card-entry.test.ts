import { describe, expect, it } from 'vitest';
import { aContact } from '../test/views';
import { cardEntryOrder } from './card-entry';

describe('what may be wanted of the card entry', () => {
  it('is to begin it, then to end it, and nothing without a customer', () => {
    expect(cardEntryOrder(aContact({ state: 'connected' }))).toBe('on');
    expect(cardEntryOrder(aContact({ state: 'connected', is_secured: true }))).toBe('off');
    expect(cardEntryOrder(aContact({ state: 'wrap_up', is_secured: true }))).toBeNull();
    expect(cardEntryOrder(aContact({ state: 'offered' }))).toBeNull();
  });
});
