"""Offers: one end each, RONA, refusals, races, and who is asked again."""

import pytest

from acd.errors import IllegalTransition, UnknownContact
from acd.events import (
    AgentMadeNotReady,
    AgentMadeReady,
    AgentSignedOut,
    ContactFinished,
    ContactLeft,
    DeclineCause,
    OfferAccepted,
    OfferDeclined,
)
from acd.ids import AgentId, ContactId, OfferId, QueueId
from acd.offers import Offer, OfferState, OfferTrigger, step
from acd.outcomes import (
    AgentState,
    AgentStateChanged,
    ContactAssigned,
    ContactDequeued,
    ContactQueued,
    Decision,
    DequeueReason,
    OfferContact,
    OfferEnded,
    OfferLapsed,
    OfferResult,
    WithdrawOffer,
)
from tests.support.acd_floor import RING_MS, Floor, agent, names, of, only

pytestmark = pytest.mark.unit

A, C = AgentId("a"), ContactId("c")


def test_accepted_offer_connects_and_tells_the_wait() -> None:
    floor = Floor(agent("a"))
    floor.ready("a")
    arrived_at = floor.now - 5_000
    floor.arrive("c", arrived_at=arrived_at)
    said = floor.tell(OfferAccepted(floor.offer("c").offer_id))
    assert names(said) == ["OfferEnded", "ContactDequeued", "ContactAssigned", "AgentStateChanged"]
    assert only(said, OfferEnded).result is OfferResult.ACCEPTED
    assert only(said, ContactAssigned).waited_ms == floor.now - arrived_at
    assert only(said, ContactDequeued).reason is DequeueReason.ASSIGNED
    assert only(said, AgentStateChanged).state is AgentState.BUSY
    assert floor.acd.next_deadline() is None


def test_agent_who_lets_it_ring_becomes_not_ready_and_the_contact_keeps_its_place() -> None:
    floor = Floor(agent("a"))
    floor.ready("a")
    floor.arrive("c")
    place, offer = floor.contact("c").key, floor.offer("c")
    floor.arrive("later")
    assert floor.acd.next_deadline() == offer.expires_at == offer.made_at + RING_MS
    said = floor.wait(RING_MS)
    assert names(said) == ["OfferEnded", "WithdrawOffer", "AgentStateChanged", "ContactQueued"]
    assert only(said, OfferEnded).result is only(said, WithdrawOffer).result is OfferResult.EXPIRED
    assert only(said, AgentStateChanged).reason == "no_answer"
    assert only(said, ContactQueued).returned
    assert floor.contact("c").key == place


def test_contact_that_rang_out_goes_to_the_next_idle_agent_in_the_same_instant() -> None:
    floor = Floor(agent("a"), agent("b"))
    floor.ready("a", "b")
    floor.arrive("c")
    assert only(floor.wait(RING_MS), OfferContact).agent_id == "b"


@pytest.mark.parametrize(
    ("cause", "reason"),
    [
        (DeclineCause.DECLINED, "declined"),
        (DeclineCause.BUSY, "phone_busy"),
        (DeclineCause.UNREACHABLE, "phone_unreachable"),
    ],
)
def test_refusal_makes_the_agent_not_ready_with_its_reason(cause: DeclineCause, reason: str) -> None:
    floor = Floor(agent("a"))
    floor.ready("a")
    floor.arrive("c")
    said = floor.tell(OfferDeclined(floor.offer("c").offer_id, cause))
    assert only(said, OfferEnded).result is OfferResult.DECLINED
    changed = only(said, AgentStateChanged)
    assert (changed.state, changed.reason) == (AgentState.NOT_READY, reason)


@pytest.mark.parametrize("answer", [OfferAccepted(OfferId("o1")), OfferDeclined(OfferId("o1"), DeclineCause.DECLINED)])
def test_answer_that_comes_too_late_is_told_so(answer: OfferAccepted | OfferDeclined) -> None:
    floor = Floor(agent("a"))
    floor.ready("a")
    floor.arrive("c")
    floor.wait(RING_MS)
    assert floor.tell(answer) == [OfferLapsed(OfferId("o1"))]


def test_answer_past_the_deadline_counts_while_the_timer_has_not_fired() -> None:
    floor = Floor(agent("a"))
    floor.ready("a")
    floor.arrive("c")
    floor.now += RING_MS + 500
    assert only(floor.tell(OfferAccepted(floor.offer("c").offer_id)), ContactAssigned).agent_id == "a"


def test_customer_who_leaves_while_ringing_frees_the_agent_with_the_idle_time_kept() -> None:
    floor = Floor(agent("a"))
    floor.ready("a")
    idle_since = floor.agent("a").idle_since
    floor.arrive("c")
    said = floor.tell(ContactLeft(C))
    assert names(said) == ["OfferEnded", "WithdrawOffer", "ContactDequeued", "AgentStateChanged"]
    assert only(said, OfferEnded).result is OfferResult.WITHDRAWN
    assert only(said, ContactDequeued).reason is DequeueReason.ABANDONED
    assert floor.agent("a").state is AgentState.READY
    assert floor.agent("a").idle_since == idle_since


