"""What the engine is told. Every input is one of these facts; the host journals them before the engine sees them.

All instants are integer milliseconds on the host's clock; all durations are integer milliseconds.
"""

from dataclasses import dataclass
from enum import StrEnum

import msgspec

from acd.ids import AgentId, ContactId, OfferId, QueueId
from acd.route_plans import RoutePlan, StepGuard

NO_QUEUE = QueueId("")
"""Stands for the queue of work that is no queue's."""


class Channel(StrEnum):
    """What a contact comes by. Voice is exclusive, the others are shared: an agent may have several at once."""

    VOICE = "voice"
    CHAT = "chat"
    EMAIL = "email"
    SMS = "sms"
    MESSAGE = "message"
    """A message that was left: voicemail."""
    TASK = "task"
    """Work that nobody waits for at the other end: a form, a promise to be kept."""


class DeclineCause(StrEnum):
    """Why an agent did not take an offer."""

    DECLINED = "declined"
    """The agent refused it."""
    BUSY = "busy"
    """The agent's phone answered that it is busy."""
    UNREACHABLE = "unreachable"
    """The agent's phone could not be reached."""


class AgentOrder(StrEnum):
    """Which of several idle agents a contact gets. Equal ones go by idle time."""

    LONGEST_IDLE = "longest_idle"
    MOST_SKILLED = "most_skilled"
    """The highest sum of the levels that the contact asks for."""
    FEWEST_CALLS = "fewest_calls"
    """The fewest contacts taken since signing in."""
    LEAST_TALK_TIME = "least_talk_time"
    """The least time with contacts since signing in."""
    ROUND_ROBIN = "round_robin"
    """Whoever was offered something longest ago; who never was, as configured."""
    TOP_DOWN = "top_down"
    """The first as configured."""
    RANDOM = "random"
    """Drawn from ``FloorConfigured.seed``, each with the same chance."""


class RingStyle(StrEnum):
    """How many agents ring for one contact."""

    ONE = "one"
    """One after the other."""
    ALL = "all"
    """All who are idle and fit, and whoever becomes idle meanwhile; the first who answers has it."""
    PROGRESSIVELY = "progressively"
    """One more every ``QueueSpec.ring_step_ms``."""


class WrapUpMode(StrEnum):
    """How a wrap-up ends."""

    OPTIONAL = "optional"
    """When the agent or the clock says so; nothing is missed when it was the clock."""
    MANDATORY = "mandatory"
    """When the agent says so; there is no clock."""
    TIMED = "timed"
    """When the agent or the clock says so; the clock forces the queue's code."""
    TIMED_NO_EARLY_EXIT = "timed_no_early_exit"
    """When the clock says so; it forces the code of an agent who had not finished."""


@dataclass(frozen=True, slots=True)
class SkillLevel:
    """A skill and a level: held by an agent, or the least level a contact asks for."""

    skill: str
    level: int


@dataclass(frozen=True, slots=True)
class ChannelRule:
    """What is different for a queue's contacts of one shared channel."""

    channel: Channel
    ring_timeout_ms: int | None = None
    """``None`` is as for calls."""
    wrap_up_ms: int = 0
    """0 is no wrap-up, in whatever mode."""


@dataclass(frozen=True, slots=True)
class Interrupt:
    """Work of ``channel`` may be offered to an agent who has work of the channel ``over``."""

    channel: Channel
    over: Channel
    up_to: int | None = None
    """Beside so many of them at most; ``None`` is any number."""


@dataclass(frozen=True, slots=True)
class QueueInterrupts:
    """What a queue's contacts of one channel may be offered beside, instead of what their agents' interrupts say."""

    channel: Channel
    pairs: tuple[Interrupt, ...] = ()
    """All of this channel; none: they are offered to agents without other work only."""


@dataclass(frozen=True, slots=True)
class QueueSpec:
    """One queue as configured."""

    queue_id: QueueId
    name: str
    ring_timeout_ms: int = 20_000
    """How long an offer rings before it expires (RONA)."""
    wrap_up_ms: int = 30_000
    """Wrap-up time after a contact; 0 makes the agent ready at once."""
    plan: RoutePlan | None = None
    """The route plan of contacts that bring none; ``None`` asks every fitting agent of the queue for ever."""
    order: AgentOrder = AgentOrder.LONGEST_IDLE
    ring: RingStyle = RingStyle.ONE
    ring_step_ms: int = 10_000
    """After how long one more agent rings, when the queue rings progressively."""
    weight: int = 0
    """Added to the priority of its contacts: which queue goes first for agents who serve several."""
    max_waiting: int | None = None
    """How many contacts may wait or ring at once; one more is not let in. ``None`` is any number."""
    max_expected_wait_ms: int | None = None
    """A contact that is expected to wait longer is not let in; see ``ContactArrived.expected_wait_ms``."""
    entry: StepGuard = StepGuard.NONE
    """Who must be there for a contact to be let in; a later lack of agents is the route plan's business."""
    otherwise: str = ""
    """What the host is told to do with contacts that are not let in (``ContactOverflowed.target``)."""
    resume_window_ms: int = 0
    """How long a customer who hung up while waiting finds the place kept; 0 keeps none."""
    wrap_up_mode: WrapUpMode = WrapUpMode.TIMED
    wrap_up_extension_ms: int = 0
    """By how much in all an agent may extend a wrap-up."""
    wrap_up_timeout_code: str | None = None
    """The code that the host is told to record when the clock ends a wrap-up; ``None`` is none."""
    channels: tuple[ChannelRule, ...] = ()
    """What is different for contacts of shared channels."""
    interrupts: tuple[QueueInterrupts, ...] = ()
    """For each channel that is named, the queue's word about what its contacts may come beside; for the others, the
    agents' interrupts hold."""


