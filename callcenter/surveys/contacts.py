"""Contacts that are over, as far as surveys care: with which agent, of which queue, since when, begun by whom. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from acd.events import ContactArrived
from callcenter.calls.facts import CallClosed, CallRecord, Outcome
from callcenter.calls.segments import SegmentKind
from callcenter.channels.facts import ItemClosed, ItemResult

KINDS = ("call.closed", "item.closed")
"""Entries of the journal that end a contact."""


class Origin(StrEnum):
    """How a contact came about."""

    CUSTOMER = "customer"
    """The customer called or wrote."""
    CALLBACK = "callback"
    """We called, because the customer had been promised it."""
    CALL_OUT = "call_out"
    """An agent called."""


@dataclass(frozen=True, slots=True)
class OverContact:
    """A contact whose customer may be asked. ``agent_id`` is who had the customer last."""

    call_id: str
    queue_id: str
    agent_id: str
    ended_at: int
    is_ours: bool = False
    """We called the customer; ``origin_of`` says why."""


def over_contact(entry: object) -> OverContact | None:
    """What an entry says of a contact that is over; ``None`` where no customer was there, or nobody dealt with it."""
    match entry:
        case CallClosed(record=CallRecord(outcome=Outcome.ANSWERED) as call) if call.direction != SegmentKind.INTERNAL:
            talked = [each for each in call.segments if each.connected_at is not None and each.agent_id]
            if not talked:
                return None
            last = max(talked, key=lambda each: each.ended_at)
            is_ours = call.direction == SegmentKind.OUTBOUND
            return OverContact(call.call_id, last.queue_id, last.agent_id, call.ended_at, is_ours)
        case ItemClosed(record=item) if item.result is ItemResult.HANDLED and item.agent_id:
            return OverContact(item.contact_id, item.queue_id, item.agent_id, item.ended_at)
        case _:
            return None


def origin_of(over: OverContact, told: Iterable[object]) -> Origin:
    """How a contact came about; ``told`` is what the journal has of it. Who is called back has stood in line for an
    agent; whom an agent calls has not."""
    if not over.is_ours:
        return Origin.CUSTOMER
    in_line = any(isinstance(each, ContactArrived) and each.contact_id == over.call_id for each in told)
    return Origin.CALLBACK if in_line else Origin.CALL_OUT
