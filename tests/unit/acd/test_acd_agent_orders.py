"""Which of several idle agents a contact gets, how many ring, and which queue goes first."""

from collections import Counter

import pytest

from acd.agent_orders import draw
from acd.engine import Acd
from acd.events import (
    AgentMadeReady,
    AgentOrder,
    AgentSignedIn,
    AgentSignedOut,
    AgentSpec,
    ContactArrived,
    ContactFinished,
    ContactLeft,
    DeclineCause,
    FloorConfigured,
    OfferAccepted,
    OfferDeclined,
    QueueDelay,
    QueueSpec,
    RingStyle,
    WrapUpFinished,
)
from acd.ids import AgentId, ContactId, OfferId, QueueId
from acd.lines import Roster
from acd.outcomes import (
    AgentState,
    AgentStateChanged,
    ContactAssigned,
    ContactQueued,
    OfferContact,
    OfferEnded,
    OfferLapsed,
    OfferResult,
    WithdrawOffer,
)
from tests.support.acd_floor import RING_MS, Floor, agent, names, of, only, plan, queue, skills, step

pytestmark = pytest.mark.unit


def ordered(order: AgentOrder) -> QueueSpec:
    return QueueSpec(QueueId("q"), "q", wrap_up_ms=0, order=order)


def ringing(style: RingStyle, step_ms: int = 5_000) -> QueueSpec:
    return QueueSpec(QueueId("q"), "q", RING_MS, 30_000, ring=style, ring_step_ms=step_ms)


def serve(floor: Floor, contact_id: str, talk_ms: int = 0) -> str:
    """One contact from arrival to end; who had it."""
    floor.arrive(contact_id)
    offer = floor.offer(contact_id)
    floor.tell(OfferAccepted(offer.offer_id))
    floor.now += talk_ms
    floor.tell(ContactFinished(ContactId(contact_id)))
    return offer.agent_id


def test_most_skilled_agent_goes_first_and_idle_time_settles_the_rest() -> None:
    floor = Floor(
        agent("good", "q", "en2 zh1"),
        agent("best", "q", "en3"),
        agent("also", "q", "en3"),
        queues=[ordered(AgentOrder.MOST_SKILLED)],
    )
    floor.ready("good", "also", "best")
    said = floor.arrive("c", required="en1")
    decision = only(said, OfferContact).decision
    assert (floor.pairs(), decision.rule, decision.runner_up) == ({"c": "also"}, "most_skilled_agent", "best")
    assert decision.winner_key.startswith("(-3, ")


def test_most_skilled_counts_what_the_step_asks_for_and_nothing_else() -> None:
    floor = Floor(agent("zh", "q", "en1 zh9"), agent("en", "q", "en2"), queues=[ordered(AgentOrder.MOST_SKILLED)])
    floor.ready("zh", "en")
    floor.arrive("c", plan=plan(step("en and not fr")))
    assert floor.pairs() == {"c": "en"}


def test_agent_with_the_fewest_calls_goes_first() -> None:
    floor = Floor(agent("a"), agent("b"), queues=[ordered(AgentOrder.FEWEST_CALLS)])
    floor.ready("a", "b")
    assert [serve(floor, name) for name in "cdef"] == ["a", "b", "a", "b"]
    floor.tell(AgentSignedOut(AgentId("b")))
    floor.ready("b")
    assert [serve(floor, name) for name in "ghi"] == ["b", "b", "a"]


def test_calls_are_counted_once_each() -> None:
    """Asterisk 1736: counters that other queues' calls inflate skew who goes first."""
    floor = Floor(agent("a", "q r"), queues=[ordered(AgentOrder.FEWEST_CALLS), queue("r", wrap_up_ms=0)])
    floor.ready("a")
    for name in "cde":
        serve(floor, name)
    floor.arrive("f", "r")
    floor.tell(OfferAccepted(floor.offer("f").offer_id))
    floor.tell(OfferAccepted(OfferId("o4")))
    assert floor.agent("a").taken == 4


def test_agent_with_the_least_talk_time_goes_first() -> None:
    floor = Floor(agent("a"), agent("b"), queues=[ordered(AgentOrder.LEAST_TALK_TIME)])
    floor.ready("a", "b")
    assert serve(floor, "long", 90_000) == "a"
    assert serve(floor, "short", 20_000) == "b"
    assert serve(floor, "short too", 20_000) == "b"
    assert floor.agent("b").talked_ms == 40_002


