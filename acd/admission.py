"""The door of a queue: who is let in, what becomes of the others, and whose place is kept."""

import msgspec

from acd import planning
from acd.board import Board, KeptPlace
from acd.capacity import PATIENT
from acd.contacts import Contact, ContactState
from acd.errors import UnknownQueue
from acd.events import ContactArrived, QueueClosed, QueueOpened, QueueSpec
from acd.ids import QueueId
from acd.outcomes import OverflowReason, QueueDoorChanged
from acd.queues import FOREVER_MS, Demand, strongest
from acd.route_plans import StepGuard


def refusal(board: Board, queue: QueueSpec, event: ContactArrived) -> OverflowReason | None:
    """Why a contact is not let in, ``None`` when it is. Looked at in this order; patient contacts are always let in."""
    if event.channel in PATIENT:
        return None
    if queue.queue_id in board.closed:
        return OverflowReason.QUEUE_CLOSED
    if event.outside_hours:
        return OverflowReason.CLOSED_HOURS
    if queue.entry is not StepGuard.NONE and not _staffed(board, queue, event):
        return OverflowReason.NOBODY_THERE
    if queue.max_waiting is not None and board.lengths.get(queue.queue_id, 0) >= queue.max_waiting:
        return OverflowReason.QUEUE_FULL
    expected, longest = event.expected_wait_ms, queue.max_expected_wait_ms
    if expected is not None and longest is not None and expected > longest:
        return OverflowReason.WAIT_TOO_LONG
    return None


def refuse(board: Board, contact: Contact, reason: OverflowReason, now: int) -> None:
    """Send a contact away at the door."""
    board.put_contact(contact)
    planning.send_away(board, contact, _target(board, contact.queue_id), reason, now)


def close_queue(board: Board, event: QueueClosed, now: int) -> None:
    """Let nobody in any more; with ``send_away`` also send away what waits, first in line first.

    Whoever rings or talks at this instant goes on.
    """
    if event.queue_id not in board.queues:
        raise UnknownQueue(f"queue {event.queue_id!r} is not configured")
    if event.queue_id not in board.closed:
        board.outcomes.append(QueueDoorChanged(event.queue_id, is_open=False))
    board.closed[event.queue_id] = event.target
    if not event.send_away:
        return
    waiting = [
        contact
        for contact in board.contacts.values()
        if contact.queue_id == event.queue_id
        and contact.state is ContactState.WAITING
        and contact.channel not in PATIENT
    ]
    for contact in sorted(waiting, key=lambda contact: contact.key):
        planning.send_away(board, contact, _target(board, event.queue_id), OverflowReason.QUEUE_CLOSED, now)


def open_queue(board: Board, event: QueueOpened, now: int) -> None:  # noqa: ARG001 - every reaction is called alike
    """Let contacts in again."""
    if event.queue_id not in board.queues:
        raise UnknownQueue(f"queue {event.queue_id!r} is not configured")
    if event.queue_id in board.closed:
        del board.closed[event.queue_id]
        board.outcomes.append(QueueDoorChanged(event.queue_id, is_open=True))


def keep_place(board: Board, contact: Contact, now: int) -> None:
    """A customer hung up before being connected: keep the place for as long as the queue says."""
    queue = board.queues[contact.queue_id]
    if contact.identity is None or queue.resume_window_ms <= 0:
        return
    until = now + queue.resume_window_ms
    planned_ms = max(0, now - contact.plan_since)
    kept = KeptPlace(contact.queue_id, contact.identity, contact.arrived_at, planned_ms, until)
    board.keep_place(kept, now)


def kept_place(board: Board, event: ContactArrived, now: int) -> KeptPlace | None:
    """The place that was kept for whoever arrives; it is given out once."""
    if event.identity is None:
        return None
    kept = board.kept.pop((event.queue_id, event.identity), None)
    return kept if kept is not None and now <= kept.until else None


def _staffed(board: Board, queue: QueueSpec, event: ContactArrived) -> bool:
    demand = Demand(queue.queue_id, strongest(event.required_skills))
    if queue.queue_id in board.delays:
        demand = msgspec.structs.replace(demand, delay_ms=FOREVER_MS)
    return board.matching_of(event.queue_id, event.channel).staffed(demand, at_work=queue.entry is StepGuard.AT_WORK)


def _target(board: Board, queue_id: QueueId) -> str:
    target = board.closed.get(queue_id)
    return board.queues[queue_id].otherwise if target is None else target
