"""Route plans: one mechanism for relaxing skills, rings, preferred agents, overflow, priority and the way out."""

import msgspec
import pytest

from acd.errors import InvalidRoute
from acd.events import (
    AgentMadeNotReady,
    AgentMadeReady,
    AgentSignedIn,
    AgentSignedOut,
    ContactArrived,
    ContactFinished,
    DeclineCause,
    FloorConfigured,
    OfferAccepted,
    OfferDeclined,
    QueueSpec,
)
from acd.ids import AgentId, ContactId, QueueId
from acd.outcomes import (
    ContactDequeued,
    ContactOverflowed,
    ContactQueued,
    ContactStepEntered,
    DequeueReason,
    OfferContact,
)
from acd.route_plans import RoutePlan, StepGuard, preferred_agent, rings
from tests.support.acd_floor import RING_MS, Floor, agent, guarded, names, of, only, plan, queue, step

pytestmark = pytest.mark.unit


def test_skills_relax_when_the_step_is_over() -> None:
    floor = Floor(agent("junior", "q", "en1"))
    floor.ready("junior")
    floor.arrive("c", plan=plan(step("en >= 3", 20_000), step("en")))
    assert floor.pairs() == {}
    assert floor.wait(19_999) == []
    said = floor.wait(1)
    assert names(said) == ["ContactStepEntered", "OfferContact", "AgentStateChanged"]
    assert only(said, ContactStepEntered).step == 1
    assert only(said, OfferContact).decision.step == 1


def test_required_skills_hold_in_every_step() -> None:
    floor = Floor(agent("a", "q", "en1"))
    floor.ready("a")
    floor.arrive("c", required="zh1", plan=plan(step("en", 1_000), step()))
    floor.wait(1_000)
    assert floor.pairs() == {}


def test_rings_widen_one_after_the_other() -> None:
    floor = Floor(agent("a", "q", "ring1"))
    floor.ready("a")
    floor.arrive("c", plan=RoutePlan(rings(["ring >= 3", "ring >= 2", "ring"], 10_000)))
    floor.wait(10_000)
    assert floor.contact("c").step == 1
    floor.wait(10_000)
    assert floor.pairs() == {"c": "a"}


def test_steps_end_at_instants_and_not_after_durations() -> None:
    """A step that is skipped makes no other step longer (TaskRouter adds the time-outs of its targets up)."""
    floor = Floor(agent("away"), agent("a", "q", "en1"))
    floor.ready("a")
    floor.arrive("c", plan=plan(guarded("agent:away", 15_000), step("en >= 2", 20_000), step()))
    arrived = floor.now
    assert floor.contact("c").step == 1
    assert floor.contact("c").step_until == arrived + 20_000


def test_preferred_agent_is_asked_first_and_waited_for() -> None:
    floor = Floor(agent("idle"), agent("anna"))
    floor.ready("anna")
    floor.connect("before")
    floor.ready("idle")
    last = preferred_agent(AgentId("anna"), 15_000)
    floor.arrive("c", plan=plan(last, step()))
    assert floor.pairs() == {}
    floor.tell(ContactFinished(ContactId("before")))
    floor.tell(AgentMadeReady(AgentId("anna")))
    assert floor.pairs() == {"c": "anna"}


def test_preferred_agent_who_does_not_come_is_given_up() -> None:
    floor = Floor(agent("idle"), agent("anna"))
    floor.ready("anna")
    floor.connect("before")
    floor.ready("idle")
    floor.arrive("c", plan=plan(preferred_agent(AgentId("anna"), 15_000), step()))
    floor.wait(15_000)
    assert floor.pairs() == {"c": "idle"}


@pytest.mark.parametrize("leaves", [AgentSignedOut(AgentId("anna")), AgentMadeNotReady(AgentId("anna"), "lunch")])
def test_preferred_agent_who_stops_working_is_given_up_at_once(leaves: AgentSignedOut | AgentMadeNotReady) -> None:
    floor = Floor(agent("idle"), agent("anna"))
    floor.ready("anna")
    floor.connect("before")
    floor.ready("idle")
    floor.arrive("c", plan=plan(preferred_agent(AgentId("anna"), 15_000), step()))
    floor.tell(leaves)
    assert floor.pairs() == {"c": "idle"}


