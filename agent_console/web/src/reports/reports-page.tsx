import { Button, NativeSelect, TextInput } from '@mantine/core';
import { useState } from 'react';
import { reportPath, statistics, type Asked, type Figure, type Formula, type Report } from '../api/reports';
import { useFetched } from '../api/use-fetched';
import { LoadProblem } from '../customers/load-problem';
import floor from '../floor/floor.module.css';
import { useLocalisation } from '../i18n/context';
import { clockDigits, type Formats } from '../i18n/format';
import classes from '../stewardship/stewardship.module.css';
import { GROUPS, tellingLines, type Group } from './groups';
import own from './reports.module.css';

function dayFromNow(days: number): string {
  const day = new Date();
  day.setDate(day.getDate() + days);
  const two = (value: number) => String(value).padStart(2, '0');
  return `${day.getFullYear()}-${two(day.getMonth() + 1)}-${two(day.getDate())}`;
}

/** A figure in its unit; nothing where there is none. */
export function figureText(value: Figure | undefined, unit: string, format: Formats, nothing: string): string {
  if (typeof value !== 'number') return nothing;
  if (unit === 'share') return format.percent(value);
  if (unit === 'ms') return clockDigits(value);
  return format.number(Math.round(value * 100) / 100);
}

function Figures({
  group,
  report,
  byDay,
}: {
  readonly group: Group;
  readonly report: Report;
  readonly byDay: boolean;
}) {
  const { t, format } = useLocalisation();
  const formulas = new Map<string, Formula>(report.formulas.map((each) => [each.id, each]));
  const unitOf = (metric: string) => formulas.get(metric)?.unit ?? '';
  const lines = tellingLines(group, report[group.of], unitOf);
  return (
    <section className="panel" aria-label={t(group.label)} data-testid={`report-${group.key}`}>
      <div className={floor.tableHead}>
        <h2>{t(group.label)}</h2>
      </div>
      {lines.length === 0 && <p className="soft">{t(group.without ?? 'floor.none')}</p>}
      {/* A region that scrolls sideways must be reachable with the keyboard. */}
      {/* eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex */}
      <div className={floor.scroll} role="region" aria-label={t(group.label)} tabIndex={0} hidden={lines.length === 0}>
        <table className={`${floor.table} ${own.figures}`}>
          <thead>
            <tr>
              {byDay && <th scope="col">{t('reports.day')}</th>}
              <th scope="col">{t(group.of === 'queues' ? 'floor.queue' : 'floor.agent')}</th>
              {group.columns.map(([metric, label]) => (
                <th
                  key={metric}
                  scope="col"
                  data-numeric
                  title={`${metric} v${formulas.get(metric)?.version ?? ''}: ${formulas.get(metric)?.formula ?? ''}`}
                >
                  {t(label)}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {lines.map((line) => (
              <tr key={`${line.from} ${line.id ?? ''}`} data-testid="report-line" data-id={line.id ?? 'all'}>
                {byDay && <td>{format.day(line.from)}</td>}
                <td>
                  <strong>{line.id === null ? t('reports.all') : (line.name ?? line.id)}</strong>
                </td>
                {group.columns.map(([metric]) => (
                  <td key={metric} data-numeric data-metric={metric}>
                    {figureText(line.metrics[metric], unitOf(metric), format, t('floor.nothing'))}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

/** The statistics of some days: the figures that are looked at most, and all of them as a file. */
export default function ReportsPage() {
  const { t } = useLocalisation();
  const [asked, setAsked] = useState<Asked>(() => ({ from: dayFromNow(0), to: dayFromNow(1), by: 'total' }));
  const report = useFetched(reportPath(asked, 'json'), (signal) => statistics(asked, signal));
  const found = report.value;
  return (
    <div className={floor.page}>
      <section className={`panel ${classes.stack}`} aria-label={t('reports.title')}>
        <h1>{t('reports.title')}</h1>
        <div className={classes.filter}>
          <TextInput
            type="date"
            label={t('reports.from')}
            value={asked.from}
            max={asked.to}
            required
            onChange={({ currentTarget: { value } }) => value && setAsked((before) => ({ ...before, from: value }))}
            data-testid="report-from"
          />
          <TextInput
            type="date"
            label={t('reports.until')}
            value={asked.to}
            min={asked.from}
            required
            onChange={({ currentTarget: { value } }) => value && setAsked((before) => ({ ...before, to: value }))}
            data-testid="report-to"
          />
          <NativeSelect
            label={t('reports.by')}
            value={asked.by}
            data={[
              { value: 'total', label: t('reports.by_total') },
              { value: 'day', label: t('reports.by_day') },
            ]}
            onChange={({ currentTarget: { value } }) =>
              setAsked((before) => ({ ...before, by: value === 'day' ? 'day' : 'total' }))
            }
            data-testid="report-by"
          />
        </div>
        <div className={classes.buttons}>
          <Button onClick={report.reload} data-testid="report-reload">
            {t('reports.reload')}
          </Button>
          <Button component="a" variant="default" href={reportPath(asked, 'csv')} download="statistics.csv">
            {t('reports.csv')}
          </Button>
        </div>
        {report.value?.warnings.map((warning) => (
          <p key={warning} className="tone-attention">
            {warning}
          </p>
        ))}
      </section>
      {report.error && <LoadProblem onRetry={report.reload} />}
      {!report.value && !report.error && <p className="soft">{t('loading')}</p>}
      {found &&
        GROUPS.map((group) => <Figures key={group.key} group={group} report={found} byDay={asked.by === 'day'} />)}
    </div>
  );
}
