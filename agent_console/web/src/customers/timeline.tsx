import { Button, NativeSelect, Textarea } from '@mantine/core';
import { useState, type SubmitEvent } from 'react';
import { addNote, customerTimeline, type TimelineFilter, type TimelineItem } from '../api/customers';
import { usePaged } from '../api/use-fetched';
import { useServerNow } from '../clock';
import { useLocalisation } from '../i18n/context';
import type { Key } from '../i18n/translate';
import { Icon, type IconName } from '../icons';
import { ChangeLine } from '../record/changes';
import { useAnnouncer } from '../shell/announcer';
import { InteractionSummary } from './interaction-lines';
import { LoadProblem } from './load-problem';
import classes from './customers.module.css';

/** Entries that are neither contact nor note nor change: what happened to the record as a whole. */
const EVENTS: Readonly<Partial<Record<string, { readonly label: Key; readonly icon: IconName }>>> = {
  customer_created: { label: 'timeline.created', icon: 'userPlus' },
  note: { label: 'timeline.note', icon: 'note' },
  attachment: { label: 'timeline.attachment', icon: 'note' },
  consent: { label: 'timeline.consent', icon: 'check' },
  promise: { label: 'timeline.promise', icon: 'clock' },
  promise_settled: { label: 'timeline.promise_settled', icon: 'check' },
  merged: { label: 'timeline.merged', icon: 'users' },
  merge_undone: { label: 'timeline.merge_undone', icon: 'users' },
};

/** What of a timeline can be looked at alone. */
const FILTERS: Readonly<Record<string, { readonly label: Key; readonly filter: TimelineFilter }>> = {
  all: { label: 'filter.all', filter: {} },
  voice: { label: 'channel.voice', filter: { channel: 'voice' } },
  email: { label: 'channel.email', filter: { channel: 'email' } },
  sms: { label: 'channel.sms', filter: { channel: 'sms' } },
  webchat: { label: 'channel.webchat', filter: { channel: 'webchat' } },
  note: { label: 'filter.notes', filter: { kind: 'note' } },
  promise: { label: 'promise.title', filter: { kind: 'promise' } },
  change: { label: 'filter.changes', filter: { kind: 'change' } },
};

function TimelineEntry({ item }: { readonly item: TimelineItem }) {
  const { t, format } = useLocalisation();
  const serverNow = useServerNow();
  if (item.interaction) return <InteractionSummary line={item.interaction} />;
  if (item.change) {
    return (
      <div className={classes.line}>
        <span className={classes.lineIcon}>
          <Icon name="pencil" />
        </span>
        <ChangeLine change={item.change} />
      </div>
    );
  }
  const event = EVENTS[item.kind];
  return (
    <div className={classes.line}>
      <span className={classes.lineIcon}>
        <Icon name={event?.icon ?? 'dot'} />
      </span>
      <div>
        <p className={classes.lineHead}>
          <strong>{event ? t(event.label) : item.kind}</strong>
          <time dateTime={item.at} title={format.dateTime(item.at)} className="soft">
            {format.ago(item.at, serverNow())}
          </time>
        </p>
        {item.actor_name && <p className="soft">{item.actor_name}</p>}
        {item.note !== null && <p className={classes.notes}>{item.note}</p>}
        {item.promise && <p className={classes.notes}>{item.promise.what}</p>}
      </div>
    </div>
  );
}

function AddNote({ customerId, onAdded }: { readonly customerId: string; readonly onAdded: () => void }) {
  const { t } = useLocalisation();
  const announcer = useAnnouncer();
  const [text, setText] = useState('');
  const [state, setState] = useState<'idle' | 'saving' | 'failed'>('idle');
  const save = async (event: SubmitEvent) => {
    event.preventDefault();
    setState('saving');
    try {
      await addNote(customerId, text.trim());
      setText('');
      setState('idle');
      announcer.status(t('timeline.note_added'));
      onAdded();
    } catch {
      setState('failed'); // whatever it was, the text is still there to be sent again
    }
  };
  return (
    <form onSubmit={(event) => void save(event)} className={classes.addNote}>
      <Textarea
        label={t('timeline.add_note')}
        value={text}
        onChange={(event) => setText(event.currentTarget.value)}
        error={state === 'failed' ? t('error.save') : undefined}
        maxLength={10_000}
        autosize
        minRows={1}
        maxRows={8}
        data-testid="customer-note"
      />
      <Button
        type="submit"
        variant="light"
        disabled={text.trim() === ''}
        loading={state === 'saving'}
        data-testid="add-note"
      >
        {t('timeline.save_note')}
      </Button>
    </form>
  );
}

interface TimelineProps {
  readonly customerId: string;
  /** Read again when it changes. */
  readonly version?: string;
  readonly withFilter?: boolean;
  readonly mayWrite?: boolean;
}

/** Everything that happened with a customer, latest first, and a place to write a note. */
export function Timeline({ customerId, version, withFilter = false, mayWrite = true }: TimelineProps) {
  const { t } = useLocalisation();
  const [shown, setShown] = useState('all');
  const list = usePaged(`${customerId} ${version ?? ''} ${shown}`, (cursor, signal) =>
    customerTimeline(customerId, cursor, signal, FILTERS[shown]?.filter),
  );
  return (
    <section aria-label={t('timeline.title')} data-testid="timeline">
      <h3 className={classes.heading}>{t('timeline.title')}</h3>
      {mayWrite && <AddNote key={customerId} customerId={customerId} onAdded={list.reload} />}
      {withFilter && (
        <NativeSelect
          className={classes.filter}
          label={t('filter.label')}
          value={shown}
          data={Object.entries(FILTERS).map(([value, { label }]) => ({ value, label: t(label) }))}
          onChange={(event) => setShown(event.currentTarget.value)}
          data-testid="timeline-filter"
        />
      )}
      {!list.loading && !list.error && list.items.length === 0 && <p className="soft">{t('timeline.none')}</p>}
      <ol className={classes.lines}>
        {list.items.map((item) => (
          <li key={item.id} data-testid="timeline-item">
            <TimelineEntry item={item} />
          </li>
        ))}
      </ol>
      {list.error && <LoadProblem onRetry={list.reload} />}
      {list.more && (
        <Button variant="default" onClick={list.loadMore} loading={list.loading} data-testid="load-more">
          {t('action.load_more')}
        </Button>
      )}
    </section>
  );
}
