"""Actions of the search for somebody: the first agent of a waiting customer, a second party, whoever it comes back to.

Each is named for what happened; where it leads stands in ``calls.table``.
"""

from msgspec.structs import replace

from callcenter.calls import effects as fx
from callcenter.calls import events as ev
from callcenter.calls.call import RECALLED, Call, Search
from callcenter.calls.facts import (
    CallAnswered,
    CallConnected,
    CallOverflowed,
    CallQueued,
    ConversationChanged,
    NumberConnected,
)
from callcenter.calls.legs import EndCause
from callcenter.calls.participants import Conversation
from callcenter.calls.segments import Seat, SegmentKind, SegmentResult, Target, TargetKind
from callcenter.errors import CallCenterError

NAMED_MS = 20_000
"""How long a certain agent is waited for before the call goes on, or back."""
RING_MS = 45_000
"""How long a number, or an agent whom routing did not choose, may ring."""


class IllegalCallEvent(CallCenterError):
    """An event that the call's state has no row for; the machine is unchanged."""

    code = "illegal-call-event"


# Asking for somebody.
EXIT_KEY = "exit_key"
"""Why the flow goes on, when the customer left the queue by a key."""


def answer(call: Call, _event: ev.CallEvent, now: int) -> None:
    """Answer the customer, once."""
    if not call.answered:
        call.answered = True
        call.facts.append(CallAnswered(call.call_id, now))
        call.effects.append(fx.AnswerCustomer())


def enter_queue(call: Call, event: ev.QueueRequested, now: int) -> None:
    """The first search of a call that came in."""
    answer(call, event, now)
    call.surveys = event.surveys
    call.search = Search(call.call_id, SegmentKind.INBOUND, Target(TargetKind.QUEUE, event.queue_id, event.queue_id))
    wait_in_queue(call, event, now)
    call.converse(Conversation.WAITING, now, plain=True)
    request_agent(call)


def wait_in_queue(call: Call, queue: ev.QueueRequested, now: int) -> None:
    """Somebody of a queue is sought."""
    call.queue, call.queued_at, call.visited = queue, now, frozenset({queue.queue_id})
    contact_id = "" if call.search is None else call.named(call.search.contact_id)
    call.facts.append(
        CallQueued(call.call_id, now, queue.queue_id, queue.priority, queue.language, queue.required_skills, contact_id)
    )


def request_agent(call: Call) -> None:
    """Ask routing; a contact that came back keeps its place."""
    queue, search = call.queue, call.search
    if queue is None or search is None:
        return
    alone = search.target.kind is TargetKind.AGENT and search.kind is not SegmentKind.RECALL
    call.effects.append(
        fx.RequestAgent(
            queue.queue_id,
            call.queued_at,
            queue.priority,
            queue.required_skills,
            queue.plan,
            queue.agent,
            queue.agent_ms,
            search.contact_id,
            alone=alone,
        )
    )


def seek(call: Call, event: ev.TransferOrdered | ev.ConsultOrdered, now: int) -> None:
    """The agent wants somebody else; the customer is on hold meanwhile."""
    agent, target = present(call.agent), event.target
    transfer = isinstance(event, ev.TransferOrdered)
    number = target.kind is TargetKind.NUMBER
    call.refer_leg_id = event.refer_leg_id if isinstance(event, ev.TransferOrdered) else ""
    kind = SegmentKind.TRANSFER if transfer else SegmentKind.CONSULT
    leg_id = event.leg_id if number else ""
    call.open_segment(kind, target, now, parent=agent, leg_id=leg_id, by=agent.agent_id)
    call.converse(Conversation.HELD, now)
    if number and target.policy is not None:
        call.effects.append(fx.DialNumber(event.leg_id, target.id, target.policy))
        call.deadline = (now + RING_MS, ev.SearchFailed(status=408))
        call.following.append(ev.DialStarted())
        return
    wanted = _like_before(call, target)
    if target.kind is TargetKind.QUEUE:
        wait_in_queue(call, wanted, now)
        if transfer:
            call.following.append(ev.HangUpOrdered(agent.contact_id))
    else:
        call.queue, call.queued_at = wanted, now
    request_agent(call)


