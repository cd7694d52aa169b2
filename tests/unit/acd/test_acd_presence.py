"""Presence leases, quarantine after missed offers, and the ways a wrap-up ends."""

import pytest

from acd.engine import Acd
from acd.errors import AgentQuarantined
from acd.events import (
    AgentClientLost,
    AgentMadeNotReady,
    AgentMadeReady,
    AgentPresenceSeen,
    AgentSignedIn,
    AgentSignedOut,
    AgentSpec,
    ContactFinished,
    ContactLeft,
    FloorConfigured,
    OfferAccepted,
    QueueSpec,
    WrapUpExtended,
    WrapUpFinished,
    WrapUpMode,
)
from acd.ids import AgentId, ContactId, QueueId
from acd.outcomes import AgentState, OfferContact, OfferEnded, OfferResult, WrapUpCodeForced
from tests.support.acd_floor import RING_MS, Floor, agent, names, of, only, queue

pytestmark = pytest.mark.unit

A, B = AgentId("a"), AgentId("b")
LEASE_MS = 10_000


def configured(
    *agents: AgentSpec,
    spec: QueueSpec | None = None,
    lease_ms: int | None = None,
    quarantine_after: int | None = None,
) -> Floor:
    floor = Floor()
    floor.tell(
        FloorConfigured(
            (queue("q") if spec is None else spec,),
            agents,
            presence_lease_ms=lease_ms,
            quarantine_after=quarantine_after,
            quarantine_ms=60_000,
        )
    )
    return floor


def wrapping(mode: WrapUpMode, *, extension_ms: int = 0) -> Floor:
    """An agent in wrap-up after the contact ``c``."""
    spec = QueueSpec(
        QueueId("q"),
        "q",
        wrap_up_ms=30_000,
        wrap_up_mode=mode,
        wrap_up_extension_ms=extension_ms,
        wrap_up_timeout_code="timeout",
    )
    floor = configured(agent("a"), spec=spec)
    floor.ready("a")
    floor.connect("c")
    floor.tell(ContactFinished(ContactId("c")))
    return floor


def test_absent_agent_leaves_the_pool_when_the_lease_ends() -> None:
    """A closed laptop does not count as staffed."""
    floor = configured(agent("a"), lease_ms=LEASE_MS)
    floor.ready("a")
    floor.tell(AgentPresenceSeen(A))
    assert floor.wait(LEASE_MS - 1) == []
    floor.tell(AgentPresenceSeen(A))
    assert floor.wait(LEASE_MS - 1) == []
    floor.wait(1)
    assert (floor.agent("a").state, floor.agent("a").reason) == (AgentState.NOT_READY, "lost_client")
    assert "OfferContact" not in names(floor.arrive("c"))


def test_contact_that_rang_at_a_lost_client_goes_on_to_the_next_agent() -> None:
    floor = configured(agent("a"), agent("b"), lease_ms=LEASE_MS)
    floor.ready("a", "b")
    floor.tell(AgentPresenceSeen(A))
    floor.arrive("c")
    said = floor.wait(LEASE_MS)
    assert only(said, OfferEnded).result is OfferResult.WITHDRAWN
    assert only(said, OfferContact).agent_id == "b"
    assert floor.contact("c").excluded == ()


@pytest.mark.parametrize("wrapping_up", [False, True])
def test_lost_client_does_not_end_what_the_agent_is_doing(wrapping_up: bool) -> None:
    floor = configured(agent("a"), lease_ms=LEASE_MS)
    floor.ready("a")
    floor.tell(AgentPresenceSeen(A))
    floor.connect("c")
    if wrapping_up:
        floor.tell(ContactFinished(ContactId("c")))
    floor.wait(LEASE_MS)
    assert floor.agent("a").state is (AgentState.WRAP_UP if wrapping_up else AgentState.BUSY)
    assert floor.agent("a").pending_text == "not_ready:lost_client"