@dataclass(frozen=True, slots=True)
class QueueDelay:
    """Contacts of this queue are for the agent only after they have waited so long."""

    queue_id: QueueId
    delay_ms: int


@dataclass(frozen=True, slots=True)
class Capacity:
    """So many contacts of a channel an agent may have at once. Of calls never more than one."""

    channel: Channel
    most: int


@dataclass(frozen=True, slots=True)
class AgentSpec:
    """One agent as configured."""

    agent_id: AgentId
    name: str
    queue_ids: tuple[QueueId, ...]
    skills: tuple[SkillLevel, ...] = ()
    delays: tuple[QueueDelay, ...] = ()
    """Queues for which the agent is a second line; no delay for those that are not named."""
    capacity: tuple[Capacity, ...] = ()
    """The capacity by channel; of those that are not named one call, and nothing else."""
    interrupts: tuple[Interrupt, ...] = ()
    """What may come in addition to work of another channel; nothing by default."""


@dataclass(frozen=True, slots=True)
class FloorConfigured:
    """The complete configuration; replaces the earlier one. Agents and queues that vanish are retired safely."""

    queues: tuple[QueueSpec, ...]
    agents: tuple[AgentSpec, ...]
    priority_worth_ms: int | None = None
    """Linear ageing: one point of priority is worth this much waiting (60,000: a minute). ``None`` is strict: a higher
    priority always goes first."""
    seed: int = 0
    """What random orders draw from."""
    presence_lease_ms: int | None = None
    """How long an agent counts as present after ``AgentPresenceSeen``; ``None`` asks for no presence."""
    quarantine_after: int | None = None
    """After how many offers that rang out, with none answered between, an agent may not simply ask for work again."""
    quarantine_ms: int = 300_000
    """For how long."""


class AgentSignedIn(msgspec.Struct, frozen=True):
    """An agent took a seat; the agent starts not ready."""

    agent_id: AgentId


class AgentSignedOut(msgspec.Struct, frozen=True):
    """An agent left; takes effect after the current contact when there is one."""

    agent_id: AgentId


class AgentMadeReady(msgspec.Struct, frozen=True):
    """An agent asked for work; during wrap-up this ends it, during a contact it cancels a deferred pause."""

    agent_id: AgentId
    released: bool = False
    """A supervisor asked: this ends a quarantine."""


class AgentMadeNotReady(msgspec.Struct, frozen=True):
    """An agent asked for a pause; deferred while a contact is connected, a refusal while an offer rings."""

    agent_id: AgentId
    reason: str


@dataclass(frozen=True, slots=True)
class ContactArrived:
    """A contact asks for an agent of a queue.

    ``arrived_at`` sets its place: a contact that comes back keeps the instant of its first arrival.
    A higher ``priority`` goes first. ``required_skills`` hold in every step of the plan.
    """

    contact_id: ContactId
    queue_id: QueueId
    arrived_at: int
    priority: int = 0
    required_skills: tuple[SkillLevel, ...] = ()
    plan: RoutePlan | None = None
    """The contact's own route plan, instead of its queue's."""
    identity: str | None = None
    """Whoever calls, in any form that is the same next time; finds a place that was kept. Never told in an outcome."""
    expected_wait_ms: int | None = None
    """The host's estimate at this instant (``acd.wait_estimates``): an input, so that a replay decides the same."""
    channel: Channel = Channel.VOICE
    outside_hours: bool = False
    """The host's calendar says that the queue has no hours at this instant; an input for the same reason."""
    reserve_ms: int | None = None
    """The customer is not there yet: an offer of this contact keeps an agent for so long at most, whose phone does not
    ring, and misses nothing when it is over. ``ContactPresent`` ends that. ``None``: no agent is kept."""
    is_away: bool = False
    """Nobody is at the other end: a place that was kept for a customer who is called back, until ``ContactPresent``.
    Nobody can give up there. A contact with ``reserve_ms`` is away, too."""


