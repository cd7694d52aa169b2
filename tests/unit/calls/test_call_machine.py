"""The call machine against its table: every row, every race, and nothing outside of it."""

import itertools
from typing import get_args

import pytest

from acd.events import DeclineCause
from acd.outcomes import OfferResult
from callcenter.calls import effects as fx
from callcenter.calls import events as ev
from callcenter.calls.facts import (
    CallConnected,
    CallEnded,
    CallOfferFailed,
    EndedBy,
    Outcome,
)
from callcenter.calls.legs import EndCause
from callcenter.calls.machine import TABLE, CallMachine, IllegalCallEvent
from callcenter.calls.participants import Conversation, Role
from callcenter.calls.segments import Seat, Target, TargetKind
from callcenter.calls.states import CallState
from callcenter.ports import TrunkPolicy
from tests.support.changed_entries import with_fields

pytestmark = pytest.mark.unit

QUEUE = ev.QueueRequested("sales", 0, (("en", 1),), "en")
OFFER = ev.AgentOffered("o1", "anna", "sales", 20_000, "leg-a")
SECOND = ev.AgentOffered("o2", "ben", "support", 40_000, "leg-b")
BEN = Target(TargetKind.AGENT, "ben", "support")
SUPPORT = Target(TargetKind.QUEUE, "support", "support")
NUMBER = Target(TargetKind.NUMBER, "+12025550199", policy=TrunkPolicy(("trunk",)))
DIAL = ev.DialOrdered("anna", "sales", "leg-a", NUMBER, "leg-n")
PHONE = ev.PhoneDialled("anna", "sales", "leg-a", NUMBER, "leg-n")
BACK = ev.CallBackOrdered(QUEUE, NUMBER, "leg-n", "k1", 0, 30_000)
TALK = (QUEUE, OFFER, ev.AgentAnswered("leg-a"), ev.OfferConfirmed("o1"))
CONSULT = (*TALK, ev.ConsultOrdered(BEN, "leg-n"))
CONSULTING = (*CONSULT, SECOND, ev.AgentAnswered("leg-b"), ev.OfferConfirmed("o2"))
PARKED = (*TALK, ev.ParkOrdered("701", 1_000))
PATHS = {
    CallState.IN_FLOW: (),
    CallState.QUEUED: (QUEUE,),
    CallState.OFFERED: (QUEUE, OFFER),
    CallState.CONNECTING: (QUEUE, OFFER, ev.AgentAnswered("leg-a")),
    CallState.AGENT_LOST: (QUEUE, OFFER, ev.AgentAnswered("leg-a"), ev.AgentGone("leg-a", EndCause.NORMAL)),
    CallState.DIALLING: (*TALK, ev.TransferOrdered(NUMBER, "leg-n"), ev.HangUpOrdered()),
    CallState.TALKING: TALK,
    CallState.HELD: (*TALK, ev.HoldOrdered()),
    CallState.CONSULT_QUEUED: CONSULT,
    CallState.CONSULT_OFFERED: (*CONSULT, SECOND),
    CallState.CONSULT_CONNECTING: (*CONSULT, SECOND, ev.AgentAnswered("leg-b")),
    CallState.CONSULT_LOST: (*CONSULT, SECOND, ev.AgentAnswered("leg-b"), ev.AgentGone("leg-b", EndCause.NORMAL)),
    CallState.CONSULT_DIALLING: (*TALK, ev.ConsultOrdered(NUMBER, "leg-n")),
    CallState.CONSULTING: CONSULTING,
    CallState.SWAPPED: (*CONSULTING, ev.SwapOrdered()),
    CallState.CONFERENCE: (*CONSULTING, ev.ConferenceOrdered()),
    CallState.PRIVATE: (*TALK, ev.TransferOrdered(NUMBER, "leg-n"), ev.AgentAnswered("leg-n")),
    CallState.PARKED: PARKED,
    CallState.RETRIEVING: (*PARKED, ev.RetrieveOrdered("ben", "support", "leg-b")),
    CallState.CALLING_AGENT: (DIAL,),
    CallState.CALLING: (PHONE,),
    CallState.REACHING: (BACK,),
    CallState.GREETING: (BACK, ev.CustomerAnswered()),
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
    ev.QueueOverflowed("queue:other", "queue_full"),
    ev.QueueMoved("other", "queue_full"),
    ev.QueueLeft("queue_full"),
    ev.QueueGaveUp("queue_full"),
    ev.SearchFailed(),
    ev.AgentRinging("leg-a"),
    ev.AgentAnswered("leg-a"),
    ev.AgentRefused("leg-a", 486),
    ev.AgentGone("leg-a", EndCause.NORMAL),
    ev.AgentLeft("leg-a", EndCause.NORMAL),
    ev.TalkOver(gone=False),
    ev.ConsultedLeft("leg-b", EndCause.NORMAL),
    ev.NumberRinging("leg-n"),
    ev.NumberEarlyMedia("leg-n"),
    ev.CustomerEarlyMedia(),
    ev.NumberAnswered("leg-n"),
    ev.NumberRefused("leg-n", 486),
    ev.StillOffered(),
    ev.StillConnecting(),
    ev.StillLost(),
    ev.DialStarted(),
    ev.NobodyLeft(),
    ev.CustomerRinging(),
    ev.CustomerAnswered(),
    ev.CustomerRefused(404),
    DIAL,
    BACK,
    ev.Greeted(),
    PHONE,
    ev.EngagementRefused("c1"),
    ev.HoldOrdered(),
    ev.ColleagueOrdered(ev.HoldOrdered()),
    ev.ResumeOrdered(),
    ev.TransferOrdered(BEN, "leg-n"),
    ev.ConsultOrdered(SUPPORT, "leg-n"),
    ev.ExitChosen(),
    ev.PartyBrought(Seat("leg-x", "d1.2", "chen", "support"), "leg-a"),
    ev.PartyTaken(),
    ev.PickedUp("leg-p", "ben", "support"),
    ev.PickUpGranted("leg-p"),
    ev.PickUpRefused("leg-p"),
    ev.LegMoved("leg-a", "leg-p"),
    ev.CompleteOrdered(),
    ev.HandedOut(),
    ev.LeftWithNumber(),
    ev.CancelOrdered(),
    ev.SwapOrdered(),
    ev.ConferenceOrdered(),
    ev.ParkOrdered("701", 1_000),
    ev.RetrieveOrdered("ben", "support", "leg-b"),
    ev.ParkExpired(),
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


def known(machine: CallMachine) -> tuple[object, ...]:
    offers = dict(machine.offers)
    return machine.state, offers, machine.queue, machine.answered, machine.agent, machine.consulted


def effects_of(machine: CallMachine, event: ev.CallEvent, now: int = 100) -> tuple[fx.Effect, ...]:
    return machine.receive(event, now=now)[1]


def test_every_kind_of_event_is_sampled() -> None:
    assert {type(event) for event in SAMPLES} == set(get_args(ev.CallEvent))


def test_every_state_is_reached_by_a_story() -> None:
    assert set(PATHS) == set(CallState)
    for state in CallState:
        call_in(state)


@pytest.mark.parametrize(("state", "event"), list(itertools.product(CallState, SAMPLES)))
def test_an_event_follows_its_row_or_raises_and_changes_nothing(state: CallState, event: ev.CallEvent) -> None:
    machine = call_in(state)
    meant = call_in(state)._meant(event)
    row = None if meant is None else TABLE.get((state, type(meant)))
    if meant is None:
        assert machine.receive(event, now=100)[0] == ()
        assert machine.state is state
    elif row is None:
        before = known(machine)
        with pytest.raises(IllegalCallEvent):
            machine.receive(event, now=100)
        assert known(machine) == before
    elif row.act is None:
        assert machine.receive(event, now=100) == ((), ())
        assert machine.state is row.to


def test_caller_is_answered_before_the_music_starts() -> None:
    facts, effects = CallMachine("c1").receive(QUEUE, now=5)
    assert [type(fact).__name__ for fact in facts] == ["CallAnswered", "CallQueued"]
    assert effects == (
        fx.AnswerCustomer(),
        fx.Converse(Conversation.WAITING, ((fx.CUSTOMER_LEG, Role.CUSTOMER),)),
        fx.RequestAgent("sales", 5, 0, (("en", 1),), contact_id="c1"),
    )


def test_a_way_out_leads_to_another_queue_once_then_to_the_flow_else_to_the_end() -> None:
    overflow = ev.QueueOverflowed("queue:support", "plan_over")
    machine = CallMachine("c1")
    machine.receive(with_fields(QUEUE, may_return=True), now=1)
    facts, effects = machine.receive(overflow, now=9)
    assert [type(fact).__name__ for fact in facts] == ["CallOverflowed", "CallQueued"]
    assert effects == (fx.RequestAgent("support", 1, 0, (("en", 1),), contact_id="c1"),)
    assert effects_of(machine, overflow) == (fx.Converse(Conversation.WAITING, ()), fx.ReturnToFlow("plan_over"))
    assert machine.state is CallState.IN_FLOW
    assert effects_of(call_in(CallState.QUEUED), ev.QueueOverflowed("", "queue_full"))[-1] == fx.EndCustomer(
        EndCause.NORMAL
    )


def test_agent_is_bridged_only_after_routing_confirmed_the_offer() -> None:
    machine = call_in(CallState.OFFERED)
    assert effects_of(machine, ev.AgentAnswered("leg-a")) == (fx.ReportAccepted("o1", "c1"),)
    facts, effects = machine.receive(ev.OfferConfirmed("o1"), now=7)
    assert facts == (CallConnected("c1", 7, "o1", "anna", "sales"),)
    assert effects == (fx.Converse(Conversation.TALK, ((fx.CUSTOMER_LEG, Role.CUSTOMER), ("leg-a", Role.AGENT))),)


def test_agent_who_answers_too_late_is_released_and_the_caller_waits_on() -> None:
    machine = call_in(CallState.CONNECTING)
    facts, effects = machine.receive(ev.OfferTooLate("o1"), now=9)
    assert facts == (CallOfferFailed("c1", 9, "o1", "anna", OfferResult.EXPIRED),)
    assert effects == (fx.EndAgent("leg-a", EndCause.NO_ANSWER),)
    assert machine.state is CallState.QUEUED


def test_caller_who_leaves_while_it_rings_takes_the_agents_phone_down() -> None:
    effects = effects_of(call_in(CallState.OFFERED), ev.CustomerGone(EndCause.CANCELLED))
    assert effects == (fx.EndAgent("leg-a", EndCause.CANCELLED), fx.StopFlow(), fx.LeaveQueue("c1"))


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
    assert effects == (fx.ReportFinished("c1"), fx.RequestAgent("sales", 0, 0, (("en", 1),), contact_id="c1"))
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
    assert fx.ReportFinished("c1", "anna") in effects
