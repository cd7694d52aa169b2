"""What agents order by desk or phone, and the house: the call machine is told so, free of signalling detail."""

import msgspec

from callcenter.calls.queue_events import QueueRequested
from callcenter.calls.segments import Seat, Target


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


class PhoneDialled(msgspec.Struct, frozen=True):
    """An agent's phone calls ``target``. ``engage`` is false for an agent who has a call already and asks somebody."""

    agent_id: str
    queue_id: str
    leg_id: str
    target: Target
    called_leg_id: str
    engage: bool = True


class HoldOrdered(msgspec.Struct, frozen=True):
    """The agent wants the customer to wait. ``contact_id`` of this and the following: whose order it is."""

    contact_id: str = ""


class ResumeOrdered(msgspec.Struct, frozen=True):
    """The agent wants to talk with the customer again."""

    contact_id: str = ""


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


class DeclineOrdered(msgspec.Struct, frozen=True):
    """The agent declined at the desk; ``agent_id`` may be empty while only one phone rings."""

    contact_id: str = ""
    agent_id: str = ""


class HangUpOrdered(msgspec.Struct, frozen=True):
    """The agent hung up at the desk."""

    contact_id: str = ""


class ShutdownOrdered(msgspec.Struct, frozen=True):
    """The exchange is closing down."""
