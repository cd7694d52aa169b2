"""Actions that end a call: every leg is ended, every segment closed, routing told, one outcome said."""

from collections.abc import Mapping

from acd.outcomes import OverflowReason
from callcenter.calls import effects as fx
from callcenter.calls import events as ev
from callcenter.calls.call import Call
from callcenter.calls.facts import CallEnded, CallOverflowed, EndedBy, Outcome
from callcenter.calls.legs import EndCause
from callcenter.calls.segments import SegmentResult, TargetKind

FLOW_OUTCOMES: Mapping[str, Outcome] = {
    "closed_hours": Outcome.CLOSED_HOURS,
    "flow_loop": Outcome.FAILED,
    "flow_stalled": Outcome.FAILED,
}
"""Outcome of a call that its flow ended, by the flow's reason; any other reason is ``completed_in_flow``."""


def close(
    call: Call,
    outcome: Outcome,
    ended_by: EndedBy,
    now: int,
    *,
    detail: str = "",
    others: EndCause = EndCause.NORMAL,
    customer: EndCause | None = None,
    gone: str = "",
    leave: bool = True,
) -> None:
    """The one way by which a call ends.

    ``others`` is what every leg but the customer's is told, ``customer`` what the customer's is, ``None`` when it is
    gone; ``gone`` is another leg that ended by itself. ``leave``: routing does not know yet that nobody is sought. A
    call in which an agent once talked with the customer is answered, however it ends.
    """
    seats = [seat for seat in (call.agent, call.consulted, call.colleague) if seat is not None]
    search = call.search
    rung = [each.offer.leg_id for each in call.offers.values() if not each.lost]
    rung += [search.leg_id] if search is not None and search.leg_id else []
    legs = rung + [seat.leg_id for seat in (call.agent, call.consulted) if seat is not None]
    call.effects += [fx.EndAgent(leg_id, others) for leg_id in legs if leg_id != gone]
    for seat in seats:
        if seat.contact_id != call.call_id:
            call.close_segment(seat.contact_id, SegmentResult.COMPLETED, now)
    if search is not None and search.contact_id != call.call_id:
        left_alone = ended_by is EndedBy.CUSTOMER and call.agent is None
        result = SegmentResult.ABANDONED if left_alone else SegmentResult.CANCELLED
        call.close_segment(search.contact_id, result, now)
    told = Outcome.ANSWERED if call.talked else outcome
    if ended_by is EndedBy.CUSTOMER and call.colleague is not None and call.colleague.agent_id:
        ended_by = EndedBy.AGENT
    call.facts.append(CallEnded(call.call_id, now, told, ended_by, detail))
    call.effects.append(fx.StopFlow())
    if customer is not None:
        call.end_far_leg(customer)
    for seat in seats:
        call.finish(seat)
    if search is not None and leave and search.is_routed:
        call.effects.append(fx.LeaveQueue(search.contact_id))
    elif search is not None and not search.is_routed and search.target.kind is TargetKind.AGENT:
        call.finish_contact(search.contact_id)
    call.agent = call.consulted = call.colleague = call.search = call.park = call.deadline = None
    call.offers.clear()


def abandon_in_flow(call: Call, event: ev.CustomerGone, now: int) -> None:
    """The customer left in the menu."""
    close(call, Outcome.ABANDONED_IN_FLOW, EndedBy.CUSTOMER, now, detail=event.cause)


def end_by_flow(call: Call, event: ev.HangUpRequested, now: int) -> None:
    """The flow is done with the customer."""
    outcome = FLOW_OUTCOMES.get(event.reason, Outcome.COMPLETED_IN_FLOW)
    close(call, outcome, EndedBy.SYSTEM, now, detail=event.reason, customer=EndCause.NORMAL)


def abandon(call: Call, event: ev.CustomerGone, now: int) -> None:
    """The customer left while waiting for somebody."""
    close(call, Outcome.ABANDONED, EndedBy.CUSTOMER, now, detail=event.cause, others=EndCause.CANCELLED)


