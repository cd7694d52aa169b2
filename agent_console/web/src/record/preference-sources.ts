import type { Key } from '../i18n/translate';

/** Where a preference is known from. */
export const PREFERENCE_SOURCES: Readonly<Partial<Record<string, Key>>> = {
  customer: 'taste.from_customer',
  agent: 'taste.from_agent',
  third_party: 'taste.from_third_party',
  survey: 'taste.from_survey',
  import: 'taste.from_import',
};
