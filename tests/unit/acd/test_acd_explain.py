"""Why this agent, why not that one, why is somebody still waiting: answers that agree with what the engine does."""

import random

import pytest

from acd.engine import Acd
from acd.errors import UnknownAgent, UnknownContact
from acd.events import (
    AgentMadeNotReady,
    AgentMadeReady,
    AgentOrder,
    AgentSpec,
    ContactFinished,
    ContactLeft,
    DeclineCause,
    OfferAccepted,
    OfferDeclined,
    QueueDelay,
    QueueSpec,
)
from acd.explain import Reason, table, why_not, why_waiting
from acd.ids import AgentId, ContactId, QueueId
from acd.outcomes import AgentState
from tests.support.acd_floor import Floor, agent, guarded, plan, queue, step

pytestmark = pytest.mark.unit

C = ContactId("c")


def reasons(floor: Floor, agent_id: str, contact_id: str = "c") -> tuple[Reason, ...]:
    return why_not(floor.acd, ContactId(contact_id), AgentId(agent_id)).reasons


def test_every_agent_is_told_apart() -> None:
    second = AgentSpec(AgentId("second"), "", (QueueId("q"),), (), (QueueDelay(QueueId("q"), 60_000),))
    floor = Floor(
        agent("gone"),
        agent("pausing"),
        agent("talking"),
        agent("wrapping"),
        agent("ringing"),
        agent("unskilled", "q"),
        agent("elsewhere", "r", "en9"),
        second,
        queues=[queue("q"), queue("r")],
    )
    floor.ready("talking", "wrapping", "ringing")
    floor.connect("1")
    floor.connect("2")
    floor.tell(ContactFinished(ContactId("2")))
    floor.arrive("3")
    floor.ready("pausing", "unskilled", "elsewhere", "second")
    floor.tell(AgentMadeNotReady(AgentId("pausing"), "lunch"))
    floor.arrive("c", required="en1")
    found = {row.agent_id: row.reasons for row in table(floor.acd, C)}
    lacking = Reason.LACKS_SKILL
    assert found == {
        "gone": (lacking, Reason.OFFLINE),
        "pausing": (lacking, Reason.NOT_READY),
        "talking": (lacking, Reason.BUSY),
        "wrapping": (lacking, Reason.WRAP_UP),
        "ringing": (lacking, Reason.RINGING),
        "unskilled": (lacking,),
        "elsewhere": (Reason.OTHER_QUEUE,),
        "second": (lacking, Reason.SECOND_LINE),
    }
    row = why_not(floor.acd, C, AgentId("pausing"))
    assert row.detail == "lacks en >= 1 (has none); not ready (lunch)"


def test_chosen_agent_stands_first_and_the_others_in_their_order() -> None:
    floor = Floor(agent("a"), agent("b"), agent("x"))
    floor.ready("x", "b", "a")
    floor.arrive("c")
    rows = table(floor.acd, C)
    assert [(row.agent_id, row.reasons) for row in rows] == [
        ("x", ()),
        ("b", (Reason.OUTRANKED,)),
        ("a", (Reason.OUTRANKED,)),
    ]
    assert rows[0].state is AgentState.OFFERED


def test_agent_whom_the_step_does_not_mean_is_told_the_step() -> None:
    floor = Floor(agent("a", "q", "en1"))
    floor.ready("a")
    floor.arrive("c", plan=plan(step("en >= 3", 20_000), step()))
    row = why_not(floor.acd, C, AgentId("a"))
    assert (row.reasons, row.detail) == ((Reason.NOT_MEANT,), "is not meant by en >= 3")


def test_agent_who_refused_is_told_so() -> None:
    floor = Floor(agent("a"), agent("b"))
    floor.ready("a", "b")
    floor.connect("busy")
    floor.tell(AgentMadeReady(AgentId("a")))
    floor.arrive("c")
    floor.tell(OfferDeclined(floor.offer("c").offer_id, DeclineCause.DECLINED))
    floor.tell(AgentMadeReady(AgentId("b")))
    assert reasons(floor, "b") == (Reason.REFUSED,)
    assert why_waiting(floor.acd, C).idle_but == {Reason.REFUSED: 1}


