import { oneCustomer } from '../api/record';
import { useFetched } from '../api/use-fetched';
import { useLocalisation } from '../i18n/context';
import { addressOf } from '../shell/route';

/** Another customer by name; the store gives only ids where customers point at each other. */
export function CustomerLink({ customerId }: { readonly customerId: string }) {
  const { t } = useLocalisation();
  const { value, error } = useFetched(customerId, (signal) => oneCustomer(customerId, signal));
  if (error) return <span className="soft">{t('customer.hidden')}</span>;
  return <a href={addressOf({ page: 'customer', customerId })}>{value?.display_name ?? t('loading')}</a>;
}
