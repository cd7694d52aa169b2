"""Work that routing did not choose: calling out, being called by a colleague, taking up a parked call."""

import pytest

from acd.errors import IllegalTransition
from acd.events import (
    AgentEngaged,
    AgentMadeNotReady,
    AgentMadeReady,
    AgentSignedIn,
    ContactArrived,
    ContactFinished,
    OfferAccepted,
    WrapUpMode,
)
from acd.ids import AgentId, ContactId, OfferId, QueueId
from acd.outcomes import AgentState, AgentStateChanged, OfferContact
from tests.support.acd_floor import Floor, agent, of, only

pytestmark = pytest.mark.unit

A, OUT = AgentId("a"), ContactId("out")
ARRIVAL = ContactArrived(ContactId("c"), QueueId("q"), 0)


def test_an_agent_who_dials_out_is_busy_and_gets_nothing_else() -> None:
    floor = Floor(agent("a"))
    floor.ready("a")
    said = only(floor.tell(AgentEngaged(A, OUT)), AgentStateChanged)
    assert (said.state, said.contact_id) == (AgentState.BUSY, OUT)
    assert of(floor.arrive("c"), OfferContact) == []
    assert only(floor.tell(ContactFinished(OUT)), OfferContact).contact_id == "c"


def test_who_paused_is_paused_for_the_same_reason_afterwards() -> None:
    floor = Floor(agent("a"))
    floor.ready("a")
    floor.tell(AgentMadeNotReady(A, "lunch"))
    floor.tell(AgentEngaged(A, OUT, wrap_up_ms=5))
    floor.tell(ContactFinished(OUT))
    assert floor.agent("a").state is AgentState.WRAP_UP
    floor.wait(5)
    assert (floor.agent("a").state, floor.agent("a").reason) == (AgentState.NOT_READY, "lunch")


def test_asking_for_work_while_engaged_takes_the_pause_back() -> None:
    floor = Floor(agent("a"))
    floor.ready("a")
    floor.tell(AgentMadeNotReady(A, "lunch"))
    floor.tell(AgentEngaged(A, OUT))
    floor.tell(AgentMadeReady(A))
    floor.tell(ContactFinished(OUT))
    assert floor.agent("a").state is AgentState.READY


def test_whoever_is_offline_rung_or_busy_cannot_take_up_anything() -> None:
    floor = Floor(agent("a"))
    for events in ((), (AgentSignedIn(A), AgentMadeReady(A), ARRIVAL), (OfferAccepted(OfferId("o1")),)):
        for event in events:
            floor.tell(event)
        before = floor.acd.snapshot()
        with pytest.raises(IllegalTransition):
            floor.tell(AgentEngaged(A, OUT))
        assert floor.acd.snapshot() == before


def test_a_contact_that_is_there_is_not_taken_up_twice() -> None:
    floor = Floor(agent("a"), agent("b"))
    floor.ready("a", "b")
    floor.tell(AgentEngaged(A, OUT))
    with pytest.raises(IllegalTransition):
        floor.tell(AgentEngaged(AgentId("b"), OUT))
    assert floor.agent("b").state is AgentState.READY


def test_an_engaged_contact_is_in_no_queue() -> None:
    floor = Floor(agent("a"))
    floor.ready("a")
    floor.tell(AgentEngaged(A, OUT))
    assert [queue.waiting for queue in floor.acd.queues()] == [0]
    assert floor.agent("a").taken == 0


@pytest.mark.parametrize(("mode", "may"), [(WrapUpMode.TIMED, True), (WrapUpMode.MANDATORY, False)])
def test_a_wrap_up_is_left_where_it_may_be_left(mode: WrapUpMode, may: bool) -> None:
    from msgspec.structs import replace

    from acd.agents import WrapUpRule
    from acd.seating import take_up

    floor = Floor(agent("a"))
    floor.ready("a")
    floor.connect("c")
    floor.tell(ContactFinished(ContactId("c")))
    board = floor.acd._board
    board.agents[A] = replace(board.agents[A], wrap_up=WrapUpRule(mode))
    if may:
        take_up(board, AgentEngaged(A, OUT), floor.now)
        assert floor.agent("a").state is AgentState.BUSY
    else:
        with pytest.raises(IllegalTransition):
            take_up(board, AgentEngaged(A, OUT), floor.now)
