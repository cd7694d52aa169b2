"""A new configuration on a running floor."""

import pytest

from acd.errors import InvalidFloor, UnknownAgent, UnknownQueue
from acd.events import AgentMadeReady, AgentSignedIn, ContactFinished, ContactLeft, FloorConfigured, OfferAccepted
from acd.ids import AgentId, ContactId
from acd.outcomes import (
    AgentState,
    AgentStateChanged,
    ContactDequeued,
    ContactQueued,
    DequeueReason,
    OfferContact,
    OfferEnded,
    OfferResult,
)
from tests.support.acd_floor import Floor, agent, names, of, only, queue

pytestmark = pytest.mark.unit

A, B = AgentId("a"), AgentId("b")


def test_agent_removed_while_idle_is_gone_at_once() -> None:
    floor = Floor(agent("a"), agent("b"))
    floor.ready("a")
    said = floor.tell(FloorConfigured((queue("q"),), (agent("b"),)))
    assert only(said, AgentStateChanged).state is AgentState.OFFLINE
    assert [known.agent_id for known in floor.acd.agents()] == ["b"]
    with pytest.raises(UnknownAgent):
        floor.tell(AgentSignedIn(A))


def test_offline_agent_is_removed_without_a_word() -> None:
    floor = Floor(agent("a"))
    assert floor.tell(FloorConfigured((queue("q"),), ())) == []


def test_agent_removed_while_busy_finishes_first() -> None:
    floor = Floor(agent("a"))
    floor.ready("a")
    floor.connect("c")
    said = floor.tell(FloorConfigured((queue("q"),), ()))
    assert only(said, AgentStateChanged).pending == "offline"
    with pytest.raises(UnknownAgent):
        floor.tell(AgentSignedIn(A))
    said = floor.tell(ContactFinished(ContactId("c")))
    assert only(said, AgentStateChanged).state is AgentState.OFFLINE
    assert floor.acd.agents() == ()


def test_agent_configured_again_before_the_contact_is_over_stays() -> None:
    floor = Floor(agent("a"))
    floor.ready("a")
    floor.connect("c")
    floor.tell(FloorConfigured((queue("q"),), ()))
    floor.tell(FloorConfigured((queue("q"),), (agent("a"),)))
    floor.tell(AgentSignedIn(A))
    floor.tell(ContactFinished(ContactId("c")))
    assert floor.agent("a").state is AgentState.WRAP_UP


def test_agent_removed_while_ringing_hands_the_contact_on() -> None:
    floor = Floor(agent("a"), agent("b"))
    floor.ready("a", "b")
    floor.arrive("c")
    said = floor.tell(FloorConfigured((queue("q"),), (agent("b"),)))
    assert only(said, OfferEnded).result is OfferResult.WITHDRAWN
    assert only(said, ContactQueued).returned
    assert only(said, OfferContact).agent_id == "b"


def test_removed_queue_sends_its_waiting_contacts_away_in_order() -> None:
    floor = Floor(agent("a", "r"), queues=[queue("q"), queue("r")])
    floor.arrive("second")
    floor.arrive("first", priority=1)
    said = of(floor.tell(FloorConfigured((queue("r"),), (agent("a", "r"),))), ContactDequeued)
    assert [(left.contact_id, left.reason) for left in said] == [
        ("first", DequeueReason.QUEUE_REMOVED),
        ("second", DequeueReason.QUEUE_REMOVED),
    ]
    assert floor.tell(ContactLeft(ContactId("first"))) == []


def test_removed_queue_frees_the_agent_who_rang_for_the_next_contact() -> None:
    floor = Floor(agent("a", "q r"), queues=[queue("q"), queue("r")])
    floor.ready("a")
    floor.arrive("c", "q")
    floor.arrive("d", "r")
    said = floor.tell(FloorConfigured((queue("r"),), (agent("a", "r"),)))
    assert names(said)[:4] == ["OfferEnded", "WithdrawOffer", "ContactDequeued", "AgentStateChanged"]
    assert floor.pairs() == {"d": "a"}


def test_queue_and_ringing_agent_may_vanish_together() -> None:
    floor = Floor(agent("a", "q"), agent("b", "r"), queues=[queue("q"), queue("r")])
    floor.ready("a")
    floor.arrive("c", "q")
    said = floor.tell(FloorConfigured((queue("r"),), (agent("b", "r"),)))
    assert [changed.state for changed in of(said, AgentStateChanged)] == [AgentState.READY, AgentState.OFFLINE]
    assert floor.acd.contacts() == ()


def test_connected_contact_of_a_removed_queue_goes_on_and_is_wrapped_up() -> None:
    floor = Floor(agent("a", "q"), queues=[queue("q"), queue("r")])
    floor.ready("a")
    floor.connect("c")
    assert floor.tell(FloorConfigured((queue("r"),), (agent("a", "r"),))) == []
    assert only(floor.tell(ContactFinished(ContactId("c"))), AgentStateChanged).state is AgentState.WRAP_UP


def test_changed_agents_are_matched_first_in_line_first() -> None:
    floor = Floor(agent("a", "r"), agent("b", "r"), queues=[queue("q"), queue("r")])
    floor.ready("a", "b")
    floor.arrive("second")
    floor.arrive("first", priority=1)
    floor.tell(FloorConfigured((queue("q"), queue("r")), (agent("a", "q"), agent("b", "q"))))
    assert floor.pairs() == {"first": "a", "second": "b"}
    assert [offer.contact_id for offer in floor.acd.offers()] == ["first", "second"]


def test_standing_offer_survives_a_change_of_its_agent() -> None:
    floor = Floor(agent("a", "q"), queues=[queue("q"), queue("r")])
    floor.ready("a")
    floor.arrive("c")
    floor.tell(FloorConfigured((queue("q"), queue("r")), (agent("a", "r"),)))
    floor.tell(OfferAccepted(floor.offer("c").offer_id))
    assert floor.agent("a").state is AgentState.BUSY


def test_idle_agents_keep_their_order_through_a_new_configuration() -> None:
    floor = Floor(agent("a"), agent("b"))
    floor.ready("b", "a")
    assert floor.tell(FloorConfigured((queue("q"),), (agent("a"), agent("b")))) == []
    assert only(floor.arrive("c"), OfferContact).agent_id == "b"


@pytest.mark.parametrize(
    ("floor_configured", "error"),
    [
        (FloorConfigured((queue("q"), queue("q")), ()), InvalidFloor),
        (FloorConfigured((queue("q"),), (agent("a"), agent("a"))), InvalidFloor),
        (FloorConfigured((queue("q"),), (agent("a", "nowhere"),)), UnknownQueue),
    ],
)
def test_wrong_configuration_changes_nothing(
    floor_configured: FloorConfigured, error: type[InvalidFloor | UnknownQueue]
) -> None:
    floor = Floor(agent("a"))
    floor.ready("a")
    before = floor.acd.snapshot()
    with pytest.raises(error):
        floor.tell(floor_configured)
    assert floor.acd.snapshot() == before


def test_new_agent_can_sign_in_and_work() -> None:
    floor = Floor(agent("a"))
    floor.arrive("c")
    floor.tell(FloorConfigured((queue("q"),), (agent("a"), agent("b"))))
    floor.tell(AgentSignedIn(B))
    assert only(floor.tell(AgentMadeReady(B)), OfferContact).contact_id == "c"
