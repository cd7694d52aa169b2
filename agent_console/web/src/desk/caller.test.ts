import { describe, expect, it } from 'vitest';
import { translator } from '../i18n/translate';
import { en } from '../test/catalogues';
import { aContact } from '../test/views';
import { callerOf, hasNumber, sentName } from './caller';

const t = translator('en', en);

describe('a caller', () => {
  it('is called by the name of the customer, then the name sent, then the number', () => {
    const sent = aContact({ caller_name: 'J COOPER' });
    const known = {
      ...sent,
      customer: { state: 'one' as const, customer_ids: ['1'], name: 'Jane Cooper', level: null },
    };
    expect(callerOf(known, t)).toBe('Jane Cooper');
    expect(callerOf(sent, t)).toBe('J COOPER');
    expect(callerOf(aContact(), t)).toBe('+442079460991');
  });

  it('who hides the number has none', () => {
    const hidden = aContact({ caller: 'anonymous', caller_name: 'Anonymous' });
    expect(hasNumber(hidden)).toBe(false);
    expect(callerOf(hidden, t)).toBe('Number withheld');
  });

  it('is whoever was called, of a call that went out', () => {
    const out = aContact({ kind: 'outbound', caller: '', called: '+442079460992' });
    expect(callerOf(out, t)).toBe('+442079460992');
    expect(hasNumber(out)).toBe(true);
  });

  it('is the colleague: who was called to who calls, and who calls to who was called', () => {
    const between = { kind: 'internal' as const, caller: 'anna', called: 'ben' };
    expect(callerOf(aContact({ ...between, parent_id: null }), t)).toBe('ben');
    expect(callerOf(aContact({ ...between, parent_id: 'c1' }), t)).toBe('anna');
  });

  it('whose name is only the number again has no name', () => {
    expect(sentName(aContact({ caller_name: '+442079460991' }))).toBe('');
  });
});
