import { Button, TextInput } from '@mantine/core';
import { useState, type SubmitEvent } from 'react';
import { makePromise, promisesOf, settlePromise, type CustomerPromise } from '../api/promises';
import { useFetched } from '../api/use-fetched';
import { LoadProblem } from '../customers/load-problem';
import { useLocalisation } from '../i18n/context';
import type { Key } from '../i18n/translate';
import { useAnnouncer } from '../shell/announcer';
import { Problem } from './problem';
import { useAction } from './problems';
import classes from './record.module.css';

const STATES: Readonly<Record<CustomerPromise['state'], { readonly label: Key; readonly tone: string }>> = {
  open: { label: 'promise.open', tone: 'tone-pause' },
  kept: { label: 'promise.kept', tone: 'tone-good' },
  broken: { label: 'promise.broken', tone: 'tone-bad' },
  withdrawn: { label: 'promise.withdrawn', tone: 'tone-quiet' },
};

function PromiseRow({
  promise,
  mayEdit,
  onSettled,
}: {
  readonly promise: CustomerPromise;
  readonly mayEdit: boolean;
  readonly onSettled: () => void;
}) {
  const { t, format } = useLocalisation();
  const action = useAction();
  const look = promise.is_overdue ? { label: 'promise.overdue' as const, tone: 'tone-bad' } : STATES[promise.state];
  const settle = async (state: 'kept' | 'withdrawn') => {
    if (await action.run(() => settlePromise(promise.id, state))) onSettled();
  };
  return (
    <li className={classes.row} data-testid="promise" data-state={promise.state}>
      <span className={`pill ${look.tone}`}>{t(look.label)}</span>
      <span className={classes.rowText}>
        <span className="wrap-anywhere">{promise.what}</span>
        <span className="soft">
          {t('promise.due', { at: format.dateTime(promise.due_at) })} · {promise.assignee_id}
        </span>
      </span>
      {mayEdit && promise.state === 'open' && (
        <>
          <Button
            size="compact-sm"
            variant="default"
            loading={action.busy}
            onClick={() => void settle('kept')}
            aria-label={t('promise.keep_named', { what: promise.what })}
            data-testid="keep-promise"
          >
            {t('promise.keep')}
          </Button>
          <Button
            size="compact-sm"
            variant="subtle"
            loading={action.busy}
            onClick={() => void settle('withdrawn')}
            aria-label={t('promise.withdraw_named', { what: promise.what })}
          >
            {t('promise.withdraw')}
          </Button>
        </>
      )}
      <Problem text={action.problem} />
    </li>
  );
}

function MakePromise({ customerId, onMade }: { readonly customerId: string; readonly onMade: () => void }) {
  const { t } = useLocalisation();
  const announcer = useAnnouncer();
  const action = useAction();
  const [what, setWhat] = useState('');
  const [due, setDue] = useState('');
  const make = async (event: SubmitEvent) => {
    event.preventDefault();
    const promise = { what: what.trim(), due_at: new Date(due).toISOString() };
    if (!(await action.run(() => makePromise(customerId, promise)))) return;
    setWhat('');
    announcer.status(t('promise.made'));
    onMade();
  };
  return (
    <form onSubmit={(event) => void make(event)} className={classes.inlineForm}>
      <TextInput
        label={t('promise.what')}
        value={what}
        onChange={(event) => setWhat(event.currentTarget.value)}
        maxLength={1_000}
        autoComplete="off"
        data-testid="promise-what"
      />
      <TextInput
        type="datetime-local"
        label={t('promise.until')}
        value={due}
        onChange={(event) => setDue(event.currentTarget.value)}
        data-testid="promise-due"
      />
      <Button
        type="submit"
        variant="light"
        disabled={what.trim() === '' || due === ''}
        loading={action.busy}
        data-testid="make-promise"
      >
        {t('promise.make')}
      </Button>
      <Problem text={action.problem} />
    </form>
  );
}

/** What the customer waits for, and what became of earlier promises. */
export function Promises({ customerId, mayEdit }: { readonly customerId: string; readonly mayEdit: boolean }) {
  const { t } = useLocalisation();
  const found = useFetched(customerId, (signal) => promisesOf(customerId, signal));
  return (
    <div className={classes.stack}>
      {mayEdit && <MakePromise customerId={customerId} onMade={found.reload} />}
      {found.error && <LoadProblem onRetry={found.reload} />}
      {found.value?.length === 0 && <p className="soft">{t('promise.none')}</p>}
      <ol className={classes.rows}>
        {found.value?.map((promise) => (
          <PromiseRow key={promise.id} promise={promise} mayEdit={mayEdit} onSettled={found.reload} />
        ))}
      </ol>
    </div>
  );
}