def _like_before(call: Call, target: Target) -> ev.QueueRequested:
    """The customer's language and priority go along; what skills are wanted is the other queue's business."""
    before = call.queue
    priority, language = (0, None) if before is None else (before.priority, before.language)
    named = target.id if target.kind is TargetKind.AGENT else ""
    return ev.QueueRequested(target.queue_id, priority, (), language, agent=named, agent_ms=NAMED_MS if named else 0)


# What the queue does with it.


def move_on(call: Call, event: ev.QueueMoved, now: int) -> None:
    """The queue sends the customer to another one."""
    queue = _tell_overflow(call, event.reason, now, to=event.queue_id)
    since, visited = call.queued_at, call.visited
    wait_in_queue(call, replace(queue, queue_id=event.queue_id, plan="", agent="", agent_ms=0), now)
    call.queued_at, call.visited = since, visited | {event.queue_id}
    request_agent(call)


def return_to_flow(call: Call, event: ev.QueueLeft, now: int) -> None:
    """The queue has no use for the customer, but the flow has."""
    _tell_overflow(call, event.reason, now)
    call.search = None
    call.effects += (fx.Converse(Conversation.WAITING, ()), fx.ReturnToFlow(event.reason))


def leave_by_key(call: Call, _event: ev.ExitChosen, now: int) -> None:
    """The customer would rather do something else than wait; a phone that rings for it is let go."""
    _tell_overflow(call, EXIT_KEY, now)
    call.drop_search(EndCause.CANCELLED, withdrawn=True)
    call.effects += (fx.Converse(Conversation.WAITING, ()), fx.ReturnToFlow(EXIT_KEY))


def _tell_overflow(call: Call, reason: str, now: int, *, to: str = "") -> ev.QueueRequested:
    queue = call.queue
    if queue is None:
        raise IllegalCallEvent(f"call {call.call_id}: no queue in state {call.state}")
    contact_id = call.named(sought(call).contact_id)
    call.facts.append(CallOverflowed(call.call_id, now, queue.queue_id, reason, to, contact_id))
    return queue


# Ringing.


def note_ringing(call: Call, _event: ev.AgentRinging | ev.NumberRinging, _now: int) -> None:
    """It rings somewhere; a phone that asked for the transfer is told, an agent who waits hears so."""
    call.report_transfer(180)
    call.rings = True
    if not call.sounds:
        call.listen()


def hear_number(call: Call, _event: ev.NumberEarlyMedia, _now: int) -> None:
    """The number sounds before it answers; whoever waits for it hears that."""
    call.report_transfer(180)
    call.sounds = True
    call.listen()


def swap(call: Call, _event: ev.SwapOrdered, now: int) -> None:
    """The agent goes back to the customer while the other one is sought on, or leaves the customer again."""
    wait_for_party(call, _event, now) if call.mode is Conversation.TALK else talk_meanwhile(call, _event, now)


def talk_meanwhile(call: Call, _event: ev.CallEvent, now: int) -> None:
    """The agent talks with the customer while the other one is sought on."""
    call.converse(Conversation.TALK, now)


def wait_for_party(call: Call, _event: ev.CallEvent, now: int) -> None:
    """The customer is on hold again, the agent waits for the other one."""
    call.converse(Conversation.HELD, now)
    call.listen()


# Found.


def connect(call: Call, event: ev.OfferConfirmed, now: int) -> None:
    """The customer, who was alone, has an agent."""
    first = not call.talked
    call.agent, call.talked = _seated(call, event, now), True
    call.converse(Conversation.TALK, now, plain=first)


def connect_consulted(call: Call, event: ev.OfferConfirmed, now: int) -> None:
    """The second party is an agent, who answered. A blind transfer is then complete."""
    transfer = sought(call).kind is SegmentKind.TRANSFER
    call.consulted = _seated(call, event, now)
    _consult(call, now, transfer=transfer)


