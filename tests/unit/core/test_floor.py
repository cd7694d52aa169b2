"""The floor is a fold: a stale copy plus the changes told equals a fresh view, whatever happened."""

from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace as replace_view

from acd import outcomes as acd
from acd.events import AgentSpec, Channel, FloorConfigured, QueueSpec
from acd.ids import AgentId, ContactId, OfferId, QueueId
from agent_console.messages import (
    AgentChanged,
    AgentState,
    AgentView,
    CallbackRemoved,
    ContactChanged,
    ContactRemoved,
    ContactState,
    ContactView,
    CustomerMatch,
    MatchState,
)
from callcenter.appraisals.facts import SurveyAsked, SurveyKind
from callcenter.calls import facts
from callcenter.calls.segments import SegmentResult
from callcenter.floor.fold import FloorFold, PhoneRegistrationChanged
from callcenter.link.floor_news import FloorNews
from callcenter.link.messages import FloorChanged, JournalAdvanced
from callcenter.link.web_side import FloorCopy
from callcenter.service_targets import ServiceTarget, ServiceTargets

pytestmark = pytest.mark.unit

NOON = 1_700_000_000_000
CONFIG = FloorConfigured(
    queues=(QueueSpec(QueueId("sales"), "Sales"), QueueSpec(QueueId("support"), "Support")),
    agents=(AgentSpec(AgentId("anna"), "Anna", (QueueId("sales"),)), AgentSpec(AgentId("ben"), "Ben", ())),
)
DECISION = acd.Decision("longest_idle", 1, "()", None, None)


def new_floor() -> FloorFold:
    floor = FloorFold(
        time_zone=ZoneInfo("UTC"), targets=ServiceTargets([ServiceTarget("sales", Channel.VOICE, 10, 90)])
    )
    floor.apply(CONFIG, NOON)
    return floor


def arrived(call_id: str = "c1", at: int = NOON) -> facts.CallArrived:
    return facts.CallArrived(call_id, at, "+1", "", "+2", "t", "x", "main")


def play(floor: FloorFold, *happened: object, at: int = NOON) -> None:
    for fact in happened:
        floor.apply(fact, at)


QUEUED = (
    arrived(),
    facts.CallQueued("c1", NOON, "sales", 0, "en"),
    acd.ContactQueued(ContactId("c1"), QueueId("sales"), NOON, 0, returned=False),
)
OFFERED = (
    *QUEUED,
    acd.OfferContact(OfferId("o1"), ContactId("c1"), AgentId("anna"), QueueId("sales"), NOON + 20_000, DECISION),
)
CONNECTED = (
    *OFFERED,
    acd.AgentStateChanged(AgentId("anna"), acd.AgentState.BUSY, NOON, contact_id=ContactId("c1")),
    acd.ContactDequeued(ContactId("c1"), QueueId("sales"), acd.DequeueReason.ASSIGNED, 4_000),
    acd.ContactAssigned(OfferId("o1"), ContactId("c1"), AgentId("anna"), QueueId("sales"), 4_000),
    facts.CallConnected("c1", NOON, "o1", "anna", "sales"),
)


def test_waiting_contact_is_counted_until_it_is_assigned() -> None:
    floor = new_floor()
    play(floor, *QUEUED)
    (sales, _) = floor.view().queues
    assert (sales.waiting, sales.longest_waiting_since, sales.offered) == (1, NOON, 1)
    play(floor, *CONNECTED[len(QUEUED) :])
    (sales, _) = floor.view().queues
    assert (sales.waiting, sales.longest_waiting_since, sales.answered, sales.answered_in_target) == (0, None, 1, 1)


def test_answer_after_the_target_counts_but_not_in_target() -> None:
    floor = new_floor()
    play(floor, *OFFERED)
    taken = acd.ContactDequeued(ContactId("c1"), QueueId("sales"), acd.DequeueReason.ASSIGNED, 10_001)
    play(floor, taken, at=NOON + 10_001)
    (sales, _) = floor.view().queues
    assert (sales.answered, sales.answered_in_target) == (1, 0)


def test_contact_that_returns_is_not_offered_twice() -> None:
    floor = new_floor()
    play(floor, *OFFERED)
    play(
        floor,
        acd.OfferEnded(OfferId("o1"), ContactId("c1"), AgentId("anna"), acd.OfferResult.EXPIRED),
        acd.ContactQueued(ContactId("c1"), QueueId("sales"), NOON, 0, returned=True),
    )
    (sales, _) = floor.view().queues
    (contact,) = floor.view().contacts
    assert (sales.offered, sales.waiting) == (1, 1)
    assert (contact.state, contact.agent_id, contact.offer_expires_at) == (ContactState.QUEUED, None, None)