class ContactPresent(msgspec.Struct, frozen=True):
    """The customer who was away is there, waiting or with an agent. Offers that only kept an agent ring from now on,
    for the queue's ring timeout. ``priority`` is what it has from here on, ``None`` what it had. Nothing happens to a
    contact whose customer was there before."""

    contact_id: ContactId
    priority: int | None = None


class ContactLeft(msgspec.Struct, frozen=True):
    """The customer left before being connected."""

    contact_id: ContactId
    withdrawn: bool = False
    """Nobody gave up waiting: the host takes the contact out, because the customer chose another way, or a callback is
    made later, or never. Of a contact that is away this is always so."""


class OfferAccepted(msgspec.Struct, frozen=True):
    """The agent answered. Too late an answer is told so by an ``OfferLapsed`` outcome."""

    offer_id: OfferId


class OfferDeclined(msgspec.Struct, frozen=True):
    """The agent, or the agent's phone, refused."""

    offer_id: OfferId
    cause: DeclineCause


class ContactFinished(msgspec.Struct, frozen=True):
    """The conversation is over; the agent goes to wrap-up."""

    contact_id: ContactId


class ContactReturned(msgspec.Struct, frozen=True):
    """A contact of a shared channel is to wait again, with its age: its agent gave it back or is gone, or it is for
    another queue, or for others. One that rings rings no more; one that waits already, without another queue or plan,
    stays as it is."""

    contact_id: ContactId
    queue_id: QueueId | None = None
    """Another queue; ``None`` is the one it came from."""
    plan: RoutePlan | None = None
    """Whom to ask from now on; ``None`` is as before, and in another queue that queue's plan."""
    refused: bool = False
    """Whether its agent gave it back, and is not asked again while somebody else who fits is at work."""


class AgentEngaged(msgspec.Struct, frozen=True):
    """An agent took up a contact that routing did not choose: dialled out, was called by a colleague, took up a call
    that was parked, picked up a contact that rings at a colleague. Busy with it until ``ContactFinished``, and then
    what the agent was before: ready, or paused for the same reason.
    """

    agent_id: AgentId
    contact_id: ContactId
    queue_id: QueueId = NO_QUEUE
    """The queue it is work for, empty for none; told to nobody, and counted nowhere."""
    wrap_up_ms: int = 0
    """The wrap-up time that follows."""


class WrapUpFinished(msgspec.Struct, frozen=True):
    """The agent completed the wrap-up."""

    agent_id: AgentId
    contact_id: ContactId | None = None
    """Of which contact of a shared channel; ``None`` is the call's."""


class WrapUpExtended(msgspec.Struct, frozen=True):
    """The agent needs longer; the queue says how much longer at most. Nothing happens outside a timed wrap-up."""

    agent_id: AgentId
    by_ms: int
    contact_id: ContactId | None = None
    """As in ``WrapUpFinished``."""


class AgentPresenceSeen(msgspec.Struct, frozen=True):
    """The agent's client and phone gave a sign of life. The first one begins a lease, each later one renews it."""

    agent_id: AgentId


class AgentClientLost(msgspec.Struct, frozen=True):
    """The host has heard nothing of the agent's client for too long: the same as a lease that ended.

    For hosts that watch over clients themselves, so that signs of life need no journal.
    """

    agent_id: AgentId


class AgentDeskClosed(msgspec.Struct, frozen=True):
    """The agent has no client open: no contact of a shared channel is offered until ``AgentDeskOpened``, one that rings
    goes back unrefused, and calls go on. Signing in opens the desk, too."""

    agent_id: AgentId


class AgentDeskOpened(msgspec.Struct, frozen=True):
    """The agent's client is there; nothing happens when it was already."""

    agent_id: AgentId


class QueueClosed(msgspec.Struct, frozen=True):
    """Nobody is let in any more until ``QueueOpened``; what waits goes on unless ``send_away``.

    ``target`` is what the host is told to do with those who are not let in; ``None`` is the queue's ``otherwise``.
    """

    queue_id: QueueId
    target: str | None = None
    send_away: bool = False


class QueueOpened(msgspec.Struct, frozen=True):
    """The queue lets contacts in again; nothing happens when it did already."""

    queue_id: QueueId


Event = (
    FloorConfigured
    | AgentSignedIn
    | AgentSignedOut
    | AgentMadeReady
    | AgentMadeNotReady
    | ContactArrived
    | ContactPresent
    | ContactLeft
    | OfferAccepted
    | OfferDeclined
    | ContactFinished
    | ContactReturned
    | AgentEngaged
    | WrapUpFinished
    | WrapUpExtended
    | AgentPresenceSeen
    | AgentClientLost
    | AgentDeskClosed
    | AgentDeskOpened
    | QueueClosed
    | QueueOpened
)
