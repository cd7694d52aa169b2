import { Button, TextInput } from '@mantine/core';
import { useState, type SubmitEvent } from 'react';
import { holdCustomer, holdsOf, liftFromCustomer, type LegalHold } from '../api/privacy';
import { useFetched } from '../api/use-fetched';
import { useLocalisation } from '../i18n/context';
import { Icon } from '../icons';
import { useAnnouncer } from '../shell/announcer';
import { Confirm } from './confirm';
import { Problem } from './problem';
import { useAction } from './problems';
import classes from './record.module.css';

interface HoldFormProps {
  readonly onHold: (reason: string) => Promise<unknown>;
  readonly onDone: () => void;
}

/** Why something is to be kept. */
export function HoldForm({ onHold, onDone }: HoldFormProps) {
  const { t } = useLocalisation();
  const announcer = useAnnouncer();
  const action = useAction();
  const [reason, setReason] = useState('');
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    if (!(await action.run(() => onHold(reason.trim())))) return;
    announcer.status(t('hold.set_now'));
    onDone();
  };
  return (
    <form onSubmit={(event) => void submit(event)} className={classes.form}>
      <TextInput
        label={t('hold.reason')}
        value={reason}
        onChange={(event) => setReason(event.currentTarget.value)}
        maxLength={500}
        required
        data-testid="hold-reason"
      />
      <Problem text={action.problem} />
      <div>
        <Button type="submit" variant="light" loading={action.busy} disabled={!reason.trim()} data-testid="set-hold">
          {t('hold.set')}
        </Button>
      </div>
    </form>
  );
}

/** Why, by whose order and since when; and who lifted it. */
export function HoldLines({ hold }: { readonly hold: LegalHold }) {
  const { t, format } = useLocalisation();
  return (
    <span className={classes.rowText}>
      <strong className="wrap-anywhere">{hold.reason || t('hold.reason_erased')}</strong>{' '}
      <span className="soft">{t('hold.by', { who: hold.held_by, at: format.dateTime(hold.held_at) })}</span>{' '}
      {hold.lifted_at !== null && (
        <span className="soft">
          {t('hold.lifted_by', { who: hold.lifted_by ?? '', at: format.dateTime(hold.lifted_at) })}
        </span>
      )}
    </span>
  );
}

/** Whether everything about a customer is kept though they ask for its erasure or its time is over. */
export function CustomerHold({ customerId }: { readonly customerId: string }) {
  const { t } = useLocalisation();
  const announcer = useAnnouncer();
  const action = useAction();
  const [asked, setAsked] = useState(false);
  const list = useFetched(customerId, (signal) => holdsOf(customerId, signal));
  const standing = (list.value ?? []).find(({ lifted_at }) => lifted_at === null);
  const lift = () =>
    action.run(async () => {
      await liftFromCustomer(customerId);
      announcer.status(t('hold.lifted_now'));
      list.reload();
    });
  return (
    <section aria-label={t('hold.title')} className={classes.stack} data-testid="customer-hold">
      <h3 className={classes.subheading}>{t('hold.title')}</h3>
      <p>{t('hold.lead')}</p>
      <ul className={classes.rows}>
        {(list.value ?? []).map((hold) => (
          <li key={hold.id} className={classes.row} data-testid="hold-row">
            {hold.lifted_at === null && <Icon name="warning" />}
            <HoldLines hold={hold} />
            {hold.lifted_at === null && (
              <Button
                size="sm"
                variant="default"
                loading={action.busy}
                onClick={() => setAsked(true)}
                data-testid="lift-hold"
              >
                {t('hold.lift')}
              </Button>
            )}
          </li>
        ))}
      </ul>
      <Problem text={action.problem} />
      {list.value && !standing && (
        <HoldForm onHold={(reason) => holdCustomer(customerId, reason)} onDone={list.reload} />
      )}
      {asked && (
        <Confirm
          title={t('hold.lift')}
          text={t('hold.lift_text')}
          action={t('hold.lift')}
          onConfirm={() => void lift()}
          onClose={() => setAsked(false)}
        />
      )}
    </section>
  );
}