def test_ring_card_knows_customer_path_and_deadline_before_the_answer() -> None:
    floor = new_floor()
    play(
        floor,
        arrived(),
        facts.CallStepTaken("c1", NOON, "menu", "English"),
        facts.CustomerMatched("c1", NOON, "one", ("42",), "Ann"),
        *OFFERED[1:],
    )
    (contact,) = floor.view().contacts
    assert contact.flow_path == ("English",)
    assert (contact.customer.state, contact.customer.name) == (MatchState.ONE, "Ann")
    assert (contact.state, contact.agent_id, contact.offer_expires_at) == (ContactState.OFFERED, "anna", NOON + 20_000)


def test_conversation_stays_on_the_floor_until_its_wrap_up_is_over() -> None:
    floor = new_floor()
    play(
        floor,
        *CONNECTED,
        facts.CallEnded("c1", NOON, facts.Outcome.ANSWERED, facts.EndedBy.CUSTOMER),
        acd.AgentStateChanged(
            AgentId("anna"), acd.AgentState.WRAP_UP, NOON, contact_id=ContactId("c1"), until=NOON + 9
        ),
    )
    (contact,) = floor.view().contacts
    assert (contact.state, contact.wrap_up_until) == (ContactState.WRAP_UP, NOON + 9)
    play(floor, acd.AgentStateChanged(AgentId("anna"), acd.AgentState.READY, NOON))
    assert floor.view().contacts == ()


def test_call_that_nobody_answered_leaves_the_floor_at_its_end() -> None:
    floor = new_floor()
    play(floor, *QUEUED, facts.CallEnded("c1", NOON, facts.Outcome.ABANDONED, facts.EndedBy.CUSTOMER))
    assert floor.view().contacts == ()


def test_counts_start_anew_at_midnight_of_the_sites_time_zone() -> None:
    floor = FloorFold(time_zone=ZoneInfo("Asia/Shanghai"), targets=ServiceTargets())
    floor.apply(CONFIG, NOON)
    play(floor, *QUEUED)
    before_midnight = NOON - NOON % 86_400_000 + 16 * 3_600_000 - 1  # 23:59:59.999 in Shanghai
    play(floor, PhoneRegistrationChanged("anna", registered=True), at=max(NOON, before_midnight - 86_400_000))
    floor.apply(PhoneRegistrationChanged("anna", registered=False), before_midnight + 86_400_000 + 1)
    assert [queue.offered for queue in floor.view().queues] == [0, 0]


def test_agent_state_is_shown_as_told() -> None:
    floor = new_floor()
    play(floor, PhoneRegistrationChanged("anna", registered=True))
    play(floor, acd.AgentStateChanged(AgentId("anna"), acd.AgentState.NOT_READY, NOON, reason="lunch"))
    agent = floor.agent("anna")
    assert agent is not None
    assert (agent.state, agent.reason, agent.phone_registered) == (AgentState.NOT_READY, "lunch", True)


def test_who_leaves_the_queue_without_an_agent_is_back_in_the_menu() -> None:
    floor = new_floor()
    play(floor, *QUEUED)
    play(floor, facts.CallOverflowed("c1", NOON, "sales", "exit_key", "support"))
    (waits,) = floor.view().contacts
    play(floor, facts.CallOverflowed("c1", NOON, "sales", "exit_key"))
    (back,) = floor.view().contacts
    assert (waits.state, waits.queue_id) == (ContactState.QUEUED, "sales"), "another queue is told by itself"
    assert (back.state, back.queue_id, back.queued_at) == (ContactState.IN_FLOW, None, None)


