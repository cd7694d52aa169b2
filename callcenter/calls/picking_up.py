"""Actions of picking up: what rings at a colleague or waits in a slot is taken by a phone that calls (RFC 3891).

The colleague's phone rings on until routing agreed, so that whoever may not pick up changes nothing.
"""

from msgspec.structs import replace

from callcenter.calls import dialling, searching, talking
from callcenter.calls import effects as fx
from callcenter.calls import events as ev
from callcenter.calls.call import Call, Standing
from callcenter.calls.facts import PICKED_UP, CallConnected, CallOfferFailed
from callcenter.calls.legs import EndCause
from callcenter.calls.participants import Conversation
from callcenter.calls.segments import Seat, SegmentKind, SegmentResult, Target, TargetKind


def ask(call: Call, event: ev.PickedUp, _now: int) -> None:
    """A colleague wants what rings; routing has the last word."""
    if call.search is not None:
        call.picking = event
        call.effects.append(fx.PickUp(call.search.contact_id, event.agent_id, event.leg_id))


def take(call: Call, event: ev.PickUpGranted, now: int) -> None:
    """The customer, who was alone, has the colleague."""
    if _take_offer(call, now):
        searching.connect(call, ev.OfferConfirmed(""), now)
    del event


def take_beside(call: Call, event: ev.PickUpGranted, now: int) -> None:
    """The colleague is the second party."""
    if _take_offer(call, now):
        searching.connect_consulted(call, ev.OfferConfirmed(""), now)
    del event


def _take_offer(call: Call, now: int) -> bool:
    """The offer becomes the colleague's, under no offer's name: routing made none. It rings nowhere any more."""
    taker, search, rung = call.picking, call.search, [each.offer for each in call.offers.values()]
    if not rung or taker is None or search is None:
        return False
    contact_id = call.named(search.contact_id)
    for offer in rung:
        call.facts.append(CallOfferFailed(call.call_id, now, offer.offer_id, offer.agent_id, PICKED_UP, contact_id))
        call.effects.append(fx.EndAgent(offer.leg_id, EndCause.ANSWERED_ELSEWHERE))
    call.effects.append(fx.AnswerAgent(taker.leg_id))
    call.offers.clear()
    call.offers[""] = Standing(replace(rung[0], offer_id="", agent_id=taker.agent_id, leg_id=taker.leg_id))
    call.picking = None
    return True


def refuse(call: Call, event: ev.PickUpRefused, _now: int) -> None:
    """It rings on where it rang."""
    call.picking = None
    call.effects.append(fx.EndAgent(event.leg_id, EndCause.BUSY))


# From a colleague whom another one calls.


def ask_for_called(call: Call, event: ev.PickedUp, now: int) -> None:
    """It rings at somebody whom a colleague calls; another one would answer."""
    target = Target(TargetKind.AGENT, event.agent_id, event.queue_id)
    search = call.open_segment(
        SegmentKind.INTERNAL, target, now, parent=call.agent, leg_id=event.leg_id, by=event.agent_id
    )
    call.effects.append(fx.PickUp(search.contact_id, event.agent_id, event.leg_id))


def take_called(call: Call, event: ev.PickUpGranted, now: int) -> None:
    """Whoever picked up is the one who was reached; where it rang nobody missed anything."""
    search, rung = searching.sought(call), searching.present(call.colleague)
    call.close_segment(rung.contact_id, SegmentResult.CANCELLED, now)
    call.effects.append(fx.EndAgent(rung.leg_id, EndCause.ANSWERED_ELSEWHERE))
    call.finish(rung)
    call.colleague = Seat(search.leg_id, search.contact_id, search.target.id, search.target.queue_id)
    call.search = None
    call.effects.append(fx.AnswerAgent(event.leg_id))
    dialling.reach(call, ev.CustomerAnswered(), now)


