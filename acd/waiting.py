"""What contacts do: arrive, leave before being connected, come to their end."""

from acd import offering, seating
from acd.board import Board
from acd.contacts import Contact, ContactState, ContactTrigger, step
from acd.errors import UnknownQueue
from acd.events import ContactArrived, ContactFinished, ContactLeft
from acd.offers import OfferTrigger
from acd.outcomes import ContactDequeued, DequeueReason
from acd.queues import strongest


def arrive(board: Board, event: ContactArrived, now: int) -> None:  # noqa: ARG001 - every reaction is called alike
    """A contact asks for an agent. A contact that ended may come back; one that is still here may not arrive again."""
    if event.queue_id not in board.queues:
        raise UnknownQueue(f"queue {event.queue_id!r} is not configured")
    present = board.contacts.get(event.contact_id)
    if present is not None:
        step(present, ContactTrigger.ARRIVED)
    contact = Contact(
        contact_id=event.contact_id,
        queue_id=event.queue_id,
        arrived_at=event.arrived_at,
        priority=event.priority,
        required_skills=strongest(event.required_skills) if event.required_skills else (),
        seq=board.next_seq(),
    )
    board.ended.pop(event.contact_id, None)
    board.put_contact(contact)
    offering.tell_queued(board, contact, returned=False)


def leave(board: Board, event: ContactLeft, now: int) -> None:
    """The customer left: while waiting, while an agent rang, or in the moment of the answer."""
    contact = board.open_contact(event.contact_id)
    if contact is None:
        return
    if contact.state is ContactState.CONNECTED:
        _end_conversation(board, contact, ContactTrigger.LEFT, now)
    else:
        stop_waiting(board, contact, ContactTrigger.LEFT, DequeueReason.ABANDONED, now)


def finish(board: Board, event: ContactFinished, now: int) -> None:
    """The conversation is over."""
    contact = board.open_contact(event.contact_id)
    if contact is not None:
        _end_conversation(board, contact, ContactTrigger.FINISHED, now)


def stop_waiting(board: Board, contact: Contact, trigger: ContactTrigger, reason: DequeueReason, now: int) -> None:
    """End a contact that was not connected; an agent who rang for it is free again."""
    step(contact, trigger)
    if contact.offer_id is not None:
        offering.close(board, board.offers[contact.offer_id], OfferTrigger.REVOKED)
    board.end_contact(contact.contact_id)
    waited_ms = max(0, now - contact.arrived_at)
    board.outcomes.append(ContactDequeued(contact.contact_id, contact.queue_id, reason, waited_ms))
    if contact.agent_id is not None:
        seating.withdraw(board, board.agents[contact.agent_id], now)


def _end_conversation(board: Board, contact: Contact, trigger: ContactTrigger, now: int) -> None:
    step(contact, trigger)
    board.end_contact(contact.contact_id)
    if contact.agent_id is not None:
        seating.end_contact(board, board.agents[contact.agent_id], contact.wrap_up_ms, now)
