import { Button, Textarea } from '@mantine/core';
import { useState } from 'react';
import { addNote } from '../api/customers';
import { CallbackTable } from '../callbacks/callback-table';
import { Elapsed } from '../clock';
import { AGENT_STATES, lookOfAgent } from '../floor/states';
import { useLocalisation } from '../i18n/context';
import { spokenDuration } from '../i18n/duration';
import type { Key } from '../i18n/translate';
import { Icon } from '../icons';
import { CHANNELS } from '../items/channels';
import { Loads } from '../items/loads';
import { useLive } from '../live/context';
import { isPending } from '../live/pending';
import { serviceLevel } from '../floor/service-level';
import { useLabels } from '../session/session';
import type { AgentState, AgentView, QueueView } from '../wire';
import { DialBox } from './dial-box';
import { useDraftBox, useLeftOverDrafts } from './drafts-context';
import type { Draft } from './drafts';
import classes from './desk.module.css';

const LEADS: Readonly<Record<AgentState, Key>> = {
  ready: 'idle.ready',
  not_ready: 'idle.not_ready',
  offline: 'idle.offline',
  offered: 'idle.moment',
  busy: 'idle.moment',
  wrap_up: 'idle.moment',
};

function QueueTile({ queue, name }: { readonly queue: QueueView; readonly name: string }) {
  const { t, format } = useLocalisation();
  const level = serviceLevel(queue);
  return (
    <article className={`panel ${classes.tile}`} data-testid="queue-tile">
      <h3>{name}</h3>
      <p className={classes.tileNumber}>{format.number(queue.waiting)}</p>
      <p className="soft">
        {queue.longest_waiting_since === null ? (
          t('tile.nobody')
        ) : (
          <>
            {t('tile.longest')} <Elapsed since={queue.longest_waiting_since} />
          </>
        )}
      </p>
      <p className="soft">
        {level === null
          ? t('tile.no_calls')
          : t('tile.level', { level: format.percent(level), time: spokenDuration(queue.target_seconds, t, format) })}
      </p>
      {queue.channels.map(({ channel, waiting }) => (
        <p key={channel} className="soft" data-testid="tile-channel">
          <Icon name={CHANNELS[channel].icon} size={16} />{' '}
          {t('tile.channel', { channel: t(CHANNELS[channel].label), waiting: format.number(waiting) })}
        </p>
      ))}
    </article>
  );
}

/** Notes whose wrap-up ended before they were sent. Nothing is sent by itself; the person decides. */
function LeftOverNotes({ draft, onGone }: { readonly draft: Draft; readonly onGone: () => void }) {
  const { t } = useLocalisation();
  const [failed, setFailed] = useState(false);
  const save = (customerId: string) => {
    addNote(customerId, draft.notes).then(onGone, () => setFailed(true));
  };
  return (
    <article className={`panel ${classes.leftOver} tone-pause`} data-testid="left-over-notes">
      <h3>
        <Icon name="note" /> {t('left_over.title', { caller: draft.caller || t('caller.withheld') })}
      </h3>
      <p className="soft">{t('left_over.text')}</p>
      <Textarea readOnly value={draft.notes} aria-label={t('notes.label')} autosize maxRows={8} />
      {failed && <p className={classes.problem}>{t('error.save')}</p>}
      <div className={classes.actions}>
        {draft.customerId !== null && draft.notes.trim() !== '' && (
          <Button variant="light" onClick={() => save(draft.customerId ?? '')}>
            {t('left_over.save')}
          </Button>
        )}
        <Button variant="subtle" color="gray" onClick={onGone}>
          {t('left_over.discard')}
        </Button>
      </div>
    </article>
  );
}

interface IdleDeskProps {
  readonly agent: AgentView | null;
  readonly queueName: (id: string) => string;
}

/** The desk between two contacts: what will happen next, and how one's queues stand. */
export function IdleDesk({ agent, queueName }: IdleDeskProps) {
  const { t } = useLocalisation();
  const {
    floor: { queues },
    pending,
  } = useLive();
  const box = useDraftBox();
  const labels = useLabels();
  const drafts = useLeftOverDrafts().filter((draft) => !isPending(pending, 'wrap_up.finish', draft.contactId));
  const state = agent?.state ?? 'offline';
  const look = agent ? lookOfAgent(agent) : AGENT_STATES.offline;
  const mine = [...queues.values()].filter(
    (queue) => !agent || agent.queue_ids.length === 0 || agent.queue_ids.includes(queue.queue_id),
  );
  return (
    <div className={classes.idle} data-testid="idle-desk">
      <section className={`panel ${classes.hero} ${look.tone}`}>
        <span className={classes.heroIcon}>
          <Icon name={look.icon} size={30} />
        </span>
        <div>
          <h2>{t(look.label)}</h2>
          <p className="soft">{t(LEADS[state])}</p>
        </div>
        {agent && <Loads agent={agent} />}
        {agent?.answered_by && (
          <p className="soft" role="status" data-testid="answered-elsewhere">
            <Icon name="phone" /> {t('idle.answered_by', { colleague: labels.agent(agent.answered_by) })}
          </p>
        )}
        {agent && agent.takes_calls && !agent.phone_registered && (
          <p className={`${classes.problem} tone-bad`} data-testid="phone-missing">
            <Icon name="warning" /> {t('idle.phone_missing')}
          </p>
        )}
      </section>
      {drafts.map((draft) => (
        <LeftOverNotes key={draft.contactId} draft={draft} onGone={() => box.discard(draft.contactId)} />
      ))}
      {agent && agent.state !== 'offline' && <DialBox />}
      <CallbackTable mayOrder={false} />
      {mine.length > 0 && (
        <section aria-label={t('idle.queues')}>
          <h2 className={classes.sectionTitle}>{t('idle.queues')}</h2>
          <div className={classes.tiles}>
            {mine.map((queue) => (
              <QueueTile key={queue.queue_id} queue={queue} name={queueName(queue.queue_id) || queue.name} />
            ))}
          </div>
        </section>
      )}
    </div>
  );
}
