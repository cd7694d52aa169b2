"""Actions of a call that an agent makes: the own phone, then whoever is called."""

from callcenter.calls import effects as fx
from callcenter.calls import events as ev
from callcenter.calls.call import Call
from callcenter.calls.callback_facts import CallbackDialled
from callcenter.calls.ending import close
from callcenter.calls.facts import CallConnected, EndedBy, Outcome
from callcenter.calls.legs import EndCause
from callcenter.calls.offers import BUSY_STATUSES
from callcenter.calls.participants import Conversation
from callcenter.calls.searching import RING_MS, present
from callcenter.calls.segments import Seat, SegmentKind, Target, TargetKind

GONE_STATUSES = frozenset({404, 410, 484, 604})
"""What is said of numbers that nobody has."""


def dial(call: Call, event: ev.DialOrdered, now: int) -> None:
    """The desk wants a call out: the agent's own phone rings first."""
    call.dial = event
    call.agent = Seat(event.leg_id, call.call_id, event.agent_id, event.queue_id)
    call.deadline = (now + RING_MS, ev.SearchFailed(status=408))
    call.effects.append(fx.RingAgent(event.leg_id, event.agent_id, call.call_id, engage=event.engage))


def call_out(call: Call, _event: ev.AgentAnswered, now: int) -> None:
    """The agent's own phone is up."""
    if call.dial is not None:
        if call.dial.callback_id:
            call.facts.append(CallbackDialled(call.dial.callback_id, now, call.call_id))
        _ring(call, call.dial.target, call.dial.called_leg_id, now, call.dial.ring_ms)


def phone_dialled(call: Call, event: ev.PhoneDialled, now: int) -> None:
    """The agent's phone calls by itself."""
    call.agent = Seat(event.leg_id, call.call_id, event.agent_id, event.queue_id)
    if event.engage:
        call.effects.append(fx.EngageAgent(call.call_id, event.agent_id))
    else:
        call.unengaged |= {call.call_id}
    _ring(call, event.target, event.called_leg_id, now)


def _ring(call: Call, target: Target, leg_id: str, now: int, ring_ms: int | None = None) -> None:
    agent = present(call.agent)
    call.deadline = (now + (ring_ms or RING_MS), ev.CustomerRefused(408))
    if target.kind is TargetKind.AGENT:
        contact_id = call.next_contact(SegmentKind.INTERNAL, target, now, parent=agent, by=agent.agent_id)
        call.colleague = Seat(leg_id, contact_id, target.id, target.queue_id)
        call.effects.append(fx.RingAgent(leg_id, target.id, contact_id, engage=True))
    elif target.policy is not None:
        call.effects.append(fx.DialNumber(leg_id, target.id, target.policy))


def note_called_ringing(call: Call, _event: ev.CustomerRinging, _now: int) -> None:
    """It rings there; the agent hears so."""
    call.rings = True
    if not call.sounds:
        call.listen()


def hear_called(call: Call, _event: ev.CustomerEarlyMedia, _now: int) -> None:
    """They sound before they answer; the agent hears them. Nobody talks yet."""
    call.sounds = True
    call.listen()


def reach(call: Call, _event: ev.CustomerAnswered, now: int) -> None:
    """Whoever was called answered."""
    agent = present(call.agent)
    call.answered = call.talked = True
    call.rings = call.sounds = False
    call.deadline = None
    call.facts.append(CallConnected(call.call_id, now, "", agent.agent_id, agent.queue_id))
    call.effects.append(fx.AnswerAgent(agent.leg_id))
    call.converse(Conversation.TALK, now, plain=True)


def not_reach(call: Call, event: ev.CustomerRefused, now: int) -> None:
    """Whoever was called refused or did not answer."""
    if event.status in BUSY_STATUSES:
        cause = EndCause.BUSY
    else:
        cause = EndCause.NO_SUCH_NUMBER if event.status in GONE_STATUSES else EndCause.NO_ANSWER
    close(
        call,
        Outcome.UNREACHED,
        EndedBy.SYSTEM,
        now,
        detail=str(event.status),
        others=cause,
        customer=EndCause.NO_ANSWER,
    )


def own_phone_silent(call: Call, event: ev.AgentRefused | ev.SearchFailed, now: int) -> None:
    """The agent's own phone did not answer."""
    gone = event.leg_id if isinstance(event, ev.AgentRefused) else ""
    close(call, Outcome.UNREACHED, EndedBy.AGENT, now, detail="own_phone", others=EndCause.NO_ANSWER, gone=gone)


def not_engaged(call: Call, _event: ev.EngagementRefused, now: int) -> None:
    """Routing rings the agent at this very moment, or the agent is busy or gone; nobody else was rung yet."""
    if call.colleague is not None:
        call.unengaged |= {call.colleague.contact_id}
    close(
        call, Outcome.UNREACHED, EndedBy.SYSTEM, now, detail="agent_busy", others=EndCause.BUSY, customer=EndCause.BUSY
    )


def give_up(call: Call, event: ev.AgentLeft | ev.HangUpOrdered, now: int) -> None:
    """The agent hung up before anybody answered."""
    gone = event.leg_id if isinstance(event, ev.AgentLeft) else ""
    close(
        call,
        Outcome.UNREACHED,
        EndedBy.AGENT,
        now,
        detail="given_up",
        others=EndCause.NORMAL,
        customer=EndCause.CANCELLED,
        gone=gone,
    )
