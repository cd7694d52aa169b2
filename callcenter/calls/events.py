"""What the call machine is told, free of signalling and media detail."""

import msgspec

from acd.outcomes import OfferResult
from callcenter.calls.legs import EndCause
from callcenter.calls.segments import Seat, Target


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


class CustomerGone(msgspec.Struct, frozen=True):
    """The customer's leg ended."""

    cause: EndCause


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


class AgentRinging(msgspec.Struct, frozen=True):
    """The agent's phone rings."""

    leg_id: str


class AgentAnswered(msgspec.Struct, frozen=True):
    """The agent's phone answered."""

    leg_id: str


class AgentRefused(msgspec.Struct, frozen=True):
    """The agent's phone refused, or was not reached; ``status`` is the final SIP status."""

    leg_id: str
    status: int


class AgentGone(msgspec.Struct, frozen=True):
    """The leg of the agent who is sought ended after it was answered."""

    leg_id: str
    cause: EndCause


class AgentLeft(msgspec.Struct, frozen=True):
    """The leg of the agent who has the customer ended. Told as ``AgentGone``; the machine knows whose leg it is."""

    leg_id: str
    cause: EndCause


class TalkOver(msgspec.Struct, frozen=True):
    """The agent hung up, by phone or at the desk, and the customer is to be asked something. Told as ``AgentGone`` or
    ``HangUpOrdered``; the machine knows that the flow goes on."""

    gone: bool
    """Whether the agent's leg has ended already."""


class ConsultedLeft(msgspec.Struct, frozen=True):
    """The second party's leg ended. Told as ``AgentGone``."""

    leg_id: str
    cause: EndCause


class NumberRinging(msgspec.Struct, frozen=True):
    """It rings at the number that is dialled beside the customer. Told as ``AgentRinging``."""

    leg_id: str


class NumberAnswered(msgspec.Struct, frozen=True):
    """The number that is dialled beside the customer answered. Told as ``AgentAnswered``."""

    leg_id: str


class NumberRefused(msgspec.Struct, frozen=True):
    """The number that is dialled beside the customer refused. Told as ``AgentRefused``."""

    leg_id: str
    status: int


class NumberEarlyMedia(msgspec.Struct, frozen=True):
    """The number outside that is sought sounds before it answers."""

    leg_id: str


class CustomerEarlyMedia(msgspec.Struct, frozen=True):
    """Whoever is called sounds before the answer."""


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


class CustomerRinging(msgspec.Struct, frozen=True):
    """It rings at whoever an agent called."""


class CustomerAnswered(msgspec.Struct, frozen=True):
    """Whoever an agent called answered."""


class CustomerRefused(msgspec.Struct, frozen=True):
    """Whoever an agent called refused, or was not reached."""

    status: int


class DialOrdered(msgspec.Struct, frozen=True):
    """An agent wants to call ``target`` and is rung first, on ``leg_id``; ``called_leg_id`` is for the target."""

    agent_id: str
    queue_id: str
    leg_id: str
    target: Target
    called_leg_id: str
    engage: bool = True
    """False for an agent whom routing chose for this call: a callback."""
    callback_id: str = ""
    """The promise that this call keeps."""
    ring_ms: int | None = None
    """How long it may ring at the target; ``None`` is as for every call."""


class CallBackOrdered(msgspec.Struct, frozen=True):
    """The promise ``callback_id`` is to be kept by calling the customer, on ``called_leg_id``, before any agent is
    rung. ``arrived_at`` is the place the customer then has in the queue."""

    queue: QueueRequested
    target: Target
    called_leg_id: str
    callback_id: str
    arrived_at: int
    ring_ms: int
    agent_id: str = ""
    """Nobody orders it but the house."""


class Greeted(msgspec.Struct, frozen=True):
    """The customer who was called back heard who calls, or could not."""


class PhoneDialled(msgspec.Struct, frozen=True):
    """An agent's phone calls ``target``. ``engage`` is false for an agent who has a call already and asks somebody."""

    agent_id: str
    queue_id: str
    leg_id: str
    target: Target
    called_leg_id: str
    engage: bool = True


class EngagementRefused(msgspec.Struct, frozen=True):
    """Routing does not agree: the agent is rung or busy at this moment."""

    contact_id: str


class HoldOrdered(msgspec.Struct, frozen=True):
    """The agent wants the customer to wait. ``contact_id`` of this and the following: whose order it is."""

    contact_id: str = ""


class ResumeOrdered(msgspec.Struct, frozen=True):
    """The agent wants to talk with the customer again."""

    contact_id: str = ""


class ColleagueOrdered(msgspec.Struct, frozen=True):
    """In a call between colleagues the one who sits in the customer's place gives an order; the machine tells so."""

    order: "CallEvent"


