"""What the call machine is told, free of signalling and media detail; each kind stands in a file of its own."""

import msgspec

from callcenter.calls.order_events import (
    CallBackOrdered,
    CancelOrdered,
    CompleteOrdered,
    ConferenceOrdered,
    ConsultOrdered,
    DeclineOrdered,
    DialOrdered,
    HandedOut,
    HangUpOrdered,
    HoldOrdered,
    LegMoved,
    ParkOrdered,
    PartyBrought,
    PartyTaken,
    PhoneDialled,
    PickedUp,
    PickUpGranted,
    PickUpRefused,
    ResumeOrdered,
    RetrieveOrdered,
    ShutdownOrdered,
    SwapOrdered,
    TransferOrdered,
)
from callcenter.calls.party_events import (
    AgentAnswered,
    AgentGone,
    AgentLeft,
    AgentRefused,
    AgentRinging,
    ConsultedLeft,
    CustomerAnswered,
    CustomerEarlyMedia,
    CustomerGone,
    CustomerRefused,
    CustomerRinging,
    LeftWithNumber,
    MediaFailed,
    NumberAnswered,
    NumberEarlyMedia,
    NumberRefused,
    NumberRinging,
    TalkOver,
)
from callcenter.calls.queue_events import (
    AgentOffered,
    AnswerRequested,
    DialStarted,
    EngagementRefused,
    ExitChosen,
    Greeted,
    HangUpRequested,
    NobodyLeft,
    OfferConfirmed,
    OfferTakenBack,
    OfferTooLate,
    ParkExpired,
    QueueGaveUp,
    QueueLeft,
    QueueMoved,
    QueueOverflowed,
    QueueRequested,
    QueueVanished,
    SearchFailed,
    StillConnecting,
    StillLost,
    StillOffered,
)

__all__ = [
    "AgentAnswered",
    "AgentGone",
    "AgentLeft",
    "AgentOffered",
    "AgentRefused",
    "AgentRinging",
    "AnswerRequested",
    "CallBackOrdered",
    "CallEvent",
    "CancelOrdered",
    "ColleagueOrdered",
    "CompleteOrdered",
    "ConferenceOrdered",
    "ConsultOrdered",
    "ConsultedLeft",
    "CustomerAnswered",
    "CustomerEarlyMedia",
    "CustomerGone",
    "CustomerRefused",
    "CustomerRinging",
    "DeclineOrdered",
    "DialOrdered",
    "DialStarted",
    "EngagementRefused",
    "ExitChosen",
    "Greeted",
    "HandedOut",
    "HangUpOrdered",
    "HangUpRequested",
    "HoldOrdered",
    "LeftWithNumber",
    "LegMoved",
    "MediaFailed",
    "NobodyLeft",
    "NumberAnswered",
    "NumberEarlyMedia",
    "NumberRefused",
    "NumberRinging",
    "OfferConfirmed",
    "OfferTakenBack",
    "OfferTooLate",
    "ParkExpired",
    "ParkOrdered",
    "PartyBrought",
    "PartyTaken",
    "PhoneDialled",
    "PickUpGranted",
    "PickUpRefused",
    "PickedUp",
    "QueueGaveUp",
    "QueueLeft",
    "QueueMoved",
    "QueueOverflowed",
    "QueueRequested",
    "QueueVanished",
    "ResumeOrdered",
    "RetrieveOrdered",
    "SearchFailed",
    "ShutdownOrdered",
    "StillConnecting",
    "StillLost",
    "StillOffered",
    "SwapOrdered",
    "TalkOver",
    "TransferOrdered",
]


class ColleagueOrdered(msgspec.Struct, frozen=True):
    """In a call between colleagues the one who sits in the customer's place gives an order; the machine tells so."""

    order: "CallEvent"


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