def test_agent_who_pauses_is_still_signed_in() -> None:
    floor = Floor(agent("idle"), agent("anna"))
    floor.ready("idle", "anna")
    floor.tell(AgentMadeNotReady(AgentId("anna"), "lunch"))
    floor.arrive("c", plan=plan(guarded("agent:anna", 60_000, StepGuard.SIGNED_IN), step()))
    assert floor.pairs() == {}
    floor.tell(AgentSignedOut(AgentId("anna")))
    assert floor.pairs() == {"c": "idle"}


def test_step_whose_agents_are_all_offline_is_skipped() -> None:
    floor = Floor(agent("a"), agent("b", "q", "zh5"))
    floor.ready("a")
    said = floor.arrive("c", plan=plan(guarded("zh >= 5", 60_000, StepGuard.SIGNED_IN), step()))
    assert names(said) == ["ContactQueued", "ContactStepEntered", "OfferContact", "AgentStateChanged"]


def test_named_agent_is_found_in_another_queue_only_when_the_plan_says_so() -> None:
    floor = Floor(agent("anna", "r"), queues=[queue("q"), queue("r")])
    floor.ready("anna")
    floor.arrive("own", plan=plan(step("agent:anna")))
    assert floor.pairs() == {}
    floor.arrive("anywhere", plan=plan(preferred_agent(AgentId("anna"), 9, anywhere=True)))
    assert floor.pairs() == {"anywhere": "anna"}


def test_agent_may_be_left_out_of_a_profile() -> None:
    floor = Floor(agent("anna"), agent("ben"))
    floor.ready("anna", "ben")
    floor.arrive("c", plan=plan(step("not agent:anna")))
    assert floor.pairs() == {"c": "ben"}
    floor.arrive("d", plan=plan(step("not agent:anna")))
    assert floor.pairs() == {"c": "ben"}
    floor.arrive("e")
    assert floor.pairs() == {"c": "ben", "e": "anna"}


def test_contact_overflows_to_the_agents_of_other_queues() -> None:
    floor = Floor(agent("s", "sales"), queues=[queue("q"), queue("sales")])
    floor.ready("s")
    floor.arrive("c", plan=plan(step("", 30_000), step("queue:q or queue:sales")))
    assert floor.pairs() == {}
    offer = only(floor.wait(30_000), OfferContact)
    assert (offer.agent_id, offer.queue_id) == ("s", "q")


def test_contact_waits_on_in_its_place_when_it_overflows() -> None:
    floor = Floor(agent("s", "sales"), queues=[queue("q"), queue("sales")])
    floor.arrive("old", plan=plan(step("", 5), step("queue:sales")))
    floor.arrive("young", "sales")
    floor.wait(5)
    assert only(floor.ready("s"), OfferContact).contact_id == "old"


def test_plan_that_is_over_sends_the_contact_to_its_target() -> None:
    floor = Floor(agent("a"))
    floor.arrive("c", plan=plan(step("", 60_000), otherwise="voicemail:q"))
    said = floor.wait(60_000)
    assert names(said) == ["ContactDequeued", "ContactOverflowed"]
    assert only(said, ContactDequeued).reason is DequeueReason.OVERFLOWED
    assert only(said, ContactOverflowed).target == "voicemail:q"
    assert only(said, ContactOverflowed).waited_ms == 60_000
    assert not floor.acd.contacts()
    assert floor.acd.next_deadline() is None


def test_contact_with_nobody_to_wait_for_overflows_on_arrival() -> None:
    floor = Floor(agent("a"))
    said = floor.arrive("c", plan=plan(guarded("", None, StepGuard.SIGNED_IN), otherwise="flow:closed"))
    assert names(said) == ["ContactQueued", "ContactDequeued", "ContactOverflowed"]


def test_last_step_never_ends_when_the_plan_names_no_way_out() -> None:
    floor = Floor(agent("a"))
    floor.arrive("c", plan=plan(step("", 60_000)))
    floor.wait(60_000)
    assert floor.contact("c").step_until is None
    assert floor.acd.next_deadline() is None
    floor.ready("a")
    assert floor.pairs() == {"c": "a"}


def test_ringing_agent_may_answer_after_the_plan_is_over() -> None:
    floor = Floor(agent("a"), queues=[queue("q", ring_timeout_ms=RING_MS)])
    floor.ready("a")
    floor.arrive("c", plan=plan(step("", 1_000), otherwise="voicemail"))
    assert floor.wait(5_000) == []
    floor.tell(OfferAccepted(floor.offer("c").offer_id))
    assert floor.contact("c").state == "connected"


