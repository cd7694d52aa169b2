import { describe, expect, it } from 'vitest';
import type { CustomField } from '../api/record';
import { aRecord } from '../test/records';
import { changed, clashes, editOf, fieldsOf, meant, valuesOf, type Field } from './fields';

const aField = (over: Partial<CustomField> = {}): CustomField => ({
  code: 'mileage',
  label: 'Mileage',
  type: 'integer',
  field_group: 'related',
  data_class: 'personal',
  purpose: null,
  is_required: false,
  options: [],
  ...over,
});

const FIELDS = fieldsOf('person', [aField()]);
const field = (name: string): Field => {
  const found = FIELDS.find((each) => each.name === name);
  if (!found) throw new Error(name);
  return found;
};

describe('the fields of a record', () => {
  it('are those of a person or of an organisation, and what the installation added', () => {
    expect(FIELDS.map((each) => each.name)).toContain('birth_date');
    expect(FIELDS.at(-1)?.name).toBe('custom.mileage');
    expect(fieldsOf('org', []).map((each) => each.name)).not.toContain('birth_date');
  });

  it('leave out what is only shown for a purpose', () => {
    expect(fieldsOf('person', [aField({ data_class: 'financial' })]).map((each) => each.name)).not.toContain(
      'custom.mileage',
    );
  });

  it('are read from the record, empty ones as null', () => {
    const record = aRecord({ display_name: 'Ada' });
    const values = valuesOf({ ...record, profile: { ...record.profile, custom: { mileage: 7 } } }, FIELDS);
    expect(values).toMatchObject({ display_name: 'Ada', occupation: null, 'custom.mileage': 7 });
  });
});

describe('an edit', () => {
  it('says only what differs', () => {
    const before = valuesOf(aRecord({ display_name: 'Ada' }), FIELDS);
    const now = { ...before, occupation: ' Engineer ', address: '', 'custom.mileage': '120' };
    expect(changed(before, now, FIELDS)).toEqual({ occupation: 'Engineer', 'custom.mileage': 120 });
  });

  it('keeps what is no number, for the store to refuse', () => {
    expect(meant(field('custom.mileage'), 'many')).toBe('many');
  });

  it('empties a field whose text is gone', () => {
    expect(changed({ occupation: 'Engineer' }, { occupation: ' ' }, [field('occupation')])).toEqual({
      occupation: null,
    });
  });

  it('puts the fields of the installation where the store looks for them', () => {
    expect(editOf({ occupation: null, 'custom.mileage': 5 })).toEqual({ occupation: null, custom: { mileage: 5 } });
    expect(editOf({ occupation: 'x' })).toEqual({ occupation: 'x' });
  });
});

describe('two edits at once', () => {
  const before = { a: 'one', b: 'one', c: null };

  it('do not contradict each other in different fields', () => {
    expect(clashes(before, { a: 'mine' }, { ...before, b: 'theirs' })).toEqual([]);
  });

  it('do not contradict each other when both say the same', () => {
    expect(clashes(before, { a: 'two' }, { ...before, a: 'two' })).toEqual([]);
  });

  it('contradict each other where both changed a field to something else', () => {
    expect(clashes(before, { a: 'mine', c: 'mine' }, { ...before, a: 'theirs' })).toEqual([
      { name: 'a', mine: 'mine', theirs: 'theirs' },
    ]);
  });
});
