"""Work on shared channels at the desk: given back, moved, wrapped up, making way for a call, and nobody at the desk."""

from dataclasses import replace
from typing import Any

import pytest

from acd.engine import Acd
from acd.errors import IllegalTransition
from acd.events import (
    AgentDeskClosed,
    AgentDeskOpened,
    Channel,
    ChannelRule,
    ContactArrived,
    ContactFinished,
    ContactReturned,
    OfferAccepted,
    QueueClosed,
    WrapUpExtended,
    WrapUpFinished,
    WrapUpMode,
)
from acd.ids import AgentId, ContactId, QueueId
from acd.outcomes import (
    AgentState,
    ContactDequeued,
    ContactOverflowed,
    ContactQueued,
    DequeueReason,
    OfferEnded,
    OfferResult,
    WorkEnded,
    WorkWrapUpBegun,
    WrapUpCodeForced,
)
from tests.support.acd_floor import Floor, of, queue
from tests.unit.acd.test_acd_channels import come, person, take, works

pytestmark = pytest.mark.unit

A, B, M = AgentId("a"), AgentId("b"), ContactId("m")
CALLS_FIRST = ("voice", "message")


def wrapping(**more: Any) -> list[Any]:
    """A queue whose messages are wrapped up for 60 ms."""
    return [replace(queue("q"), channels=(ChannelRule(Channel.MESSAGE, wrap_up_ms=60),), **more)]


def test_what_is_given_back_waits_with_its_age_and_goes_to_somebody_else() -> None:
    floor = Floor(person("a", message=1), person("b", message=1))
    floor.ready("a")
    take(floor, "m", "message")
    said = floor.tell(ContactReturned(M, refused=True))
    assert of(said, WorkEnded) == [WorkEnded(A, M)]
    assert floor.pairs() == {"m": "a"}, "nobody else is at work"
    floor.tell(OfferAccepted(floor.offer("m").offer_id))
    floor.ready("b")
    said = floor.tell(ContactReturned(M, refused=True))
    assert floor.pairs() == {"m": "b"}
    (queued,) = of(said, ContactQueued)
    assert (queued.arrived_at, queued.returned) == (floor.contact("m").arrived_at, False)


def test_what_was_lost_and_not_refused_may_come_back_to_its_agent() -> None:
    floor = Floor(person("a", message=1), person("b", voice=1))
    floor.ready("a", "b")
    take(floor, "m", "message")
    floor.tell(ContactReturned(M))
    assert floor.pairs() == {"m": "a"}


def test_a_contact_moves_to_another_queue_from_wherever_it_is() -> None:
    floor = Floor(
        person("a", queues="q", message=1), person("b", queues="r", message=1), queues=[queue("q"), queue("r")]
    )
    come(floor, "m", "message")
    said = floor.tell(ContactReturned(M, QueueId("r")))
    assert [each.reason for each in of(said, ContactDequeued)] == [DequeueReason.MOVED]
    floor.ready("b")
    assert floor.pairs() == {"m": "b"}
    said = floor.tell(ContactReturned(M, QueueId("q")))
    assert [each.result for each in of(said, OfferEnded)] == [OfferResult.WITHDRAWN]
    assert (floor.agent("b").state, works(floor, "b")) == (AgentState.READY, [])
    floor.ready("a")
    floor.tell(OfferAccepted(floor.offer("m").offer_id))
    said = floor.tell(ContactReturned(M, QueueId("r")))
    assert (of(said, ContactDequeued), works(floor)) == ([], [])
    assert floor.pairs() == {"m": "b"}


def test_a_call_is_never_given_back() -> None:
    floor = Floor(person("a", message=1))
    floor.ready("a")
    take(floor, "call", "voice")
    before = floor.acd.snapshot()
    with pytest.raises(IllegalTransition):
        floor.tell(ContactReturned(ContactId("call")))
    assert floor.acd.snapshot() == before


def test_a_wrap_up_keeps_its_place_in_the_capacity_until_it_is_done() -> None:
    floor = Floor(person("a", message=1), queues=wrapping())
    floor.ready("a")
    take(floor, "m", "message")
    come(floor, "next", "message")
    said = floor.tell(ContactFinished(M))
    assert [(each.contact_id, each.until) for each in of(said, WorkWrapUpBegun)] == [("m", floor.now + 60)]
    assert floor.pairs() == {}
    said = floor.tell(WrapUpFinished(A, M))
    assert (of(said, WorkEnded), floor.pairs()) == ([WorkEnded(A, M)], {"next": "a"})
    assert floor.tell(WrapUpFinished(A, M)) == [], "harmless when it is over"


