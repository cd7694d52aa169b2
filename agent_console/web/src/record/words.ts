import type { Key } from '../i18n/translate';

// The store's short words and what people read. Words that an installation adds show as they are.

type Words = Readonly<Partial<Record<string, Key>>>;

export const CHANNELS: Words = {
  '*': 'channel.all',
  voice: 'channel.voice',
  sms: 'channel.sms',
  email: 'channel.email',
  webchat: 'channel.webchat',
  fax: 'channel.fax',
  letter: 'channel.letter',
  visit: 'channel.visit',
};

export const PURPOSES: Words = {
  '*': 'purpose.all',
  service: 'purpose.service',
  callback: 'purpose.callback',
  survey: 'purpose.survey',
  collection: 'purpose.collection',
  marketing: 'purpose.marketing',
  recommendation: 'purpose.recommendation',
  safety: 'purpose.safety',
};

export const USAGES: Words = {
  mobile: 'usage.mobile',
  home: 'usage.home',
  work: 'usage.work',
  billing: 'usage.billing',
  fax: 'usage.fax',
  other: 'usage.other',
};

export const CONSENT_STATES: Words = {
  given: 'consent.given',
  denied: 'consent.denied',
  withdrawn: 'consent.withdrawn',
  pending: 'consent.pending',
};

export const LEGAL_BASES: Words = {
  consent: 'basis.consent',
  contract: 'basis.contract',
  legal_obligation: 'basis.legal_obligation',
  legitimate_interest: 'basis.legitimate_interest',
  vital_interest: 'basis.vital_interest',
  public_task: 'basis.public_task',
};

/** How sensitive a field is. */
export const DATA_CLASSES: Words = {
  special_category: 'class.special_category',
  financial: 'class.financial',
  location: 'class.location',
};

export const SOURCES: Words = {
  call: 'source.call',
  email: 'source.email',
  form: 'source.form',
  letter: 'source.letter',
  visit: 'source.visit',
};

/** What kind of taste is remembered. */
export const TASTES: Words = {
  contact_manner: 'taste.contact_manner',
  contact_time: 'taste.contact_time',
  hobby: 'taste.hobby',
  gift: 'taste.gift',
  other: 'taste.other',
};

/** Why somebody may not be contacted now. */
export const AGAINST: Words = {
  suppressed: 'against.suppressed',
  'no-consent': 'against.no_consent',
  'consent-denied': 'against.consent_denied',
  'unknown-purpose': 'against.unknown_purpose',
  'quiet-hours': 'against.quiet_hours',
  'outside-wished-hours': 'against.wished_hours',
  'not-reachable': 'against.not_reachable',
};

/** What one customer is to another. */
export const RELATIONS: Words = {
  spouse: 'relation.spouse',
  parent: 'relation.parent',
  child: 'relation.child',
  sibling: 'relation.sibling',
  friend: 'relation.friend',
  referrer: 'relation.referrer',
  employee: 'relation.employee',
  contact: 'relation.contact',
  dealer: 'relation.dealer',
};

export const PROVIDERS: Words = {
  member_no: 'provider.member_no',
  id_card: 'provider.id_card',
  wechat: 'provider.wechat',
  whatsapp: 'provider.whatsapp',
  crm: 'provider.crm',
};

export const WEEKDAYS: Readonly<Record<string, Key>> = {
  mon: 'weekday.mon',
  tue: 'weekday.tue',
  wed: 'weekday.wed',
  thu: 'weekday.thu',
  fri: 'weekday.fri',
  sat: 'weekday.sat',
  sun: 'weekday.sun',
};

/** What people read for a word; the word itself when nobody has translated it. */
export function said(words: Words, word: string, t: (key: Key) => string): string {
  const key = words[word];
  return key ? t(key) : word;
}

/** The words as a list to choose from, with one that is not among them when it is the present choice. */
export function choices(words: Words, t: (key: Key) => string, present: string | null = null) {
  const known = Object.keys(words);
  const all = present !== null && present !== '' && !known.includes(present) ? [...known, present] : known;
  return all.map((value) => ({ value, label: said(words, value, t) }));
}
