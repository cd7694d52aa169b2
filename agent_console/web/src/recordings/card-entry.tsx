import { Button } from '@mantine/core';
import { useLocalisation } from '../i18n/context';
import type { Key } from '../i18n/translate';
import { Icon } from '../icons';
import { useConnection, useLive } from '../live/context';
import { isPending } from '../live/pending';
import type { CardFieldView, ContactView } from '../wire';
import classes from './recordings.module.css';

const FIELDS = ['number', 'expiry', 'code'] as const;
type Field = (typeof FIELDS)[number];

const FIELD_NAMES: Record<Field, Key> = {
  number: 'card_entry.number',
  expiry: 'card_entry.expiry',
  code: 'card_entry.code',
};

/** Why there is no answer, in the language of the screen. */
const FAILURES: Partial<Record<string, Key>> = {
  failed_timeout: 'card_entry.failed.timeout',
  failed_connection: 'card_entry.failed.connection',
  failed_status: 'card_entry.failed.status',
  failed_answer: 'card_entry.failed.answer',
  failed_resting: 'card_entry.failed.resting',
};
/** The one failure after which it is known: nothing was sent. */
const NOT_SENT = 'failed_resting';

type Entry = Pick<ContactView, 'state' | 'is_secured'>;

/** What may be wanted of the card entry of a conversation now; nothing without a customer on the line. */
export function cardEntryOrder(contact: Entry): 'on' | 'off' | null {
  if (contact.state !== 'connected') return null;
  return contact.is_secured ? 'off' : 'on';
}

/** Whether everything that was typed is well-formed, and anything was. */
export function mayBeSent(typed: readonly CardFieldView[]): boolean {
  return typed.length > 0 && typed.every((each) => each.is_valid);
}

/** Whether the customer types card data, which nobody hears. */
export function SecuredPill({ contact }: { readonly contact: Entry }) {
  const { t } = useLocalisation();
  if (cardEntryOrder(contact) !== 'off') return null;
  return (
    <span className="pill tone-pause" data-testid="secured">
      {t('card_entry.on')}
    </span>
  );
}

/** What the payment system made of the card data: how it was taken, and what the card is called from now on. */
export function CardAnswer({ contact }: { readonly contact: ContactView }) {
  const { t } = useLocalisation();
  if (contact.card_sending) {
    return (
      <p className="soft" role="status" data-testid="card-sending">
        {t('card_entry.sending')}
      </p>
    );
  }
  const answer = contact.card_answer;
  if (!answer) return null;
  const failed = answer.result.startsWith('failed_');
  const why = FAILURES[answer.result];
  const refused = failed || answer.result === 'declined';
  const parts = [
    answer.last4 && t('card_entry.last4', { digits: answer.last4 }),
    answer.token && t('card_entry.token', { token: answer.token }),
    why ? t(why) : answer.message,
    failed && answer.result !== NOT_SENT && t('card_entry.failed_hint'),
  ].filter(Boolean);
  return (
    <p role="status" data-testid="card-answer" data-result={answer.result}>
      <span className={`pill ${refused ? 'tone-bad' : 'tone-good'}`}>
        <Icon name={refused ? 'warning' : 'check'} size={16} />
        {t('card_entry.answer', { result: failed ? t('card_entry.failed') : answer.result })}
      </span>{' '}
      {parts.join(' · ')}
    </p>
  );
}

/** The fields of a card: which one the customer types, and how far each is. */
function Fields({ contact }: { readonly contact: ContactView }) {
  const { t, format } = useLocalisation();
  const { send } = useConnection();
  const progressOf = (field: Field) => {
    const typed = contact.card_typed.find((each) => each.field === field);
    if (!typed) return t('card_entry.empty');
    const digits = format.number(typed.digits);
    return t(typed.is_valid ? 'card_entry.valid' : 'card_entry.invalid', { digits });
  };
  return (
    <div className={classes.control} role="group" aria-label={t('card_entry.what')}>
      <p className={`soft ${classes.hint}`}>{t('card_entry.hint')}</p>
      {FIELDS.map((field) => (
        <Button
          key={field}
          variant={contact.card_field === field ? 'filled' : 'default'}
          aria-pressed={contact.card_field === field}
          onClick={() => send('contact.secure', { contact_id: contact.contact_id, how: 'on', target: field })}
          data-testid={`card-field-${field}`}
        >
          {t('card_entry.field', { name: t(FIELD_NAMES[field]), progress: progressOf(field) })}
        </Button>
      ))}
    </div>
  );
}

/** Let the customer type card data unheard, give it to the payment system, or talk on. */
export function CardEntryControl({ contact }: { readonly contact: ContactView }) {
  const { t } = useLocalisation();
  const { send } = useConnection();
  const { pending } = useLive();
  const how = cardEntryOrder(contact);
  if (how === null) return null;
  const order = (wanted: string, target?: string) =>
    send('contact.secure', { contact_id: contact.contact_id, how: wanted, ...(target && { target }) });
  const waits = isPending(pending, 'contact.secure', contact.contact_id);
  return (
    <div className={classes.entry} role="group" aria-label={t('card_entry.title')}>
      {how === 'off' && <Fields contact={contact} />}
      <div className={classes.control}>
        <SecuredPill contact={contact} />
        {how === 'on' ? (
          <Button
            variant="default"
            loading={waits}
            disabled={contact.card_sending || contact.orders_refused !== ''}
            onClick={() => order('on', 'number')}
            data-testid="card-entry-on"
          >
            {t('card_entry.start')}
          </Button>
        ) : (
          <>
            <Button
              loading={waits}
              disabled={!mayBeSent(contact.card_typed)}
              onClick={() => order('send')}
              data-testid="card-entry-send"
            >
              {t('card_entry.send')}
            </Button>
            <Button variant="default" loading={waits} onClick={() => order('off')} data-testid="card-entry-off">
              {t('card_entry.end')}
            </Button>
          </>
        )}
      </div>
      <CardAnswer contact={contact} />
    </div>
  );
}
