"""What the call machine is told, free of signalling and media detail."""

from dataclasses import dataclass

from acd.outcomes import OfferResult
from callcenter.calls.legs import EndCause
from callcenter.calls.segments import Seat, Target


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
    surveys: bool = False
    """Whether the flow goes on when the agent hangs up and the customer stays."""


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
    contact_id: str = ""
    """Which of the call's contacts; empty: the one that is being sought for."""


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

    contact_id: str = ""


@dataclass(frozen=True, slots=True)
class QueueOverflowed:
    """The queue did not let the call in or gave up on it; ``target`` is where the queue sends it.

    The machine takes it as one of the three that follow, or as a search that failed.
    """

    target: str
    reason: str
    contact_id: str = ""


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
class SearchFailed:
    """Whoever is being sought cannot be had: the agent is not at work or did not answer in time, the number rang out.

    ``status`` says it to a phone that asked for a transfer.
    """

    contact_id: str = ""
    status: int = 480


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
    """The leg of the agent who is sought ended after it was answered."""

    leg_id: str
    cause: EndCause


@dataclass(frozen=True, slots=True)
class AgentLeft:
    """The leg of the agent who has the customer ended. Told as ``AgentGone``; the machine knows whose leg it is."""

    leg_id: str
    cause: EndCause


@dataclass(frozen=True, slots=True)
class TalkOver:
    """The agent hung up, by phone or at the desk, and the customer is to be asked something. Told as ``AgentGone`` or
    ``HangUpOrdered``; the machine knows that the flow goes on."""

    gone: bool
    """Whether the agent's leg has ended already."""


@dataclass(frozen=True, slots=True)
class ConsultedLeft:
    """The second party's leg ended. Told as ``AgentGone``."""

    leg_id: str
    cause: EndCause


@dataclass(frozen=True, slots=True)
class NumberRinging:
    """It rings at the number that is dialled beside the customer. Told as ``AgentRinging``."""

    leg_id: str


@dataclass(frozen=True, slots=True)
class NumberAnswered:
    """The number that is dialled beside the customer answered. Told as ``AgentAnswered``."""

    leg_id: str


@dataclass(frozen=True, slots=True)
class NumberRefused:
    """The number that is dialled beside the customer refused. Told as ``AgentRefused``."""

    leg_id: str
    status: int


@dataclass(frozen=True, slots=True)
class NumberEarlyMedia:
    """The number outside that is sought sounds before it answers."""

    leg_id: str


@dataclass(frozen=True, slots=True)
class CustomerEarlyMedia:
    """Whoever is called sounds before the answer."""


@dataclass(frozen=True, slots=True)
class StillOffered:
    """Other phones ring on; follows upon the end of one of several offers, like the two below."""


@dataclass(frozen=True, slots=True)
class StillConnecting:
    """Another phone was answered, and routing has yet to confirm that."""


@dataclass(frozen=True, slots=True)
class StillLost:
    """A phone that answered and went away is one that routing has yet to speak of."""


@dataclass(frozen=True, slots=True)
class DialStarted:
    """The second party is a number, and is being dialled; follows upon the order."""


@dataclass(frozen=True, slots=True)
class NobodyLeft:
    """There is nobody whom the customer could go back to; follows upon a failed transfer."""


@dataclass(frozen=True, slots=True)
class CustomerRinging:
    """It rings at whoever an agent called."""


@dataclass(frozen=True, slots=True)
class CustomerAnswered:
    """Whoever an agent called answered."""


@dataclass(frozen=True, slots=True)
class CustomerRefused:
    """Whoever an agent called refused, or was not reached."""

    status: int


@dataclass(frozen=True, slots=True)
class DialOrdered:
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


@dataclass(frozen=True, slots=True)
class CallBackOrdered:
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


@dataclass(frozen=True, slots=True)
class Greeted:
    """The customer who was called back heard who calls, or could not."""


@dataclass(frozen=True, slots=True)
class PhoneDialled:
    """An agent's phone calls ``target``. ``engage`` is false for an agent who has a call already and asks somebody."""

    agent_id: str
    queue_id: str
    leg_id: str
    target: Target
    called_leg_id: str
    engage: bool = True


