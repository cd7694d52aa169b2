import { Button } from '@mantine/core';
import { lazy, Suspense, useState, type ReactNode } from 'react';
import { Elapsed, useOnClock } from '../clock';
import { levels, type Level } from '../api/record';
import { useFetched } from '../api/use-fetched';
import { LevelBadge } from '../customers/level-badge';
import { callerOf } from '../desk/caller';
import { useLocalisation } from '../i18n/context';
import { spokenDuration } from '../i18n/duration';
import type { Key } from '../i18n/translate';
import { Icon } from '../icons';
import { CHANNELS } from '../items/channels';
import { HandOn } from '../items/item-card';
import { Loads } from '../items/loads';
import { useLive } from '../live/context';
import { PoorLines } from '../quality/line-quality';
import { CallbackTable } from '../callbacks/callback-table';
import { useLabels, useSignedIn } from '../session/session';
import { SecuredPill } from '../recordings/card-entry';
import { RecordingPill } from '../recordings/recording-control';
import { Planned } from '../workforce/planned';
import { SuperviseControl, Supervisors } from '../supervision/supervise-control';
import type { AgentState, AgentView, Channel, ChannelView, ContactView, QueueView } from '../wire';
import { EntryButton } from './entry-button';
import { serviceLevel } from './service-level';
import { AGENT_STATES, lookOf, lookOfAgent, StatePill } from './states';
import { LiveTable, type Column } from './live-table';
import classes from './floor.module.css';

const WhyDialog = lazy(() => import('./why-dialog'));
const ShiftsDialog = lazy(() => import('../workforce/shifts-dialog'));
const EntryDialog = lazy(() => import('./entry-dialog'));

/** Milliseconds in a state after which a supervisor may want to look. */
const LONG: Partial<Record<AgentState, number>> = { wrap_up: 120_000, not_ready: 900_000, busy: 900_000 };

/** A value that has passed its threshold, marked by an icon and not by colour alone. */
function Watched({ over, children }: { readonly over: boolean; readonly children: ReactNode }) {
  const { t } = useLocalisation();
  if (!over) return children;
  return (
    <span className={`${classes.over} tone-attention`}>
      <Icon name="warning" size={16} />
      <span className="visually-hidden">{t('floor.over')}</span> {children}
    </span>
  );
}

function WatchedElapsed({ since, limit }: { readonly since: number; readonly limit: number | undefined }) {
  const over = useOnClock((now) => limit !== undefined && now - since > limit);
  return (
    <Watched over={over}>
      <Elapsed since={since} />
    </Watched>
  );
}

/** One line of the table of queues: the calls of a queue, or what it has of another channel. */
interface QueueRow extends Omit<ChannelView, 'channel'> {
  readonly queue: QueueView;
  readonly channel: Channel;
}

function queueRows(queues: readonly QueueView[]): readonly QueueRow[] {
  return queues.flatMap((queue) => [
    { ...queue, queue, channel: 'voice' as const },
    ...queue.channels.map((each) => ({ ...each, queue })),
  ]);
}

