import { Button } from '@mantine/core';
import { useState } from 'react';
import { customerRecord, customFields, type CustomerRecord, type CustomField } from '../api/record';
import {
  duplicates,
  mergeCustomers,
  rejectPair,
  scanDuplicates,
  undoMerge,
  type DuplicatePair,
  type Merge,
} from '../api/stewardship';
import { useFetched } from '../api/use-fetched';
import { CustomerLink } from '../customers/customer-link';
import { LoadProblem } from '../customers/load-problem';
import { useLocalisation } from '../i18n/context';
import type { Key } from '../i18n/translate';
import { Icon } from '../icons';
import { labelOf } from '../record/field-input';
import { FieldValue } from '../record/field-value';
import { fieldsOf, valuesOf } from '../record/fields';
import { Problem } from '../record/problem';
import { useAction } from '../record/problems';
import { useAnnouncer } from '../shell/announcer';
import { PagesNav } from './pages-nav';
import classes from './stewardship.module.css';

const SIGNALS: Readonly<Partial<Record<string, Key>>> = {
  name: 'collision.name',
  phone: 'collision.phone',
  email: 'collision.email',
  birth_date: 'field.birth_date',
  address: 'field.address',
};

function PairRow({
  pair,
  chosen,
  onChoose,
}: {
  readonly pair: DuplicatePair;
  readonly chosen: boolean;
  readonly onChoose: () => void;
}) {
  const { t, format } = useLocalisation();
  const weights = Object.entries(pair.signals)
    .map(([name, bits]) => `${SIGNALS[name] ? t(SIGNALS[name]) : name} ${bits > 0 ? '+' : ''}${format.number(bits)}`)
    .join(' · ');
  return (
    <li className={classes.pair} aria-current={chosen} data-testid="pair">
      <span>
        <CustomerLink customerId={pair.a_id} /> <Icon name="users" size={16} /> <CustomerLink customerId={pair.b_id} />
        <span className="soft">
          {t('duplicates.score', { bits: format.number(pair.score) })} · {weights}
        </span>
      </span>
      <Button size="sm" variant="default" onClick={onChoose} data-testid="compare">
        {t('duplicates.compare')}
      </Button>
    </li>
  );
}

interface ComparisonProps {
  readonly pair: DuplicatePair;
  readonly a: CustomerRecord;
  readonly b: CustomerRecord;
  readonly custom: readonly CustomField[];
  readonly onMerged: (merge: Merge) => void;
  readonly onRejected: () => void;
}

/** Two records side by side: which one stays, and whose value is kept where they differ. */
function Comparison({ pair, a, b, custom, onMerged, onRejected }: ComparisonProps) {
  const { t } = useLocalisation();
  const action = useAction();
  const [stays, setStays] = useState(a.id);
  const [theirs, setTheirs] = useState<readonly string[]>([]);
  const [survivor, merged] = stays === a.id ? [a, b] : [b, a];
  const fields = fieldsOf(a.kind, custom);
  const ours = valuesOf(survivor, fields);
  const others = valuesOf(merged, fields);
  const filled = fields.filter(({ name }) => ours[name] !== null || others[name] !== null);
  const choose = (name: string, isTheirs: boolean) =>
    setTheirs((chosen) => (isTheirs ? [...chosen, name] : chosen.filter((each) => each !== name)));
  const stay = (id: string) => {
    setStays(id);
    setTheirs([]);
  };
  const points = (record: CustomerRecord) => record.contact_points.map((point) => point.value_raw).join(', ');
  const join = () => action.run(async () => onMerged(await mergeCustomers(survivor.id, merged.id, theirs)));
  const reject = async () => {
    if (await action.run(() => rejectPair(pair.id))) onRejected();
  };
  return (
    <section className={`panel ${classes.stack}`} aria-label={t('duplicates.compare')} data-testid="comparison">
      <fieldset className={classes.survivor}>
        <legend>{t('merge.who_stays')}</legend>
        {[a, b].map((record) => (
          <label key={record.id}>
            <input
              type="radio"
              name="survivor"
              checked={stays === record.id}
              onChange={() => stay(record.id)}
              data-testid={`stays-${record.id}`}
            />
            {record.display_name} <span className="soft">{record.profile.owner_id ?? t('collision.no_owner')}</span>
          </label>
        ))}
      </fieldset>
      <div className={classes.scroll}>
        <table className={classes.table}>
          <thead>
            <tr>
              <th scope="col">{t('merge.field')}</th>
              <th scope="col">{t('merge.stays')}</th>
              <th scope="col">{t('merge.goes')}</th>
            </tr>
          </thead>
          <tbody>
            {filled.map((field) => {
              const { name } = field;
              const mine = ours[name] ?? null;
              const other = others[name] ?? null;
              const differs = mine !== null && other !== null && JSON.stringify(mine) !== JSON.stringify(other);
              const cell = (value: typeof mine, isTheirs: boolean) =>
                differs ? (
                  <label className={classes.choice}>
                    <input
                      type="radio"
                      name={`field ${name}`}
                      checked={theirs.includes(name) === isTheirs}
                      onChange={() => choose(name, isTheirs)}
                      data-testid={isTheirs ? `take-${name}` : `keep-${name}`}
                    />
                    <FieldValue field={field} value={value} />
                  </label>
                ) : (
                  <FieldValue field={field} value={value} />
                );
              return (
                <tr key={name} data-differs={differs}>
                  <th scope="row">{labelOf(field, t)}</th>
                  <td>{cell(mine, false)}</td>
                  <td>{cell(other, true)}</td>
                </tr>
              );
            })}
            <tr>
              <th scope="row">{t('point.title')}</th>
              <td>{points(survivor)}</td>
              <td>{points(merged)}</td>
            </tr>
          </tbody>
        </table>
      </div>
      <p className="soft">{t('merge.lead')}</p>
      <Problem text={action.problem} />
      <div className={classes.buttons}>
        <Button loading={action.busy} onClick={() => void join()} data-testid="merge">
          {t('merge.do')}
        </Button>
        <Button variant="default" loading={action.busy} onClick={() => void reject()} data-testid="reject">
          {t('merge.reject')}
        </Button>
      </div>
    </section>
  );
}

