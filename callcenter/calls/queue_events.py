"""What flow and queue tell the call machine: who is asked for, who was found, what the queue does with who waits."""

import msgspec

from acd.outcomes import OfferResult


class AnswerRequested(msgspec.Struct, frozen=True):
    """The flow wants the call answered."""


class QueueRequested(msgspec.Struct, frozen=True):
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
    surveys: bool = False
    """Whether the flow goes on when the agent hangs up and the customer stays."""


class HangUpRequested(msgspec.Struct, frozen=True):
    """The flow ends the call; ``reason`` is the flow's word for it."""

    reason: str


class AgentOffered(msgspec.Struct, frozen=True):
    """Routing chose an agent; ``leg_id`` is the id for the leg to be started."""

    offer_id: str
    agent_id: str
    queue_id: str
    expires_at: int
    leg_id: str
    contact_id: str = ""
    """Which of the call's contacts; empty: the one that is being sought for."""


class OfferTakenBack(msgspec.Struct, frozen=True):
    """Routing ended the offer: expired, declined or withdrawn."""

    offer_id: str
    result: OfferResult


class OfferConfirmed(msgspec.Struct, frozen=True):
    """Routing confirms that the offer stood when the agent answered."""

    offer_id: str


class OfferTooLate(msgspec.Struct, frozen=True):
    """Routing says that the offer no longer stood when the agent answered."""

    offer_id: str


class QueueVanished(msgspec.Struct, frozen=True):
    """The queue was removed; nobody will come."""

    contact_id: str = ""


class QueueOverflowed(msgspec.Struct, frozen=True):
    """The queue did not let the call in or gave up on it; ``target`` is where the queue sends it.

    The machine takes it as one of the three that follow, or as a search that failed.
    """

    target: str
    reason: str
    contact_id: str = ""


class QueueMoved(msgspec.Struct, frozen=True):
    """The call goes on to another queue and keeps the instant since when it waits."""

    queue_id: str
    reason: str


class QueueLeft(msgspec.Struct, frozen=True):
    """The call goes back to its flow."""

    reason: str


class QueueGaveUp(msgspec.Struct, frozen=True):
    """There is nowhere else for the call to go."""

    reason: str


class SearchFailed(msgspec.Struct, frozen=True):
    """Whoever is being sought cannot be had: the agent is not at work or did not answer in time, the number rang out.

    ``status`` says it to a phone that asked for a transfer.
    """

    contact_id: str = ""
    status: int = 480


class StillOffered(msgspec.Struct, frozen=True):
    """Other phones ring on; follows upon the end of one of several offers, like the two below."""


class StillConnecting(msgspec.Struct, frozen=True):
    """Another phone was answered, and routing has yet to confirm that."""


class StillLost(msgspec.Struct, frozen=True):
    """A phone that answered and went away is one that routing has yet to speak of."""


class DialStarted(msgspec.Struct, frozen=True):
    """The second party is a number, and is being dialled; follows upon the order."""


class NobodyLeft(msgspec.Struct, frozen=True):
    """There is nobody whom the customer could go back to; follows upon a failed transfer."""


class Greeted(msgspec.Struct, frozen=True):
    """The customer who was called back heard who calls, or could not."""


class EngagementRefused(msgspec.Struct, frozen=True):
    """Routing does not agree: the agent is rung or busy at this moment."""

    contact_id: str


class ExitChosen(msgspec.Struct, frozen=True):
    """The waiting customer pressed the key that leads out of the queue."""


class ParkExpired(msgspec.Struct, frozen=True):
    """Nobody took the parked customer up."""
