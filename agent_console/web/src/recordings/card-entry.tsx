import { Button } from '@mantine/core';
import { useLocalisation } from '../i18n/context';
import { useConnection, useLive } from '../live/context';
import { isPending } from '../live/pending';
import type { ContactView } from '../wire';
import classes from './recordings.module.css';

/** What may be wanted of the card entry of a conversation now; nothing without a customer on the line. */
export function cardEntryOrder(contact: Pick<ContactView, 'state' | 'is_secured'>): 'on' | 'off' | null {
  if (contact.state !== 'connected') return null;
  return contact.is_secured ? 'off' : 'on';
}

/** Whether the customer types card data, which nobody hears. */
export function SecuredPill({ contact }: { readonly contact: Pick<ContactView, 'state' | 'is_secured'> }) {
  const { t } = useLocalisation();
  if (cardEntryOrder(contact) !== 'off') return null;
  return (
    <span className="pill tone-pause" data-testid="secured">
      {t('card_entry.on')}
    </span>
  );
}

/** Let the customer type card data unheard, or talk on. */
export function CardEntryControl({ contact }: { readonly contact: ContactView }) {
  const { t } = useLocalisation();
  const { send } = useConnection();
  const { pending } = useLive();
  const how = cardEntryOrder(contact);
  if (how === null) return null;
  return (
    <div className={classes.control} role="group" aria-label={t('card_entry.title')}>
      <SecuredPill contact={contact} />
      <Button
        variant="default"
        loading={isPending(pending, 'contact.secure', contact.contact_id)}
        onClick={() => send('contact.secure', { contact_id: contact.contact_id, how })}
        data-testid={`card-entry-${how}`}
      >
        {t(how === 'on' ? 'card_entry.start' : 'card_entry.end')}
      </Button>
    </div>
  );
}
