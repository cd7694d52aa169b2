import type { CustomerKind, CustomerRecord, CustomField, CustomValue, FieldGroup } from '../api/record';
import type { Key } from '../i18n/translate';

/** How a field is written and read. */
export type FieldKind =
  | 'text'
  | 'long_text'
  | 'date'
  | 'language'
  | 'gender'
  | 'party_kind'
  | 'stage'
  | 'timezone'
  | 'customer'
  | 'number'
  | 'integer'
  | 'boolean'
  | 'choice'
  | 'choices';

/** One field of the record: `name` is the store's, `custom.` stands before those that an installation has added. */
export interface Field {
  readonly name: string;
  readonly kind: FieldKind;
  /** The sentence that names it, or the name itself when the installation gave it one. */
  readonly label: Key | { readonly text: string };
  readonly group: FieldGroup;
  readonly isRequired: boolean;
  readonly options: readonly string[];
}

export type Values = Readonly<Record<string, CustomValue>>;

/** What the store ships; an installation may use other words, which are kept. */
export const STAGES: Readonly<Record<string, Key>> = {
  potential: 'stage.potential',
  intending: 'stage.intending',
  prospective: 'stage.prospective',
  contracted: 'stage.contracted',
  prospective_owner: 'stage.prospective_owner',
  owner: 'stage.owner',
  member: 'stage.member',
};

export const PARTY_KINDS: Readonly<Record<string, Key>> = {
  external: 'party.external',
  internal: 'party.internal',
  partner: 'party.partner',
  supplier: 'party.supplier',
  government: 'party.government',
};

export const GENDERS: Readonly<Record<string, Key>> = {
  female: 'gender.female',
  male: 'gender.male',
  other: 'gender.other',
};

const built = (
  name: string,
  kind: FieldKind,
  label: Key,
  group: FieldGroup = 'visible',
  isRequired = false,
): Field => ({
  name,
  kind,
  label,
  group,
  isRequired,
  options: [],
});

const NAME = built('display_name', 'text', 'field.display_name', 'visible', true);
const SHARED: readonly Field[] = [
  built('preferred_language', 'language', 'field.preferred_language'),
  built('address', 'long_text', 'field.address'),
  built('region_code', 'text', 'field.region_code'),
  built('timezone', 'timezone', 'field.timezone'),
  built('party_kind', 'party_kind', 'field.party_kind', 'related', true),
  built('lifecycle_stage', 'stage', 'field.lifecycle_stage', 'related'),
];
const OF_KIND: Readonly<Record<CustomerKind, readonly Field[]>> = {
  person: [
    NAME,
    built('family_name', 'text', 'field.family_name'),
    built('given_name', 'text', 'field.given_name'),
    built('gender', 'gender', 'field.gender'),
    built('birth_date', 'date', 'field.birth_date'),
    built('occupation', 'text', 'field.occupation'),
    ...SHARED,
  ],
  org: [
    NAME,
    built('legal_name', 'text', 'field.legal_name'),
    built('industry', 'text', 'field.industry'),
    built('tax_number', 'text', 'field.tax_number'),
    ...SHARED,
    built('parent_id', 'customer', 'field.parent_id', 'related'),
  ],
};

const SENSITIVE = new Set(['special_category', 'financial', 'location']);

/** Whether a field is shown only for a purpose with a legal basis. */
export const isSensitive = (field: CustomField) => SENSITIVE.has(field.data_class);

/** A field of the installation as a form knows fields. */
export const customField = (field: CustomField): Field => ({
  name: `custom.${field.code}`,
  kind: field.type,
  label: { text: field.label },
  group: field.field_group,
  isRequired: field.is_required,
  options: field.options,
});

/** The fields of a person or an organisation: the store's, then the installation's that everybody may see. */
export function fieldsOf(kind: CustomerKind, custom: readonly CustomField[]): readonly Field[] {
  return [...OF_KIND[kind], ...custom.filter((field) => !isSensitive(field)).map(customField)];
}

/** What a record has in these fields. */
export function valuesOf(record: CustomerRecord, fields: readonly Field[]): Values {
  const { profile } = record;
  const flat: Record<string, unknown> = {
    ...profile,
    display_name: record.display_name,
    preferred_language: record.preferred_language,
  };
  return Object.fromEntries(
    fields.map(({ name }) => {
      const code = name.startsWith('custom.') ? name.slice('custom.'.length) : null;
      const value = code === null ? (flat[name] as CustomValue | undefined) : profile.custom[code];
      return [name, value ?? null];
    }),
  );
}

/** What the store takes for what was typed: nothing typed is nothing, and numbers are numbers. */
export function meant(field: Field, typed: CustomValue): CustomValue {
  if (typeof typed === 'string') {
    const text = typed.trim();
    if (text === '') return null;
    if (field.kind !== 'number' && field.kind !== 'integer') return text;
    const number = Number(text);
    return Number.isNaN(number) ? text : number;
  }
  if (Array.isArray(typed) && typed.length === 0) return null;
  return typed;
}

const same = (one: CustomValue, other: CustomValue) => JSON.stringify(one) === JSON.stringify(other);

/** The fields whose values differ, as they are now meant. */
export function changed(before: Values, now: Values, fields: readonly Field[]): Values {
  const differing = fields
    .map((field) => [field.name, meant(field, now[field.name] ?? null)] as const)
    .filter(([name, value]) => !same(value, before[name] ?? null));
  return Object.fromEntries(differing);
}

/** The body of an edit: installations' fields lie one level deeper. */
export function editOf(values: Values): Record<string, unknown> {
  const body: Record<string, unknown> = {};
  const custom: Record<string, CustomValue> = {};
  for (const [name, value] of Object.entries(values)) {
    if (name.startsWith('custom.')) custom[name.slice('custom.'.length)] = value;
    else body[name] = value;
  }
  return Object.keys(custom).length > 0 ? { ...body, custom } : body;
}

/** A field that two people have changed, each to something else. */
export interface Clash {
  readonly name: string;
  readonly mine: CustomValue;
  readonly theirs: CustomValue;
}

/**
 * Where my edit of `before` and somebody else's, which led to `theirs`, contradict each other.
 *
 * Fields that only one of us has changed are no clash: both changes stay.
 */
export function clashes(before: Values, mine: Values, theirs: Values): readonly Clash[] {
  return Object.entries(mine)
    .map(([name, value]) => ({ name, mine: value, theirs: theirs[name] ?? null }))
    .filter((each) => !same(each.theirs, before[each.name] ?? null) && !same(each.theirs, each.mine));
}
