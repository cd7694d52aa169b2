"""The door of a queue: length, expected wait, nobody there, closed; and the place of a customer who redials."""

import pytest

from acd.engine import Acd
from acd.errors import UnknownQueue
from acd.events import (
    AgentSignedIn,
    ContactArrived,
    ContactLeft,
    FloorConfigured,
    OfferAccepted,
    QueueClosed,
    QueueOpened,
    QueueSpec,
)
from acd.ids import AgentId, ContactId, QueueId
from acd.outcomes import ContactOverflowed, ContactQueued, OfferContact, Outcome, OverflowReason, QueueDoorChanged
from acd.route_plans import StepGuard
from tests.support.acd_floor import Floor, agent, names, of, only, plan, step

pytestmark = pytest.mark.unit

Q = QueueId("q")


def door(**rules: int | str | StepGuard) -> QueueSpec:
    return QueueSpec(Q, "q", **rules)  # type: ignore[arg-type]


def call(
    floor: Floor, contact_id: str, identity: str | None = None, expected_wait_ms: int | None = None
) -> list[Outcome]:
    at = floor.now + 1
    return floor.tell(
        ContactArrived(ContactId(contact_id), Q, at, identity=identity, expected_wait_ms=expected_wait_ms)
    )


def why(said: list[Outcome]) -> OverflowReason:
    assert names(said) == ["ContactQueued", "ContactDequeued", "ContactOverflowed"]
    return only(said, ContactOverflowed).reason


def test_full_queue_lets_nobody_in_and_counts_those_who_ring() -> None:
    floor = Floor(agent("a"), queues=[door(max_waiting=2, otherwise="callback")])
    floor.ready("a")
    floor.arrive("rings")
    floor.arrive("waits")
    said = floor.arrive("late")
    assert (why(said), only(said, ContactOverflowed).target) == ("queue_full", "callback")
    floor.tell(OfferAccepted(floor.offer("rings").offer_id))
    assert names(floor.arrive("next")) == ["ContactQueued"]
    floor.tell(ContactLeft(ContactId("waits")))
    assert names(floor.arrive("another")) == ["ContactQueued"]
    assert why(floor.arrive("late again")) == "queue_full"


def test_whoever_comes_outside_the_hours_is_not_let_in_unless_it_is_closed_anyway() -> None:
    floor = Floor(agent("a"), queues=[door(max_waiting=1, otherwise="tape")])
    floor.ready("a")
    late = ContactArrived(ContactId("late"), Q, floor.now, outside_hours=True)
    said = floor.tell(late)
    assert (why(said), only(said, ContactOverflowed).target) == ("closed_hours", "tape")
    floor.tell(QueueClosed(Q))
    assert why(floor.tell(late)) == "queue_closed"


def test_length_is_known_after_a_restart() -> None:
    floor = Floor(queues=[door(max_waiting=1)])
    floor.arrive("c")
    floor.acd = Acd.restore(floor.acd.snapshot())
    assert why(floor.arrive("d")) == "queue_full"


def test_contact_that_would_wait_too_long_is_not_let_in() -> None:
    floor = Floor(queues=[door(max_expected_wait_ms=300_000)])
    assert why(call(floor, "c", expected_wait_ms=300_001)) == "wait_too_long"
    assert names(call(floor, "d", expected_wait_ms=300_000)) == ["ContactQueued"]
    assert names(call(floor, "e")) == ["ContactQueued"]


def test_queue_nobody_serves_is_not_entered() -> None:
    floor = Floor(agent("a"), queues=[door(entry=StepGuard.SIGNED_IN)])
    assert why(floor.arrive("c")) == "nobody_there"
    floor.tell(AgentSignedIn(AgentId("a")))
    assert names(floor.arrive("d")) == ["ContactQueued"]


def test_agents_who_pause_may_count_as_nobody() -> None:
    floor = Floor(agent("a"), queues=[door(entry=StepGuard.AT_WORK)])
    floor.tell(AgentSignedIn(AgentId("a")))
    assert why(floor.arrive("c")) == "nobody_there"
    floor.ready("a")
    assert "OfferContact" in names(floor.arrive("d"))


