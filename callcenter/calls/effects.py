"""What the call machine orders; the runner carries it out."""

import msgspec

from acd.events import DeclineCause
from callcenter.calls.legs import EndCause
from callcenter.calls.participants import Conversation, Role
from callcenter.ports import TrunkPolicy

CUSTOMER_LEG = "customer"
"""What the customer's leg is called in a ``Converse`` and in the media session."""


class AnswerCustomer(msgspec.Struct, frozen=True):
    """Answer the customer's leg."""


class EndCustomer(msgspec.Struct, frozen=True):
    """End the customer's leg."""

    cause: EndCause


class Converse(msgspec.Struct, frozen=True):
    """Let these legs hear each other as the mode says; whoever waits hears music. ``CUSTOMER_LEG`` is the customer."""

    mode: Conversation
    legs: tuple[tuple[str, Role], ...]


class ReturnToFlow(msgspec.Struct, frozen=True):
    """The flow goes on; ``reason`` is why the queue gave the call back."""

    reason: str


class RingAgent(msgspec.Struct, frozen=True):
    """Start the agent's leg. ``engage``: routing did not choose this agent and must first agree."""

    leg_id: str
    agent_id: str
    contact_id: str
    engage: bool = False


class EngageAgent(msgspec.Struct, frozen=True):
    """Tell routing that this agent is busy with a contact that it did not choose."""

    contact_id: str
    agent_id: str


class PickUp(msgspec.Struct, frozen=True):
    """Ask routing whether this agent, whose phone calls on this leg, may have what rings or waits elsewhere."""

    contact_id: str
    agent_id: str
    leg_id: str


class DialNumber(msgspec.Struct, frozen=True):
    """Start a leg to a number outside, which the outbound rules allowed."""

    leg_id: str
    number: str
    policy: TrunkPolicy


class RingBack(msgspec.Struct, frozen=True):
    """Let who waits for an answer know that it rings, or does no more: a phone that called by 180, others by a tone."""

    leg_id: str
    on: bool = True


class LetHear(msgspec.Struct, frozen=True):
    """Let a leg hear another one that did not answer yet (early media); a phone that called is told so first (183).

    It lasts until the next ``Converse``. ``CUSTOMER_LEG`` is the customer.
    """

    leg_id: str
    source_leg_id: str


class AnswerAgent(msgspec.Struct, frozen=True):
    """Answer the phone of the agent who called; nothing when it is up already."""

    leg_id: str


class SaySlot(msgspec.Struct, frozen=True):
    """Say to the phone that parked where the customer waits; then its transfer is done, and its leg ends."""

    leg_id: str
    slot: str


class EndAgent(msgspec.Struct, frozen=True):
    """End a leg that is not the customer's, in whatever state it is."""

    leg_id: str
    cause: EndCause


class ReportTransfer(msgspec.Struct, frozen=True):
    """Tell the phone that asked for a transfer how it goes: 180, then one final SIP status."""

    leg_id: str
    status: int


class RequestAgent(msgspec.Struct, frozen=True):
    """Ask routing for an agent. ``arrived_at`` keeps the place when the contact comes back."""

    queue_id: str
    arrived_at: int
    priority: int
    required_skills: tuple[tuple[str, int], ...]
    plan: str = ""
    agent: str = ""
    agent_ms: int = 0
    contact_id: str = ""
    alone: bool = False
    """Ask nobody but ``agent``, and say so when the agent is not at work or ``agent_ms`` are over."""


class LeaveQueue(msgspec.Struct, frozen=True):
    """Tell routing that nobody is wanted any more before being connected."""

    contact_id: str
    withdrawn: bool = False
    """The customer did not give up waiting, but chose another way."""


class GreetCustomer(msgspec.Struct, frozen=True):
    """Say to a customer who was called back who calls, and what must be said of recording in this queue; it ends with a
    ``Greeted``."""

    queue_id: str
    language: str


class ReportPresent(msgspec.Struct, frozen=True):
    """Tell routing that the customer who was called back is there."""

    contact_id: str


class ReportAccepted(msgspec.Struct, frozen=True):
    """Tell routing that the agent answered."""

    offer_id: str
    contact_id: str


class ReportDeclined(msgspec.Struct, frozen=True):
    """Tell routing that the agent did not take it."""

    offer_id: str
    cause: DeclineCause


class ReportFinished(msgspec.Struct, frozen=True):
    """Tell routing that an agent's part is over; ``agent_id`` is empty when the agent was only rung."""

    contact_id: str
    agent_id: str = ""


class StopFlow(msgspec.Struct, frozen=True):
    """The flow is not to be heard any more."""


Effect = (
    AnswerCustomer
    | EndCustomer
    | Converse
    | ReturnToFlow
    | RingAgent
    | EngageAgent
    | PickUp
    | DialNumber
    | RingBack
    | LetHear
    | AnswerAgent
    | SaySlot
    | EndAgent
    | ReportTransfer
    | RequestAgent
    | LeaveQueue
    | GreetCustomer
    | ReportPresent
    | ReportAccepted
    | ReportDeclined
    | ReportFinished
    | StopFlow
)
