"""The call machine against its table: every row, every race, and nothing outside of it."""

import itertools
from collections import Counter
from dataclasses import replace
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from acd.events import DeclineCause
from acd.outcomes import OfferResult
from callcenter.calls import effects as fx
from callcenter.calls import events as ev
from callcenter.calls.facts import (
    CallConnected,
    CallEnded,
    CallOfferFailed,
    CallOverflowed,
    CallQueued,
    EndedBy,
    Outcome,
)
from callcenter.calls.legs import EndCause
from callcenter.calls.machine import TABLE, CallMachine, IllegalCallEvent
from callcenter.calls.queueing import after_overflow
from callcenter.calls.states import CallState

pytestmark = pytest.mark.unit

QUEUE = ev.QueueRequested("sales", 0, (("en", 1),), "en")
OFFER = ev.AgentOffered("o1", "anna", "sales", 20_000, "leg-a")
PATHS = {
    CallState.IN_FLOW: (),
    CallState.QUEUED: (QUEUE,),
    CallState.OFFERED: (QUEUE, OFFER),
    CallState.CONNECTING: (QUEUE, OFFER, ev.AgentAnswered("leg-a")),
    CallState.AGENT_LOST: (QUEUE, OFFER, ev.AgentAnswered("leg-a"), ev.AgentGone("leg-a", EndCause.NORMAL)),
    CallState.TALKING: (QUEUE, OFFER, ev.AgentAnswered("leg-a"), ev.OfferConfirmed("o1")),
    CallState.ENDED: (ev.CustomerGone(EndCause.CANCELLED),),
}
SAMPLES = (
    ev.AnswerRequested(),
    QUEUE,
    ev.HangUpRequested("bye"),
    ev.CustomerGone(EndCause.NORMAL),
    OFFER,
    ev.OfferTakenBack("o1", OfferResult.EXPIRED),
    ev.OfferConfirmed("o1"),
    ev.OfferTooLate("o1"),
    ev.QueueVanished(),
    ev.QueueOverflowed("queue:support", "plan_over"),
    ev.QueueMoved("support", "plan_over"),
    ev.QueueLeft("queue_full"),
    ev.QueueGaveUp("queue_full"),
    ev.AgentRinging("leg-a"),
    ev.AgentAnswered("leg-a"),
    ev.AgentRefused("leg-a", 486),
    ev.AgentGone("leg-a", EndCause.NORMAL),
    ev.DeclineOrdered(),
    ev.HangUpOrdered(),
    ev.MediaFailed("gone"),
    ev.ShutdownOrdered(),
)


def call_in(state: CallState) -> CallMachine:
    machine = CallMachine("c1")
    for at, event in enumerate(PATHS[state]):
        machine.receive(event, now=at)
    assert machine.state is state
    return machine


def effects_of(machine: CallMachine, event: ev.CallEvent, now: int = 100) -> tuple[fx.Effect, ...]:
    return machine.receive(event, now=now)[1]


def test_every_kind_of_event_is_sampled() -> None:
    assert {type(event) for event in SAMPLES} == set(get_args(ev.CallEvent))


@pytest.mark.parametrize(("state", "event"), list(itertools.product(CallState, SAMPLES)))
def test_an_event_follows_its_row_or_raises_and_changes_nothing(state: CallState, event: ev.CallEvent) -> None:
    machine = call_in(state)
    about_a_leg_or_offer = isinstance(
        event,
        ev.AgentRinging
        | ev.AgentAnswered
        | ev.AgentRefused
        | ev.AgentGone
        | ev.OfferTakenBack
        | ev.OfferConfirmed
        | ev.OfferTooLate,
    )
    meant = event
    if isinstance(event, ev.QueueOverflowed):
        meant = after_overflow(machine.queue, machine.visited, event)
    row = TABLE.get((state, type(meant)))
    if about_a_leg_or_offer and machine.offer is None:
        machine.receive(event, now=100)
        assert machine.state is state
    elif row is None:
        before = (machine.state, machine.offer, machine.queue, machine.answered)
        with pytest.raises(IllegalCallEvent):
            machine.receive(event, now=100)
        assert (machine.state, machine.offer, machine.queue, machine.answered) == before
    else:
        machine.receive(event, now=100)
        assert machine.state is row.to


def test_caller_is_answered_before_the_music_starts() -> None:
    facts, effects = CallMachine("c1").receive(QUEUE, now=5)
    assert [type(fact).__name__ for fact in facts] == ["CallAnswered", "CallQueued"]
    assert effects == (
        fx.AnswerCustomer(),
        fx.StartMusic(),
        fx.RequestAgent("sales", 5, 0, (("en", 1),)),
    )


