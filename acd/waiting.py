"""What contacts do: arrive, leave before being connected, come to their end."""

from msgspec.structs import replace

from acd import admission, offering, planning, seating
from acd.board import Board
from acd.contacts import Contact, ContactState, ContactTrigger, key_of, requeued, step
from acd.errors import IllegalTransition, UnknownQueue
from acd.events import Channel, ContactArrived, ContactFinished, ContactLeft, ContactPresent, ContactReturned
from acd.ids import AgentId
from acd.offers import OfferTrigger
from acd.outcomes import ContactDequeued, CustomerCame, DequeueReason
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
    if event.contact_id in board.wrapping:  # it is back before its agent was through with it
        seating.end_shared(board, board.agents[board.wrapping[event.contact_id]], event.contact_id, now)
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
        reserve_ms=event.reserve_ms,
        is_away=event.is_away or event.reserve_ms is not None,
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
        withdrawn = event.withdrawn or contact.is_away
        reason = DequeueReason.WITHDRAWN if withdrawn else DequeueReason.ABANDONED
        stop_waiting(board, contact, ContactTrigger.LEFT, reason, now)


def be_present(board: Board, event: ContactPresent, now: int) -> None:
    """The customer who was away is there. A contact that ended lately is a race of the host's."""
    contact = board.open_contact(event.contact_id)
    if contact is None or not contact.is_away:
        return
    connected = contact.state is ContactState.CONNECTED
    board.outcomes.append(CustomerCame(contact.contact_id, contact.queue_id, connected))
    priority = contact.priority if event.priority is None else event.priority
    here = replace(contact, reserve_ms=None, is_away=False, priority=priority)
    if connected:
        board.contacts[here.contact_id] = here
        return
    here = replace(here, key=board.place(here))
    if here.state is ContactState.WAITING:
        board.forget_contact(contact)
        offering.tell_queued(board, here, returned=True)
        planning.take_place(board, here, now)
        return
    board.put_contact(replace(here, rung_since=now))
    for offer_id in here.standing_offers:
        offering.let_ring(board, board.offers[offer_id], now)


def finish(board: Board, event: ContactFinished, now: int) -> None:
    """The conversation is over."""
    contact = board.open_contact(event.contact_id)
    if contact is not None:
        _end_conversation(board, contact, ContactTrigger.FINISHED, now)


def give_back(board: Board, event: ContactReturned, now: int) -> None:
    """A contact of a shared channel waits anew: in its queue after an agent had it, or in another one.

    Raises ``IllegalTransition`` for a call, whose customer cannot be put aside.
    """
    contact = board.open_contact(event.contact_id)
    if contact is None:
        return
    if contact.channel is Channel.VOICE:
        raise IllegalTransition("contact", contact.contact_id, contact.state, ContactTrigger.RETURNED)
    queue = board.queues.get(event.queue_id or contact.queue_id)
    if queue is None:
        raise UnknownQueue(f"queue {event.queue_id or contact.queue_id!r} is not configured")
    if event.plan is not None:
        check_plan(event.plan)
    connected = contact.state is ContactState.CONNECTED
    moved = queue.queue_id != contact.queue_id
    anew = moved or (event.plan is not None and not connected)
    if contact.state is ContactState.WAITING and not anew:
        return
    plan = event.plan or (queue.plan if moved else contact.plan)
    agent_id = contact.agent_id if connected else None
    rung = _revoke_offers(board, contact)
    if anew and agent_id is None:
        waited_ms = max(0, now - contact.arrived_at)
        board.outcomes.append(
            ContactDequeued(contact.contact_id, contact.queue_id, DequeueReason.MOVED, waited_ms, contact.channel)
        )
    board.forget_contact(contact)
    again = requeued(contact, queue.queue_id, plan, now, refused_by=agent_id if event.refused else None)
    again = replace(again, key=board.place(again))
    if agent_id is not None:
        seating.end_shared(board, board.agents[agent_id], contact.contact_id, now)
    for each in rung:
        seating.withdraw(board, board.agents[each], contact, now)
    offering.tell_queued(board, again, returned=agent_id is None and not anew)
    planning.take_place(board, again, now)


def _revoke_offers(board: Board, contact: Contact) -> list[AgentId]:
    """Stop what rings for a contact; at whom it rang."""
    agents = [board.offers[offer_id].agent_id for offer_id in contact.standing_offers]
    for offer_id in contact.standing_offers:
        offering.close(board, board.offers[offer_id], OfferTrigger.REVOKED)
    return agents


def stop_waiting(board: Board, contact: Contact, trigger: ContactTrigger, reason: DequeueReason, now: int) -> None:
    """End a contact that was not connected; the agents who rang for it are free again."""
    step(contact, trigger)
    agents = _revoke_offers(board, contact)
    board.end_contact(contact.contact_id)
    waited_ms = max(0, now - contact.arrived_at)
    board.outcomes.append(
        ContactDequeued(contact.contact_id, contact.queue_id, reason, waited_ms, contact.channel, contact.is_away)
    )
    for agent_id in agents:
        seating.withdraw(board, board.agents[agent_id], contact, now)


def _end_conversation(board: Board, contact: Contact, trigger: ContactTrigger, now: int) -> None:
    step(contact, trigger)
    board.end_contact(contact.contact_id)
    if contact.agent_id is not None:
        seating.end_contact(board, board.agents[contact.agent_id], contact, now)
