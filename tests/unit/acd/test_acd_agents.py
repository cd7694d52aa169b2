"""What an agent may do when, and what is put off."""

import pytest

from acd.agents import TRANSITIONS, AgentTrigger
from acd.errors import IllegalTransition, UnknownAgent
from acd.events import (
    AgentMadeNotReady,
    AgentMadeReady,
    AgentSignedIn,
    AgentSignedOut,
    ContactFinished,
    WrapUpFinished,
)
from acd.ids import AgentId, ContactId
from acd.outcomes import (
    AgentState,
    AgentStateChanged,
    ContactQueued,
    OfferContact,
    OfferEnded,
    OfferResult,
    WithdrawOffer,
)
from tests.support.acd_floor import WRAP_UP_MS, Floor, agent, names, only, queue

pytestmark = pytest.mark.unit

A, B, C = AgentId("a"), AgentId("b"), ContactId("c")


def test_agent_who_signs_in_starts_not_ready() -> None:
    floor = Floor(agent("a"))
    said = only(floor.tell(AgentSignedIn(A)), AgentStateChanged)
    assert (said.state, said.reason, said.since) == (AgentState.NOT_READY, "signed_in", floor.now)


def test_signing_in_twice_says_nothing() -> None:
    floor = Floor(agent("a"))
    floor.ready("a")
    assert floor.tell(AgentSignedIn(A)) == []
    assert floor.agent("a").state is AgentState.READY


@pytest.mark.parametrize("event", [AgentSignedOut(A), WrapUpFinished(A)])
def test_late_clicks_of_an_offline_agent_say_nothing(event: AgentSignedOut | WrapUpFinished) -> None:
    assert Floor(agent("a")).tell(event) == []


@pytest.mark.parametrize("event", [AgentMadeReady(A), AgentMadeNotReady(A, "lunch")])
def test_offline_agent_cannot_ask_for_anything(event: AgentMadeReady | AgentMadeNotReady) -> None:
    floor = Floor(agent("a"))
    before = floor.acd.snapshot()
    with pytest.raises(IllegalTransition) as refused:
        floor.tell(event)
    assert refused.value.code == "illegal-transition"
    assert (refused.value.machine, refused.value.identity, refused.value.state) == ("agent", "a", "offline")
    assert floor.acd.snapshot() == before


def test_unknown_agent_is_refused() -> None:
    with pytest.raises(UnknownAgent):
        Floor(agent("a")).tell(AgentSignedIn(AgentId("nobody")))


def test_another_reason_for_the_same_pause_is_told() -> None:
    floor = Floor(agent("a"))
    floor.ready("a")
    floor.tell(AgentMadeNotReady(A, "lunch"))
    assert floor.tell(AgentMadeNotReady(A, "lunch")) == []
    assert only(floor.tell(AgentMadeNotReady(A, "training")), AgentStateChanged).reason == "training"


def test_finished_contact_leads_to_wrap_up_until_its_deadline() -> None:
    floor = Floor(agent("a"))
    floor.ready("a")
    floor.connect("c")
    said = only(floor.tell(ContactFinished(C)), AgentStateChanged)
    assert (said.state, said.contact_id, said.until) == (AgentState.WRAP_UP, "c", floor.now + WRAP_UP_MS)
    assert floor.acd.next_deadline() == said.until
    assert floor.wait(WRAP_UP_MS - 1) == []
    assert only(floor.wait(1), AgentStateChanged).state is AgentState.READY
    assert floor.acd.next_deadline() is None


def test_queue_without_wrap_up_makes_the_agent_ready_at_once() -> None:
    floor = Floor(agent("a"), queues=[queue("q", wrap_up_ms=0)])
    floor.ready("a")
    floor.connect("c")
    said = only(floor.tell(ContactFinished(C)), AgentStateChanged)
    assert (said.state, floor.agent("a").idle_since) == (AgentState.READY, floor.now)


@pytest.mark.parametrize("event", [WrapUpFinished(A), AgentMadeReady(A)])
def test_agent_ends_wrap_up_and_takes_the_next_contact(event: WrapUpFinished | AgentMadeReady) -> None:
    floor = Floor(agent("a"))
    floor.ready("a")
    floor.connect("c")
    floor.arrive("next")
    floor.tell(ContactFinished(C))
    assert only(floor.tell(event), OfferContact).contact_id == "next"


