import { useLocalisation } from '../i18n/context';
import type { ContactView } from '../wire';
import { CallerBlock, CardHead, ContactFacts } from './caller-block';
import classes from './desk.module.css';

/** A callback that dials the customer first: whom the phone will ring for, as soon as the customer answers. */
export function KeptCard({ contact }: { readonly contact: ContactView }) {
  const { t } = useLocalisation();
  return (
    <article className={`panel ${classes.card}`} data-testid="kept-card">
      <CardHead tone="tone-attention" icon="phone" title={t('callbacks.kept')} />
      <CallerBlock contact={contact} testId="kept-caller" />
      <ContactFacts contact={contact} />
      <p>{t('callbacks.kept_hint')}</p>
    </article>
  );
}