def test_agent_freed_by_a_hang_up_gets_the_next_in_line() -> None:
    floor = Floor(agent("a"))
    floor.ready("a")
    floor.arrive("c")
    floor.arrive("next")
    assert only(floor.tell(ContactLeft(C)), OfferContact).contact_id == "next"


def test_hang_up_that_crosses_the_answer_ends_the_conversation() -> None:
    floor = Floor(agent("a"))
    floor.ready("a")
    floor.connect("c")
    assert only(floor.tell(ContactLeft(C)), AgentStateChanged).state is AgentState.WRAP_UP


@pytest.mark.parametrize("event", [ContactLeft(C), ContactFinished(C)])
def test_ending_an_ended_contact_says_nothing(event: ContactLeft | ContactFinished) -> None:
    floor = Floor(agent("a"))
    floor.arrive("c")
    floor.tell(ContactLeft(C))
    assert floor.tell(event) == []


@pytest.mark.parametrize("event", [ContactLeft(C), ContactFinished(C)])
def test_contact_that_never_arrived_is_unknown(event: ContactLeft | ContactFinished) -> None:
    with pytest.raises(UnknownContact):
        Floor(agent("a")).tell(event)


def test_waiting_contact_cannot_be_finished() -> None:
    floor = Floor(agent("a"))
    floor.arrive("c")
    before = floor.acd.snapshot()
    with pytest.raises(IllegalTransition):
        floor.tell(ContactFinished(C))
    assert floor.acd.snapshot() == before


def test_agent_who_refused_is_not_asked_again_while_another_is_at_work() -> None:
    """``b`` is talking and will be free: the contact waits for ``b`` although ``a`` is ready again."""
    floor = Floor(agent("a"), agent("b"))
    floor.ready("b")
    floor.connect("long")
    floor.ready("a")
    floor.arrive("c")
    floor.wait(RING_MS)
    assert of(floor.tell(AgentMadeReady(A)), OfferContact) == []
    assert floor.arrive("other")[1:] != []
    assert floor.pairs() == {"other": "a"}
    floor.tell(ContactFinished(ContactId("long")))
    floor.tell(AgentMadeReady(AgentId("b")))
    assert floor.pairs() == {"other": "a", "c": "b"}


def test_agent_who_refused_is_asked_again_when_there_is_nobody_else() -> None:
    """``b`` is signed in but paused: nobody else will come by himself, so ``a``, ready again, is asked again."""
    floor = Floor(agent("a"), agent("b"))
    floor.ready("a", "b")
    floor.tell(AgentMadeNotReady(AgentId("b"), "lunch"))
    floor.arrive("c")
    floor.wait(RING_MS)
    assert only(floor.tell(AgentMadeReady(A)), OfferContact).agent_id == "a"


@pytest.mark.parametrize("event", [AgentSignedOut(AgentId("b")), AgentMadeNotReady(AgentId("b"), "lunch")])
def test_when_the_last_other_agent_stops_the_waiting_contact_goes_back_to_the_one_who_refused(
    event: AgentSignedOut | AgentMadeNotReady,
) -> None:
    floor = Floor(agent("a"), agent("b"))
    floor.ready("b")
    floor.connect("long")
    floor.ready("a")
    floor.arrive("c")
    floor.wait(RING_MS)
    floor.tell(AgentMadeReady(A))
    assert only(floor.tell(event), OfferContact).agent_id == "a"


def test_refusals_beyond_the_limit_start_the_list_anew() -> None:
    ids = [f"a{n}" for n in range(9)]
    floor = Floor(*[agent(agent_id) for agent_id in ids])
    floor.ready(*ids)
    floor.arrive("c")
    for _ in range(8):
        floor.wait(RING_MS)
    assert floor.contact("c").excluded == tuple(ids[:8])
    floor.wait(RING_MS)
    assert floor.contact("c").excluded == ("a8",)


def test_deadlines_that_passed_together_are_handled_in_their_order() -> None:
    floor = Floor(agent("a"), agent("b"))
    floor.ready("a", "b")
    floor.arrive("c")
    floor.arrive("d")
    assert [ended.contact_id for ended in of(floor.wait(2 * RING_MS), OfferEnded)] == ["c", "d"]


def test_contacts_that_rang_out_together_are_served_first_in_line_first() -> None:
    """``late`` rings out first in the list of deadlines, yet ``early`` gets the one agent who is left."""
    floor = Floor(agent("a"), agent("b"), agent("c"))
    floor.ready("a", "b")
    floor.arrive("late")
    floor.arrive("early", arrived_at=1)
    floor.ready("c")
    floor.wait(2 * RING_MS)
    assert floor.pairs() == {"early": "c"}


def test_offer_has_one_end_only() -> None:
    decision = Decision("rule", 1, "", None, None)
    ended = Offer(OfferId("o1"), 1, C, A, QueueId("q"), 0, 1, decision, state=OfferState.EXPIRED)
    with pytest.raises(IllegalTransition):
        step(ended, OfferTrigger.ANSWERED)