function useQueueColumns(onEntry: (queueId: string) => void): readonly Column<QueueRow>[] {
  const { t, format } = useLocalisation();
  const labels = useLabels();
  const count = (key: Key, value: (queue: QueueRow) => number): Column<QueueRow> => ({
    key,
    label: t(key),
    numeric: true,
    sort: value,
    cell: (queue) => format.number(value(queue)),
  });
  const nameOf = ({ queue }: QueueRow) => labels.queue(queue.queue_id) || queue.name;
  const order = Object.keys(CHANNELS);
  return [
    {
      key: 'name',
      label: t('floor.queue'),
      sort: (row) => `${nameOf(row)} ${order.indexOf(row.channel)}`,
      cell: (row) => <strong>{nameOf(row)}</strong>,
    },
    {
      key: 'channel',
      label: t('floor.channel'),
      sort: (row) => order.indexOf(row.channel),
      cell: (row) => (
        <span className={classes.channel}>
          <Icon name={CHANNELS[row.channel].icon} size={16} /> {t(CHANNELS[row.channel].label)}
        </span>
      ),
    },
    count('floor.waiting', (queue) => queue.waiting),
    {
      key: 'longest',
      label: t('floor.longest'),
      numeric: true,
      sort: (queue) => -(queue.longest_waiting_since ?? Infinity),
      cell: (queue) =>
        queue.longest_waiting_since === null ? (
          t('floor.nothing')
        ) : (
          <WatchedElapsed since={queue.longest_waiting_since} limit={queue.target_seconds * 1_000} />
        ),
    },
    {
      key: 'level',
      label: t('floor.level'),
      numeric: true,
      sort: (queue) => serviceLevel(queue) ?? 2,
      cell: (queue) => {
        const level = serviceLevel(queue);
        if (level === null) return t('floor.nothing');
        return <Watched over={level < queue.target_percent / 100}>{format.percent(level)}</Watched>;
      },
    },
    {
      key: 'target',
      label: t('floor.target'),
      numeric: true,
      sort: (queue) => queue.target_seconds,
      cell: (queue) =>
        t('floor.target_of', {
          percent: format.percent(queue.target_percent / 100),
          time: spokenDuration(queue.target_seconds, t, format),
        }),
    },
    count('floor.offered', (queue) => queue.offered),
    count('floor.answered', (queue) => queue.answered),
    count('floor.abandoned', (queue) => queue.abandoned),
    {
      key: 'entry',
      label: t('entry.column'),
      sort: ({ queue }) => (queue.closed ? 0 : 1),
      cell: (row) =>
        row.channel === 'voice' && (
          <EntryButton queue={row.queue} name={nameOf(row)} onOpen={() => onEntry(row.queue.queue_id)} />
        ),
    },
  ];
}

function useAgentColumns(contacts: ReadonlyMap<string, ContactView>): readonly Column<AgentView>[] {
  const { t, format } = useLocalisation();
  const labels = useLabels();
  const order = Object.keys(AGENT_STATES);
  const contactOf = (agent: AgentView) => (agent.contact_id ? contacts.get(agent.contact_id) : undefined);
  return [
    {
      key: 'name',
      label: t('floor.agent'),
      sort: (agent) => agent.name,
      cell: (agent) => <strong>{agent.name}</strong>,
    },
    {
      key: 'state',
      label: t('floor.state'),
      sort: (agent) => order.indexOf(agent.state),
      cell: (agent) => (
        <StatePill
          look={lookOfAgent(agent)}
          detail={agent.state === 'not_ready' && agent.reason ? labels.reason(agent.reason) : null}
        />
      ),
    },
    {
      key: 'planned',
      label: t('shifts.planned'),
      sort: (agent) => agent.out_of_schedule_since ?? Infinity,
      cell: (agent) => <Planned agent={agent} />,
    },
    {
      key: 'time',
      label: t('floor.time_in_state'),
      numeric: true,
      sort: (agent) => -agent.since,
      cell: (agent) => <WatchedElapsed since={agent.since} limit={LONG[agent.state]} />,
    },
    {
      key: 'contact',
      label: t('floor.contact'),
      cell: (agent) => {
        const contact = contactOf(agent);
        return contact ? callerOf(contact, t) : t('floor.nothing');
      },
    },
    {
      key: 'items',
      label: t('item.capacity'),
      sort: (agent) => -agent.loads.reduce((sum, { has }) => sum + has, 0),
      cell: (agent) => <Loads agent={agent} />,
    },
    { key: 'queues', label: t('floor.queues'), cell: (agent) => format.list(agent.queue_ids.map(labels.queue)) },
    {
      key: 'phone',
      label: t('floor.phone'),
      sort: (agent) => (agent.phone_registered ? 1 : 0),
      cell: (agent) =>
        agent.phone_registered ? (
          t('floor.phone_ok')
        ) : (
          <Watched over={agent.state !== 'offline'}>{t('floor.phone_missing')}</Watched>
        ),
    },
  ];
}

/** The customer's level beside the name; what the installation calls it, once that is known. */
function LevelOf({ contact, levels }: { readonly contact: ContactView; readonly levels: readonly Level[] | null }) {
  const code = contact.customer.level;
  return levels && <LevelBadge level={levels.find((level) => level.code === code)} code={code} />;
}