def test_round_robin_goes_round() -> None:
    floor = Floor(agent("a"), agent("b"), agent("c"), queues=[ordered(AgentOrder.ROUND_ROBIN)])
    floor.ready("c", "b", "a")
    assert [serve(floor, name) for name in "uvwxyz"] == ["a", "b", "c", "a", "b", "c"]


def test_first_configured_agent_goes_first() -> None:
    floor = Floor(agent("a"), agent("b"), queues=[ordered(AgentOrder.TOP_DOWN)])
    floor.ready("b", "a")
    assert [serve(floor, name) for name in "uv"] == ["a", "a"]


def test_random_order_gives_everybody_the_same_chance_and_the_same_again_on_replay() -> None:
    def run() -> list[str]:
        floor = Floor(agent("a"), agent("b", "q", "en1"), agent("c"), queues=[ordered(AgentOrder.RANDOM)])
        floor.ready("a", "b", "c")
        return [serve(floor, f"n{number}") for number in range(600)]

    had = run()
    assert had == run()
    assert all(160 <= count <= 240 for count in Counter(had).values()), Counter(had)


def test_draw_is_uniform_and_below_its_count() -> None:
    drawn = Counter(draw(seed, number, 5) for seed in range(10) for number in range(1_000))
    assert sorted(drawn) == [0, 1, 2, 3, 4]
    assert all(abs(count - 2_000) < 200 for count in drawn.values())


def test_orders_of_different_queues_do_not_disturb_each_other() -> None:
    queues = [QueueSpec(QueueId("q"), "q", order=AgentOrder.TOP_DOWN), queue("r")]
    floor = Floor(agent("a", "q r"), agent("b", "q r"), queues=queues)
    floor.ready("b", "a")
    floor.arrive("c", "q")
    assert floor.pairs() == {"c": "a"}
    floor.tell(ContactLeft(ContactId("c")))
    floor.arrive("d", "r")
    assert floor.pairs() == {"d": "b"}


def test_agents_freed_in_one_instant_are_chosen_by_the_order_of_the_queue() -> None:
    floor = Floor(agent("a"), agent("b"), queues=[QueueSpec(QueueId("q"), "q", order=AgentOrder.TOP_DOWN)])
    floor.ready("b", "a")
    floor.arrive("x")
    floor.arrive("y")
    for offer in floor.acd.offers():
        floor.tell(OfferAccepted(offer.offer_id))
    for name in "yx":
        floor.tell(ContactFinished(ContactId(name)))
    floor.arrive("c")
    floor.wait(60_000)
    assert floor.pairs() == {"c": "a"}


def test_all_idle_agents_ring_and_the_first_who_answers_has_it() -> None:
    floor = Floor(agent("a"), agent("b"), agent("c"), queues=[ringing(RingStyle.ALL)])
    floor.ready("a", "b", "c")
    offers = of(floor.arrive("x"), OfferContact)
    assert [offer.agent_id for offer in offers] == ["a", "b", "c"]
    idle = floor.agent("a").idle_since
    said = floor.tell(OfferAccepted(offers[1].offer_id))
    assert names(said)[:5] == ["OfferEnded", "OfferEnded", "WithdrawOffer", "OfferEnded", "WithdrawOffer"]
    assert only(said, ContactAssigned).agent_id == "b"
    assert [ended.result for ended in of(said, OfferEnded)] == ["accepted", "withdrawn", "withdrawn"]
    assert [each.state for each in floor.acd.agents()] == ["ready", "busy", "ready"]
    assert floor.agent("a").idle_since == idle
    assert floor.contact("x").standing_offers == ()


def test_second_agent_who_answers_is_released() -> None:
    """Asterisk 176: two agents answer one call."""
    floor = Floor(agent("a"), agent("b"), queues=[ringing(RingStyle.ALL)])
    floor.ready("a", "b")
    first, second = of(floor.arrive("x"), OfferContact)
    floor.tell(OfferAccepted(first.offer_id))
    assert floor.tell(OfferAccepted(second.offer_id)) == [OfferLapsed(second.offer_id)]
    assert floor.agent("b").state is AgentState.READY


