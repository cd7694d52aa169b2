"""What the call machine is told, free of signalling and media detail."""

from dataclasses import dataclass

from acd.outcomes import OfferResult
from callcenter.calls.legs import EndCause


@dataclass(frozen=True, slots=True)
class AnswerRequested:
    """The flow wants the call answered."""


@dataclass(frozen=True, slots=True)
class QueueRequested:
    """The flow hands the call to a queue."""

    queue_id: str
    priority: int
    required_skills: tuple[tuple[str, int], ...]
    language: str | None
    plan: str = ""
    """The route plan of the house to go by; empty: that of the queue."""
    agent: str = ""
    """The agent to ask first for ``agent_ms``; empty: none."""
    agent_ms: int = 0
    may_return: bool = False
    """Whether the flow goes on when the queue does not take the call."""


@dataclass(frozen=True, slots=True)
class HangUpRequested:
    """The flow ends the call; ``reason`` is the flow's word for it."""

    reason: str


@dataclass(frozen=True, slots=True)
class CustomerGone:
    """The customer's leg ended."""

    cause: EndCause


@dataclass(frozen=True, slots=True)
class AgentOffered:
    """Routing chose an agent; ``leg_id`` is the id for the leg to be started."""

    offer_id: str
    agent_id: str
    queue_id: str
    expires_at: int
    leg_id: str


@dataclass(frozen=True, slots=True)
class OfferTakenBack:
    """Routing ended the offer: expired, declined or withdrawn."""

    offer_id: str
    result: OfferResult


@dataclass(frozen=True, slots=True)
class OfferConfirmed:
    """Routing confirms that the offer stood when the agent answered."""

    offer_id: str


@dataclass(frozen=True, slots=True)
class OfferTooLate:
    """Routing says that the offer no longer stood when the agent answered."""

    offer_id: str


@dataclass(frozen=True, slots=True)
class QueueVanished:
    """The queue was removed; nobody will come."""


@dataclass(frozen=True, slots=True)
class QueueOverflowed:
    """The queue did not let the call in or gave up on it; ``target`` is where the queue sends it.

    The machine takes it as one of the three that follow.
    """

    target: str
    reason: str


@dataclass(frozen=True, slots=True)
class QueueMoved:
    """The call goes on to another queue and keeps the instant since when it waits."""

    queue_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class QueueLeft:
    """The call goes back to its flow."""

    reason: str


@dataclass(frozen=True, slots=True)
class QueueGaveUp:
    """There is nowhere else for the call to go."""

    reason: str


@dataclass(frozen=True, slots=True)
class AgentRinging:
    """The agent's phone rings."""

    leg_id: str


@dataclass(frozen=True, slots=True)
class AgentAnswered:
    """The agent's phone answered."""

    leg_id: str


@dataclass(frozen=True, slots=True)
class AgentRefused:
    """The agent's phone refused, or was not reached; ``status`` is the final SIP status."""

    leg_id: str
    status: int


@dataclass(frozen=True, slots=True)
class AgentGone:
    """The agent's leg ended after it was answered."""

    leg_id: str
    cause: EndCause


@dataclass(frozen=True, slots=True)
class DeclineOrdered:
    """The agent declined at the desk."""


@dataclass(frozen=True, slots=True)
class HangUpOrdered:
    """The agent hung up at the desk."""


@dataclass(frozen=True, slots=True)
class MediaFailed:
    """The call's audio is gone for good, or could not be set up; ``cause`` is what the customer's leg is told."""

    detail: str
    cause: EndCause = EndCause.ERROR


@dataclass(frozen=True, slots=True)
class ShutdownOrdered:
    """The exchange is closing down."""


CallEvent = (
    AnswerRequested
    | QueueRequested
    | HangUpRequested
    | CustomerGone
    | AgentOffered
    | OfferTakenBack
    | OfferConfirmed
    | OfferTooLate
    | QueueVanished
    | QueueOverflowed
    | QueueMoved
    | QueueLeft
    | QueueGaveUp
    | AgentRinging
    | AgentAnswered
    | AgentRefused
    | AgentGone
    | DeclineOrdered
    | HangUpOrdered
    | MediaFailed
    | ShutdownOrdered
)
