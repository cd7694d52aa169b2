"""What contacts do: arrive, leave before being connected, come to their end."""

from acd import admission, offering, planning, seating
from acd.board import Board
from acd.contacts import Contact, ContactState, ContactTrigger, key_of, step
from acd.errors import UnknownQueue
from acd.events import ContactArrived, ContactFinished, ContactLeft
from acd.offers import OfferTrigger
from acd.outcomes import ContactDequeued, DequeueReason
from acd.queues import strongest
from acd.route_plans import check_plan


def arrive(board: Board, event: ContactArrived, now: int) -> None:
    """A contact asks for an agent. A contact that ended may come back; one that is still here may not arrive again."""
    queue = board.queues.get(event.queue_id)
    if queue is None:
        raise UnknownQueue(f"queue {event.queue_id!r} is not configured")
    present = board.contacts.get(event.contact_id)
    if present is not None:
        step(present, ContactTrigger.ARRIVED)
    if event.plan is not None:
        check_plan(event.plan)
    seq = board.next_seq()
    kept = admission.kept_place(board, event, now)
    arrived_at = event.arrived_at if kept is None else min(event.arrived_at, kept.arrived_at)
    contact = Contact(
        contact_id=event.contact_id,
        queue_id=event.queue_id,
        arrived_at=arrived_at,
        priority=event.priority,
        required_skills=strongest(event.required_skills) if event.required_skills else (),
        seq=seq,
        key=key_of(event.priority + queue.weight, arrived_at, seq, board.policy.priority_worth_ms),
        plan=event.plan or queue.plan,
        plan_since=now if kept is None else now - kept.planned_ms,
        identity=event.identity,
        channel=event.channel,
    )
    board.ended.pop(event.contact_id, None)
    offering.tell_queued(board, contact, returned=False, resumed=kept is not None)
    refusal = admission.refusal(board, queue, event)
    if refusal is not None:
        admission.refuse(board, contact, refusal, now)
    elif contact.plan is None and contact.queue_id not in board.delays:
        board.put_contact(contact)
    else:
        planning.take_place(board, contact, now)


def leave(board: Board, event: ContactLeft, now: int) -> None:
    """The customer left: while waiting, while an agent rang, or in the moment of the answer."""
    contact = board.open_contact(event.contact_id)
    if contact is None:
        return
    if contact.state is ContactState.CONNECTED:
        _end_conversation(board, contact, ContactTrigger.LEFT, now)
    else:
        admission.keep_place(board, contact, now)
        stop_waiting(board, contact, ContactTrigger.LEFT, DequeueReason.ABANDONED, now)


def finish(board: Board, event: ContactFinished, now: int) -> None:
    """The conversation is over."""
    contact = board.open_contact(event.contact_id)
    if contact is not None:
        _end_conversation(board, contact, ContactTrigger.FINISHED, now)


def stop_waiting(board: Board, contact: Contact, trigger: ContactTrigger, reason: DequeueReason, now: int) -> None:
    """End a contact that was not connected; the agents who rang for it are free again."""
    step(contact, trigger)
    agents = [board.offers[offer_id].agent_id for offer_id in contact.standing_offers]
    for offer_id in contact.standing_offers:
        offering.close(board, board.offers[offer_id], OfferTrigger.REVOKED)
    board.end_contact(contact.contact_id)
    waited_ms = max(0, now - contact.arrived_at)
    board.outcomes.append(ContactDequeued(contact.contact_id, contact.queue_id, reason, waited_ms))
    for agent_id in agents:
        seating.withdraw(board, board.agents[agent_id], contact, now)


def _end_conversation(board: Board, contact: Contact, trigger: ContactTrigger, now: int) -> None:
    step(contact, trigger)
    board.end_contact(contact.contact_id)
    if contact.agent_id is not None:
        seating.end_contact(board, board.agents[contact.agent_id], contact, now)