def test_one_agent_who_refuses_does_not_stop_the_others() -> None:
    """Asterisk 1557: one agent's early hang-up drops all ringing legs."""
    floor = Floor(agent("a"), agent("b"), queues=[ringing(RingStyle.ALL)])
    floor.ready("a", "b")
    first, second = of(floor.arrive("x"), OfferContact)
    said = floor.tell(OfferDeclined(first.offer_id, DeclineCause.DECLINED))
    assert names(said) == ["OfferEnded", "WithdrawOffer", "AgentStateChanged"]
    assert floor.contact("x").offer_id == second.offer_id
    floor.tell(AgentMadeReady(AgentId("a")))
    assert floor.agent("a").state is AgentState.READY, "who refused is not rung again while others ring"
    said = floor.tell(OfferDeclined(second.offer_id, DeclineCause.DECLINED))
    assert only(said, ContactQueued).returned
    assert floor.pairs() == {"x": "a"}


def test_agent_who_becomes_idle_rings_too_unless_somebody_waits() -> None:
    floor = Floor(agent("a"), agent("b"), queues=[ringing(RingStyle.ALL)])
    floor.ready("a")
    floor.arrive("x")
    floor.arrive("y")
    assert only(floor.ready("b"), OfferContact).contact_id == "y"
    floor.tell(ContactLeft(ContactId("y")))
    assert len(floor.contact("x").standing_offers) == 2


def test_customer_who_hangs_up_stops_every_phone() -> None:
    floor = Floor(agent("a"), agent("b"), queues=[ringing(RingStyle.ALL)])
    floor.ready("a", "b")
    floor.arrive("x")
    said = floor.tell(ContactLeft(ContactId("x")))
    assert {order.agent_id for order in of(said, WithdrawOffer)} == {"a", "b"}
    assert {change.state for change in of(said, AgentStateChanged)} == {AgentState.READY}


def test_agent_who_signs_out_while_all_ring_leaves_the_rest_ringing() -> None:
    floor = Floor(agent("a"), agent("b"), queues=[ringing(RingStyle.ALL)])
    floor.ready("a", "b")
    floor.arrive("x")
    floor.tell(AgentSignedOut(AgentId("a")))
    assert floor.pairs() == {"x": "b"}
    assert floor.contact("x").agent_id == "b"


def test_all_phones_that_ring_out_send_the_contact_back_once() -> None:
    floor = Floor(agent("a"), agent("b"), queues=[ringing(RingStyle.ALL)])
    floor.ready("a", "b")
    floor.arrive("x")
    said = floor.wait(RING_MS)
    assert [ended.result for ended in of(said, OfferEnded)] == [OfferResult.EXPIRED] * 2
    assert only(said, ContactQueued).returned


def test_one_more_agent_rings_every_few_seconds() -> None:
    floor = Floor(agent("a"), agent("b"), agent("c"), queues=[ringing(RingStyle.PROGRESSIVELY, 5_000)])
    floor.ready("a", "b")
    floor.arrive("x")
    assert floor.pairs() == {"x": "a"}
    assert only(floor.wait(5_000), OfferContact).agent_id == "b"
    assert floor.wait(5_000) == []
    floor.ready("c")
    assert len(floor.contact("x").standing_offers) == 3
    assert floor.acd.next_deadline() is not None


def test_progressive_ringing_does_not_call_the_timer_for_nothing_at_once() -> None:
    floor = Floor(agent("a"), queues=[ringing(RingStyle.PROGRESSIVELY, 5_000)])
    floor.ready("a")
    floor.arrive("x")
    floor.wait(7_000)
    assert floor.acd.next_deadline() == floor.contact("x").rung_since + 10_000  # type: ignore[operator]


def test_heavier_queue_goes_first_for_agents_of_both() -> None:
    heavy = QueueSpec(QueueId("h"), "h", weight=1)
    floor = Floor(agent("a", "q h"), queues=[queue("q"), heavy])
    floor.arrive("old", "q")
    floor.arrive("heavy", "h")
    assert only(floor.ready("a"), OfferContact).contact_id == "heavy"


def test_weight_does_not_hold_back_agents_whom_the_heavier_queue_cannot_use() -> None:
    """Asterisk 1561: the weight of a queue starves another one of agents that its own callers may not have."""
    heavy = QueueSpec(QueueId("h"), "h", weight=9)
    floor = Floor(agent("a", "q h"), queues=[queue("q"), heavy])
    floor.arrive("hard", "h", required="zh5")
    floor.arrive("easy", "q")
    assert only(floor.ready("a"), OfferContact).contact_id == "easy"


