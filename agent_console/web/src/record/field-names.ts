import type { Key } from '../i18n/translate';

const LABELS: Readonly<Partial<Record<string, Key>>> = {
  birth_date: 'field.birth_date',
  gender: 'field.gender',
  occupation: 'field.occupation',
  address: 'field.address',
  legal_name: 'field.legal_name',
  industry: 'field.industry',
  lifecycle_stage: 'field.lifecycle_stage',
  display_name: 'field.display_name',
  preferred_language: 'field.preferred_language',
  family_name: 'field.family_name',
  given_name: 'field.given_name',
  timezone: 'field.timezone',
  region_code: 'field.region_code',
  tax_number: 'field.tax_number',
  parent_id: 'field.parent_id',
  party_kind: 'field.party_kind',
  phone: 'channel.voice',
  email: 'channel.email',
  level: 'level.title',
  owner_id: 'owner.title',
  owner: 'owner.title',
  relations: 'relation.title',
  relation: 'relation.title',
  preferences: 'preference.title',
  tags: 'tags.title',
};

/** The store's name of a field as people read it; fields of the installation under their own code. */
export function fieldName(name: string, t: (key: Key) => string): string {
  const key = LABELS[name];
  return key ? t(key) : name.replace(/^custom\./, '');
}
