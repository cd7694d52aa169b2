import { Autocomplete, Button, Progress } from '@mantine/core';
import { useState, type SubmitEvent } from 'react';
import { handOver, holders, holdingsOf, type Holdings } from '../api/owners';
import { useFetched } from '../api/use-fetched';
import { LoadProblem } from '../customers/load-problem';
import { useLocalisation } from '../i18n/context';
import { useConnection, useLive } from '../live/context';
import { Confirm } from '../record/confirm';
import { Problem } from '../record/problem';
import { useAction } from '../record/problems';
import { useAnnouncer } from '../shell/announcer';
import { PagesNav } from './pages-nav';
import classes from './stewardship.module.css';

/** What somebody has, in words and figures. */
interface HoldingsProps {
  readonly holdings: Holdings;
  readonly callbacks: number;
  /** What lies in the own box, or is at the own desk from there. */
  readonly messages: number;
}

function HoldingsView({ holdings, callbacks, messages }: HoldingsProps) {
  const { t, format } = useLocalisation();
  if (holdings.total + callbacks + messages === 0)
    return <p data-testid="holdings-none">{t('hand_over.nothing', { who: holdings.user_id })}</p>;
  const lines = Object.entries(holdings.customers);
  return (
    <ul className={classes.rows} data-testid="holdings">
      {lines.map(([line, count]) => (
        <li key={line} className={classes.pair}>
          {line === 'general' ? t('hand_over.customers') : t('hand_over.customers_of', { line })}
          <strong>{format.number(count)}</strong>
        </li>
      ))}
      <li className={classes.pair}>
        {t('hand_over.promises')}
        <strong>{format.number(holdings.promises)}</strong>
      </li>
      <li className={classes.pair}>
        {t('hand_over.claims')}
        <strong>{format.number(holdings.claims)}</strong>
      </li>
      <li className={classes.pair}>
        {t('hand_over.callbacks')}
        <strong data-testid="holdings-callbacks">{format.number(callbacks)}</strong>
      </li>
      <li className={classes.pair}>
        {t('hand_over.messages')}
        <strong data-testid="holdings-messages">{format.number(messages)}</strong>
      </li>
    </ul>
  );
}

interface StepsProps {
  readonly people: readonly string[];
  readonly onDone: () => void;
}

/** Who leaves, what they have, who gets it; then portion by portion until nothing is left, which is looked up and said. */
function Steps({ people, onDone }: StepsProps) {
  const { t } = useLocalisation();
  const announcer = useAnnouncer();
  const action = useAction();
  const [from, setFrom] = useState('');
  const [to, setTo] = useState('');
  const [asked, setAsked] = useState(false);
  const [moved, setMoved] = useState<number | null>(null);
  const leaver = from.trim();
  const heir = to.trim();
  const found = useFetched(`holdings ${leaver}`, (signal) =>
    leaver === '' ? Promise.resolve(null) : holdingsOf(leaver, signal),
  );
  const { send } = useConnection();
  const { floor } = useLive();
  const callbacks = [...floor.callbacks.values()].filter((each) => each.promised_by === leaver).length;
  const messages = [...floor.contacts.values()].filter(
    (each) => each.for_agent === leaver && each.state !== 'wrap_up',
  ).length;
  const total = (found.value?.total ?? 0) + callbacks + messages;
  const run = () =>
    void action.run(async () => {
      let sum = 0;
      if (callbacks > 0) {
        send('callback.hand_over', { from_user: leaver, to_user: heir });
        sum += callbacks;
      }
      if (messages > 0) {
        send('message.hand_over', { from_user: leaver, to_user: heir });
        sum += messages;
      }
      setMoved(sum);
      for (let count = await handOver(leaver, heir); count > 0; count = await handOver(leaver, heir)) {
        sum += count;
        setMoved(sum);
      }
      announcer.status(t('hand_over.done', { who: leaver }));
      found.reload();
      onDone();
    });
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    setAsked(true);
  };
  return (
    <form onSubmit={submit} className={classes.stack}>
      <h2>{t('hand_over.step_who')}</h2>
      <Autocomplete
        label={t('hand_over.from')}
        description={t('hand_over.from_hint')}
        data={[...people]}
        value={from}
        onChange={(value) => {
          setFrom(value);
          setMoved(null);
        }}
        maxLength={64}
        data-testid="hand-over-from"
      />
      {found.error && <LoadProblem onRetry={found.reload} />}
      {found.value && <HoldingsView holdings={found.value} callbacks={callbacks} messages={messages} />}
      <h2>{t('hand_over.step_to')}</h2>
      <Autocomplete
        label={t('hand_over.to')}
        data={people.filter((each) => each !== leaver)}
        value={to}
        onChange={setTo}
        maxLength={64}
        data-testid="hand-over-to"
      />
      <div className={classes.buttons}>
        <Button
          type="submit"
          loading={action.busy}
          disabled={heir === '' || heir === leaver || total === 0}
          data-testid="hand-over"
        >
          {t('hand_over.go')}
        </Button>
      </div>
      {moved !== null && action.busy && (
        <Progress.Root size="lg">
          <Progress.Section value={total === 0 ? 100 : (100 * moved) / total} aria-label={t('hand_over.progress')} />
        </Progress.Root>
      )}
      {moved !== null && !action.busy && !action.problem && found.value && (
        <p className={`${classes.notice} ${total === 0 ? 'tone-good' : 'tone-attention'}`} data-testid="handed-over">
          {t('hand_over.result', { moved, left: total, who: leaver })}
        </p>
      )}
      <Problem text={action.problem} />
      {asked && (
        <Confirm
          title={t('hand_over.title')}
          text={t('hand_over.confirm', { from: leaver, to: heir, total })}
          action={t('hand_over.go')}
          onConfirm={run}
          onClose={() => setAsked(false)}
        />
      )}
    </form>
  );
}

/** Somebody leaves: customers, promises and claims go to somebody else, and nothing stays behind. */
export default function HandOverPage() {
  const { t } = useLocalisation();
  const list = useFetched('holders', holders);
  return (
    <>
      <PagesNav current="hand-over" />
      <section className={`panel ${classes.stack}`} aria-label={t('hand_over.title')}>
        <h1>{t('hand_over.title')}</h1>
        <p className="soft">{t('hand_over.about')}</p>
        {list.error && <LoadProblem onRetry={list.reload} />}
        <Steps people={list.value ?? []} onDone={list.reload} />
      </section>
    </>
  );
}