def test_a_wrap_up_ends_by_the_clock_with_the_forced_code_and_is_extended_as_far_as_the_queue_allows() -> None:
    floor = Floor(person("a", message=1), queues=wrapping(wrap_up_extension_ms=40, wrap_up_timeout_code="none_given"))
    floor.ready("a")
    take(floor, "m", "message")
    floor.tell(ContactFinished(M))
    ends = floor.now + 60
    said = floor.tell(WrapUpExtended(A, 100, M))
    assert [each.until for each in of(said, WorkWrapUpBegun)] == [ends + 40]
    assert floor.acd.handle_timer(now=ends) == []
    again = Acd.restore(floor.acd.snapshot())
    for acd in (floor.acd, again):
        said = list(acd.handle_timer(now=ends + 40))
        assert [(each.contact_id, each.code) for each in of(said, WrapUpCodeForced)] == [("m", "none_given")]
        assert of(said, WorkEnded) == [WorkEnded(A, M)]
        assert acd.agents()[0].works == ()


def test_a_mandatory_wrap_up_has_no_clock_and_one_without_time_is_none() -> None:
    floor = Floor(person("a", message=2, chat=1), queues=wrapping(wrap_up_mode=WrapUpMode.MANDATORY))
    floor.ready("a")
    take(floor, "m", "message")
    floor.tell(ContactFinished(M))
    assert [work.until for work in floor.agent("a").works] == [None]
    floor.tell(WrapUpFinished(A, M))
    take(floor, "c", "chat")
    floor.tell(ContactFinished(ContactId("c")))
    assert works(floor) == []


def test_a_call_takes_the_place_of_a_message_that_rings() -> None:
    """A caller does not wait for a card that nobody has looked at; the message goes on to whoever has room."""
    floor = Floor(person("a", CALLS_FIRST, message=1), person("b", message=1, voice=0))
    floor.ready("a")
    come(floor, "m", "message")
    assert floor.pairs() == {"m": "a"}
    said = floor.tell(ContactArrived(ContactId("call"), QueueId("q"), floor.now))
    assert floor.pairs() == {"call": "a"}
    assert [(each.contact_id, each.result) for each in of(said, OfferEnded)] == [("m", OfferResult.WITHDRAWN)]
    assert floor.agent("a").misses == 0
    floor.ready("b")
    assert floor.pairs() == {"call": "a", "m": "b"}


def test_a_call_waits_for_a_message_that_rings_where_it_may_not_interrupt() -> None:
    floor = Floor(person("a", message=1))
    floor.ready("a")
    come(floor, "m", "message")
    come(floor, "call", "voice")
    assert floor.pairs() == {"m": "a"}


def test_a_chat_that_rings_makes_way_for_nobody() -> None:
    floor = Floor(person("a", ("voice", "chat"), chat=1))
    floor.ready("a")
    come(floor, "c", "chat")
    come(floor, "call", "voice")
    assert floor.pairs() == {"c": "a"}


def test_whoever_has_no_desk_open_gets_calls_and_nothing_else() -> None:
    floor = Floor(person("a", CALLS_FIRST, message=1))
    floor.ready("a")
    come(floor, "m", "message")
    said = floor.tell(AgentDeskClosed(A))
    assert [each.result for each in of(said, OfferEnded)] == [OfferResult.WITHDRAWN]
    assert (floor.pairs(), floor.agent("a").state) == ({}, AgentState.READY)
    take(floor, "call", "voice")
    floor.tell(ContactFinished(ContactId("call")))
    assert floor.pairs() == {}
    again = Acd.restore(floor.acd.snapshot())
    assert again.agents() == floor.acd.agents()
    floor.tell(AgentDeskOpened(A))
    floor.ready("a")
    assert floor.pairs() == {"m": "a"}


def test_no_door_refuses_a_message_and_it_makes_no_queue_full() -> None:
    floor = Floor(person("a", message=1), queues=[replace(queue("q"), max_waiting=1, otherwise="away")])
    floor.tell(QueueClosed(QueueId("q")))
    for contact_id in ("m1", "m2"):
        assert of(come(floor, contact_id, "message"), ContactOverflowed) == []
    assert len(of(come(floor, "chat", "chat"), ContactOverflowed)) == 1
    floor.tell(QueueClosed(QueueId("q"), send_away=True))
    floor.ready("a")
    assert floor.pairs() == {"m1": "a"}


def test_what_rings_and_is_given_back_rings_anew_and_counts_once() -> None:
    floor = Floor(person("a", message=1))
    floor.ready("a")
    come(floor, "m", "message")
    before = floor.offer("m")
    said = floor.tell(ContactReturned(M))
    assert [each.returned for each in of(said, ContactQueued)] == [True]
    assert floor.offer("m").expires_at > before.expires_at
    assert floor.agent("a").misses == 0
