"""The socket's messages: one table for the wire, from which the browser's types are generated.

Server to browser, every frame is ``{"v": 1, "type": ...}``. Numbered frames carry ``seq`` (counted by the web
process) and ``after`` (the ``seq`` of the numbered frame this browser got before it): a browser whose last ``seq``
differs from ``after`` asks for a resync. Instants are integer milliseconds since the epoch.
"""

from enum import StrEnum

import msgspec

from agent_console.softphone import (
    SoftphoneAnswer,
    SoftphoneEnded,
    SoftphoneGone,
    SoftphoneOffer,
    SoftphoneReady,
    SoftphoneReconnect,
    SoftphoneReplaced,
    SoftphoneWelcome,
)

WIRE_VERSION = 1


class AgentState(StrEnum):
    """States of an agent as the console shows them."""

    OFFLINE = "offline"
    NOT_READY = "not_ready"
    READY = "ready"
    OFFERED = "offered"
    BUSY = "busy"
    WRAP_UP = "wrap_up"


class ContactState(StrEnum):
    """States of a contact as the console shows them."""

    IN_FLOW = "in_flow"
    SURVEY = "survey"
    """The agent has hung up, and the customer is asked what it was like."""
    QUEUED = "queued"
    OFFERED = "offered"
    CONNECTED = "connected"
    DIALLING = "dialling"
    """An agent calls out; it rings there, or at the agent's own phone first."""
    PARKED = "parked"
    """The customer waits in a park slot until somebody takes the call up again."""
    WRAP_UP = "wrap_up"


class ContactKind(StrEnum):
    """Why a contact is there. Every stretch of a call that is another agent's work is a contact of its own."""

    INBOUND = "inbound"
    OUTBOUND = "outbound"
    """An agent called a number."""
    INTERNAL = "internal"
    """An agent called an agent."""
    TRANSFER = "transfer"
    """Handed on by another agent."""
    CONSULT = "consult"
    """An agent was asked by another one, with the customer on hold."""
    RECALL = "recall"
    """Came back: a transfer failed, or nobody took it up in its park slot."""
    RETRIEVED = "retrieved"
    """Taken up from a park slot."""


class ConsultState(StrEnum):
    """Where the second party of a conversation stands."""

    SEEKING = "seeking"
    """Waited for, rung or dialled; the customer is on hold, or talks with the agent meanwhile."""
    TALKING = "talking"
    """Talks with the agent; the customer is on hold."""
    HELD = "held"
    """On hold while the agent talks with the customer."""
    CONFERENCE = "conference"
    """All talk together."""


class TargetKind(StrEnum):
    """What a call is to be connected with."""

    AGENT = "agent"
    QUEUE = "queue"
    NUMBER = "number"


class Channel(StrEnum):
    """What a contact came by."""

    VOICE = "voice"
    CHAT = "chat"
    EMAIL = "email"
    SMS = "sms"
    MESSAGE = "message"
    """A message that was left: voicemail."""
    TASK = "task"


class MatchState(StrEnum):
    """What the customer store knew about a caller."""

    PENDING = "pending"
    NONE = "none"
    ONE = "one"
    MANY = "many"
    UNAVAILABLE = "unavailable"


class RecordingState(StrEnum):
    """How it stands with the recording of a conversation."""

    RECORDING = "recording"
    PAUSED = "paused"
    IMPAIRED = "impaired"
    """It goes on, and audio is being lost."""
    FAILED = "failed"
    """It should be recorded and could not be."""


class ChannelLoad(msgspec.Struct, frozen=True):
    """How much of a shared channel an agent has, and may have."""

    channel: Channel
    has: int
    most: int


class AgentView(msgspec.Struct, frozen=True):
    """One agent on the floor. ``state`` is about calls and being there; ``loads`` says what else there is."""

    agent_id: str
    name: str
    state: AgentState
    since: int
    reason: str | None = None
    until: int | None = None
    pending: str | None = None
    contact_id: str | None = None
    phone_registered: bool = False
    queue_ids: tuple[str, ...] = ()
    loads: tuple[ChannelLoad, ...] = ()
    """By shared channel of which the agent takes or has something."""
    takes_calls: bool = True
    answered_by: str | None = None
    """The colleague who was the first to answer what rang here, too; until the next state."""
    is_kept: bool = False
    """Offered, and nothing rings: the agent is kept for a customer who is being called."""
    planned: str | None = None
    """What the roster has the agent do now (``on_queue``, ``break``, ``training``, ``meeting``, ``leave``)."""
    planned_until: int | None = None
    out_of_schedule_since: int | None = None
    """Doing otherwise than planned since then."""


