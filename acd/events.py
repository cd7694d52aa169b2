"""What the engine is told. Every input is one of these facts; the host journals them before the engine sees them.

All instants are integer milliseconds on the host's clock; all durations are integer milliseconds.
"""

from dataclasses import dataclass
from enum import StrEnum

from acd.ids import AgentId, ContactId, OfferId, QueueId


class DeclineCause(StrEnum):
    """Why an agent did not take an offer."""

    DECLINED = "declined"
    """The agent refused it."""
    BUSY = "busy"
    """The agent's phone answered that it is busy."""
    UNREACHABLE = "unreachable"
    """The agent's phone could not be reached."""


@dataclass(frozen=True, slots=True)
class SkillLevel:
    """A skill and a level: held by an agent, or the least level a contact asks for."""

    skill: str
    level: int


@dataclass(frozen=True, slots=True)
class QueueSpec:
    """One queue as configured."""

    queue_id: QueueId
    name: str
    ring_timeout_ms: int = 20_000
    """How long an offer rings before it expires (RONA)."""
    wrap_up_ms: int = 30_000
    """Wrap-up time after a contact; 0 makes the agent ready at once."""


@dataclass(frozen=True, slots=True)
class AgentSpec:
    """One agent as configured."""

    agent_id: AgentId
    name: str
    queue_ids: tuple[QueueId, ...]
    skills: tuple[SkillLevel, ...] = ()


@dataclass(frozen=True, slots=True)
class FloorConfigured:
    """The complete configuration; replaces the earlier one. Agents and queues that vanish are retired safely."""

    queues: tuple[QueueSpec, ...]
    agents: tuple[AgentSpec, ...]


@dataclass(frozen=True, slots=True)
class AgentSignedIn:
    """An agent took a seat; the agent starts not ready."""

    agent_id: AgentId


@dataclass(frozen=True, slots=True)
class AgentSignedOut:
    """An agent left; takes effect after the current contact when there is one."""

    agent_id: AgentId


@dataclass(frozen=True, slots=True)
class AgentMadeReady:
    """An agent asked for work; during wrap-up this ends it, during a contact it cancels a deferred pause."""

    agent_id: AgentId


@dataclass(frozen=True, slots=True)
class AgentMadeNotReady:
    """An agent asked for a pause; deferred while a contact is connected, a refusal while an offer rings."""

    agent_id: AgentId
    reason: str


@dataclass(frozen=True, slots=True)
class ContactArrived:
    """A contact asks for an agent of a queue.

    ``arrived_at`` sets its place: a contact that comes back keeps the instant of its first arrival.
    A higher ``priority`` goes first.
    """

    contact_id: ContactId
    queue_id: QueueId
    arrived_at: int
    priority: int = 0
    required_skills: tuple[SkillLevel, ...] = ()


@dataclass(frozen=True, slots=True)
class ContactLeft:
    """The customer left before being connected."""

    contact_id: ContactId


@dataclass(frozen=True, slots=True)
class OfferAccepted:
    """The agent answered. Too late an answer is told so by an ``OfferLapsed`` outcome."""

    offer_id: OfferId


@dataclass(frozen=True, slots=True)
class OfferDeclined:
    """The agent, or the agent's phone, refused."""

    offer_id: OfferId
    cause: DeclineCause


@dataclass(frozen=True, slots=True)
class ContactFinished:
    """The conversation is over; the agent goes to wrap-up."""

    contact_id: ContactId


@dataclass(frozen=True, slots=True)
class WrapUpFinished:
    """The agent completed the wrap-up."""

    agent_id: AgentId


Event = (
    FloorConfigured
    | AgentSignedIn
    | AgentSignedOut
    | AgentMadeReady
    | AgentMadeNotReady
    | ContactArrived
    | ContactLeft
    | OfferAccepted
    | OfferDeclined
    | ContactFinished
    | WrapUpFinished
)
