"""What the engine says in return: orders (imperative) to be carried out and facts (past tense) to be told."""

from enum import StrEnum

import msgspec

from acd.events import Channel
from acd.ids import AgentId, ContactId, OfferId, QueueId


class AgentState(StrEnum):
    """Where an agent stands."""

    OFFLINE = "offline"
    NOT_READY = "not_ready"
    READY = "ready"
    OFFERED = "offered"
    BUSY = "busy"
    WRAP_UP = "wrap_up"


class OfferResult(StrEnum):
    """How an offer ended."""

    ACCEPTED = "accepted"
    DECLINED = "declined"
    EXPIRED = "expired"
    """The ring timeout passed (RONA): the contact keeps its place, the agent becomes not ready."""
    WITHDRAWN = "withdrawn"
    """The customer left, or the agent stopped being available."""


class DequeueReason(StrEnum):
    """Why a contact stopped waiting."""

    ASSIGNED = "assigned"
    ABANDONED = "abandoned"
    WITHDRAWN = "withdrawn"
    """The host took it out; nobody gave up waiting (``ContactLeft.withdrawn``)."""
    QUEUE_REMOVED = "queue_removed"
    MOVED = "moved"
    """It is for another queue now; ``ContactQueued`` follows."""
    OVERFLOWED = "overflowed"
    """It was not let in, or its route plan came to the end; ``ContactOverflowed`` follows."""


class OverflowReason(StrEnum):
    """Why a contact was sent elsewhere."""

    PLAN_OVER = "plan_over"
    QUEUE_FULL = "queue_full"
    WAIT_TOO_LONG = "wait_too_long"
    NOBODY_THERE = "nobody_there"
    QUEUE_CLOSED = "queue_closed"
    CLOSED_HOURS = "closed_hours"
    """It came outside the queue's hours; see ``ContactArrived.outside_hours``."""


class Decision(msgspec.Struct, frozen=True):
    """Why this pair: enough to explain the offer without replaying.

    ``winner_key`` and ``runner_up_key`` are the compared tuples rendered as text, best first;
    ``runner_up`` is the contact or agent that came second, ``None`` when there was no other.
    """

    rule: str
    candidates: int
    winner_key: str
    runner_up: str | None
    runner_up_key: str | None
    step: int = 0
    """Which step of the contact's route plan held, counted from 0."""


class OfferContact(msgspec.Struct, frozen=True):
    """Order: ring this agent for this contact until ``expires_at``."""

    offer_id: OfferId
    contact_id: ContactId
    agent_id: AgentId
    queue_id: QueueId
    expires_at: int
    decision: Decision


class OfferRings(msgspec.Struct, frozen=True):
    """An offer for which an agent was only kept rings from now on, until ``expires_at``."""

    offer_id: OfferId
    contact_id: ContactId
    agent_id: AgentId
    queue_id: QueueId
    expires_at: int


class WithdrawOffer(msgspec.Struct, frozen=True):
    """Order: stop ringing the agent for this offer."""

    offer_id: OfferId
    contact_id: ContactId
    agent_id: AgentId
    result: OfferResult


class ContactQueued(msgspec.Struct, frozen=True):
    """A contact waits; also told when it returns to its place after an offer that failed."""

    contact_id: ContactId
    queue_id: QueueId
    arrived_at: int
    priority: int
    returned: bool
    resumed: bool = False
    """The customer hung up while waiting a short while ago and has the old place again."""
    channel: Channel = Channel.VOICE
    is_away: bool = False
    """Nobody is at the other end yet; ``CustomerCame`` will say when."""


class CustomerCame(msgspec.Struct, frozen=True):
    """The customer of a contact that was away is there: waits from now on, or is ``connected`` with its agent."""

    contact_id: ContactId
    queue_id: QueueId
    connected: bool


class ContactStepEntered(msgspec.Struct, frozen=True):
    """A waiting contact went on to a later step of its route plan. ``until`` is when that step ends, if ever."""

    contact_id: ContactId
    queue_id: QueueId
    step: int
    until: int | None


class ContactOverflowed(msgspec.Struct, frozen=True):
    """Order: do what ``target`` says instead, as the queue or the route plan has it. The engine let the contact go."""

    contact_id: ContactId
    queue_id: QueueId
    target: str
    waited_ms: int
    reason: OverflowReason = OverflowReason.PLAN_OVER


class ContactDequeued(msgspec.Struct, frozen=True):
    """A contact stopped waiting."""

    contact_id: ContactId
    queue_id: QueueId
    reason: DequeueReason
    waited_ms: int
    channel: Channel = Channel.VOICE
    is_away: bool = False
    """Nobody was at the other end; if an agent has it now, ``CustomerCame`` may follow."""


class ContactAssigned(msgspec.Struct, frozen=True):
    """The offer was accepted in time: connect the two."""

    offer_id: OfferId
    contact_id: ContactId
    agent_id: AgentId
    queue_id: QueueId
    waited_ms: int
    channel: Channel = Channel.VOICE


class OfferEnded(msgspec.Struct, frozen=True):
    """An offer came to its one end."""

    offer_id: OfferId
    contact_id: ContactId
    agent_id: AgentId
    result: OfferResult


class OfferLapsed(msgspec.Struct, frozen=True):
    """An answer to an offer that no longer stands; whoever answered must be released."""

    offer_id: OfferId


class AgentStateChanged(msgspec.Struct, frozen=True):
    """An agent's state is now this. ``until`` is the deadline of a timed state, ``pending`` what comes after it."""

    agent_id: AgentId
    state: AgentState
    since: int
    reason: str | None = None
    contact_id: ContactId | None = None
    until: int | None = None
    pending: str | None = None
    """``"not_ready:<reason>"`` or ``"offline"`` when deferred, else ``None``."""
    works: tuple[ContactId, ...] = ()
    """The contacts of shared channels that the agent has besides, ringing ones and those being wrapped up included."""


class WorkWrapUpBegun(msgspec.Struct, frozen=True):
    """A contact of a shared channel is over and its agent's wrap-up of it goes on, also told when it is extended; it
    keeps its place in the agent's capacity. ``until`` is when the clock ends it, ``None`` for no clock."""

    agent_id: AgentId
    contact_id: ContactId
    until: int | None


class WorkEnded(msgspec.Struct, frozen=True):
    """An agent is through with a contact of a shared channel that was connected, its wrap-up included, or has given it
    back."""

    agent_id: AgentId
    contact_id: ContactId


class WrapUpCodeForced(msgspec.Struct, frozen=True):
    """Order: the clock ended a wrap-up that the agent had not finished; record this code for the contact."""

    agent_id: AgentId
    contact_id: ContactId
    code: str


class QueueDoorChanged(msgspec.Struct, frozen=True):
    """A queue lets contacts in again, or lets nobody in any more."""

    queue_id: QueueId
    is_open: bool


Outcome = (
    OfferContact
    | OfferRings
    | WithdrawOffer
    | ContactQueued
    | CustomerCame
    | ContactStepEntered
    | ContactDequeued
    | ContactOverflowed
    | ContactAssigned
    | OfferEnded
    | OfferLapsed
    | AgentStateChanged
    | WorkWrapUpBegun
    | WorkEnded
    | WrapUpCodeForced
    | QueueDoorChanged
)
