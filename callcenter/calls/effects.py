"""What the call machine orders; the runner carries it out."""

from dataclasses import dataclass

from acd.events import DeclineCause
from callcenter.calls.legs import EndCause


@dataclass(frozen=True, slots=True)
class AnswerCustomer:
    """Answer the customer's leg."""


@dataclass(frozen=True, slots=True)
class EndCustomer:
    """End the customer's leg."""

    cause: EndCause


@dataclass(frozen=True, slots=True)
class StartMusic:
    """Let the customer hear music."""


@dataclass(frozen=True, slots=True)
class StopMusic:
    """End the music."""


@dataclass(frozen=True, slots=True)
class ReturnToFlow:
    """The flow goes on; ``reason`` is why the queue gave the call back."""

    reason: str


@dataclass(frozen=True, slots=True)
class RingAgent:
    """Start the agent's leg."""

    leg_id: str
    agent_id: str


@dataclass(frozen=True, slots=True)
class EndAgent:
    """End an agent's leg in whatever state it is."""

    leg_id: str
    cause: EndCause


@dataclass(frozen=True, slots=True)
class BridgeLegs:
    """Stop the music and let customer and agent hear each other."""

    leg_id: str


@dataclass(frozen=True, slots=True)
class RequestAgent:
    """Ask routing for an agent. ``arrived_at`` keeps the place when the contact comes back."""

    queue_id: str
    arrived_at: int
    priority: int
    required_skills: tuple[tuple[str, int], ...]
    plan: str = ""
    agent: str = ""
    agent_ms: int = 0


@dataclass(frozen=True, slots=True)
class LeaveQueue:
    """Tell routing that the customer is gone before being connected."""


@dataclass(frozen=True, slots=True)
class ReportAccepted:
    """Tell routing that the agent answered."""

    offer_id: str


@dataclass(frozen=True, slots=True)
class ReportDeclined:
    """Tell routing that the agent did not take it."""

    offer_id: str
    cause: DeclineCause


@dataclass(frozen=True, slots=True)
class ReportFinished:
    """Tell routing that the conversation is over."""


@dataclass(frozen=True, slots=True)
class StopFlow:
    """The flow is not to be heard any more."""


Effect = (
    AnswerCustomer
    | EndCustomer
    | StartMusic
    | StopMusic
    | ReturnToFlow
    | RingAgent
    | EndAgent
    | BridgeLegs
    | RequestAgent
    | LeaveQueue
    | ReportAccepted
    | ReportDeclined
    | ReportFinished
    | StopFlow
)
