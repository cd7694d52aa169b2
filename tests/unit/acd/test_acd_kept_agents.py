"""Agents who are kept for customers who are not there yet: they miss nothing, and ring once the customer is there."""

import pytest

from acd.events import ContactArrived, ContactFinished, ContactLeft, ContactPresent, OfferAccepted, QueueSpec, RingStyle
from acd.ids import ContactId, QueueId
from acd.outcomes import (
    AgentState,
    ContactDequeued,
    ContactQueued,
    CustomerCame,
    DequeueReason,
    OfferContact,
    OfferEnded,
    OfferResult,
    OfferRings,
)
from tests.support.acd_floor import RING_MS, Floor, agent, names, of, only

pytestmark = pytest.mark.unit

C, KEPT_MS = ContactId("c"), 45_000


def called(floor: Floor, priority: int = 0) -> None:
    """A contact whose customer is still to be called."""
    floor.tell(ContactArrived(C, QueueId("q"), floor.now, priority, reserve_ms=KEPT_MS))


def test_an_agent_is_kept_longer_than_phones_ring_and_misses_nothing() -> None:
    floor = Floor(agent("a"))
    floor.ready("a")
    idle_since = floor.agent("a").idle_since
    called(floor)
    assert floor.offer("c").expires_at == floor.now + KEPT_MS
    said = floor.wait(KEPT_MS)
    assert only(said, OfferEnded).result is OfferResult.WITHDRAWN
    assert of(said, OfferContact), "nobody else is there, so the same agent is kept on"
    assert (floor.agent("a").misses, floor.agent("a").idle_since) == (0, idle_since)
    said = floor.tell(ContactLeft(C, withdrawn=True))
    assert only(said, ContactDequeued).reason is DequeueReason.WITHDRAWN
    assert floor.agent("a").state is AgentState.READY


def test_the_ring_time_counts_from_the_customers_presence() -> None:
    floor = Floor(agent("a"))
    floor.ready("a")
    called(floor)
    floor.wait(30_000)
    said = floor.tell(ContactPresent(C))
    assert names(said) == ["CustomerCame", "OfferRings", "AgentStateChanged"]
    assert only(said, OfferRings).expires_at == floor.now + RING_MS == floor.agent("a").until
    assert floor.acd.next_deadline() == floor.now + RING_MS
    said = floor.wait(RING_MS)
    assert only(said, OfferEnded).result is OfferResult.EXPIRED
    assert floor.agent("a").state is AgentState.NOT_READY


def test_who_waits_when_the_customer_comes_has_the_priority_that_is_said() -> None:
    floor = Floor(agent("a"))
    floor.arrive("first", priority=5)
    called(floor)
    said = floor.tell(ContactPresent(C, 1_000))
    queued = only(said, ContactQueued)
    assert (queued.priority, queued.returned) == (1_000, True), "it is the same wait, in another place"
    floor.ready("a")
    assert floor.agent("a").contact_id == C


def test_presence_means_nothing_to_a_contact_whose_customer_was_there() -> None:
    floor = Floor(agent("a"))
    floor.arrive("c")
    assert floor.tell(ContactPresent(C, 7)) == []
    floor.ready("a")
    floor.tell(OfferAccepted(floor.offer("c").offer_id))
    assert floor.tell(ContactPresent(C, 7)) == []
    floor.tell(ContactLeft(C))
    assert floor.tell(ContactPresent(C, 7)) == []


@pytest.mark.parametrize("style", [RingStyle.ALL, RingStyle.PROGRESSIVELY])
def test_a_queue_that_rings_several_keeps_one(style: RingStyle) -> None:
    queue = QueueSpec(QueueId("q"), "q", RING_MS, 0, ring=style, ring_step_ms=5_000)
    floor = Floor(agent("a"), agent("b"), queues=(queue,))
    floor.ready("a")
    floor.ready("b")
    called(floor)
    floor.wait(20_000)
    assert [floor.agent(each).state for each in "ab"] == [AgentState.OFFERED, AgentState.READY]
    floor.tell(ContactPresent(C))
    floor.wait(5_000)
    assert [floor.agent(each).state for each in "ab"] == [AgentState.OFFERED, AgentState.OFFERED]


def test_an_agent_who_is_there_first_is_told_when_the_customer_came() -> None:
    floor = Floor(agent("a"))
    floor.ready("a")
    said = floor.tell(ContactArrived(C, QueueId("q"), floor.now, is_away=True))
    assert only(said, ContactQueued).is_away
    said = floor.tell(OfferAccepted(floor.offer("c").offer_id))
    assert only(said, ContactDequeued).is_away
    assert floor.tell(ContactPresent(C)) == [CustomerCame(C, QueueId("q"), connected=True)]
    assert floor.tell(ContactPresent(C)) == [], "once"
    floor.tell(ContactFinished(C))
    assert floor.agent("a").state is AgentState.WRAP_UP


def test_nobody_gives_up_a_place_that_nobody_waits_at() -> None:
    floor = Floor(agent("a"))
    floor.tell(ContactArrived(C, QueueId("q"), floor.now, is_away=True))
    assert only(floor.tell(ContactLeft(C)), ContactDequeued).reason is DequeueReason.WITHDRAWN
    called(floor)
    floor.tell(ContactPresent(C))
    assert only(floor.tell(ContactLeft(C)), ContactDequeued).reason is DequeueReason.ABANDONED


def test_an_older_snapshot_says_by_the_time_alone_that_nobody_is_there() -> None:
    floor = Floor(agent("a"))
    called(floor)
    saved = floor.acd.snapshot()
    for contact in saved["contacts"]:
        del contact["is_away"]
    twin = type(floor.acd).restore(saved)
    assert only(twin.receive(ContactPresent(C), now=floor.now), CustomerCame) == CustomerCame(C, QueueId("q"), False)


def test_a_kept_agent_survives_a_snapshot() -> None:
    floor = Floor(agent("a"))
    floor.ready("a")
    called(floor)
    twin = type(floor.acd).restore(floor.acd.snapshot())
    assert twin.receive(ContactPresent(C, 3), now=floor.now) == floor.acd.receive(ContactPresent(C, 3), now=floor.now)
    assert twin.snapshot() == floor.acd.snapshot()