function useContactColumns(
  agents: ReadonlyMap<string, AgentView>,
  onWhy: (contact: ContactView) => void,
): readonly Column<ContactView>[] {
  const { t } = useLocalisation();
  const known = useFetched('levels', levels).value;
  const labels = useLabels();
  const nameOf = (agentId: string) => agents.get(agentId)?.name ?? labels.agent(agentId);
  return [
    {
      key: 'caller',
      label: t('floor.caller'),
      cell: (contact) => (
        <span className={classes.channel}>
          <Icon name={CHANNELS[contact.channel].icon} size={16} />
          <span className="visually-hidden">{t(CHANNELS[contact.channel].label)}:</span>{' '}
          <strong>{callerOf(contact, t)}</strong>
          <LevelOf contact={contact} levels={known} />
        </span>
      ),
    },
    {
      key: 'state',
      label: t('floor.state'),
      cell: (contact) => (
        <>
          <StatePill look={lookOf(contact)} /> <RecordingPill state={contact.recording} />{' '}
          <SecuredPill contact={contact} /> <Supervisors contact={contact} /> <PoorLines contact={contact} />
        </>
      ),
    },
    {
      key: 'queue',
      label: t('floor.queue'),
      cell: (contact) => (contact.queue_id ? labels.queue(contact.queue_id) : t('floor.nothing')),
    },
    { key: 'menu', label: t('contact.menu'), cell: (contact) => contact.flow_path.join(' › ') || t('floor.nothing') },
    {
      key: 'agent',
      label: t('floor.agent'),
      cell: (contact) => {
        if (contact.handed_out_by) return t('floor.handed_out', { agent: nameOf(contact.handed_out_by) });
        if (!contact.agent_id) return t('floor.nothing');
        const name = nameOf(contact.agent_id);
        return contact.ringing.length > 1 ? t.count('floor.rings_at', contact.ringing.length - 1, { name }) : name;
      },
    },
    {
      key: 'since',
      label: t('floor.since_arrival'),
      numeric: true,
      sort: (contact) => -contact.arrived_at,
      cell: (contact) => <Elapsed since={contact.arrived_at} />,
    },
    {
      key: 'why',
      label: t('why.column'),
      cell: (contact) => (
        <Button
          size="compact-sm"
          variant="subtle"
          onClick={() => onWhy(contact)}
          aria-label={t('why.title', { caller: callerOf(contact, t) })}
          data-testid="open-why"
        >
          {t('why.open')}
        </Button>
      ),
    },
    {
      key: 'supervise',
      label: t('supervision.title'),
      cell: (contact) =>
        contact.channel === 'voice' ? (
          <SuperviseControl contact={contact} agent={nameOf(contact.agent_id ?? contact.handed_out_by ?? '')} />
        ) : (
          contact.state !== 'wrap_up' && <HandOn item={contact} intent="contact.move" />
        ),
    },
  ];
}

function Tile({
  label,
  children,
  tone,
}: {
  readonly label: string;
  readonly children: ReactNode;
  readonly tone?: string;
}) {
  return (
    <div className={`panel ${classes.tile} ${tone ?? ''}`}>
      <p>{label}</p>
      <strong>{children}</strong>
    </div>
  );
}

function Tiles({ queues, agents }: { readonly queues: readonly QueueView[]; readonly agents: readonly AgentView[] }) {
  const { t, format } = useLocalisation();
  const sum = (value: (queue: QueueView) => number) => queues.reduce((total, queue) => total + value(queue), 0);
  const since = queues.flatMap((queue) => queue.longest_waiting_since ?? []).sort((a, b) => a - b)[0];
  const items = new Map<Channel, number>();
  for (const { channel, waiting } of queues.flatMap((queue) => queue.channels))
    items.set(channel, (items.get(channel) ?? 0) + waiting);
  const inState = (state: AgentState) => format.number(agents.filter((agent) => agent.state === state).length);
  const level = serviceLevel({
    answered: sum((queue) => queue.answered),
    abandoned: sum((queue) => queue.abandoned),
    answered_in_target: sum((queue) => queue.answered_in_target),
  });
  return (
    <div className={classes.tiles}>
      <Tile label={t('floor.waiting')}>{format.number(sum((queue) => queue.waiting))}</Tile>
      <Tile label={t('floor.longest')}>{since === undefined ? t('floor.nothing') : <Elapsed since={since} />}</Tile>
      <Tile label={t('floor.in_target')}>{level === null ? t('floor.nothing') : format.percent(level)}</Tile>
      {[...items].map(([channel, waiting]) => (
        <Tile key={channel} label={t('floor.waiting_of', { channel: t(CHANNELS[channel].label) })}>
          {format.number(waiting)}
        </Tile>
      ))}
      <Tile label={t('state.ready')} tone="tone-good">
        {inState('ready')}
      </Tile>
      <Tile label={t('state.busy')} tone="tone-engaged">
        {inState('busy')}
      </Tile>
      <Tile label={t('state.not_ready')} tone="tone-pause">
        {inState('not_ready')}
      </Tile>
    </div>
  );
}