def test_reserve_is_told() -> None:
    floor = Floor(agent("a"))
    floor.ready("a")
    floor.arrive("c", plan=plan(step("", min_idle=1)))
    assert reasons(floor, "a") == (Reason.RESERVED,)


def test_why_a_contact_waits_says_who_could_take_it_and_what_comes_next() -> None:
    floor = Floor(agent("a", "q", "en3"), agent("b", "q", "en3"), agent("idle"))
    floor.ready("a", "b")
    floor.connect("1")
    floor.connect("2")
    floor.tell(ContactFinished(ContactId("2")))
    floor.ready("idle")
    floor.arrive("before", required="en1")
    floor.arrive("c", plan=plan(step("en >= 3", 20_000), step()))
    why = why_waiting(floor.acd, C)
    assert why.fitting == {AgentState.BUSY: 1, AgentState.WRAP_UP: 1}
    assert (why.step, why.demand, why.guard_holds, why.ahead) == (0, "en >= 3", True, 1)
    assert why.changes_at == floor.now + 20_000
    assert why.next_free_at == floor.agent("b").until
    assert why.idle_but == {Reason.NOT_MEANT: 1}


def test_step_that_nobody_is_there_for_is_told() -> None:
    floor = Floor(agent("a"))
    floor.arrive("c", plan=plan(guarded("")))
    assert not why_waiting(floor.acd, C).guard_holds


def test_random_choice_is_not_foretold() -> None:
    floor = Floor(agent("a"), agent("b"), queues=[QueueSpec(QueueId("q"), "q", order=AgentOrder.RANDOM)])
    floor.arrive("c", plan=plan(step("", min_idle=5)))
    floor.ready("a", "b")
    assert reasons(floor, "a") == reasons(floor, "b") == (Reason.RESERVED,)


def test_strangers_are_not_explained() -> None:
    floor = Floor(agent("a"))
    with pytest.raises(UnknownContact):
        table(floor.acd, C)
    floor.arrive("c")
    with pytest.raises(UnknownAgent):
        why_not(floor.acd, C, AgentId("x"))


def test_explanation_of_a_restored_engine_is_the_same() -> None:
    floor = Floor(agent("a"), agent("b"))
    floor.ready("a", "b")
    floor.arrive("c")
    restored = Acd.restore(floor.acd.snapshot())
    assert table(restored, C) == table(floor.acd, C)
    assert why_waiting(restored, C) == why_waiting(floor.acd, C)


def test_explanations_agree_with_what_the_engine_does() -> None:
    """Of all that wait, nobody has an agent without a reason; and each offer went to whom the table named first."""
    dice = random.Random(11)
    named = 0
    orders = [order for order in AgentOrder if order is not AgentOrder.RANDOM]
    for order in orders:
        floor = Floor(
            *(agent(f"a{n}", "q", f"en{n % 3 + 1}") for n in range(6)),
            queues=[QueueSpec(QueueId("q"), "q", wrap_up_ms=0, order=order)],
        )
        floor.ready(*(f"a{n}" for n in dice.sample(range(6), 6)))
        for number in range(80):
            floor.arrive(f"w{number}", plan=plan(step("", min_idle=99)))
            waiting = ContactId(f"w{number}")
            idle = sorted((r for r in table(floor.acd, waiting) if r.key is not None), key=lambda r: r.key or ())
            floor.tell(ContactLeft(waiting))
            floor.arrive(f"c{number}")
            offered = floor.pairs().get(f"c{number}")
            assert offered == (idle[0].agent_id if idle else None)
            named += offered is not None
            for contact in floor.acd.contacts():
                if contact.state == "waiting":
                    assert all(row.reasons for row in table(floor.acd, contact.contact_id))
            if dice.random() < 0.7 and floor.acd.offers():
                floor.tell(OfferAccepted(floor.acd.offers()[0].offer_id))
            for contact in floor.acd.contacts():
                if contact.state == "connected" and dice.random() < 0.25:
                    floor.tell(ContactFinished(contact.contact_id))
    assert named > 100