def test_agent_on_a_break_keeps_the_reason() -> None:
    floor = configured(agent("a"), lease_ms=LEASE_MS)
    floor.ready("a")
    floor.tell(AgentPresenceSeen(A))
    floor.tell(AgentMadeNotReady(A, "lunch"))
    assert floor.wait(LEASE_MS) == []
    assert floor.agent("a").reason == "lunch"


def test_lease_survives_a_restart_and_ends_with_the_seat() -> None:
    floor = configured(agent("a"), agent("b"), lease_ms=LEASE_MS)
    floor.ready("a", "b")
    floor.tell(AgentPresenceSeen(A))
    floor.tell(AgentPresenceSeen(B))
    floor.tell(AgentSignedOut(B))
    floor.acd = Acd.restore(floor.acd.snapshot())
    assert floor.acd.next_deadline() is not None
    floor.wait(LEASE_MS)
    assert floor.agent("a").reason == "lost_client"
    assert floor.acd.next_deadline() is None


def test_floor_without_leases_asks_for_no_presence() -> None:
    floor = configured(agent("a"))
    floor.ready("a")
    assert floor.tell(AgentPresenceSeen(A)) == []
    assert floor.acd.next_deadline() is None


def test_agent_who_misses_too_many_offers_is_quarantined() -> None:
    floor = configured(agent("a"), quarantine_after=2)
    floor.ready("a")
    floor.arrive("c")
    floor.wait(RING_MS)
    assert floor.agent("a").reason == "no_answer"
    floor.tell(AgentMadeReady(A))
    floor.wait(RING_MS)
    seat = floor.agent("a")
    assert (seat.reason, seat.until) == ("quarantined", floor.now + 60_000)
    before = floor.acd.snapshot()
    with pytest.raises(AgentQuarantined):
        floor.tell(AgentMadeReady(A))
    assert floor.acd.snapshot() == before
    floor.tell(AgentSignedOut(A))
    floor.tell(AgentSignedIn(A))
    with pytest.raises(AgentQuarantined):
        floor.tell(AgentMadeReady(A))


@pytest.mark.parametrize("how", ["time", "supervisor"])
def test_quarantine_ends_by_time_or_by_a_supervisor(how: str) -> None:
    floor = configured(agent("a"), quarantine_after=1)
    floor.ready("a")
    floor.arrive("c")
    floor.wait(RING_MS)
    floor.tell(ContactLeft(ContactId("c")))
    if how == "time":
        floor.now += 60_000
    floor.tell(AgentMadeReady(A, released=how == "supervisor"))
    assert (floor.agent("a").state, floor.agent("a").misses) == (AgentState.READY, 0)


def test_answered_offer_clears_the_misses() -> None:
    floor = configured(agent("a"), quarantine_after=2)
    floor.ready("a")
    floor.arrive("c")
    floor.wait(RING_MS)
    floor.tell(AgentMadeReady(A))
    floor.tell(OfferAccepted(floor.offer("c").offer_id))
    assert floor.agent("a").misses == 0


@pytest.mark.parametrize(
    ("mode", "finishes", "asks", "clock"),
    [
        (WrapUpMode.OPTIONAL, True, True, True),
        (WrapUpMode.MANDATORY, True, False, False),
        (WrapUpMode.TIMED, True, True, True),
        (WrapUpMode.TIMED_NO_EARLY_EXIT, False, False, True),
    ],
)
def test_wrap_up_ends_as_its_mode_says(mode: WrapUpMode, finishes: bool, asks: bool, clock: bool) -> None:
    floor = wrapping(mode)
    floor.tell(WrapUpFinished(A))
    assert (floor.agent("a").state is AgentState.READY) is finishes
    floor = wrapping(mode)
    floor.tell(AgentMadeReady(A))
    assert (floor.agent("a").state is AgentState.READY) is asks
    floor = wrapping(mode)
    floor.wait(30_000)
    assert (floor.agent("a").state is AgentState.READY) is clock