def leave_called(call: Call, event: ev.PickUpRefused, now: int) -> None:
    """Routing does not agree; it rings on where it rang."""
    leave_held(call, event, now)


# Out of a park slot.


def ask_for_parked(call: Call, event: ev.PickedUp, now: int) -> None:
    """An agent's phone calls for the customer in the slot."""
    target = Target(TargetKind.AGENT, event.agent_id, event.queue_id)
    search = call.open_segment(
        SegmentKind.RETRIEVED, target, now, parent=call.home, leg_id=event.leg_id, by=event.agent_id
    )
    call.deadline = None
    call.effects.append(fx.PickUp(search.contact_id, event.agent_id, event.leg_id))


def take_parked(call: Call, event: ev.PickUpGranted, now: int) -> None:
    """The customer is out of the slot."""
    call.effects.append(fx.AnswerAgent(event.leg_id))
    talking.take_up(call, ev.AgentAnswered(event.leg_id), now)


def leave_parked(call: Call, event: ev.PickUpRefused, now: int) -> None:
    """Routing does not agree; the customer waits on in the slot."""
    if call.search is not None:
        call.unengaged |= {call.search.contact_id}
    call.effects.append(fx.EndAgent(event.leg_id, EndCause.BUSY))
    talking.park_again(call, event, now)


# From a colleague who put the customer on hold.


def ask_for_held(call: Call, event: ev.PickedUp, now: int) -> None:
    """A colleague goes on with the customer whom the agent put on hold."""
    agent = call.agent
    by = event.agent_id
    target = Target(TargetKind.AGENT, by, event.queue_id)
    search = call.open_segment(SegmentKind.TRANSFER, target, now, parent=agent, leg_id=event.leg_id, by=by)
    call.effects.append(fx.PickUp(search.contact_id, by, event.leg_id))


def take_held(call: Call, event: ev.PickUpGranted, now: int) -> None:
    """The customer is the colleague's; the agent is through with it."""
    search = call.search
    if search is None:
        return
    talking.leave(call, now)
    target = search.target
    call.facts.append(CallConnected(call.call_id, now, "", target.id, target.queue_id, search.contact_id))
    call.agent = Seat(search.leg_id, search.contact_id, target.id, target.queue_id)
    call.search = None
    call.effects.append(fx.AnswerAgent(event.leg_id))
    call.converse(Conversation.TALK, now)


def leave_held(call: Call, event: ev.PickUpRefused, now: int) -> None:
    """Routing does not agree; the customer stays on hold."""
    search, call.search = call.search, None
    if search is not None:
        call.close_segment(search.contact_id, SegmentResult.FAILED, now)
    call.effects.append(fx.EndAgent(event.leg_id, EndCause.BUSY))


# To another phone of the own.


def move(call: Call, event: ev.LegMoved, now: int) -> None:
    """An agent goes on at another phone; nobody's figures change. A call that the agent put on hold goes on."""
    move_meanwhile(call, event, now)
    if call.agent is not None and call.agent.leg_id == event.new_leg_id:
        call.following.append(ev.ResumeOrdered())


def move_meanwhile(call: Call, event: ev.LegMoved, _now: int) -> None:
    """An agent goes on at another phone, with whoever is there or sought."""
    if call.agent is not None and call.agent.leg_id == event.leg_id:
        call.agent = replace(call.agent, leg_id=event.new_leg_id)
    elif call.consulted is not None and call.consulted.leg_id == event.leg_id:
        call.consulted = replace(call.consulted, leg_id=event.new_leg_id)
    elif call.colleague is not None and call.colleague.leg_id == event.leg_id:
        call.colleague = replace(call.colleague, leg_id=event.new_leg_id)
    call.effects.append(fx.AnswerAgent(event.new_leg_id))
    call.effects.append(fx.EndAgent(event.leg_id, EndCause.ANSWERED_ELSEWHERE))
    call.effects.append(fx.Converse(call.mode, call.legs()))
    if call.search is not None:
        call.listen()