class ChannelView(msgspec.Struct, frozen=True):
    """What is no call, in one queue, by channel; counts as in ``QueueView``."""

    channel: Channel
    waiting: int = 0
    longest_waiting_since: int | None = None
    offered: int = 0
    answered: int = 0
    abandoned: int = 0
    answered_in_target: int = 0
    target_seconds: int = 0
    target_percent: int = 80


class QueueView(msgspec.Struct, frozen=True):
    """One queue on the floor: its calls, and in ``channels`` what else there is. Counts are since midnight of the
    site's time zone."""

    queue_id: str
    name: str
    waiting: int
    longest_waiting_since: int | None
    offered: int
    answered: int
    abandoned: int
    answered_in_target: int
    target_seconds: int
    closed: bool = False
    """Whether somebody closed it: nobody is let in until it is opened again."""
    channels: tuple[ChannelView, ...] = ()
    """Channels that had anything today."""
    target_percent: int = 80
    """The share of contacts that is to be answered within ``target_seconds``."""


class CustomerMatch(msgspec.Struct, frozen=True):
    """Who the caller may be. ``customer_ids`` are candidates, best first; ``name`` is set when there is exactly one,
    and ``level`` (its code) when that one has a level."""

    state: MatchState
    customer_ids: tuple[str, ...] = ()
    name: str | None = None
    level: str | None = None


class SupervisionMode(StrEnum):
    """How a supervisor takes part in a conversation."""

    MONITOR = "monitor"
    WHISPER = "whisper"
    BARGE = "barge"


class SupervisionView(msgspec.Struct, frozen=True):
    """A supervisor in a conversation; ``is_there`` once the phone answered."""

    supervisor_id: str
    how: SupervisionMode
    is_there: bool = False
    name: str = ""
    """As the site knows the supervisor; the id for somebody it does not know any more."""


class PoorLine(msgspec.Struct, frozen=True):
    """A party whose line sounds poor now; the figures are of the last five seconds, in the worse direction."""

    role: str
    """``customer``, ``agent`` or ``consulted``."""
    mos: float
    """Estimated mean opinion score, 1 to 4.4."""
    loss_percent: float
    jitter_ms: float
    round_trip_ms: float | None = None


class CardFieldView(msgspec.Struct, frozen=True):
    """How far a customer is with one field of a card; what was typed is known to nobody."""

    field: str
    """``number``, ``expiry`` or ``code``."""
    digits: int
    is_valid: bool
    """Whether it is well-formed: length, check digit, month."""


class CardAnswerView(msgspec.Struct, frozen=True):
    """What the payment system answered. A ``result`` that begins with ``failed_`` is ours: it did not."""

    result: str
    token: str
    last4: str
    message: str


class RingView(msgspec.Struct, frozen=True):
    """A contact rings at this agent."""

    agent_id: str
    offered_at: int
    expires_at: int


