"""Route plans in motion: which step of its plan a waiting contact is in, and when it goes on."""

import msgspec

from acd.board import Board
from acd.contacts import Contact, ContactState, ContactTrigger, step
from acd.ids import ContactId
from acd.outcomes import ContactDequeued, ContactOverflowed, ContactStepEntered, DequeueReason, OverflowReason
from acd.queues import FOREVER_MS, demand_of
from acd.route_plans import RoutePlan, StepGuard


def take_place(board: Board, contact: Contact, now: int) -> None:
    """Let a contact wait in the step that holds now, or send it where its plan ends."""
    current = current_step(board, contact, now)
    board.put_contact(contact if current is None else current)
    if current is None:
        target = "" if contact.plan is None else contact.plan.otherwise or ""
        send_away(board, contact, target, OverflowReason.PLAN_OVER, now)
    elif current.step != contact.step:
        board.outcomes.append(
            ContactStepEntered(contact.contact_id, contact.queue_id, current.step, current.step_until),
        )


def current_step(board: Board, contact: Contact, now: int) -> Contact | None:
    """The contact in the first step, not before its own, that holds now; ``None`` when its plan is over.

    A plan without ``otherwise`` is never over: its last step then holds whatever it says.
    """
    plan = contact.plan
    contact = _matured(board, contact, now)
    if plan is None:
        return contact
    for number in range(contact.step, len(plan.steps)):
        until = _until(contact, plan, number)
        if (until is None or now < until) and _guard_holds(board, contact, number):
            return _placed(board, contact, number, until)
    return None if plan.otherwise is not None else _placed(board, contact, len(plan.steps) - 1, None)


def pass_deadline(board: Board, contact_id: ContactId, now: int) -> None:
    """The step of a waiting contact is over."""
    take_place(board, board.contacts[contact_id], now)


def recheck_guards(board: Board, now: int) -> None:
    """Somebody stopped working: let the contacts go on whose step was only for people who are no longer there."""
    for contact_id in list(board.guarded):
        contact = board.contacts[contact_id]
        if not _guard_holds(board, contact, contact.step):
            take_place(board, contact, now)


def place_anew(board: Board, now: int) -> None:
    """A new configuration: let everything that waits or rings take the place that the new policy says."""
    for contact in list(board.contacts.values()):
        placed = msgspec.structs.replace(contact, key=board.place(contact), matured_ms=0, matures_at=None)
        if contact.state is ContactState.WAITING:
            take_place(board, placed, now)
        elif placed != contact:
            board.contacts[contact.contact_id] = placed


def _matured(board: Board, contact: Contact, now: int) -> Contact:
    """The contact with the delays of second lines that it has waited out by now."""
    delays = board.delays.get(contact.queue_id)
    if delays is None:
        return contact
    waited_ms = now - contact.arrived_at
    passed = max((delay for delay in delays if delay <= waited_ms), default=0)
    ahead = min((delay for delay in delays if delay > waited_ms), default=None)
    matures_at = None if ahead is None else contact.arrived_at + ahead
    return msgspec.structs.replace(contact, matured_ms=passed, matures_at=matures_at)


def _placed(board: Board, contact: Contact, number: int, until: int | None) -> Contact:
    stepped = msgspec.structs.replace(contact, step=number, step_until=until)
    return msgspec.structs.replace(stepped, key=board.place(stepped))


def _until(contact: Contact, plan: RoutePlan, number: int) -> int | None:
    until_ms = plan.steps[number].until_ms
    return None if until_ms is None else contact.plan_since + until_ms


def _guard_holds(board: Board, contact: Contact, number: int) -> bool:
    there = contact if number == contact.step else msgspec.structs.replace(contact, step=number)
    guard = there.route_step.guard
    if guard is StepGuard.NONE:
        return True
    demand = demand_of(there)
    if contact.queue_id in board.delays:  # who is asked later is there all the same
        demand = msgspec.structs.replace(demand, delay_ms=FOREVER_MS)
    return board.matching_of(contact.queue_id, contact.channel).staffed(demand, at_work=guard is StepGuard.AT_WORK)


def send_away(board: Board, contact: Contact, target: str, reason: OverflowReason, now: int) -> None:
    """Let a waiting contact go to where its plan or its queue says."""
    step(contact, ContactTrigger.SENT_AWAY)
    board.end_contact(contact.contact_id)
    waited_ms = max(0, now - contact.arrived_at)
    board.outcomes.append(
        ContactDequeued(
            contact.contact_id,
            contact.queue_id,
            DequeueReason.OVERFLOWED,
            waited_ms,
            contact.channel,
            contact.is_away,
        ),
    )
    board.outcomes.append(ContactOverflowed(contact.contact_id, contact.queue_id, target, waited_ms, reason))