function ComparisonOf(props: Omit<ComparisonProps, 'a' | 'b' | 'custom'>) {
  const { t } = useLocalisation();
  const { pair } = props;
  const both = useFetched(pair.id, (signal) =>
    Promise.all([customerRecord(pair.a_id, signal), customerRecord(pair.b_id, signal), customFields(signal)]),
  );
  if (both.error) return <LoadProblem onRetry={both.reload} />;
  if (!both.value) return <p className="soft">{t('loading')}</p>;
  const [a, b, custom] = both.value;
  return <Comparison {...props} a={a} b={b} custom={custom} />;
}

function Merged({ merge, onUndone }: { readonly merge: Merge; readonly onUndone: () => void }) {
  const { t } = useLocalisation();
  const action = useAction();
  const undo = async () => {
    if (await action.run(() => undoMerge(merge.id))) onUndone();
  };
  return (
    <div className={`${classes.notice} tone-good`} data-testid="merged">
      <span>
        <Icon name="check" /> {t('merge.done')} <CustomerLink customerId={merge.survivor_id} />
      </span>
      <Button size="sm" variant="default" loading={action.busy} onClick={() => void undo()} data-testid="undo-merge">
        {t('merge.undo')}
      </Button>
      <Problem text={action.problem} />
    </div>
  );
}

/** Customers that may be one: the pairs, two of them side by side, and what was decided. */
export default function DuplicatesPage() {
  const { t } = useLocalisation();
  const announcer = useAnnouncer();
  const scan = useAction();
  const pairs = useFetched('duplicates', duplicates);
  const [chosen, setChosen] = useState<string | null>(null);
  const [merge, setMerge] = useState<Merge | null>(null);
  const pair = pairs.value?.find(({ id }) => id === chosen);
  const look = () =>
    scan.run(async () => {
      const { count } = await scanDuplicates();
      announcer.status(t.count('duplicates.found', count));
      pairs.reload();
    });
  const decided = (done: Merge | null, text: string) => {
    setMerge(done);
    setChosen(null);
    announcer.status(text);
    pairs.reload();
  };
  return (
    <>
      <PagesNav current="duplicates" />
      <div className={classes.stack}>
        <section className={`panel ${classes.stack}`} aria-label={t('duplicates.title')}>
          <div className={classes.headingRow}>
            <h1>{t('duplicates.title')}</h1>
            <Button variant="light" loading={scan.busy} onClick={() => void look()} data-testid="scan">
              {t('duplicates.scan')}
            </Button>
          </div>
          <Problem text={scan.problem} />
          {merge && <Merged merge={merge} onUndone={() => decided(null, t('merge.undone'))} />}
          {pairs.error && <LoadProblem onRetry={pairs.reload} />}
          {pairs.value?.length === 0 && <p className="soft">{t('duplicates.none')}</p>}
          <ol className={classes.rows}>
            {pairs.value?.map((each) => (
              <PairRow key={each.id} pair={each} chosen={each.id === chosen} onChoose={() => setChosen(each.id)} />
            ))}
          </ol>
        </section>
        {pair && (
          <ComparisonOf
            key={pair.id}
            pair={pair}
            onMerged={(done) => decided(done, t('merge.done'))}
            onRejected={() => decided(null, t('merge.rejected'))}
          />
        )}
      </div>
    </>
  );
}
