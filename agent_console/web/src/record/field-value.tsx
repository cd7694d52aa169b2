import { CustomerLink } from '../customers/customer-link';
import type { CustomValue } from '../api/record';
import { useLocalisation } from '../i18n/context';
import { LANGUAGES, supported } from '../i18n/translate';
import { GENDERS, PARTY_KINDS, STAGES, type Field } from './fields';
import { said } from './words';

/** What a field holds, as people read it. */
export function FieldValue({ field, value }: { readonly field: Field; readonly value: CustomValue }) {
  const { t, format } = useLocalisation();
  if (value === null || value === '') return <span className="soft">{t('value.none')}</span>;
  if (Array.isArray(value)) return <>{value.join(', ')}</>;
  if (typeof value === 'boolean') return <>{value ? t('value.yes') : t('value.no')}</>;
  if (typeof value === 'number') return <>{format.number(value)}</>;
  const text = value as string;
  switch (field.kind) {
    case 'customer':
      return <CustomerLink customerId={text} />;
    case 'language': {
      const language = supported(text);
      return language ? <span lang={LANGUAGES[language].tag}>{LANGUAGES[language].name}</span> : <>{text}</>;
    }
    case 'gender':
      return <>{said(GENDERS, text, t)}</>;
    case 'party_kind':
      return <>{said(PARTY_KINDS, text, t)}</>;
    case 'stage':
      return <>{said(STAGES, text, t)}</>;
    case 'date':
      return <>{format.day(text)}</>;
    default:
      return <>{text}</>;
  }
}