def test_plan_that_went_on_while_it_rang_holds_when_the_agent_refuses() -> None:
    floor = Floor(agent("a"))
    floor.ready("a")
    floor.arrive("c", plan=plan(step("", 1_000), otherwise="voicemail"))
    floor.wait(5_000)
    said = floor.tell(OfferDeclined(floor.offer("c").offer_id, DeclineCause.DECLINED))
    assert names(said)[-3:] == ["ContactQueued", "ContactDequeued", "ContactOverflowed"]
    assert only(said, ContactQueued).returned


def test_later_step_may_raise_the_priority() -> None:
    floor = Floor(agent("a"))
    floor.arrive("first")
    floor.arrive("raised", plan=plan(step("", 10_000), step("", priority=1)))
    floor.wait(10_000)
    assert only(floor.ready("a"), OfferContact).contact_id == "raised"


def test_priority_may_be_worth_a_minute_of_waiting() -> None:
    floor = Floor(agent("a"), priority_worth_ms=60_000)
    floor.arrive("older", arrived_at=floor.now - 60_500)
    floor.arrive("urgent", priority=1)
    floor.arrive("old", arrived_at=floor.now - 59_000)
    order = sorted(floor.acd.contacts(), key=lambda contact: contact.key)
    assert [contact.contact_id for contact in order] == ["older", "urgent", "old"]
    assert only(floor.ready("a"), OfferContact).contact_id == "older"


def test_new_ageing_policy_holds_for_those_who_wait() -> None:
    floor = Floor(agent("a"))
    floor.arrive("old", arrived_at=floor.now - 90_000)
    floor.arrive("urgent", priority=1)
    floor.tell(FloorConfigured((queue("q"),), (agent("a"),), 60_000))
    assert only(floor.ready("a"), OfferContact).contact_id == "old"


def test_step_keeps_agents_in_reserve() -> None:
    floor = Floor(agent("a"), agent("b"), agent("c"))
    floor.ready("a", "b")
    floor.arrive("borrows", plan=plan(step("", min_idle=2)))
    assert floor.pairs() == {}
    floor.ready("c")
    assert floor.pairs() == {"borrows": "a"}
    floor.arrive("owns")
    assert floor.pairs()["owns"] == "b"


def test_contact_held_back_by_a_reserve_does_not_hold_up_the_next() -> None:
    floor = Floor(agent("a"))
    floor.arrive("borrows", plan=plan(step("", min_idle=1)))
    floor.arrive("owns")
    floor.ready("a")
    assert floor.pairs() == {"owns": "a"}


def test_queue_has_a_plan_for_contacts_that_bring_none() -> None:
    rule = plan(step("", 10_000), otherwise="voicemail")
    floor = Floor(queues=[QueueSpec(QueueId("q"), "q", plan=rule)])
    floor.arrive("c")
    floor.arrive("own", plan=plan(step("", 20_000), otherwise="callback"))
    assert [o.target for o in of(floor.wait(10_000), ContactOverflowed)] == ["voicemail"]
    assert [o.target for o in of(floor.wait(10_000), ContactOverflowed)] == ["callback"]


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        (plan(), "needs a step"),
        (plan(step("en >=")), "level"),
        (plan(step("", None), step()), "never ends"),
        (plan(step("", 10), step("", 10)), "not after"),
        (plan(step("", 0)), "not after"),
        (plan(step("", min_idle=-1)), "reserve"),
    ],
)
def test_wrong_plan_is_refused_and_changes_nothing(wrong: RoutePlan, why: str) -> None:
    floor = Floor(agent("a"))
    before = floor.acd.snapshot()
    with pytest.raises(InvalidRoute, match=why):
        floor.arrive("c", plan=wrong)
    with pytest.raises(InvalidRoute, match=why):
        floor.tell(FloorConfigured((QueueSpec(QueueId("q"), "q", plan=wrong),), ()))
    assert floor.acd.snapshot() == before


def test_plan_survives_the_journal() -> None:
    event = ContactArrived(
        ContactId("c"), QueueId("q"), 5, 0, (), plan(preferred_agent(AgentId("a"), 9), step("en"), otherwise="x")
    )
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(event), type=ContactArrived) == event


def test_agent_who_comes_back_is_found_by_the_named_step() -> None:
    """An agent who signs in during the step is asked, although the step was entered without him."""
    floor = Floor(agent("anna", "r"), queues=[queue("q"), queue("r")])
    floor.arrive("c", plan=plan(step("agent:anna and floor", 60_000), step()))
    floor.tell(AgentSignedIn(AgentId("anna")))
    floor.tell(AgentMadeReady(AgentId("anna")))
    assert floor.pairs() == {"c": "anna"}