@pytest.mark.parametrize(
    ("mode", "finished", "forced"),
    [
        (WrapUpMode.OPTIONAL, False, False),
        (WrapUpMode.TIMED, False, True),
        (WrapUpMode.TIMED_NO_EARLY_EXIT, False, True),
        (WrapUpMode.TIMED_NO_EARLY_EXIT, True, False),
    ],
)
def test_clock_forces_the_code_of_an_agent_who_had_not_finished(mode: WrapUpMode, finished: bool, forced: bool) -> None:
    floor = wrapping(mode)
    if finished:
        floor.tell(WrapUpFinished(A))
    expected = [WrapUpCodeForced(A, ContactId("c"), "timeout")] if forced else []
    assert of(floor.wait(30_000), WrapUpCodeForced) == expected


def test_wrap_up_is_extended_as_far_as_the_queue_allows() -> None:
    floor = wrapping(WrapUpMode.TIMED, extension_ms=20_000)
    until = floor.agent("a").until
    assert until is not None
    floor.tell(WrapUpExtended(A, 15_000))
    floor.tell(WrapUpExtended(A, 15_000))
    assert floor.tell(WrapUpExtended(A, 15_000)) == []
    assert floor.agent("a").until == until + 20_000
    assert floor.acd.next_deadline() == until + 20_000


def test_nothing_is_extended_outside_a_wrap_up() -> None:
    floor = configured(agent("a"))
    floor.ready("a")
    assert floor.tell(WrapUpExtended(A, 15_000)) == []


def test_mandatory_wrap_up_needs_no_time_of_its_own() -> None:
    floor = configured(agent("a"), spec=QueueSpec(QueueId("q"), "q", wrap_up_ms=0, wrap_up_mode=WrapUpMode.MANDATORY))
    floor.ready("a")
    floor.connect("c")
    floor.tell(ContactFinished(ContactId("c")))
    assert (floor.agent("a").state, floor.agent("a").until) == (AgentState.WRAP_UP, None)


def test_wrap_up_is_one_clock_whatever_queues_the_agent_serves() -> None:
    """Asterisk 1006: with several queues the wrap-up is skipped."""
    floor = Floor(agent("a", "q r"), queues=[queue("q", wrap_up_ms=30_000), queue("r", wrap_up_ms=0)])
    floor.ready("a")
    floor.connect("c", "q")
    floor.arrive("d", "r")
    floor.tell(ContactFinished(ContactId("c")))
    assert floor.pairs() == {}
    assert floor.wait(29_999) == []
    floor.wait(1)
    assert floor.pairs() == {"d": "a"}


def test_a_client_the_host_gave_up_on_is_lost_as_by_a_lease() -> None:
    floor = configured(agent("a"), agent("b"))
    floor.ready("a", "b")
    floor.arrive("c")
    assert floor.pairs() == {"c": "a"}
    floor.tell(AgentClientLost(A))
    assert (floor.agent("a").state, floor.agent("a").reason) == (AgentState.NOT_READY, "lost_client")
    assert floor.pairs() == {"c": "b"}
    assert floor.contact("c").excluded == ()
    floor.tell(AgentSignedOut(A))
    assert floor.tell(AgentClientLost(A)) == []


def test_who_is_freed_and_lost_in_the_same_instant_is_not_asked() -> None:
    """Both deadlines overdue, somebody waits: an offer to whoever is not ready any more would be no offer."""
    floor = configured(agent("a"), spec=QueueSpec(QueueId("q"), "q", wrap_up_ms=5_000), lease_ms=LEASE_MS)
    floor.ready("a")
    floor.tell(AgentPresenceSeen(A))
    floor.connect("c")
    floor.tell(ContactFinished(ContactId("c")))
    floor.arrive("d")
    floor.wait(2 * LEASE_MS)
    assert (floor.agent("a").state, floor.agent("a").reason) == (AgentState.NOT_READY, "lost_client")
    assert floor.pairs() == {}
