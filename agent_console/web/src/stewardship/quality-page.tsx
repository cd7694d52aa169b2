import { useState } from 'react';
import {
  customersWith,
  QUALITY_PROBLEMS,
  qualityReports,
  type QualityProblem,
  type QualityReport,
} from '../api/quality';
import { useFetched, usePaged } from '../api/use-fetched';
import type { CustomerSummary } from '../api/customers';
import { CustomerLink } from '../customers/customer-link';
import { LoadProblem } from '../customers/load-problem';
import { useLocalisation } from '../i18n/context';
import type { Key } from '../i18n/translate';
import { addressOf } from '../shell/route';
import { LogTable, type Column } from './log-table';
import { PagesNav } from './pages-nav';
import classes from './stewardship.module.css';

const PROBLEMS: Readonly<Record<QualityProblem, Key>> = {
  unreachable: 'quality.unreachable',
  without_phone: 'quality.without_phone',
  doubtful_phone: 'quality.doubtful_phone',
  stale: 'quality.stale',
};

/** A count, and what has become of it since the week before. */
function Count({ now, before }: { readonly now: number; readonly before: number | undefined }) {
  const { format } = useLocalisation();
  const change = before === undefined ? 0 : now - before;
  return (
    <>
      {format.number(now)}
      {change !== 0 && (
        <span className={change > 0 ? 'pill tone-attention' : 'pill tone-good'}>
          {change > 0 ? '+' : '−'}
          {format.number(Math.abs(change))}
        </span>
      )}
    </>
  );
}

function Weeks({ reports }: { readonly reports: readonly QualityReport[] }) {
  const { t, format } = useLocalisation();
  const counts = [...QUALITY_PROBLEMS, 'duplicates'] as const;
  const label = (name: (typeof counts)[number]) =>
    name === 'duplicates' ? (
      <a href={addressOf({ page: 'duplicates' })}>{t('quality.duplicates')}</a>
    ) : (
      t(PROBLEMS[name])
    );
  return (
    <div className={classes.scroll}>
      <table className={classes.table} data-testid="quality-weeks">
        <thead>
          <tr>
            <th scope="col">{t('quality.week')}</th>
            <th scope="col">{t('quality.customers')}</th>
            {counts.map((name) => (
              <th key={name} scope="col">
                {label(name)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {reports.map((report, index) => (
            <tr key={report.at} data-testid="quality-week">
              <th scope="row">{format.day(report.at)}</th>
              <td>{format.number(report.customers)}</td>
              {counts.map((name) => (
                <td key={name}>
                  <Count now={report.counts[name] ?? 0} before={reports[index + 1]?.counts[name]} />
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function List({ problem }: { readonly problem: QualityProblem }) {
  const { t, format } = useLocalisation();
  const list = usePaged(problem, (cursor, signal) => customersWith(problem, cursor, signal));
  const columns: readonly Column<CustomerSummary>[] = [
    { heading: 'claim.customer', cell: ({ id }) => <CustomerLink customerId={id} /> },
    {
      heading: 'quality.last_contact',
      cell: ({ last_contact_at }) => (last_contact_at ? format.day(last_contact_at) : t('quality.never')),
    },
  ];
  return (
    <LogTable
      entries={list}
      columns={columns}
      keyOf={({ id }) => id}
      none={list.more ? 'quality.none_yet' : 'quality.none'}
      rowTestId="quality-row"
    />
  );
}

/** What is to be tidied up among the customers: the weekly counts, and lists to work through. */
export default function QualityPage() {
  const { t } = useLocalisation();
  const [problem, setProblem] = useState<QualityProblem>('unreachable');
  const reports = useFetched('quality', qualityReports);
  return (
    <>
      <PagesNav current="quality" />
      <section className={`panel ${classes.stack}`} aria-label={t('quality.title')}>
        <h1>{t('quality.title')}</h1>
        <p className="soft">{t('quality.about')}</p>
        {reports.error && <LoadProblem onRetry={reports.reload} />}
        {reports.value?.length === 0 && <p className="soft">{t('quality.not_counted')}</p>}
        {reports.value && reports.value.length > 0 && <Weeks reports={reports.value} />}
      </section>
      <section className={`panel ${classes.stack} ${classes.below}`} aria-label={t('quality.list')}>
        <h2>{t('quality.list')}</h2>
        <div className={classes.survivor} role="radiogroup" aria-label={t('quality.which')}>
          {QUALITY_PROBLEMS.map((each) => (
            <label key={each}>
              <input
                type="radio"
                name="quality-problem"
                checked={problem === each}
                onChange={() => setProblem(each)}
                data-testid={`quality-${each}`}
              />
              {t(PROBLEMS[each])}
            </label>
          ))}
        </div>
        <List key={problem} problem={problem} />
      </section>
    </>
  );
}
