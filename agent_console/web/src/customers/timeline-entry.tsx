import { Button } from '@mantine/core';
import { useId, useState } from 'react';
import type { InteractionLine, TimelineItem } from '../api/customers';
import { useServerNow } from '../clock';
import { useLocalisation } from '../i18n/context';
import type { Key } from '../i18n/translate';
import { Icon, type IconName } from '../icons';
import { ChangeLine } from '../record/changes';
import { asOne } from './conversation';
import { InteractionSummary } from './interaction-lines';
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

interface ConversationProps {
  readonly first: InteractionLine;
  readonly parts: readonly InteractionLine[];
}

/** A customer who was handed on: one line, which unfolds into what each of the agents had. */
function Conversation({ first, parts }: ConversationProps) {
  const { t } = useLocalisation();
  const id = useId();
  const [unfolded, setUnfolded] = useState(false);
  const all = [first, ...parts];
  return (
    <div data-testid="conversation">
      <InteractionSummary line={asOne(first, parts)}>
        <Button
          size="compact-sm"
          variant="subtle"
          className={classes.unfold}
          aria-expanded={unfolded}
          aria-controls={id}
          rightSection={<Icon name={unfolded ? 'chevronUp' : 'chevronDown'} size={16} />}
          onClick={() => setUnfolded(!unfolded)}
          data-testid="unfold"
        >
          {t.count('timeline.parts', all.length)}
        </Button>
      </InteractionSummary>
      <ol id={id} hidden={!unfolded} className={classes.parts}>
        {unfolded &&
          all.map((part) => (
            <li key={part.contact_id} data-testid="conversation-part">
              <InteractionSummary line={part} />
            </li>
          ))}
      </ol>
    </div>
  );
}

/** One thing that happened with a customer. */
export function TimelineEntry({ item }: { readonly item: TimelineItem }) {
  const { t, format } = useLocalisation();
  const serverNow = useServerNow();
  if (item.interaction && item.parts.length > 0) return <Conversation first={item.interaction} parts={item.parts} />;
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