def test_a_way_out_leads_to_another_queue_once_then_to_the_flow_else_to_the_end() -> None:
    overflow = ev.QueueOverflowed("queue:support", "plan_over")
    machine = CallMachine("c1")
    machine.receive(replace(QUEUE, may_return=True), now=1)
    facts, effects = machine.receive(overflow, now=9)
    assert [type(fact).__name__ for fact in facts] == ["CallOverflowed", "CallQueued"]
    assert effects == (fx.RequestAgent("support", 1, 0, (("en", 1),)),)
    assert effects_of(machine, overflow) == (fx.StopMusic(), fx.ReturnToFlow("plan_over"))
    assert machine.state is CallState.IN_FLOW
    assert effects_of(call_in(CallState.QUEUED), ev.QueueOverflowed("", "queue_full"))[-1] == fx.EndCustomer(
        EndCause.NORMAL
    )


def test_agent_is_bridged_only_after_routing_confirmed_the_offer() -> None:
    machine = call_in(CallState.OFFERED)
    assert effects_of(machine, ev.AgentAnswered("leg-a")) == (fx.ReportAccepted("o1"),)
    facts, effects = machine.receive(ev.OfferConfirmed("o1"), now=7)
    assert facts == (CallConnected("c1", 7, "o1", "anna", "sales"),)
    assert effects == (fx.BridgeLegs("leg-a"),)


def test_agent_who_answers_too_late_is_released_and_the_caller_waits_on() -> None:
    machine = call_in(CallState.CONNECTING)
    facts, effects = machine.receive(ev.OfferTooLate("o1"), now=9)
    assert facts == (CallOfferFailed("c1", 9, "o1", "anna", OfferResult.EXPIRED),)
    assert effects == (fx.EndAgent("leg-a", EndCause.NO_ANSWER),)
    assert machine.state is CallState.QUEUED


def test_caller_who_leaves_while_it_rings_takes_the_agents_phone_down() -> None:
    effects = effects_of(call_in(CallState.OFFERED), ev.CustomerGone(EndCause.CANCELLED))
    assert effects == (fx.EndAgent("leg-a", EndCause.CANCELLED), fx.StopFlow(), fx.LeaveQueue())


def test_answer_of_an_earlier_leg_is_hung_up() -> None:
    machine = call_in(CallState.QUEUED)
    assert effects_of(machine, ev.AgentAnswered("leg-old")) == (fx.EndAgent("leg-old", EndCause.ANSWERED_ELSEWHERE),)


@pytest.mark.parametrize(
    ("status", "cause"),
    [(486, DeclineCause.BUSY), (603, DeclineCause.DECLINED), (408, DeclineCause.UNREACHABLE)],
)
def test_refusing_phone_tells_routing_why(status: int, cause: DeclineCause) -> None:
    effects = effects_of(call_in(CallState.OFFERED), ev.AgentRefused("leg-a", status))
    assert effects == (fx.ReportDeclined("o1", cause),)


def test_agent_lost_while_connecting_brings_the_caller_back_to_the_old_place() -> None:
    machine = call_in(CallState.AGENT_LOST)
    effects = effects_of(machine, ev.OfferConfirmed("o1"))
    assert effects == (fx.ReportFinished(), fx.RequestAgent("sales", 0, 0, (("en", 1),)))
    assert machine.state is CallState.QUEUED


@pytest.mark.parametrize(
    ("event", "ended_by"),
    [
        (ev.CustomerGone(EndCause.NORMAL), EndedBy.CUSTOMER),
        (ev.AgentGone("leg-a", EndCause.NORMAL), EndedBy.AGENT),
        (ev.HangUpOrdered(), EndedBy.AGENT),
        (ev.MediaFailed("x"), EndedBy.SYSTEM),
    ],
)
def test_conversation_is_answered_whoever_ends_it(event: ev.CallEvent, ended_by: EndedBy) -> None:
    facts, effects = call_in(CallState.TALKING).receive(event, now=50)
    (ended,) = facts
    assert isinstance(ended, CallEnded)
    assert (ended.outcome, ended.ended_by, ended.at) == (Outcome.ANSWERED, ended_by, 50)
    assert fx.ReportFinished() in effects


@given(st.lists(st.sampled_from(SAMPLES), max_size=30))
@settings(max_examples=400, deadline=None)
def test_no_order_of_events_ends_a_call_twice_or_leaves_a_phone_ringing(events: list[ev.CallEvent]) -> None:
    """Rung legs are ended, refused or gone; routing hears of a request's end once; one end for each call."""
    machine = CallMachine("c1")
    facts, effects = [], []
    for at, event in enumerate(events):
        try:
            new_facts, new_effects = machine.receive(event, now=at)
        except IllegalCallEvent:
            continue
        facts += new_facts
        effects += new_effects
    ends = [fact for fact in facts if isinstance(fact, CallEnded)]
    assert len(ends) == (machine.state is CallState.ENDED)
    counts = Counter(type(effect) for effect in effects)
    assert counts[fx.AnswerCustomer] <= 1
    assert counts[fx.LeaveQueue] <= 1
    queued = [fact for fact in facts if isinstance(fact, CallQueued)]
    assert len(queued) <= 1 + sum(isinstance(fact, CallOverflowed) for fact in facts)
    if machine.state is CallState.ENDED:
        assert machine.offer is None
