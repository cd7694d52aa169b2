"""Segments: the stretches of a call that are each one agent's, or one outside party's, work.

The first segment of a call has the call's own id; each further one is ``CALL.2``, ``CALL.3``, … and is a contact of its
own for routing, for the console and in the customer store, so that a transfer never touches anybody else's figures.
"""

from enum import StrEnum

import msgspec

from callcenter.ports import TrunkPolicy

SEPARATOR = "."
"""Stands between a call's id and the number of a segment; no call id holds it."""


class SegmentKind(StrEnum):
    """Why a segment began."""

    INBOUND = "inbound"
    OUTBOUND = "outbound"
    """An agent called a number."""
    INTERNAL = "internal"
    """An agent called an agent; also the segment of whoever was called."""
    TRANSFER = "transfer"
    CONSULT = "consult"
    RECALL = "recall"
    """A transfer that nobody took, or a parked call that nobody took up, comes back."""
    RETRIEVED = "retrieved"
    """A parked call was taken up."""


class SegmentResult(StrEnum):
    """How a segment ended that ended before its call, or was not the first."""

    COMPLETED = "completed"
    """It lasted to the end of the call, or the consulted party hung up."""
    TRANSFERRED = "transferred"
    """The customer was handed on."""
    PARKED = "parked"
    ABANDONED = "abandoned"
    """The customer left while somebody was sought and nobody was there."""
    CANCELLED = "cancelled"
    """Whoever wanted it changed their mind, or was gone before it was reached."""
    FAILED = "failed"
    """Nobody answered."""


class TargetKind(StrEnum):
    """What a call is to be connected with."""

    AGENT = "agent"
    QUEUE = "queue"
    NUMBER = "number"


class Target(msgspec.Struct, frozen=True):
    """Somebody to be sought. ``queue_id`` is the line it waits in: the queue, or one that the agent serves.

    A number is in the form that is dialled, together with the policy that the outbound rules gave; there is no other
    way to make one.
    """

    kind: TargetKind
    id: str
    queue_id: str = ""
    policy: TrunkPolicy | None = None


class Seat(msgspec.Struct, frozen=True):
    """Somebody in a call beside the customer: an agent, or a number outside when ``agent_id`` is empty."""

    leg_id: str
    contact_id: str
    agent_id: str = ""
    queue_id: str = ""
    """The queue whose customer it is, empty for none."""
    number: str = ""


def segment_id(call_id: str, number: int) -> str:
    """The contact id of a call's ``number``-th segment, counted from 1."""
    return call_id if number == 1 else f"{call_id}{SEPARATOR}{number}"


def call_of(contact_id: str) -> str:
    """The call a segment belongs to."""
    return contact_id.partition(SEPARATOR)[0]