class ContactView(msgspec.Struct, frozen=True):
    """One contact from its arrival to the end of its wrap-up."""

    contact_id: str
    state: ContactState
    caller: str
    caller_name: str
    called: str
    arrived_at: int
    customer: CustomerMatch
    language: str | None = None
    flow_path: tuple[str, ...] = ()
    """Labels of the menu choices taken, in order."""
    queue_id: str | None = None
    queued_at: int | None = None
    agent_id: str | None = None
    """The agent it is offered to, the first of several, or who has it."""
    offered_at: int | None = None
    offer_expires_at: int | None = None
    """These two are of the first of ``ringing``."""
    connected_at: int | None = None
    ended_at: int | None = None
    wrap_up_until: int | None = None
    diverted_from: str = ""
    """The number that the customer dialled when somebody forwarded the call here; empty otherwise."""
    kind: ContactKind = ContactKind.INBOUND
    parent_id: str | None = None
    """The contact that this one came from: handed on, consulted, parked or come back."""
    held_since: int | None = None
    """Since when the customer is on hold, for whatever reason; ``None`` while talking."""
    consult_id: str | None = None
    """The contact of the second party that the agent consults, or that the call is being handed to."""
    consult_state: ConsultState | None = None
    consult_kind: ContactKind | None = None
    """``consult``, or ``transfer`` while a blind transfer is under way."""
    consult_target_kind: TargetKind | None = None
    consult_target: str | None = None
    """The second party: an agent's or queue's id, or a number."""
    park_slot: str | None = None
    """While parked: what to ask for to take it up."""
    parked_by: str | None = None
    parked_until: int | None = None
    """When a parked call comes back to whoever parked it."""
    recording: RecordingState | None = None
    """``None`` while nothing is recorded."""
    supervision: tuple[SupervisionView, ...] = ()
    """Who listens; only people who see the whole floor see it."""
    is_supervised: bool = False
    """Whether somebody listens, where the site lets agents know of it."""
    is_secured: bool = False
    """Whether the customer types card data, heard by nobody."""
    channel: Channel = Channel.VOICE
    for_agent: str | None = None
    """The one agent whom it is for, of an item in an agent's own box."""
    recording_id: str | None = None
    """What can be heard of an item; it belongs to the call ``parent_id``."""
    recording_ms: int | None = None
    card_field: str | None = None
    """What the customer types now."""
    card_typed: tuple[CardFieldView, ...] = ()
    card_sending: bool = False
    """Whether card data is on its way to the payment system."""
    card_answer: CardAnswerView | None = None
    """What it answered last."""
    poor_lines: tuple[PoorLine, ...] = ()
    """Whose line sounds poor."""
    ringing: tuple[RingView, ...] = ()
    """Where it rings: at one agent, or at several at once."""
    text: str = ""
    """What an item says that is written."""
    orders_refused: str = ""
    """The code by which call orders of this contact's agent are refused just now, all but hanging up: ``not-yours`` of
    who was asked to join, ``not-now`` of whom a colleague has on hold or lets wait; empty while they count."""
    handed_out_by: str | None = None
    """Of a number outside with which a customer talks alone: the agent who handed the customer there."""


class CallbackState(StrEnum):
    """Where a promised callback stands."""

    IN_LINE = "in_line"
    """It waits for an agent."""
    PUT_OFF = "put_off"
    """It stands in line again at ``next_at``."""
    CALLING = "calling"
    """An agent calls, or is about to."""


class CallbackView(msgspec.Struct, frozen=True):
    """A callback that was promised and is not over."""

    callback_id: str
    queue_id: str
    number: str
    state: CallbackState
    promised_at: int
    """Since when the customer waits: what gives the callback its place."""
    ends_at: int
    """When the promise is over, whatever became of it."""
    attempts: int
    """Calls that the customer did not answer."""
    most_attempts: int
    next_at: int | None = None
    reason: str = ""
    """Why it is put off: a SIP status of the last attempt, ``no_hours``, ``store_unavailable``, ``queue_closed``,
    ``in_call``."""
    promised_by: str | None = None
    """The agent who promised it; ``None``: asked for in the menu."""
    agent_id: str | None = None
    """Who calls."""
    is_on_top: bool = False


class FloorView(msgspec.Struct, frozen=True):
    """Everything one browser may see, at one instant."""

    agents: tuple[AgentView, ...]
    queues: tuple[QueueView, ...]
    contacts: tuple[ContactView, ...]
    callbacks: tuple[CallbackView, ...] = ()


class AgentChanged(msgspec.Struct, frozen=True, tag="agent.changed"):
    """An agent is now this."""

    agent: AgentView


class QueueChanged(msgspec.Struct, frozen=True, tag="queue.changed"):
    """A queue is now this."""

    queue: QueueView


class ContactChanged(msgspec.Struct, frozen=True, tag="contact.changed"):
    """A contact is now this."""

    contact: ContactView


class ContactRemoved(msgspec.Struct, frozen=True, tag="contact.removed"):
    """A contact left the floor, or left what this browser may see."""

    contact_id: str


class CallbackChanged(msgspec.Struct, frozen=True, tag="callback.changed"):
    """A callback is now this."""

    callback: CallbackView


class CallbackRemoved(msgspec.Struct, frozen=True, tag="callback.removed"):
    """A callback is over, or left what this browser may see."""

    callback_id: str


Change = AgentChanged | QueueChanged | ContactChanged | ContactRemoved | CallbackChanged | CallbackRemoved
"""A change of the floor: the numbered deltas."""


class Hello(msgspec.Struct, frozen=True, tag="hello"):
    """Browser: the first frame. ``epoch`` and ``seq`` are those of the last numbered frame seen, to resume after it."""

    epoch: str | None = None
    seq: int | None = None


class Resync(msgspec.Struct, frozen=True, tag="resync"):
    """Browser: something is missing, send a snapshot."""


class Ping(msgspec.Struct, frozen=True, tag="ping"):
    """Browser: are you there? Answered by ``pong``."""


