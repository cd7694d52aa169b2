"""What happened to contacts of shared channels, past tense: journaled before anybody acts on it, then told on the bus.

``at`` is an instant in milliseconds since the epoch. An *item* is one such contact, from its arrival until it is dealt
with; it has one id all the while, whoever works it.
"""

from dataclasses import dataclass
from enum import StrEnum

from acd.events import Channel


class ItemResult(StrEnum):
    """How an item ended."""

    HANDLED = "handled"
    """Somebody dealt with it."""
    LEFT = "left"
    """Whoever sent it took it back, or is gone."""
    ERASED = "erased"
    """Whoever sent it was erased; nobody gave up, and nobody dealt with it."""


class ReturnReason(StrEnum):
    """Why an item waits again that an agent had."""

    GIVEN_BACK = "given_back"
    TAKEN_BACK = "taken_back"
    """By a supervisor."""
    DESK_GONE = "desk_gone"
    """The agent's console is gone for too long."""
    SIGNED_OUT = "signed_out"


@dataclass(frozen=True, slots=True)
class ItemArrived:
    """A contact of a shared channel reached us."""

    contact_id: str
    at: int
    channel: Channel
    queue_id: str
    """Where it waits: for everybody of the queue, or for ``agent_id`` alone."""
    caller: str
    """The address it came from: a number, an e-mail address."""
    caller_name: str = ""
    called: str = ""
    """The address it came to: a box, a mailbox."""
    agent_id: str = ""
    """The one agent it is for, empty for the queue."""
    language: str = ""
    priority: int = 0
    required_skills: tuple[tuple[str, int], ...] = ()
    parent_id: str = ""
    """The contact it came from: the call in which the message was left."""
    recording_id: str = ""
    """What can be heard of it."""
    recording_ms: int = 0
    text: str = ""
    """What it says, of one that is written."""


@dataclass(frozen=True, slots=True)
class ItemMoved:
    """It is for another queue, or for another agent; whoever had it has it no more."""

    contact_id: str
    at: int
    by: str
    queue_id: str
    agent_id: str = ""


@dataclass(frozen=True, slots=True)
class ItemAccepted:
    """An agent has it."""

    contact_id: str
    at: int
    agent_id: str
    queue_id: str
    offer_id: str = ""


@dataclass(frozen=True, slots=True)
class ItemOfferFailed:
    """An agent who was asked has it not: declined, let it ring, or it was taken back."""

    contact_id: str
    at: int
    offer_id: str
    agent_id: str
    cause: str
    """``declined``, ``expired`` or ``withdrawn``."""


@dataclass(frozen=True, slots=True)
class ItemReturned:
    """It waits again, with its age."""

    contact_id: str
    at: int
    agent_id: str
    """Who had it."""
    reason: ReturnReason


@dataclass(frozen=True, slots=True)
class ItemStretch:
    """The time during which one agent had it."""

    agent_id: str
    queue_id: str
    began_at: int
    ended_at: int


@dataclass(frozen=True, slots=True)
class ItemRecord:
    """One item as the customer store keeps it. Milliseconds."""

    contact_id: str
    channel: Channel
    caller: str
    caller_name: str
    called: str
    queue_id: str
    agent_id: str
    """Who dealt with it, empty for nobody."""
    language: str
    parent_id: str
    result: ItemResult
    arrived_at: int
    accepted_at: int | None
    """When somebody first took it."""
    ended_at: int
    handled_ms: int
    """How long agents had it, all together."""
    match_state: str = "none"
    customer_id: str | None = None
    stretches: tuple[ItemStretch, ...] = ()


@dataclass(frozen=True, slots=True)
class ItemClosed:
    """It is dealt with, or gone; one for each ``ItemArrived``. A wrap-up may follow."""

    contact_id: str
    at: int
    by: str
    """Who did it: an agent or another person, empty for whoever sent it."""
    record: ItemRecord


@dataclass(frozen=True, slots=True)
class ItemCorrected:
    """The record of a closed item, changed afterwards: in wrap-up the agent said which customer it was."""

    contact_id: str
    at: int
    record: ItemRecord


ItemFact = ItemArrived | ItemMoved | ItemAccepted | ItemOfferFailed | ItemReturned | ItemClosed | ItemCorrected
