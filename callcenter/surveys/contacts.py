"""Contacts that are over, as far as surveys care: with which agent, of which queue, since when. Pure."""

from dataclasses import dataclass

from callcenter.calls.facts import CallClosed, CallRecord, Outcome
from callcenter.calls.segments import SegmentKind
from callcenter.channels.facts import ItemClosed, ItemResult

KINDS = ("call.closed", "item.closed")
"""Entries of the journal that end a contact."""


@dataclass(frozen=True, slots=True)
class OverContact:
    """A contact whose customer may be asked. ``agent_id`` is who had the customer last."""

    call_id: str
    queue_id: str
    agent_id: str
    ended_at: int


def over_contact(entry: object) -> OverContact | None:
    """What an entry says of a contact that is over; ``None`` where no customer came to us, or nobody dealt with it."""
    match entry:
        case CallClosed(record=CallRecord(direction=SegmentKind.INBOUND, outcome=Outcome.ANSWERED) as call):
            talked = [each for each in call.segments if each.connected_at is not None and each.agent_id]
            if not talked:
                return None
            last = max(talked, key=lambda each: each.ended_at)
            return OverContact(call.call_id, last.queue_id, last.agent_id, call.ended_at)
        case ItemClosed(record=item) if item.result is ItemResult.HANDLED and item.agent_id:
            return OverContact(item.contact_id, item.queue_id, item.agent_id, item.ended_at)
        case _:
            return None