def test_pause_during_a_contact_waits_until_wrap_up_is_over() -> None:
    floor = Floor(agent("a"))
    floor.ready("a")
    floor.connect("c")
    deferred = only(floor.tell(AgentMadeNotReady(A, "lunch")), AgentStateChanged)
    assert (deferred.state, deferred.pending) == (AgentState.BUSY, "not_ready:lunch")
    assert only(floor.tell(ContactFinished(C)), AgentStateChanged).pending == "not_ready:lunch"
    paused = only(floor.wait(WRAP_UP_MS), AgentStateChanged)
    assert (paused.state, paused.reason, paused.pending) == (AgentState.NOT_READY, "lunch", None)


def test_asking_for_work_during_a_contact_cancels_the_pause() -> None:
    floor = Floor(agent("a"))
    floor.ready("a")
    floor.connect("c")
    floor.tell(AgentMadeNotReady(A, "lunch"))
    assert only(floor.tell(AgentMadeReady(A)), AgentStateChanged).pending is None
    assert floor.tell(AgentMadeReady(A)) == []


def test_repeating_a_deferred_pause_says_nothing_and_a_new_reason_is_told() -> None:
    floor = Floor(agent("a"))
    floor.ready("a")
    floor.connect("c")
    floor.tell(AgentMadeNotReady(A, "lunch"))
    assert floor.tell(AgentMadeNotReady(A, "lunch")) == []
    assert only(floor.tell(AgentMadeNotReady(A, "training")), AgentStateChanged).pending == "not_ready:training"
    assert floor.tell(AgentSignedIn(A)) == []


def test_pause_in_wrap_up_is_deferred_to_its_end() -> None:
    floor = Floor(agent("a"))
    floor.ready("a")
    floor.connect("c")
    floor.tell(ContactFinished(C))
    assert only(floor.tell(AgentMadeNotReady(A, "lunch")), AgentStateChanged).pending == "not_ready:lunch"
    assert only(floor.tell(WrapUpFinished(A)), AgentStateChanged).state is AgentState.NOT_READY
    assert floor.acd.next_deadline() is None
    assert floor.wait(WRAP_UP_MS) == []


def test_sign_out_during_a_contact_takes_effect_after_it_without_wrap_up() -> None:
    floor = Floor(agent("a"))
    floor.ready("a")
    floor.connect("c")
    assert only(floor.tell(AgentSignedOut(A)), AgentStateChanged).pending == "offline"
    assert floor.tell(AgentMadeReady(A)) == []
    assert only(floor.tell(ContactFinished(C)), AgentStateChanged).state is AgentState.OFFLINE


def test_signing_in_again_during_the_contact_ends_the_deferred_sign_out() -> None:
    floor = Floor(agent("a"))
    floor.ready("a")
    floor.connect("c")
    floor.tell(AgentSignedOut(A))
    assert only(floor.tell(AgentSignedIn(A)), AgentStateChanged).pending == "not_ready:signed_in"


def test_sign_out_in_wrap_up_takes_effect_at_once() -> None:
    floor = Floor(agent("a"))
    floor.ready("a")
    floor.connect("c")
    floor.tell(ContactFinished(C))
    assert only(floor.tell(AgentSignedOut(A)), AgentStateChanged).state is AgentState.OFFLINE
    assert floor.acd.next_deadline() is None


def test_sign_out_while_ringing_gives_the_contact_to_the_next_agent() -> None:
    floor = Floor(agent("a"), agent("b"))
    floor.ready("a", "b")
    floor.arrive("c")
    said = floor.tell(AgentSignedOut(A))
    assert names(said) == [
        "OfferEnded",
        "WithdrawOffer",
        "AgentStateChanged",
        "ContactQueued",
        "OfferContact",
        "AgentStateChanged",
    ]
    assert only(said, OfferEnded).result is only(said, WithdrawOffer).result is OfferResult.WITHDRAWN
    assert only(said, OfferContact).agent_id == "b"
    assert floor.contact("c").excluded == ()


def test_pause_while_ringing_is_a_refusal_with_its_own_reason() -> None:
    floor = Floor(agent("a"))
    floor.ready("a")
    floor.arrive("c")
    said = floor.tell(AgentMadeNotReady(A, "lunch"))
    assert only(said, OfferEnded).result is OfferResult.DECLINED
    assert only(said, AgentStateChanged).reason == "lunch"
    assert only(said, ContactQueued).returned


def test_asking_for_work_while_ringing_says_nothing() -> None:
    floor = Floor(agent("a"))
    floor.ready("a")
    floor.arrive("c")
    assert floor.tell(AgentMadeReady(A)) == []


def test_no_row_leads_to_an_offer_for_an_agent_who_is_not_ready() -> None:
    assert [state for state, trigger in TRANSITIONS if trigger is AgentTrigger.OFFER_MADE] == [AgentState.READY]
