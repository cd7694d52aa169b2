import { Button } from '@mantine/core';
import { Fragment } from 'react';
import { customerTimeline, type TimelineFilter } from '../api/customers';
import { useWindow } from '../api/use-window';
import { useLocalisation } from '../i18n/context';
import { AddNote } from './add-note';
import { LoadProblem } from './load-problem';
import { TimelineEntry } from './timeline-entry';
import classes from './customers.module.css';

/** Entries that are read at a time. */
const PAGE = 10;

interface TimelineListProps {
  readonly customerId: string;
  /** Read again when it changes. */
  readonly version?: string;
  readonly mayWrite?: boolean;
  readonly filter?: TimelineFilter;
  /** The instant of the newest entry that is shown first. */
  readonly until?: string | null;
  readonly page?: number;
  /** Each day under its date. */
  readonly withDays?: boolean;
}

/** The entries of a timeline, latest first, and more of them both ways. */
export function TimelineList(props: TimelineListProps) {
  const { customerId, version = '', mayWrite = true, filter = {}, until = null, page = PAGE, withDays = false } = props;
  const { t, format } = useLocalisation();
  const list = useWindow(
    [customerId, version, filter.kind, filter.channel, until, filter.words].join(' '),
    until === null ? {} : { until },
    (place, signal) => customerTimeline(customerId, place, page, filter, signal),
  );
  const days = list.items.map((item) => format.day(item.at));
  const isEmpty = !list.opening && !list.error && list.items.length === 0;
  return (
    <>
      {mayWrite && <AddNote key={customerId} customerId={customerId} onAdded={list.reload} />}
      {list.hasNewer && (
        <Button
          variant="default"
          onClick={() => list.go('newer')}
          loading={list.going === 'newer'}
          data-testid="load-newer"
        >
          {t('timeline.newer')}
        </Button>
      )}
      {isEmpty && filter.words && <p className="soft">{t('timeline.no_words')}</p>}
      {isEmpty && !filter.words && (
        <p className="soft">{list.hasNewer ? t('timeline.none_until') : t('timeline.none')}</p>
      )}
      <ol className={classes.lines} aria-busy={list.opening || list.going !== null}>
        {list.items.map((item, index) => (
          <Fragment key={item.id}>
            {withDays && days[index] !== days[index - 1] && (
              <li className={classes.day} data-testid="timeline-day">
                <h4>{days[index]}</h4>
              </li>
            )}
            <li data-testid="timeline-item" data-entry={item.id}>
              <TimelineEntry item={item} />
            </li>
          </Fragment>
        ))}
      </ol>
      {list.error && <LoadProblem onRetry={list.reload} />}
      {list.hasOlder && (
        <Button
          variant="default"
          onClick={() => list.go('older')}
          loading={list.going === 'older'}
          data-testid="load-more"
        >
          {t('timeline.older')}
        </Button>
      )}
    </>
  );
}

/** What happened with a customer, beside a contact: the latest first, and a place to write a note. */
export function Timeline({ customerId }: { readonly customerId: string }) {
  const { t } = useLocalisation();
  return (
    <section aria-label={t('timeline.title')} data-testid="timeline">
      <h3 className={classes.heading}>{t('timeline.title')}</h3>
      <TimelineList customerId={customerId} />
    </section>
  );
}
