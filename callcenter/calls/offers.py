"""Actions about the agents whom routing chose: one whose phone rings, or several at once, of whom the first wins.

Who was the first is decided by routing alone; so every phone that is answered is reported, and what routing says of
each is carried out. Where other offers stand when one ends, ``_ring_on`` says which state the call is in really.
"""

from acd.events import DeclineCause
from acd.outcomes import OfferResult
from callcenter.calls import effects as fx
from callcenter.calls import events as ev
from callcenter.calls.call import Call, Standing
from callcenter.calls.facts import ANSWERED_ELSEWHERE, CallOffered, CallOfferFailed
from callcenter.calls.legs import EndCause
from callcenter.calls.searching import IllegalCallEvent, request_agent, sought

BUSY_STATUSES = frozenset({486, 600})
DECLINE_STATUSES = frozenset({403, 603})


def take_offer(call: Call, event: ev.AgentOffered, now: int) -> None:
    """Routing chose an agent: the phone is rung, perhaps beside others."""
    search = sought(call)
    call.offers[event.offer_id] = Standing(event)
    contact_id = call.named(search.contact_id)
    call.facts.append(
        CallOffered(call.call_id, now, event.offer_id, event.agent_id, event.expires_at, contact_id),
    )
    call.effects.append(fx.RingAgent(event.leg_id, event.agent_id, search.contact_id))


def report_answer(call: Call, event: ev.AgentAnswered, _now: int) -> None:
    """An agent's phone answered; routing has the last word, also about which of several was the first."""
    offer = _rung_at(call, event.leg_id)
    call.offers[offer.offer_id] = Standing(offer, answered=True)
    call.effects.append(fx.ReportAccepted(offer.offer_id, sought(call).contact_id))


def be_refused(call: Call, event: ev.AgentRefused, now: int) -> None:
    """An agent's phone refused."""
    if event.status in BUSY_STATUSES:
        cause = DeclineCause.BUSY
    else:
        cause = DeclineCause.DECLINED if event.status in DECLINE_STATUSES else DeclineCause.UNREACHABLE
    _refuse_offer(call, _rung_at(call, event.leg_id), cause, now)


def be_declined(call: Call, event: ev.DeclineOrdered, now: int) -> None:
    """An agent declined at the desk."""
    standing = call.declined_by(event.agent_id)
    if standing is not None:
        _refuse_offer(call, standing.offer, DeclineCause.DECLINED, now)
        call.effects.append(fx.EndAgent(standing.offer.leg_id, EndCause.REJECTED))


def lose_offer(call: Call, event: ev.OfferTakenBack, now: int) -> None:
    """Routing took an offer back: it rang out, the agent went away, or another agent was the first to answer."""
    others = (each for offer_id, each in call.offers.items() if offer_id != event.offer_id)
    if event.result is OfferResult.WITHDRAWN and any(each.answered for each in others):
        _end_offer(call, event.offer_id, ANSWERED_ELSEWHERE, EndCause.ANSWERED_ELSEWHERE, now)
    else:
        silent = event.result is OfferResult.EXPIRED
        _end_offer(call, event.offer_id, event.result, EndCause.NO_ANSWER if silent else EndCause.CANCELLED, now)


def come_too_late(call: Call, event: ev.OfferTooLate, now: int) -> None:
    """The agent answered when the offer no longer stood."""
    _end_offer(call, event.offer_id, OfferResult.EXPIRED, EndCause.NO_ANSWER, now)


def lose_phone(call: Call, event: ev.AgentGone, _now: int) -> None:
    """A phone that had answered is gone, and routing has yet to say whether that answer counted."""
    offer = _rung_at(call, event.leg_id)
    call.offers[offer.offer_id] = Standing(offer, answered=True, lost=True)


def return_after_confirmation(call: Call, event: ev.OfferConfirmed, now: int) -> None:
    """The agent was lost while connecting and routing had agreed: ask again, at the old place."""
    _fail_offer(call, call.offers.pop(event.offer_id).offer, "agent_lost", now)
    call.fall_silent()
    call.effects.append(fx.ReportFinished(sought(call).contact_id))
    request_agent(call)


def _refuse_offer(call: Call, offer: ev.AgentOffered, cause: DeclineCause, now: int) -> None:
    _fail_offer(call, offer, cause, now)
    call.effects.append(fx.ReportDeclined(offer.offer_id, cause))
    del call.offers[offer.offer_id]
    _ring_on(call)


def _end_offer(call: Call, offer_id: str, result: str, cause: EndCause, now: int) -> None:
    standing = call.offers.pop(offer_id)
    _fail_offer(call, standing.offer, "agent_lost" if standing.lost else result, now)
    if not standing.lost:
        call.effects.append(fx.EndAgent(standing.offer.leg_id, cause))
    _ring_on(call)


def _ring_on(call: Call) -> None:
    """Where other offers stand, the call does not only wait."""
    standing = call.offers.values()
    if not standing:
        call.fall_silent()
    elif any(each.lost for each in standing):
        call.following.append(ev.StillLost())
    elif any(each.answered for each in standing):
        call.following.append(ev.StillConnecting())
    else:
        call.following.append(ev.StillOffered())


def _fail_offer(call: Call, offer: ev.AgentOffered, cause: str, now: int) -> None:
    contact_id = call.named(sought(call).contact_id)
    call.facts.append(CallOfferFailed(call.call_id, now, offer.offer_id, offer.agent_id, cause, contact_id))


def _rung_at(call: Call, leg_id: str) -> ev.AgentOffered:
    standing = call.standing_at(leg_id)
    if standing is None:
        raise IllegalCallEvent(f"call {call.call_id}: no offer at that leg in state {call.state}")
    return standing.offer