def lose_queue(call: Call, _event: ev.QueueVanished, now: int) -> None:
    """The queue was removed."""
    close(
        call,
        Outcome.NO_QUEUE,
        EndedBy.SYSTEM,
        now,
        others=EndCause.CANCELLED,
        customer=EndCause.NORMAL,
        leave=False,
    )


def turn_away(call: Call, event: ev.QueueGaveUp, now: int) -> None:
    """No queue takes the customer."""
    queue_id = "" if call.queue is None else call.queue.queue_id
    call.facts.append(CallOverflowed(call.call_id, now, queue_id, event.reason))
    close(
        call,
        Outcome.CLOSED_HOURS if event.reason == OverflowReason.CLOSED_HOURS else Outcome.TURNED_AWAY,
        EndedBy.SYSTEM,
        now,
        detail=event.reason,
        others=EndCause.CANCELLED,
        customer=EndCause.NORMAL,
        leave=False,
    )


def leave_nobody(call: Call, _event: ev.NobodyLeft, now: int) -> None:
    """A transfer failed, and there is nobody to go back to."""
    close(call, Outcome.NO_QUEUE, EndedBy.SYSTEM, now, detail="nobody_left", customer=EndCause.NORMAL)


def end_by_customer(call: Call, event: ev.CustomerGone, now: int) -> None:
    """The customer hung up; everybody is released."""
    close(call, Outcome.ANSWERED, EndedBy.CUSTOMER, now, detail=event.cause)


def end_by_agent_leg(call: Call, event: ev.AgentLeft, now: int) -> None:
    """The agent hung up the phone."""
    close(call, Outcome.ANSWERED, EndedBy.AGENT, now, detail=event.cause, customer=EndCause.NORMAL, gone=event.leg_id)


def end_by_desk(call: Call, _event: ev.HangUpOrdered, now: int) -> None:
    """The agent hung up at the desk."""
    close(call, Outcome.ANSWERED, EndedBy.AGENT, now, detail="desk", customer=EndCause.NORMAL)


def end_by_outside(call: Call, event: ev.ConsultedLeft, now: int) -> None:
    """The number outside to which the customer was handed hung up."""
    close(
        call,
        Outcome.ANSWERED,
        EndedBy.SYSTEM,
        now,
        detail="outside_party",
        customer=EndCause.NORMAL,
        gone=event.leg_id,
    )


def end_by_supervisor(call: Call, _event: ev.HangUpOrdered, now: int) -> None:
    """A supervisor ends what a customer and a number outside have to say to each other."""
    close(call, Outcome.ANSWERED, EndedBy.SYSTEM, now, detail="supervisor", customer=EndCause.NORMAL)


def be_taken(call: Call, _event: ev.PartyTaken, now: int) -> None:
    """The far end was joined to another call of the same phone; it is neither ended nor released here."""
    colleague, call.colleague = call.colleague, None
    if colleague is not None:
        call.close_segment(colleague.contact_id, SegmentResult.TRANSFERRED, now)
    close(call, Outcome.ANSWERED, EndedBy.AGENT, now, detail="joined")


def break_off(call: Call, event: ev.MediaFailed | ev.ShutdownOrdered, now: int) -> None:
    """Media is gone, or the exchange closes down."""
    failed = isinstance(event, ev.MediaFailed)
    outcome = Outcome.FAILED if failed else Outcome.SYSTEM_RESTART
    cause = event.cause if isinstance(event, ev.MediaFailed) else EndCause.SHUTDOWN
    detail = event.detail if isinstance(event, ev.MediaFailed) else "shutdown"
    others = EndCause.MEDIA_LOST if call.talked else EndCause.CANCELLED
    customer = EndCause.MEDIA_LOST if call.talked else cause
    close(call, outcome, EndedBy.SYSTEM, now, detail=detail, others=others, customer=customer)