class TransferOrdered(msgspec.Struct, frozen=True):
    """The agent, or by REFER the agent's phone, hands the customer on; ``leg_id`` is for a number."""

    target: Target
    leg_id: str
    contact_id: str = ""
    refer_leg_id: str = ""
    """The phone's leg that wants to hear how it goes."""


class ConsultOrdered(msgspec.Struct, frozen=True):
    """The agent wants to ask somebody."""

    target: Target
    leg_id: str
    contact_id: str = ""


class ExitChosen(msgspec.Struct, frozen=True):
    """The waiting customer pressed the key that leads out of the queue."""


class PartyBrought(msgspec.Struct, frozen=True):
    """The agent's phone joins another call of its own to this one (REFER with Replaces): ``party`` is its far end."""

    party: Seat
    refer_leg_id: str
    contact_id: str = ""


class PartyTaken(msgspec.Struct, frozen=True):
    """The far end of this call was joined to another one; nothing is left here."""

    contact_id: str = ""


class PickedUp(msgspec.Struct, frozen=True):
    """An agent's phone calls us to take over what rings at a colleague, or waits in a park slot."""

    leg_id: str
    agent_id: str
    queue_id: str


class PickUpGranted(msgspec.Struct, frozen=True):
    """Routing agreed: it is that agent's now."""

    leg_id: str


class PickUpRefused(msgspec.Struct, frozen=True):
    """Routing does not let the agent have it: rung or busy by now."""

    leg_id: str


class LegMoved(msgspec.Struct, frozen=True):
    """An agent goes on at another phone of the own."""

    leg_id: str
    new_leg_id: str


class CompleteOrdered(msgspec.Struct, frozen=True):
    """The agent connects customer and second party and leaves."""

    contact_id: str = ""


class HandedOut(msgspec.Struct, frozen=True):
    """As ``CompleteOrdered`` when the second party is a number outside; the machine tells them apart."""


class LeftWithNumber(msgspec.Struct, frozen=True):
    """A colleague is alone with a number outside, and has the call from here on."""


class CancelOrdered(msgspec.Struct, frozen=True):
    """The agent wants the second party no more."""

    contact_id: str = ""


class SwapOrdered(msgspec.Struct, frozen=True):
    """The agent wants to talk with the other one."""

    contact_id: str = ""


class ConferenceOrdered(msgspec.Struct, frozen=True):
    """The agent wants all to talk together."""

    contact_id: str = ""


class ParkOrdered(msgspec.Struct, frozen=True):
    """The agent parks the customer in this slot until this instant."""

    slot: str
    until: int
    contact_id: str = ""
    refer_leg_id: str = ""
    """The phone's leg that transferred to the code for it; the slot is said to it."""


class RetrieveOrdered(msgspec.Struct, frozen=True):
    """An agent takes the parked customer up, by this leg."""

    agent_id: str
    queue_id: str
    leg_id: str


class ParkExpired(msgspec.Struct, frozen=True):
    """Nobody took the parked customer up."""


class DeclineOrdered(msgspec.Struct, frozen=True):
    """The agent declined at the desk; ``agent_id`` may be empty while only one phone rings."""

    contact_id: str = ""
    agent_id: str = ""


class HangUpOrdered(msgspec.Struct, frozen=True):
    """The agent hung up at the desk."""

    contact_id: str = ""


class MediaFailed(msgspec.Struct, frozen=True):
    """The call's audio is gone for good, or could not be set up; ``cause`` is what the customer's leg is told."""

    detail: str
    cause: EndCause = EndCause.ERROR


class ShutdownOrdered(msgspec.Struct, frozen=True):
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
    | SearchFailed
    | AgentRinging
    | AgentAnswered
    | AgentRefused
    | AgentGone
    | AgentLeft
    | TalkOver
    | ConsultedLeft
    | NumberRinging
    | NumberEarlyMedia
    | CustomerEarlyMedia
    | NumberAnswered
    | NumberRefused
    | StillOffered
    | StillConnecting
    | StillLost
    | DialStarted
    | NobodyLeft
    | CustomerRinging
    | CustomerAnswered
    | CustomerRefused
    | DialOrdered
    | PhoneDialled
    | EngagementRefused
    | HoldOrdered
    | ResumeOrdered
    | ColleagueOrdered
    | TransferOrdered
    | ConsultOrdered
    | PartyBrought
    | ExitChosen
    | CallBackOrdered
    | Greeted
    | PartyTaken
    | PickedUp
    | PickUpGranted
    | PickUpRefused
    | LegMoved
    | CompleteOrdered
    | HandedOut
    | LeftWithNumber
    | CancelOrdered
    | SwapOrdered
    | ConferenceOrdered
    | ParkOrdered
    | RetrieveOrdered
    | ParkExpired
    | DeclineOrdered
    | HangUpOrdered
    | MediaFailed
    | ShutdownOrdered
)