const BESIDE_ROUTING: ReadonlySet<string> = new Set(['in_flow', 'survey', 'parked']);

/** The contact of which routing knows: who is parked, or back in the flow, is shown beside the one that came before. */
function routedAs(contact: ContactView): string {
  return (BESIDE_ROUTING.has(contact.state) && contact.parent_id) || contact.contact_id;
}

/** The supervisor's view: queues, agents and contacts as they are now. */
export default function FloorPage() {
  const { t } = useLocalisation();
  const { floor } = useLive();
  const { person } = useSignedIn();
  const [hideOffline, setHideOffline] = useState(true);
  const queues = [...floor.queues.values()];
  const agents = [...floor.agents.values()];
  const shown = hideOffline
    ? agents.filter((agent) => agent.state !== 'offline' || agent.out_of_schedule_since !== null)
    : agents;
  const [shiftsOpened, setShiftsOpened] = useState(false);
  const [entryOf, setEntryOf] = useState<string | null>(null);
  const queueColumns = useQueueColumns(setEntryOf);
  const above = person.roles.some((role) => role === 'supervisor' || role === 'administrator');
  const entered = entryOf === null ? undefined : floor.queues.get(entryOf);
  const hasRoster = agents.some((agent) => agent.planned !== null);
  const agentColumns = useAgentColumns(floor.contacts).filter(({ key }) => hasRoster || key !== 'planned');
  const [asked, setAsked] = useState<{ readonly contactId: string; readonly caller: string } | null>(null);
  const contactColumns = useContactColumns(floor.agents, (contact) =>
    setAsked({ contactId: routedAs(contact), caller: callerOf(contact, t) }),
  );
  return (
    <div className={classes.page}>
      <h1 className="visually-hidden">{t('nav.floor')}</h1>
      <Tiles queues={queues} agents={agents} />
      <LiveTable
        title={t('floor.queues')}
        rows={queueRows(queues)}
        columns={queueColumns}
        rowKey={({ queue, channel }) => `${queue.queue_id} ${channel}`}
        rowTestId="queue-row"
        sortedBy="name"
      />
      <LiveTable
        title={t('floor.agents')}
        rows={shown}
        columns={agentColumns}
        rowKey={(agent) => agent.agent_id}
        rowTestId="agent-row"
        sortedBy="name"
        aside={
          <div className={classes.asides}>
            <label className={classes.choice}>
              <input
                type="checkbox"
                checked={hideOffline}
                onChange={(event) => setHideOffline(event.currentTarget.checked)}
              />
              {t('floor.hide_offline')}
            </label>
            <Button size="compact-sm" variant="default" onClick={() => setShiftsOpened(true)} data-testid="open-shifts">
              {t('shifts.open')}
            </Button>
          </div>
        }
      />
      <LiveTable
        title={t('floor.contacts')}
        rows={[...floor.contacts.values()]}
        columns={contactColumns}
        rowKey={(contact) => contact.contact_id}
        rowTestId="contact-row"
        sortedBy="since"
      />
      <CallbackTable mayOrder={above} />
      {shiftsOpened && (
        <Suspense>
          <ShiftsDialog onClose={() => setShiftsOpened(false)} />
        </Suspense>
      )}
      {entered && (
        <Suspense>
          <EntryDialog queue={entered} mayOrder={above} onClose={() => setEntryOf(null)} />
        </Suspense>
      )}
      {asked && (
        <Suspense>
          <WhyDialog {...asked} onClose={() => setAsked(null)} />
        </Suspense>
      )}
    </div>
  );
}
