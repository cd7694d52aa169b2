import type { IconName } from '../icons';
import { Icon } from '../icons';
import { useLocalisation } from '../i18n/context';
import type { Key } from '../i18n/translate';
import type { AgentState, AgentView, ContactState, ContactView } from '../wire';

/** How a state looks: never colour alone, always an icon and a word beside it. */
interface Look {
  readonly label: Key;
  readonly icon: IconName;
  readonly tone: string;
}

export const AGENT_STATES: Readonly<Record<AgentState, Look>> = {
  ready: { label: 'state.ready', icon: 'check', tone: 'tone-good' },
  offered: { label: 'state.offered', icon: 'bell', tone: 'tone-attention' },
  busy: { label: 'state.busy', icon: 'phone', tone: 'tone-engaged' },
  wrap_up: { label: 'state.wrap_up', icon: 'pencil', tone: 'tone-after' },
  not_ready: { label: 'state.not_ready', icon: 'pause', tone: 'tone-pause' },
  offline: { label: 'state.offline', icon: 'power', tone: 'tone-quiet' },
};

const KEPT: Look = { label: 'state.kept', icon: 'clock', tone: 'tone-attention' };

/** How an agent's state looks: who is only kept for a customer who is being called is not rung. */
export function lookOfAgent(agent: Pick<AgentView, 'state' | 'is_kept'>): Look {
  return agent.is_kept ? KEPT : AGENT_STATES[agent.state];
}

export const CONTACT_STATES: Readonly<Record<ContactState, Look>> = {
  in_flow: { label: 'contact_state.in_flow', icon: 'dot', tone: 'tone-quiet' },
  survey: { label: 'contact_state.survey', icon: 'note', tone: 'tone-quiet' },
  queued: { label: 'contact_state.queued', icon: 'clock', tone: 'tone-pause' },
  offered: { label: 'contact_state.offered', icon: 'bell', tone: 'tone-attention' },
  connected: { label: 'contact_state.connected', icon: 'phone', tone: 'tone-engaged' },
  dialling: { label: 'contact_state.dialling', icon: 'bell', tone: 'tone-attention' },
  parked: { label: 'contact_state.parked', icon: 'pause', tone: 'tone-pause' },
  wrap_up: { label: 'contact_state.wrap_up', icon: 'pencil', tone: 'tone-after' },
};

const ITEM_LABELS: Readonly<Partial<Record<ContactState, Key>>> = {
  offered: 'contact_state.item_offered',
  connected: 'contact_state.in_work',
  wrap_up: 'contact_state.item_wrap_up',
};

/** How a contact looks: an item rings nowhere and nobody talks, it is offered and then in work. */
export function lookOf(contact: Pick<ContactView, 'state' | 'channel'>): Look {
  const look = CONTACT_STATES[contact.state];
  const label = contact.channel === 'voice' ? undefined : ITEM_LABELS[contact.state];
  if (!label) return look;
  return { ...look, label, icon: contact.state === 'connected' ? 'user' : look.icon };
}

/** A state as icon and word. */
export function StatePill({ look, detail }: { readonly look: Look; readonly detail?: string | null }) {
  const { t } = useLocalisation();
  return (
    <span className={`pill ${look.tone}`}>
      <Icon name={look.icon} size={16} />
      {detail ? t('state.with_detail', { state: t(look.label), detail }) : t(look.label)}
    </span>
  );
}
