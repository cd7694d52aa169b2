import { Button, Textarea } from '@mantine/core';
import { useState, type SubmitEvent } from 'react';
import { addNote, customerTimeline, type TimelineItem } from '../api/customers';
import { usePaged } from '../api/use-fetched';
import { useServerNow } from '../clock';
import { useLocalisation } from '../i18n/context';
import { Icon } from '../icons';
import { useAnnouncer } from '../shell/announcer';
import { InteractionSummary } from './interaction-lines';
import { LoadProblem } from './load-problem';
import classes from './customers.module.css';

function TimelineEntry({ item }: { readonly item: TimelineItem }) {
  const { t, format } = useLocalisation();
  const serverNow = useServerNow();
  if (item.interaction) return <InteractionSummary line={item.interaction} />;
  const created = item.kind === 'customer_created';
  return (
    <div className={classes.line}>
      <span className={classes.lineIcon}>
        <Icon name={created ? 'userPlus' : 'note'} />
      </span>
      <div>
        <p className={classes.lineHead}>
          <strong>{created ? t('timeline.created') : item.note === null ? item.kind : t('timeline.note')}</strong>
          <time dateTime={item.at} title={format.dateTime(item.at)} className="soft">
            {format.ago(item.at, serverNow())}
          </time>
        </p>
        {item.actor_name && <p className="soft">{item.actor_name}</p>}
        {item.note !== null && <p className={classes.notes}>{item.note}</p>}
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

/** Everything that happened with a customer, latest first, and a place to write a note. */
export function Timeline({ customerId, version }: { readonly customerId: string; readonly version?: string }) {
  const { t } = useLocalisation();
  const list = usePaged(`${customerId} ${version ?? ''}`, (cursor, signal) =>
    customerTimeline(customerId, cursor, signal),
  );
  return (
    <section aria-label={t('timeline.title')} data-testid="timeline">
      <h3 className={classes.heading}>{t('timeline.title')}</h3>
      <AddNote key={customerId} customerId={customerId} onAdded={list.reload} />
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
