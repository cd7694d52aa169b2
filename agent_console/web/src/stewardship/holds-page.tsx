import { Button } from '@mantine/core';
import { useState } from 'react';
import { legalHolds, liftFromCustomer, liftFromRecording, type LegalHold } from '../api/privacy';
import { useFetched } from '../api/use-fetched';
import { CustomerLink } from '../customers/customer-link';
import { LoadProblem } from '../customers/load-problem';
import { useLocalisation } from '../i18n/context';
import { Confirm } from '../record/confirm';
import { HoldLines } from '../record/legal-hold';
import { Problem } from '../record/problem';
import { useAction } from '../record/problems';
import { useAnnouncer } from '../shell/announcer';
import { PagesNav } from './pages-nav';
import classes from './stewardship.module.css';

const lift = (hold: LegalHold) =>
  hold.customer_id !== null
    ? liftFromCustomer(hold.customer_id)
    : liftFromRecording(hold.contact_id ?? '', hold.recording_id ?? '');

/** Everything that is kept by somebody's order, and what was lifted. */
export default function HoldsPage() {
  const { t } = useLocalisation();
  const announcer = useAnnouncer();
  const action = useAction();
  const [lifted, setLifted] = useState(false);
  const [asked, setAsked] = useState<LegalHold | null>(null);
  const list = useFetched(`holds ${lifted}`, (signal) => legalHolds(lifted, signal));
  const doLift = (hold: LegalHold) =>
    action.run(async () => {
      await lift(hold);
      announcer.status(t('hold.lifted_now'));
      list.reload();
    });
  return (
    <>
      <PagesNav current="holds" />
      <section className={`panel ${classes.stack}`} aria-label={t('hold.list')}>
        <div className={classes.headingRow}>
          <h1>{t('hold.list')}</h1>
          <label className={classes.choice}>
            <input type="checkbox" checked={lifted} onChange={(event) => setLifted(event.currentTarget.checked)} />
            {t('hold.show_lifted')}
          </label>
        </div>
        {list.error && <LoadProblem onRetry={list.reload} />}
        <Problem text={action.problem} />
        <ul className={classes.rows}>
          {(list.value ?? []).map((hold) => (
            <li key={hold.id} className={classes.pair} data-testid="hold-row">
              <span>
                {hold.customer_id !== null ? (
                  <CustomerLink customerId={hold.customer_id} />
                ) : (
                  <span>{t('hold.recording_of', { contact: hold.contact_id ?? '' })}</span>
                )}
                <HoldLines hold={hold} />
              </span>
              {hold.lifted_at === null && (
                <Button size="sm" variant="default" onClick={() => setAsked(hold)} data-testid="lift-hold">
                  {t('hold.lift')}
                </Button>
              )}
            </li>
          ))}
        </ul>
        {list.value?.length === 0 && <p className="soft">{t('hold.none')}</p>}
      </section>
      {asked && (
        <Confirm
          title={t('hold.lift')}
          text={t('hold.lift_text')}
          action={t('hold.lift')}
          onConfirm={() => void doLift(asked)}
          onClose={() => setAsked(null)}
        />
      )}
    </>
  );
}