class Intent(msgspec.Struct, frozen=True, tag="intent"):
    """Browser: the person wants this. ``intent_id`` is unique; a repeated one is answered from memory, not repeated."""

    intent_id: str
    intent: str
    """``agent.ready``, ``agent.not_ready``, ``offer.decline``, ``contact.hang_up``, ``contact.identify``,
    ``wrap_up.finish``, ``wrap_up.extend``; items: ``offer.accept``, ``contact.finish`` (of everybody whose it may be),
    ``contact.give_back``, ``contact.transfer`` to a queue or an agent, of supervisors ``contact.move``; call control:
    ``contact.hold``, ``contact.resume``, ``contact.transfer``,
    ``contact.consult``, ``consult.complete``, ``consult.cancel``, ``consult.swap``, ``consult.conference``,
    ``contact.park``, ``park.retrieve``, ``call.dial``, ``call.override_hours``, ``contact.send_digits``,
    ``contact.secure``;
    recording: ``recording.start``, ``recording.stop``, ``recording.pause``, ``recording.resume``;
    of supervisors: ``queue.close``, ``queue.open``,
    with the queue's id as ``target``; ``contact.supervise``; of callbacks: ``callback.promise`` for the contact at
    hand, and with the callback's id as ``target`` ``callback.call_off``, ``callback.call_now``,
    ``callback.to_top``; ``callback.hand_over`` of everything that somebody promised; ``message.hand_over`` of
    what lies in somebody's own box."""
    contact_id: str | None = None
    reason: str | None = None
    customer_id: str | None = None
    disposition: str | None = None
    notes: str | None = None
    target_kind: str | None = None
    """Of transfer, consult and dial: ``agent``, ``queue`` or ``number``."""
    target: str | None = None
    """An agent's or queue's id, or a number as people write it."""
    slot: str | None = None
    """Of ``park.retrieve``: the park slot."""
    how: str | None = None
    """Of ``contact.supervise``: ``monitor``, ``whisper``, ``barge``, ``take_over``, ``leave`` or ``end``.
    Of ``contact.secure``: ``on`` (with ``number``, ``expiry`` or ``code`` as ``target``), ``send`` or ``off``."""
    from_user: str | None = None
    """Of ``callback.hand_over`` and ``message.hand_over``: who leaves."""
    to_user: str | None = None
    """Of the same: whose it is from now on."""
    digits: str | None = None
    """Of ``contact.send_digits``: ``0-9 * #``, sent to the customer or to the party that the agent talks with."""


FromBrowser = Hello | Resync | Ping | Intent | SoftphoneReady | SoftphoneGone | SoftphoneAnswer | SoftphoneReconnect


class Welcome(msgspec.Struct, frozen=True, tag="welcome"):
    """Server: the answer to ``hello``. When ``resumed`` the missed deltas follow, else a snapshot."""

    epoch: str
    resumed: bool
    server_time: int


class Snapshot(msgspec.Struct, frozen=True, tag="snapshot"):
    """Server: everything this browser may see; replaces what it had. Starts the numbering at ``seq``."""

    floor: FloorView


class Pong(msgspec.Struct, frozen=True, tag="pong"):
    """Server: the answer to ``ping``."""

    server_time: int


class IntentAccepted(msgspec.Struct, frozen=True, tag="intent.accepted"):
    """Server: the intent was carried out; what it changed comes as deltas, to everybody alike."""

    intent_id: str


class IntentRefused(msgspec.Struct, frozen=True, tag="intent.refused"):
    """Server: the intent was refused; ``code`` is stable (``phone-not-registered``), ``message`` is for people."""

    intent_id: str
    code: str
    message: str


class ExchangeStatus(msgspec.Struct, frozen=True, tag="exchange.status"):
    """Server: whether the exchange answers the web process; unnumbered."""

    up: bool


class ClaimsChanged(msgspec.Struct, frozen=True, tag="claims.changed"):
    """Server, to who may assign customers: a colleague's customer was claimed, or a claim was decided. Which they are
    the customer store tells, to each what they may see; unnumbered."""


Unnumbered = (
    Welcome
    | ClaimsChanged
    | Pong
    | IntentAccepted
    | IntentRefused
    | ExchangeStatus
    | SoftphoneWelcome
    | SoftphoneOffer
    | SoftphoneEnded
    | SoftphoneReplaced
)
Numbered = Snapshot | AgentChanged | QueueChanged | ContactChanged | ContactRemoved | CallbackChanged | CallbackRemoved
