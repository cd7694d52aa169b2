"""Who is next: contacts by priority and arrival, agents by idle time, both only where queue and skills fit."""

import pytest

from acd.errors import IllegalTransition, UnknownQueue
from acd.events import AgentMadeReady, ContactFinished, ContactLeft, OfferAccepted, WrapUpFinished
from acd.ids import AgentId, ContactId
from acd.outcomes import ContactQueued, OfferContact
from tests.support.acd_floor import RING_MS, Floor, agent, names, only, queue

pytestmark = pytest.mark.unit


def test_arriving_contact_goes_to_the_longest_idle_agent() -> None:
    floor = Floor(agent("a"), agent("b"))
    floor.ready("b", "a")
    said = floor.arrive("c")
    assert names(said) == ["ContactQueued", "OfferContact", "AgentStateChanged"]
    assert only(said, OfferContact).agent_id == "b"


def test_agents_who_became_ready_in_the_same_instant_go_in_the_order_of_their_wishes() -> None:
    floor = Floor(agent("a"), agent("b"))
    floor.ready("b")
    floor.now -= 2
    floor.ready("a")
    assert floor.agent("a").idle_since == floor.agent("b").idle_since
    assert only(floor.arrive("c"), OfferContact).agent_id == "b"


def test_idle_time_starts_anew_after_a_contact() -> None:
    floor = Floor(agent("a"), agent("b"))
    floor.ready("a", "b")
    floor.connect("c")
    floor.tell(ContactFinished(ContactId("c")))
    floor.tell(WrapUpFinished(AgentId("a")))
    assert only(floor.arrive("d"), OfferContact).agent_id == "b"


def test_idle_time_starts_anew_after_an_offer_that_rang_out() -> None:
    floor = Floor(agent("a"), agent("b"))
    floor.ready("a")
    floor.arrive("c")
    floor.wait(RING_MS)
    floor.tell(ContactLeft(ContactId("c")))
    floor.ready("b")
    floor.tell(AgentMadeReady(AgentId("a")))
    assert only(floor.arrive("d"), OfferContact).agent_id == "b"


def test_ready_agent_gets_the_contact_that_waits_longest() -> None:
    floor = Floor(agent("a"))
    floor.arrive("first")
    floor.arrive("second")
    assert only(floor.ready("a"), OfferContact).contact_id == "first"


def test_higher_priority_goes_first_whatever_its_age() -> None:
    floor = Floor(agent("a"))
    floor.arrive("old")
    floor.arrive("urgent", priority=1)
    assert only(floor.ready("a"), OfferContact).contact_id == "urgent"


def test_contact_that_comes_back_keeps_the_instant_of_its_first_arrival() -> None:
    floor = Floor(agent("a"))
    floor.arrive("waiting")
    floor.arrive("back", arrived_at=floor.now - 60_000)
    assert only(floor.ready("a"), OfferContact).contact_id == "back"


def test_ended_contact_may_arrive_again_and_a_present_one_may_not() -> None:
    floor = Floor(agent("a"))
    floor.arrive("c")
    with pytest.raises(IllegalTransition):
        floor.arrive("c")
    floor.tell(ContactLeft(ContactId("c")))
    assert not only(floor.arrive("c"), ContactQueued).returned


def test_arrival_in_an_unknown_queue_is_refused() -> None:
    with pytest.raises(UnknownQueue):
        Floor(agent("a")).arrive("c", "nowhere")


def test_agent_of_another_queue_is_not_asked() -> None:
    floor = Floor(agent("a", "q"), agent("b", "r"), queues=[queue("q"), queue("r")])
    floor.ready("a", "b")
    assert only(floor.arrive("c", "r"), OfferContact).agent_id == "b"


@pytest.mark.parametrize(
    ("held", "required", "fits"),
    [
        ("en2", "en2", True),
        ("en3", "en2", True),
        ("en1", "en2", False),
        ("", "en1", False),
        ("en2 zh1", "en1 zh1", True),
        ("en2", "en1 zh1", False),
        ("en1", "en1 en2", False),
        ("en1 en3", "en2", True),
    ],
)
def test_every_required_skill_must_be_held_at_its_level(held: str, required: str, fits: bool) -> None:
    floor = Floor(agent("a", "q", held))
    floor.ready("a")
    floor.arrive("c", required=required)
    assert bool(floor.acd.offers()) is fits


def test_contact_whose_skills_nobody_idle_holds_does_not_hold_up_the_next() -> None:
    floor = Floor(agent("a"))
    floor.arrive("hard", required="zh5")
    floor.arrive("easy")
    assert only(floor.ready("a"), OfferContact).contact_id == "easy"


def test_decision_names_rule_candidates_and_runner_up_when_a_contact_chooses() -> None:
    floor = Floor(agent("a"), agent("b", "q", "en1"), agent("x", "r"), queues=[queue("q"), queue("r")])
    floor.ready("a", "x", "b")
    decision = only(floor.arrive("c"), OfferContact).decision
    first, second = floor.agent("a"), floor.agent("b")
    assert (decision.rule, decision.candidates) == ("longest_idle_agent", 2)
    assert decision.winner_key == f"({first.idle_since}, {first.idle_seq})"
    assert (decision.runner_up, decision.runner_up_key) == ("b", f"({second.idle_since}, {second.idle_seq})")


def test_decision_names_the_second_of_the_same_line_when_an_agent_chooses() -> None:
    floor = Floor(agent("a", "q r"), queues=[queue("q"), queue("r")])
    floor.arrive("c")
    floor.arrive("d")
    floor.arrive("e", "r")
    decision = only(floor.ready("a"), OfferContact).decision
    assert (decision.rule, decision.candidates, decision.runner_up) == ("first_contact", 3, "d")
    assert decision.runner_up_key == str(floor.contact("d").key)


def test_decision_without_a_runner_up_says_so() -> None:
    floor = Floor(agent("a"))
    floor.ready("a")
    decision = only(floor.arrive("c"), OfferContact).decision
    assert (decision.candidates, decision.runner_up, decision.runner_up_key) == (1, None, None)


def test_queue_view_counts_waiting_and_ringing_contacts() -> None:
    floor = Floor(agent("a"))
    floor.ready("a")
    floor.connect("talking")
    floor.arrive("c", arrived_at=5)
    (view,) = floor.acd.queues()
    assert (view.waiting, view.longest_waiting_since) == (1, 5)
    floor.tell(ContactFinished(ContactId("talking")))
    floor.tell(WrapUpFinished(AgentId("a")))
    assert floor.acd.queues()[0].waiting == 1
    floor.tell(OfferAccepted(floor.offer("c").offer_id))
    assert floor.acd.queues()[0].longest_waiting_since is None
