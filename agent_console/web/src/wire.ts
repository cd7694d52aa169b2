// Generated from the server by `npm run types`. Do not edit.

/** An agent is now this. */
export interface AgentChanged {
  readonly v: 1;
  /** This frame's number. */
  readonly seq: number;
  /** The number of the numbered frame this browser got before; 0 for a snapshot. */
  readonly after: number;
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly type: 'agent.changed';
  readonly agent: AgentView;
}

/** States of an agent as the console shows them. */
export type AgentState = 'busy' | 'not_ready' | 'offered' | 'offline' | 'ready' | 'wrap_up';

/** One agent on the floor. ``state`` is about calls and being there; ``loads`` says what else there is. */
export interface AgentView {
  readonly agent_id: string;
  readonly name: string;
  readonly state: AgentState;
  readonly since: number;
  readonly reason: string | null;
  readonly until: number | null;
  readonly pending: string | null;
  readonly contact_id: string | null;
  readonly phone_registered: boolean;
  readonly queue_ids: readonly string[];
  readonly loads: readonly ChannelLoad[];
  readonly takes_calls: boolean;
  readonly answered_by: string | null;
  readonly is_kept: boolean;
  readonly planned: string | null;
  readonly planned_until: number | null;
  readonly out_of_schedule_since: number | null;
}

/** A callback is now this. */
export interface CallbackChanged {
  readonly v: 1;
  /** This frame's number. */
  readonly seq: number;
  /** The number of the numbered frame this browser got before; 0 for a snapshot. */
  readonly after: number;
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly type: 'callback.changed';
  readonly callback: CallbackView;
}

/** A callback is over, or left what this browser may see. */
export interface CallbackRemoved {
  readonly v: 1;
  /** This frame's number. */
  readonly seq: number;
  /** The number of the numbered frame this browser got before; 0 for a snapshot. */
  readonly after: number;
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly type: 'callback.removed';
  readonly callback_id: string;
}

/** Where a promised callback stands. */
export type CallbackState = 'calling' | 'in_line' | 'put_off';

/** A callback that was promised and is not over. */
export interface CallbackView {
  readonly callback_id: string;
  readonly queue_id: string;
  readonly number: string;
  readonly state: CallbackState;
  readonly promised_at: number;
  readonly ends_at: number;
  readonly attempts: number;
  readonly most_attempts: number;
  readonly next_at: number | null;
  readonly reason: string;
  readonly promised_by: string | null;
  readonly agent_id: string | null;
  readonly is_on_top: boolean;
}

/** What the payment system answered. A ``result`` that begins with ``failed_`` is ours: it did not. */
export interface CardAnswerView {
  readonly result: string;
  readonly token: string;
  readonly last4: string;
  readonly message: string;
}

/** How far a customer is with one field of a card; what was typed is known to nobody. */
export interface CardFieldView {
  readonly field: string;
  readonly digits: number;
  readonly is_valid: boolean;
}

/** What a contact came by. */
export type Channel = 'chat' | 'email' | 'message' | 'sms' | 'task' | 'voice';

/** How much of a shared channel an agent has, and may have. */
export interface ChannelLoad {
  readonly channel: Channel;
  readonly has: number;
  readonly most: number;
}

/** What is no call, in one queue, by channel; counts as in ``QueueView``. */
export interface ChannelView {
  readonly channel: Channel;
  readonly waiting: number;
  readonly longest_waiting_since: number | null;
  readonly offered: number;
  readonly answered: number;
  readonly abandoned: number;
  readonly answered_in_target: number;
  readonly target_seconds: number;
  readonly target_percent: number;
}

