"""Actions of a callback that dials the customer first: routing keeps an agent meanwhile, whose phone rings only once
the customer is there and was greeted. From then on the call is like any other that waits in a queue."""

from callcenter.calls import effects as fx
from callcenter.calls import events as ev
from callcenter.calls.call import Call, Search
from callcenter.calls.callback_facts import CallbackDialled
from callcenter.calls.ending import close
from callcenter.calls.facts import CallAnswered, EndedBy, Outcome
from callcenter.calls.legs import EndCause
from callcenter.calls.participants import Conversation
from callcenter.calls.searching import wait_in_queue
from callcenter.calls.segments import SegmentKind, Target, TargetKind

GREETING_MS = 60_000
"""How long a greeting may take; after that the call goes on, whatever became of it."""


def dial_customer(call: Call, event: ev.CallBackOrdered, now: int) -> None:
    """The customer's phone rings first."""
    call.back = event
    call.deadline = (now + event.ring_ms, ev.CustomerRefused(408))
    call.facts.append(CallbackDialled(event.callback_id, now, call.call_id))
    if event.target.policy is not None:
        call.effects.append(fx.DialNumber(event.called_leg_id, event.target.id, event.target.policy))


def greet(call: Call, _event: ev.CustomerAnswered, now: int) -> None:
    """The customer is there, and hears who calls."""
    order = _ordered(call)
    call.answered = True
    call.deadline = (now + GREETING_MS, ev.Greeted())
    call.facts.append(CallAnswered(call.call_id, now))
    call.effects.append(fx.GreetCustomer(order.queue.queue_id, order.queue.language or ""))


def join_line(call: Call, _event: ev.Greeted, now: int) -> None:
    """The customer waits at the place that was kept, and whoever was kept for it is rung."""
    queue = _ordered(call).queue
    call.deadline = None
    call.search = Search(call.call_id, SegmentKind.INBOUND, Target(TargetKind.QUEUE, queue.queue_id, queue.queue_id))
    wait_in_queue(call, queue, now)
    call.queued_at = _ordered(call).arrived_at
    call.converse(Conversation.WAITING, now, plain=True)
    call.effects.append(fx.ReportPresent(call.call_id))


def lose_place(call: Call, _event: ev.QueueVanished, now: int) -> None:
    """Routing let the contact go before the customer was there: nobody could be connected."""
    close(call, Outcome.UNREACHED, EndedBy.SYSTEM, now, detail="no_queue", customer=EndCause.CANCELLED)


def _ordered(call: Call) -> ev.CallBackOrdered:
    if call.back is None:
        raise ValueError(f"call {call.call_id} is no callback")
    return call.back