def test_oldest_contact_goes_first_across_queues() -> None:
    """Asterisk 108: the order over several queues is one by default."""
    floor = Floor(agent("a", "q r s"), queues=[queue("q"), queue("r"), queue("s")])
    for name, queue_id in (("1", "s"), ("2", "q"), ("3", "r"), ("4", "s")):
        floor.arrive(name, queue_id)
    order = []
    floor.ready("a")
    for _ in range(4):
        (offer,) = floor.acd.offers()
        order.append(offer.contact_id)
        floor.tell(ContactLeft(offer.contact_id))
    assert order == ["1", "2", "3", "4"]


def test_second_line_is_asked_after_its_delay() -> None:
    second = AgentSpec(AgentId("b"), "b", (QueueId("q"),), (), (QueueDelay(QueueId("q"), 20_000),))
    floor = Floor(agent("a"), second)
    floor.ready("b")
    floor.arrive("c")
    assert floor.pairs() == {}
    assert floor.wait(19_999) == []
    assert only(floor.wait(1), OfferContact).agent_id == "b"


def test_second_line_becomes_idle_and_takes_only_what_has_waited_long_enough() -> None:
    second = AgentSpec(AgentId("b"), "b", (QueueId("q"),), (), (QueueDelay(QueueId("q"), 20_000),))
    floor = Floor(agent("a"), second)
    floor.arrive("young", priority=5)
    floor.arrive("old", arrived_at=floor.now - 30_000)
    assert only(floor.ready("b"), OfferContact).contact_id == "old"


def test_delay_counts_for_its_queue_alone() -> None:
    second = AgentSpec(AgentId("b"), "b", (QueueId("q"), QueueId("r")), skills("en1"), (QueueDelay(QueueId("q"), 9),))
    floor = Floor(second, queues=[queue("q"), queue("r")])
    floor.ready("b")
    floor.arrive("c", "r")
    assert floor.pairs() == {"c": "b"}


def test_roster_keeps_its_order_through_comings_and_goings() -> None:
    roster: Roster[AgentId] = Roster()
    for number in (3, 1, 2):
        roster.add((number,), AgentId(f"a{number}"))
    roster.add((9,), AgentId("a1"))
    roster.remove(AgentId("a3"))
    roster.remove(AgentId("a3"))
    assert [roster[place][1] for place in range(len(roster))] == ["a2", "a1"]
    assert roster.entry(AgentId("a1")) == ((9,), "a1")
    assert roster.entry(AgentId("a3")) is None
    assert AgentId("a2") in roster


def test_agent_who_signs_in_again_starts_counting_anew() -> None:
    floor = Floor(agent("a"), queues=[ordered(AgentOrder.FEWEST_CALLS)])
    floor.ready("a")
    serve(floor, "c")
    floor.tell(AgentSignedOut(AgentId("a")))
    floor.tell(AgentSignedIn(AgentId("a")))
    assert (floor.agent("a").taken, floor.agent("a").talked_ms) == (0, 0)
    assert floor.tell(WrapUpFinished(AgentId("a"))) == []


def test_second_line_that_is_gone_for_good_leaves_no_delay_behind() -> None:
    """A restored engine knows nothing of an agent who was forgotten; the running one must do the same from then on."""
    second = AgentSpec(AgentId("b"), "b", (QueueId("q"),), (), (QueueDelay(QueueId("q"), 20_000),))
    floor = Floor(agent("a"), second, queues=[ordered(AgentOrder.LONGEST_IDLE)])
    floor.ready("b")
    floor.arrive("c1", arrived_at=floor.now - 30_000)
    floor.tell(OfferAccepted(floor.offer("c1").offer_id))
    floor.tell(FloorConfigured((ordered(AgentOrder.LONGEST_IDLE),), (agent("a"),)))
    floor.arrive("c2")
    floor.tell(ContactFinished(ContactId("c1")))
    assert [each.agent_id for each in floor.acd.agents()] == ["a"]
    twin = Acd.restore(floor.acd.snapshot())
    assert (floor.acd.next_deadline(), twin.next_deadline()) == (None, None)
    arrival = ContactArrived(ContactId("c3"), QueueId("q"), floor.now)
    assert twin.receive(arrival, now=floor.now + 1) == floor.tell(arrival)
    assert twin.snapshot() == floor.acd.snapshot()