def test_closed_queue_lets_nobody_in_until_it_opens() -> None:
    floor = Floor(agent("a"), queues=[door(otherwise="voicemail")])
    floor.arrive("waits")
    assert floor.tell(QueueClosed(Q)) == [QueueDoorChanged(Q, is_open=False)]
    assert floor.tell(QueueClosed(Q)) == []
    said = floor.arrive("c")
    assert (why(said), only(said, ContactOverflowed).target) == ("queue_closed", "voicemail")
    assert only(floor.ready("a"), OfferContact).contact_id == "waits", "who is in is served"
    assert floor.tell(QueueOpened(Q)) == [QueueDoorChanged(Q, is_open=True)]
    assert floor.tell(QueueOpened(Q)) == []
    assert names(floor.arrive("d")) == ["ContactQueued"]


def test_emergency_close_sends_away_those_who_wait_but_not_who_rings() -> None:
    floor = Floor(agent("a"))
    floor.ready("a")
    floor.arrive("rings")
    floor.arrive("one")
    floor.arrive("two")
    said = floor.tell(QueueClosed(Q, "flow:emergency", send_away=True))
    assert [order.contact_id for order in of(said, ContactOverflowed)] == ["one", "two"]
    assert {order.target for order in of(said, ContactOverflowed)} == {"flow:emergency"}
    assert floor.pairs() == {"rings": "a"}


def test_closed_queue_stays_closed_through_restart_and_configuration() -> None:
    floor = Floor(agent("a"))
    floor.tell(QueueClosed(Q, "x"))
    floor.acd = Acd.restore(floor.acd.snapshot())
    floor.tell(FloorConfigured((door(),), (agent("a"),)))
    assert why(floor.arrive("c")) == "queue_closed"
    floor.tell(FloorConfigured((), ()))
    floor.tell(FloorConfigured((door(),), ()))
    assert names(floor.arrive("d")) == ["ContactQueued"]


@pytest.mark.parametrize("event", [QueueClosed(QueueId("x")), QueueOpened(QueueId("x"))])
def test_unknown_queue_is_neither_closed_nor_opened(event: QueueClosed | QueueOpened) -> None:
    with pytest.raises(UnknownQueue):
        Floor().tell(event)


def test_customer_who_redials_in_time_has_the_old_place() -> None:
    floor = Floor(agent("a"), queues=[door(resume_window_ms=60_000)])
    call(floor, "dropped", "+49301234")
    first = floor.contact("dropped").arrived_at
    call(floor, "patient", "+49305678")
    floor.tell(ContactLeft(ContactId("dropped")))
    floor.now += 50_000
    queued = only(call(floor, "again", "+49301234"), ContactQueued)
    assert (queued.arrived_at, queued.resumed) == (first, True)
    assert only(floor.ready("a"), OfferContact).contact_id == "again"


def test_customer_who_redials_too_late_waits_anew() -> None:
    floor = Floor(queues=[door(resume_window_ms=60_000)])
    call(floor, "dropped", "me")
    floor.tell(ContactLeft(ContactId("dropped")))
    floor.now += 60_001
    assert not only(call(floor, "again", "me"), ContactQueued).resumed


def test_place_is_given_out_once_and_survives_a_restart() -> None:
    floor = Floor(queues=[door(resume_window_ms=60_000)])
    call(floor, "dropped", "me")
    floor.tell(ContactLeft(ContactId("dropped")))
    floor.acd = Acd.restore(floor.acd.snapshot())
    assert only(call(floor, "again", "me"), ContactQueued).resumed
    assert not only(call(floor, "and again", "me"), ContactQueued).resumed


def test_nobody_without_an_identity_has_a_place_kept() -> None:
    floor = Floor(queues=[door(resume_window_ms=60_000)])
    call(floor, "dropped")
    floor.tell(ContactLeft(ContactId("dropped")))
    assert not only(call(floor, "again"), ContactQueued).resumed


def test_plan_stands_still_while_the_customer_is_away() -> None:
    rule = plan(step("", 30_000), otherwise="voicemail")
    floor = Floor(queues=[QueueSpec(Q, "q", plan=rule, resume_window_ms=60_000)])
    call(floor, "dropped", "me")
    floor.now += 20_000
    floor.tell(ContactLeft(ContactId("dropped")))
    floor.now += 40_000
    call(floor, "again", "me")
    assert floor.wait(9_000) == []
    assert only(floor.wait(1_000), ContactOverflowed).contact_id == "again"