@dataclass(frozen=True, slots=True)
class EngagementRefused:
    """Routing does not agree: the agent is rung or busy at this moment."""

    contact_id: str


@dataclass(frozen=True, slots=True)
class HoldOrdered:
    """The agent wants the customer to wait. ``contact_id`` of this and the following: whose order it is."""

    contact_id: str = ""


@dataclass(frozen=True, slots=True)
class ResumeOrdered:
    """The agent wants to talk with the customer again."""

    contact_id: str = ""


@dataclass(frozen=True, slots=True)
class ColleagueOrdered:
    """In a call between colleagues the one who sits in the customer's place gives an order; the machine tells so."""

    order: "CallEvent"


@dataclass(frozen=True, slots=True)
class TransferOrdered:
    """The agent, or by REFER the agent's phone, hands the customer on; ``leg_id`` is for a number."""

    target: Target
    leg_id: str
    contact_id: str = ""
    refer_leg_id: str = ""
    """The phone's leg that wants to hear how it goes."""


@dataclass(frozen=True, slots=True)
class ConsultOrdered:
    """The agent wants to ask somebody."""

    target: Target
    leg_id: str
    contact_id: str = ""


@dataclass(frozen=True, slots=True)
class ExitChosen:
    """The waiting customer pressed the key that leads out of the queue."""


@dataclass(frozen=True, slots=True)
class PartyBrought:
    """The agent's phone joins another call of its own to this one (REFER with Replaces): ``party`` is its far end."""

    party: Seat
    refer_leg_id: str
    contact_id: str = ""


@dataclass(frozen=True, slots=True)
class PartyTaken:
    """The far end of this call was joined to another one; nothing is left here."""

    contact_id: str = ""


@dataclass(frozen=True, slots=True)
class PickedUp:
    """An agent's phone calls us to take over what rings at a colleague, or waits in a park slot."""

    leg_id: str
    agent_id: str
    queue_id: str


@dataclass(frozen=True, slots=True)
class PickUpGranted:
    """Routing agreed: it is that agent's now."""

    leg_id: str


@dataclass(frozen=True, slots=True)
class PickUpRefused:
    """Routing does not let the agent have it: rung or busy by now."""

    leg_id: str


@dataclass(frozen=True, slots=True)
class LegMoved:
    """An agent goes on at another phone of the own."""

    leg_id: str
    new_leg_id: str


@dataclass(frozen=True, slots=True)
class CompleteOrdered:
    """The agent connects customer and second party and leaves."""

    contact_id: str = ""


@dataclass(frozen=True, slots=True)
class HandedOut:
    """As ``CompleteOrdered`` when the second party is a number outside; the machine tells them apart."""


@dataclass(frozen=True, slots=True)
class LeftWithNumber:
    """A colleague is alone with a number outside, and has the call from here on."""


@dataclass(frozen=True, slots=True)
class CancelOrdered:
    """The agent wants the second party no more."""

    contact_id: str = ""


@dataclass(frozen=True, slots=True)
class SwapOrdered:
    """The agent wants to talk with the other one."""

    contact_id: str = ""


@dataclass(frozen=True, slots=True)
class ConferenceOrdered:
    """The agent wants all to talk together."""

    contact_id: str = ""


@dataclass(frozen=True, slots=True)
class ParkOrdered:
    """The agent parks the customer in this slot until this instant."""

    slot: str
    until: int
    contact_id: str = ""
    refer_leg_id: str = ""
    """The phone's leg that transferred to the code for it; the slot is said to it."""


@dataclass(frozen=True, slots=True)
class RetrieveOrdered:
    """An agent takes the parked customer up, by this leg."""

    agent_id: str
    queue_id: str
    leg_id: str


@dataclass(frozen=True, slots=True)
class ParkExpired:
    """Nobody took the parked customer up."""


@dataclass(frozen=True, slots=True)
class DeclineOrdered:
    """The agent declined at the desk; ``agent_id`` may be empty while only one phone rings."""

    contact_id: str = ""
    agent_id: str = ""


@dataclass(frozen=True, slots=True)
class HangUpOrdered:
    """The agent hung up at the desk."""

    contact_id: str = ""


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