/** One entry of a list people choose from, with a label in each language. */
export interface Choice {
  readonly code: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** Server, to who may assign customers: a colleague's customer was claimed, or a claim was decided. Which they are the customer store tells, to each what they may see; unnumbered. */
export interface ClaimsChanged {
  readonly v: 1;
  readonly type: 'claims.changed';
}

/** Where the second party of a conversation stands. */
export type ConsultState = 'conference' | 'held' | 'seeking' | 'talking';

/** A contact is now this. */
export interface ContactChanged {
  readonly v: 1;
  /** This frame's number. */
  readonly seq: number;
  /** The number of the numbered frame this browser got before; 0 for a snapshot. */
  readonly after: number;
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly type: 'contact.changed';
  readonly contact: ContactView;
}

/** Why a contact is there. Every stretch of a call that is another agent's work is a contact of its own. */
export type ContactKind = 'consult' | 'inbound' | 'internal' | 'outbound' | 'recall' | 'retrieved' | 'transfer';

/** A contact left the floor, or left what this browser may see. */
export interface ContactRemoved {
  readonly v: 1;
  /** This frame's number. */
  readonly seq: number;
  /** The number of the numbered frame this browser got before; 0 for a snapshot. */
  readonly after: number;
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly type: 'contact.removed';
  readonly contact_id: string;
}

/** States of a contact as the console shows them. */
export type ContactState = 'connected' | 'dialling' | 'in_flow' | 'offered' | 'parked' | 'queued' | 'survey' | 'wrap_up';

/** One contact from its arrival to the end of its wrap-up. */
export interface ContactView {
  readonly contact_id: string;
  readonly state: ContactState;
  readonly caller: string;
  readonly caller_name: string;
  readonly called: string;
  readonly arrived_at: number;
  readonly customer: CustomerMatch;
  readonly language: string | null;
  readonly flow_path: readonly string[];
  readonly queue_id: string | null;
  readonly queued_at: number | null;
  readonly agent_id: string | null;
  readonly offered_at: number | null;
  readonly offer_expires_at: number | null;
  readonly connected_at: number | null;
  readonly ended_at: number | null;
  readonly wrap_up_until: number | null;
  readonly diverted_from: string;
  readonly kind: ContactKind;
  readonly parent_id: string | null;
  readonly held_since: number | null;
  readonly consult_id: string | null;
  readonly consult_state: ConsultState | null;
  readonly consult_kind: ContactKind | null;
  readonly consult_target_kind: TargetKind | null;
  readonly consult_target: string | null;
  readonly park_slot: string | null;
  readonly parked_by: string | null;
  readonly parked_until: number | null;
  readonly recording: RecordingState | null;
  readonly supervision: readonly SupervisionView[];
  readonly is_supervised: boolean;
  readonly is_secured: boolean;
  readonly channel: Channel;
  readonly for_agent: string | null;
  readonly recording_id: string | null;
  readonly recording_ms: number | null;
  readonly card_field: string | null;
  readonly card_typed: readonly CardFieldView[];
  readonly card_sending: boolean;
  readonly card_answer: CardAnswerView | null;
  readonly poor_lines: readonly PoorLine[];
  readonly ringing: readonly RingView[];
  readonly text: string;
  readonly orders_refused: string;
  readonly handed_out_by: string | null;
}

/** What signing in takes. */
export interface Credentials {
  readonly login: string;
  readonly password: string;
}

/** Who the caller may be. ``customer_ids`` are candidates, best first; ``name`` is set when there is exactly one, and ``level`` (its code) when that one has a level. */
export interface CustomerMatch {
  readonly state: MatchState;
  readonly customer_ids: readonly string[];
  readonly name: string | null;
  readonly level: string | null;
}

/** What the desk's lists hold. */
export interface DeskSettings {
  readonly company: string;
  readonly not_ready_reasons: readonly Choice[];
  readonly dispositions: readonly Choice[];
  readonly queues: readonly Choice[];
  readonly languages: readonly string[];
  readonly agents: readonly Choice[];
  readonly people: readonly Choice[];
  readonly recording_on_demand: readonly string[];
  readonly wrap_up: readonly WrapUpRule[];
}

/** The body of every refused HTTP request. ``code`` is stable and part of the API, ``message`` is for people. */
export interface ErrorBody {
  readonly code: string;
  readonly message: string;
}

/** Server: whether the exchange answers the web process; unnumbered. */
export interface ExchangeStatus {
  readonly v: 1;
  readonly type: 'exchange.status';
  readonly up: boolean;
}

/** Everything one browser may see, at one instant. */
export interface FloorView {
  readonly agents: readonly AgentView[];
  readonly queues: readonly QueueView[];
  readonly contacts: readonly ContactView[];
  readonly callbacks: readonly CallbackView[];
}

export type FromBrowser = Hello | Resync | Ping | Intent | SoftphoneReady | SoftphoneGone | SoftphoneAnswer | SoftphoneReconnect;

/** The web process's own state, and whether it hears the exchange. Tells nothing about people. */
export interface Health {
  readonly status: string;
  readonly exchange_up: boolean;
}

/** Browser: the first frame. ``epoch`` and ``seq`` are those of the last numbered frame seen, to resume after it. */
export interface Hello {
  readonly type: 'hello';
  readonly epoch?: string | null;
  readonly seq?: number | null;
}

/** A STUN or TURN server, as browsers take it (RTCIceServer). */
export interface IceServer {
  readonly urls: readonly string[];
  readonly username: string;
  readonly credential: string;
}

/** Browser: the person wants this. ``intent_id`` is unique; a repeated one is answered from memory, not repeated. */
export interface Intent {
  readonly type: 'intent';
  readonly intent_id: string;
  readonly intent: 'agent.not_ready' | 'agent.ready' | 'call.dial' | 'call.override_hours' | 'callback.call_now' | 'callback.call_off' | 'callback.hand_over' | 'callback.promise' | 'callback.to_top' | 'consult.cancel' | 'consult.complete' | 'consult.conference' | 'consult.swap' | 'contact.consult' | 'contact.finish' | 'contact.give_back' | 'contact.hang_up' | 'contact.hold' | 'contact.identify' | 'contact.move' | 'contact.park' | 'contact.resume' | 'contact.secure' | 'contact.send_digits' | 'contact.supervise' | 'contact.transfer' | 'message.hand_over' | 'offer.accept' | 'offer.decline' | 'park.retrieve' | 'queue.close' | 'queue.open' | 'recording.pause' | 'recording.resume' | 'recording.start' | 'recording.stop' | 'wrap_up.extend' | 'wrap_up.finish';
  readonly contact_id?: string | null;
  readonly reason?: string | null;
  readonly customer_id?: string | null;
  readonly disposition?: string | null;
  readonly notes?: string | null;
  readonly target_kind?: string | null;
  readonly target?: string | null;
  readonly slot?: string | null;
  readonly how?: string | null;
  readonly from_user?: string | null;
  readonly to_user?: string | null;
  readonly digits?: string | null;
}

/** Server: the intent was carried out; what it changed comes as deltas, to everybody alike. */
export interface IntentAccepted {
  readonly v: 1;
  readonly type: 'intent.accepted';
  readonly intent_id: string;
}

/** Server: the intent was refused; ``code`` is stable (``phone-not-registered``), ``message`` is for people. */
export interface IntentRefused {
  readonly v: 1;
  readonly type: 'intent.refused';
  readonly intent_id: string;
  readonly code: string;
  readonly message: string;
}

/** What the customer store knew about a caller. */
export type MatchState = 'many' | 'none' | 'one' | 'pending' | 'unavailable';

export type Numbered = Snapshot | AgentChanged | QueueChanged | ContactChanged | ContactRemoved | CallbackChanged | CallbackRemoved;

/** Browser: are you there? Answered by ``pong``. */
export interface Ping {
  readonly type: 'ping';
}

/** Server: the answer to ``ping``. */
export interface Pong {
  readonly v: 1;
  readonly type: 'pong';
  readonly server_time: number;
}

/** A party whose line sounds poor now; the figures are of the last five seconds, in the worse direction. */
export interface PoorLine {
  readonly role: string;
  readonly mos: number;
  readonly loss_percent: number;
  readonly jitter_ms: number;
  readonly round_trip_ms: number | null;
}

/** A queue is now this. */
export interface QueueChanged {
  readonly v: 1;
  /** This frame's number. */
  readonly seq: number;
  /** The number of the numbered frame this browser got before; 0 for a snapshot. */
  readonly after: number;
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly type: 'queue.changed';
  readonly queue: QueueView;
}

/** One queue on the floor: its calls, and in ``channels`` what else there is. Counts are since midnight of the site's time zone. */
export interface QueueView {
  readonly queue_id: string;
  readonly name: string;
  readonly waiting: number;
  readonly longest_waiting_since: number | null;
  readonly offered: number;
  readonly answered: number;
  readonly abandoned: number;
  readonly answered_in_target: number;
  readonly target_seconds: number;
  readonly closed: boolean;
  readonly channels: readonly ChannelView[];
  readonly target_percent: number;
}

/** How it stands with the recording of a conversation. */
export type RecordingState = 'failed' | 'impaired' | 'paused' | 'recording';

/** Browser: something is missing, send a snapshot. */
export interface Resync {
  readonly type: 'resync';
}

/** A contact rings at this agent. */
export interface RingView {
  readonly agent_id: string;
  readonly offered_at: number;
  readonly expires_at: number;
}

/** What a person may do. */
export type Role = 'administrator' | 'agent' | 'auditor' | 'integration' | 'supervisor' | 'team_lead';

/** Who is signed in. */
export interface SessionView {
  readonly user_id: string;
  readonly name: string;
  readonly roles: readonly Role[];
  readonly agent_id: string | null;
  readonly language: string;
  readonly queue_ids: readonly string[];
  readonly teams: readonly string[];
  readonly sees_floor: boolean;
}

/** Server: everything this browser may see; replaces what it had. Starts the numbering at ``seq``. */
export interface Snapshot {
  readonly v: 1;
  /** This frame's number. */
  readonly seq: number;
  /** The number of the numbered frame this browser got before; 0 for a snapshot. */
  readonly after: number;
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly type: 'snapshot';
  readonly floor: FloorView;
}

/** Browser: the answer to a ``softphone.offer``: the agent accepted, or the page has connected again. */
export interface SoftphoneAnswer {
  readonly type: 'softphone.answer';
  readonly leg_id: string;
  readonly sdp: string;
}

/** Server: this leg is over, also when it only rang. */
export interface SoftphoneEnded {
  readonly v: 1;
  readonly type: 'softphone.ended';
  readonly leg_id: string;
}

/** Browser: this page's phone takes no more calls. */
export interface SoftphoneGone {
  readonly type: 'softphone.gone';
}

/** Server: connect by this description. ``purpose`` is ``ring`` (once the agent accepts), ``attach`` (at once: the call is up, begin anew) or ``restart`` (at once: the same connection by another path). */
export interface SoftphoneOffer {
  readonly v: 1;
  readonly type: 'softphone.offer';
  readonly leg_id: string;
  readonly purpose: string;
  readonly sdp: string;
}

/** Browser: this page's phone can take calls. Said after each ``hello``; the newest page of an agent has the phone. ``phone_id`` is random and lives as long as the page: a page that was reloaded says another one, and gets the calls that are up offered anew. */
export interface SoftphoneReady {
  readonly type: 'softphone.ready';
  readonly phone_id: string;
}

/** Browser: the way to the exchange is disturbed, offer it again. ``fresh``: this page had to begin from nothing. */
export interface SoftphoneReconnect {
  readonly type: 'softphone.reconnect';
  readonly leg_id: string;
  readonly fresh?: boolean;
}

/** Server: another page of the same agent has the phone now. */
export interface SoftphoneReplaced {
  readonly v: 1;
  readonly type: 'softphone.replaced';
}

/** Server: the phone is known; these servers help to reach us. */
export interface SoftphoneWelcome {
  readonly v: 1;
  readonly type: 'softphone.welcome';
  readonly ice_servers: readonly IceServer[];
}

/** How a supervisor takes part in a conversation. */
export type SupervisionMode = 'barge' | 'monitor' | 'whisper';

/** A supervisor in a conversation; ``is_there`` once the phone answered. */
export interface SupervisionView {
  readonly supervisor_id: string;
  readonly how: SupervisionMode;
  readonly is_there: boolean;
  readonly name: string;
}

/** What a call is to be connected with. */
export type TargetKind = 'agent' | 'number' | 'queue';

export type ToBrowser = Snapshot | AgentChanged | QueueChanged | ContactChanged | ContactRemoved | CallbackChanged | CallbackRemoved | Welcome | ClaimsChanged | Pong | IntentAccepted | IntentRefused | ExchangeStatus | SoftphoneWelcome | SoftphoneOffer | SoftphoneEnded | SoftphoneReplaced;

export type Unnumbered = Welcome | ClaimsChanged | Pong | IntentAccepted | IntentRefused | ExchangeStatus | SoftphoneWelcome | SoftphoneOffer | SoftphoneEnded | SoftphoneReplaced;

/** Server: the answer to ``hello``. When ``resumed`` the missed deltas follow, else a snapshot. */
export interface Welcome {
  readonly v: 1;
  readonly type: 'welcome';
  readonly epoch: string;
  readonly resumed: boolean;
  readonly server_time: number;
}

/** How the wrap-up after a call of a queue ends, so that the desk can say so beforehand. */
export interface WrapUpRule {
  readonly queue_id: string;
  readonly mode: string;
  readonly may_extend: boolean;
  readonly timeout_code: string;
}
