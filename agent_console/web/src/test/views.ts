import type { AgentView, ContactView, FloorView, QueueView, Snapshot } from '../wire';

/** An instant, in milliseconds since the epoch. */
export const NOON = 1_760_000_000_000;

export const anAgent = (over: Partial<AgentView> = {}): AgentView => ({
  agent_id: 'anna',
  name: 'Anna',
  state: 'ready',
  since: NOON,
  reason: null,
  until: null,
  pending: null,
  contact_id: null,
  phone_registered: true,
  queue_ids: ['billing'],
  loads: [],
  takes_calls: true,
  is_kept: false,
  answered_by: null,
  planned: null,
  planned_until: null,
  out_of_schedule_since: null,
  ...over,
});

export const aQueue = (over: Partial<QueueView> = {}): QueueView => ({
  queue_id: 'billing',
  name: 'Billing',
  waiting: 0,
  longest_waiting_since: null,
  offered: 0,
  answered: 0,
  abandoned: 0,
  answered_in_target: 0,
  target_seconds: 20,
  target_percent: 80,
  closed: false,
  channels: [],
  ...over,
});

export const aContact = (over: Partial<ContactView> = {}): ContactView => ({
  contact_id: 'c1',
  state: 'offered',
  caller: '+442079460991',
  caller_name: '',
  called: '+442079460000',
  diverted_from: '',
  arrived_at: NOON,
  customer: { state: 'none', customer_ids: [], name: null, level: null },
  language: 'en',
  flow_path: ['Billing'],
  queue_id: 'billing',
  queued_at: NOON,
  agent_id: 'anna',
  offered_at: NOON,
  offer_expires_at: NOON + 20_000,
  connected_at: null,
  ended_at: null,
  wrap_up_until: null,
  recording: null,
  supervision: [],
  is_supervised: false,
  is_secured: false,
  card_field: null,
  card_typed: [],
  card_sending: false,
  card_answer: null,
  poor_lines: [],
  text: '',
  orders_refused: '',
  handed_out_by: null,
  kind: 'inbound',
  parent_id: null,
  held_since: null,
  consult_id: null,
  consult_state: null,
  consult_kind: null,
  consult_target_kind: null,
  consult_target: null,
  park_slot: null,
  parked_by: null,
  parked_until: null,
  channel: 'voice',
  for_agent: null,
  recording_id: null,
  recording_ms: null,
  ringing: [],
  ...over,
});

export const aFloor = (over: Partial<FloorView> = {}): FloorView => ({
  agents: [anAgent()],
  queues: [aQueue()],
  contacts: [],
  callbacks: [],
  ...over,
});

export const numbered = (seq: number, after = seq - 1) => ({ v: 1 as const, seq, after, at: NOON });

export const aSnapshot = (seq: number, floor: FloorView = aFloor()): Snapshot => ({
  ...numbered(seq, 0),
  type: 'snapshot',
  floor,
});

export const aWelcome = (resumed: boolean, epoch = 'e1') => ({
  v: 1 as const,
  type: 'welcome' as const,
  epoch,
  resumed,
  server_time: NOON,
});