CALL_IDS = st.sampled_from(["c1", "c2", "c3"])
AGENT_IDS = st.sampled_from(["anna", "ben", "nobody"])
QUEUE_IDS = st.sampled_from(["sales", "support", "nowhere"])
FACTS = st.one_of(
    st.builds(arrived, CALL_IDS),
    st.builds(facts.CallStepTaken, CALL_IDS, st.just(NOON), st.just("s"), st.sampled_from([None, "Sales"])),
    st.builds(facts.CustomerMatched, CALL_IDS, st.just(NOON), st.sampled_from(["none", "many"]), st.just(("1",))),
    st.builds(facts.CustomerIdentified, CALL_IDS, st.just(NOON), st.just("7"), AGENT_IDS),
    st.builds(facts.CallQueued, CALL_IDS, st.just(NOON), QUEUE_IDS, st.just(0), st.just("en")),
    st.builds(facts.CallOverflowed, CALL_IDS, st.just(NOON), QUEUE_IDS, st.just("queue_full")),
    st.builds(SurveyAsked, CALL_IDS, st.just(NOON), st.just(SurveyKind.CSAT), QUEUE_IDS, AGENT_IDS, st.just("call")),
    CALL_IDS.map(lambda call_id: facts.SegmentEnded(call_id, NOON, call_id, SegmentResult.COMPLETED)),
    st.builds(facts.CallConnected, CALL_IDS, st.just(NOON), st.just("o"), AGENT_IDS, QUEUE_IDS),
    st.builds(facts.CallEnded, CALL_IDS, st.just(NOON), st.just(facts.Outcome.ANSWERED), st.just(facts.EndedBy.AGENT)),
    st.builds(acd.ContactQueued, CALL_IDS, QUEUE_IDS, st.integers(0, 9), st.just(0), st.booleans()),
    st.builds(acd.ContactDequeued, CALL_IDS, QUEUE_IDS, st.sampled_from(acd.DequeueReason), st.just(5)),
    st.builds(acd.ContactAssigned, st.just("o"), CALL_IDS, AGENT_IDS, QUEUE_IDS, st.just(5)),
    st.builds(acd.OfferContact, st.just("o"), CALL_IDS, AGENT_IDS, QUEUE_IDS, st.just(NOON), st.just(DECISION)),
    st.builds(acd.OfferEnded, st.just("o"), CALL_IDS, AGENT_IDS, st.sampled_from(acd.OfferResult)),
    st.builds(acd.AgentStateChanged, AGENT_IDS, st.sampled_from(acd.AgentState), st.just(NOON), contact_id=CALL_IDS),
    st.builds(PhoneRegistrationChanged, AGENT_IDS, st.booleans()),
    st.just(CONFIG),
)


@given(st.lists(st.tuples(FACTS, st.booleans()), max_size=60))
@settings(max_examples=150, deadline=None)
def test_what_is_told_once_in_a_while_leads_to_the_same_floor(happened: list[tuple[object, bool]]) -> None:
    floor, copy, news = new_floor(), FloorCopy(), FloorNews()
    copy.replace(floor.view())
    for fact, is_told in [*happened, (CONFIG, True)]:
        for change in floor.apply(fact, NOON):
            news.add(change)
        for each in news.take() if is_told else ():
            assert isinstance(each, FloorChanged)
            for change in each.changes:
                copy.apply(change)
    assert news.take() == []
    ours, fresh = copy.snapshot(), floor.view()
    assert {each.agent_id: each for each in ours.agents} == {each.agent_id: each for each in fresh.agents}
    assert {each.queue_id: each for each in ours.queues} == {each.queue_id: each for each in fresh.queues}
    assert {each.contact_id: each for each in ours.contacts} == {each.contact_id: each for each in fresh.contacts}


def test_of_what_changed_twice_the_last_is_told_and_nobody_is_said_to_have_what_is_not_there() -> None:
    new = ContactView("c2", ContactState.QUEUED, "+1", "", "5000", NOON, CustomerMatch(MatchState.PENDING))
    rings = AgentChanged(AgentView("anna", "Anna", AgentState.OFFERED, NOON, contact_id="c2"))
    news = FloorNews()
    for change in (
        ContactRemoved("c1"),
        AgentChanged(AgentView("anna", "Anna", AgentState.READY, NOON)),
        rings,
        ContactChanged(new),
        ContactChanged(replace_view(new, state=ContactState.OFFERED)),
        CallbackRemoved("b1"),
    ):
        news.add(change)
    news.journal_advanced(7)
    there = ContactChanged(replace_view(new, state=ContactState.OFFERED))
    gone = ContactRemoved("c1"), CallbackRemoved("b1")
    assert news.take() == [FloorChanged((there, rings, *gone)), JournalAdvanced(7)]
    assert news.take() == []


@given(st.lists(st.tuples(FACTS, st.sampled_from([0, 0, 0, 86_400_000])), max_size=60), st.integers(0, 30))
@settings(max_examples=150, deadline=None)
def test_stale_view_plus_changes_is_a_fresh_view(happened: list[tuple[object, int]], stale_at: int) -> None:
    floor, copy, now = new_floor(), FloorCopy(), NOON
    copy.replace(floor.view())
    for index, (fact, pause) in enumerate(happened):
        now += pause
        changes = floor.apply(fact, now)
        if index == stale_at:
            copy.replace(floor.view())
        else:
            for change in changes:
                copy.apply(change)
    told, fresh = copy.snapshot(), floor.view()
    assert sorted(told.agents, key=lambda each: each.agent_id) == sorted(fresh.agents, key=lambda each: each.agent_id)
    assert sorted(told.queues, key=lambda each: each.queue_id) == sorted(fresh.queues, key=lambda each: each.queue_id)
    assert {each.contact_id: each for each in told.contacts} == {each.contact_id: each for each in fresh.contacts}