def connect_number(call: Call, _event: ev.NumberAnswered, now: int) -> None:
    """The second party is a number, which answered."""
    transfer = sought(call).kind is SegmentKind.TRANSFER
    call.consulted = _outside(call, now)
    _consult(call, now, transfer=transfer)


def connect_number_alone(call: Call, _event: ev.NumberAnswered, now: int) -> None:
    """The number answered, and whoever transferred has left."""
    call.consulted = _outside(call, now)
    leave_outside(call, now)


def leave_outside(call: Call, now: int) -> None:
    """Nobody is left but whoever sits in the customer's place, and a number outside."""
    if call.colleague is not None and call.colleague.agent_id:
        call.following.append(ev.LeftWithNumber())
    else:
        call.converse(Conversation.PRIVATE, now)


def _consult(call: Call, now: int, *, transfer: bool) -> None:
    if transfer:
        call.following.append(ev.CompleteOrdered())
    elif call.mode is Conversation.TALK:
        # The agent talks with the customer and swaps when it suits; the second party waits with music.
        call.facts.append(ConversationChanged(call.call_id, now, Conversation.TALK))
        call.following.append(ev.SwapOrdered())
    else:
        call.converse(Conversation.CONSULT, now)


def _seated(call: Call, event: ev.OfferConfirmed, now: int) -> Seat:
    offer, search = call.offers.pop(event.offer_id).offer, sought(call)
    contact_id = call.named(search.contact_id)
    call.facts.append(
        CallConnected(call.call_id, now, offer.offer_id, offer.agent_id, offer.queue_id, contact_id),
    )
    call.search = call.deadline = None
    call.rings = call.sounds = False
    return Seat(offer.leg_id, search.contact_id, offer.agent_id, offer.queue_id)


def _outside(call: Call, now: int) -> Seat:
    search = sought(call)
    call.facts.append(NumberConnected(call.call_id, now, search.contact_id, search.target.id))
    call.search = call.deadline = None
    call.rings = call.sounds = False
    return Seat(search.leg_id, search.contact_id, number=search.target.id)


# Not found.


def fail(call: Call, event: ev.SearchFailed | ev.NumberRefused, now: int) -> None:
    """Nobody answered: the customer is back with the agent."""
    call.close_segment(sought(call).contact_id, SegmentResult.FAILED, now)
    call.report_transfer(event.status)
    call.drop_search(EndCause.NO_ANSWER)
    call.converse(Conversation.TALK, now)


def cancel(call: Call, _event: ev.CancelOrdered | ev.ResumeOrdered, now: int) -> None:
    """The agent changed her mind."""
    call.close_segment(sought(call).contact_id, SegmentResult.CANCELLED, now)
    call.report_transfer(487)
    call.drop_search(EndCause.CANCELLED)
    call.converse(Conversation.TALK, now)


def recall(call: Call, _event: ev.CallEvent, now: int) -> None:
    """Nobody answered and the agent has left, or nobody took the parked call up: it rings the agent who had it, and
    then whoever serves that agent's queue."""
    search, home = call.search, call.home
    if search is not None:
        call.close_segment(search.contact_id, SegmentResult.FAILED, now)
    call.drop_search(EndCause.NO_ANSWER)
    call.park = None
    if home is None or not home.queue_id or (search is not None and search.kind in RECALLED):
        call.following.append(ev.NobodyLeft())
        return
    target = Target(TargetKind.AGENT, home.agent_id, home.queue_id)
    call.open_segment(SegmentKind.RECALL, target, now, parent=home)
    wait_in_queue(call, _like_before(call, target), now)
    call.converse(Conversation.WAITING, now)
    request_agent(call)


def present(seat: Seat | None) -> Seat:
    """Who must be there by the table."""
    if seat is None:
        raise IllegalCallEvent("nobody sits there")
    return seat


def sought(call: Call) -> Search:
    """Who is being sought, as must be by the table."""
    if call.search is None:
        raise IllegalCallEvent(f"call {call.call_id}: nobody is sought in state {call.state}")
    return call.search
