"""What a queue's contacts may come beside is the queue's word where it has one: wider or narrower than the agents'."""

from dataclasses import replace

import pytest

from acd.events import (
    Channel,
    ContactFinished,
    ContactLeft,
    Interrupt,
    OfferAccepted,
    QueueInterrupts,
    QueueSpec,
)
from acd.explain import why_not
from acd.ids import ContactId
from acd.outcomes import AgentState
from tests.support.acd_floor import Floor, agent, queue
from tests.unit.acd.test_acd_channels import A, come, person, take, works

pytestmark = pytest.mark.unit


def by_queue(queue_id: str, **words: list[tuple[str, int | None]]) -> QueueSpec:
    """A queue with a word about what its contacts may come beside, by channel."""
    return replace(
        queue(queue_id),
        interrupts=tuple(
            QueueInterrupts(
                Channel(channel), tuple(Interrupt(Channel(channel), Channel(over), most) for over, most in pairs)
            )
            for channel, pairs in words.items()
        ),
    )


def test_a_queue_decides_what_its_calls_come_beside() -> None:
    """The hotline rings agents in chats, though they allow it to nobody; the survey rings nobody who has a message,
    though they do; the others are as the agents say."""
    queues = [by_queue("hotline", voice=[("chat", None)]), by_queue("survey", voice=[]), queue("q")]
    floor = Floor(person("a", ("voice", "message"), queues="hotline survey q", chat=2, message=1), queues=queues)
    floor.ready("a")
    take(floor, "chat", "chat")
    come(floor, "plain", "voice")
    assert floor.pairs() == {}
    come(floor, "urgent", "voice", "hotline")
    assert floor.pairs() == {"urgent": "a"}, "and it passes the older call, for which there is no room"
    for over in (ContactLeft(ContactId("urgent")), ContactLeft(ContactId("plain")), ContactFinished(ContactId("chat"))):
        floor.tell(over)
    take(floor, "message", "message")
    come(floor, "asked", "voice", "survey")
    assert floor.pairs() == {}
    assert why_not(floor.acd, ContactId("asked"), A).detail == "voice may not interrupt message in this queue"
    come(floor, "call", "voice")
    assert floor.pairs() == {"call": "a"}


def test_a_call_may_come_beside_so_many_chats() -> None:
    floor = Floor(person("a", ("voice", "chat"), chat=3), queues=[by_queue("q", voice=[("chat", 1)])])
    floor.ready("a")
    take(floor, "c1", "chat")
    take(floor, "c2", "chat")
    come(floor, "call", "voice")
    assert floor.pairs() == {}
    assert why_not(floor.acd, ContactId("call"), A).detail == (
        "voice may not interrupt more than 1 chat (has 2) in this queue"
    )
    floor.tell(ContactFinished(ContactId("c1")))
    assert floor.pairs() == {"call": "a"}


@pytest.mark.parametrize(("over", "pairs"), [([("voice", None)], {"chat": "a"}), ([], {})])
def test_whether_a_chat_is_offered_during_a_call_is_the_chats_queues_word(
    over: list[tuple[str, int | None]], pairs: dict[str, str]
) -> None:
    floor = Floor(person("a", chat=3), queues=[by_queue("q", chat=over)])
    floor.ready("a")
    take(floor, "call", "voice")
    come(floor, "chat", "chat")
    assert floor.pairs() == pairs


def test_a_card_that_nobody_answered_counts_for_nothing_when_a_call_may_take_its_place() -> None:
    floor = Floor(person("a", message=2), queues=[by_queue("q", voice=[("message", 1)])])
    floor.ready("a")
    take(floor, "m1", "message")
    come(floor, "m2", "message")
    assert floor.pairs() == {"m2": "a"}
    come(floor, "call", "voice")
    assert floor.pairs() == {"call": "a"}
    floor.tell(OfferAccepted(floor.offer("call").offer_id))
    assert (floor.agent("a").state, works(floor)) == (AgentState.BUSY, ["m1"])


def test_agents_without_capacity_of_their_own_serve_queues_with_a_word_of_their_own() -> None:
    floor = Floor(agent("a", "q hotline"), queues=[queue("q"), by_queue("hotline", voice=[("chat", 2)])])
    floor.ready("a")
    take(floor, "first", "voice")
    come(floor, "urgent", "voice", "hotline")
    come(floor, "later", "voice")
    floor.tell(ContactFinished(ContactId("first")))
    floor.wait(30_000)
    assert floor.pairs() == {"urgent": "a"}, "the oldest of both"
