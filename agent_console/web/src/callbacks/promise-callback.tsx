import { Button } from '@mantine/core';
import { useLocalisation } from '../i18n/context';
import { Icon } from '../icons';
import { useConnection, useLive } from '../live/context';
import { isPending } from '../live/pending';
import { numberOf } from '../desk/caller';
import type { ContactView } from '../wire';

/** Promises the customer at hand a callback, and shows that it is promised. */
export function PromiseCallback({ contact }: { readonly contact: ContactView }) {
  const { t } = useLocalisation();
  const { send } = useConnection();
  const { floor, pending } = useLive();
  const number = numberOf(contact);
  const promised = [...floor.callbacks.values()].some((callback) => callback.number === number);
  if (number === '' || contact.kind === 'internal') return null;
  if (promised) {
    return (
      <span className="pill tone-quiet" data-testid="callback-promised">
        {t('callbacks.promised')}
      </span>
    );
  }
  return (
    <Button
      variant="default"
      size="md"
      leftSection={<Icon name="phoneOut" />}
      loading={isPending(pending, 'callback.promise', contact.contact_id)}
      onClick={() => send('callback.promise', { contact_id: contact.contact_id })}
      data-testid="promise-callback"
    >
      {t('callbacks.promise')}
    </Button>
  );
}
