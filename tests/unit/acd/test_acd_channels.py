"""Several channels for each agent: capacity, interrupts, what waits when capacity frees, and that all this is exact."""

import json
import random

import pytest

from acd import board
from acd.engine import Acd
from acd.errors import IllegalTransition
from acd.events import (
    AgentClientLost,
    AgentEngaged,
    AgentMadeNotReady,
    AgentMadeReady,
    AgentSignedIn,
    AgentSignedOut,
    AgentSpec,
    Capacity,
    Channel,
    ContactArrived,
    ContactFinished,
    ContactLeft,
    DeclineCause,
    Event,
    FloorConfigured,
    Interrupt,
    OfferAccepted,
    OfferDeclined,
)
from acd.explain import Reason, why_not, why_waiting
from acd.ids import AgentId, ContactId, QueueId
from acd.outcomes import AgentState, AgentStateChanged, OfferContact, Outcome
from tests.support.acd_floor import Floor, agent, of, queue
from tests.support.acd_invariants import (
    check_contact_books,
    check_offer_books,
    check_order,
    check_places,
    check_work_conservation,
)
from tests.support.acd_mixed_floor import check_room, mixed_event, mixed_floor
from tests.support.acd_oracle import BruteForceMatching
from tests.support.acd_random_floor import tell

pytestmark = pytest.mark.unit

INSTANCES = 30
EVENTS = 250
A = AgentId("a")


def person(agent_id: str, *interrupts: tuple[str, str], queues: str = "q", **most: int) -> AgentSpec:
    """An agent with so much capacity by channel."""
    return AgentSpec(
        AgentId(agent_id),
        agent_id,
        tuple(QueueId(each) for each in queues.split()),
        capacity=tuple(Capacity(Channel(channel), number) for channel, number in most.items()),
        interrupts=tuple(Interrupt(Channel(new), Channel(over)) for new, over in interrupts),
    )


def come(floor: Floor, contact_id: str, channel: str, queue_id: str = "q", priority: int = 0) -> list[Outcome]:
    return floor.tell(
        ContactArrived(ContactId(contact_id), QueueId(queue_id), floor.now + 1, priority, channel=Channel(channel))
    )


def take(floor: Floor, contact_id: str, channel: str) -> None:
    """A contact arrives, rings, and is taken."""
    come(floor, contact_id, channel)
    floor.tell(OfferAccepted(floor.offer(contact_id).offer_id))


def works(floor: Floor, agent_id: str = "a") -> list[str]:
    return [work.contact_id for work in floor.agent(agent_id).works]


def test_chats_up_to_the_capacity_and_one_ringing_at_a_time() -> None:
    floor = Floor(person("a", chat=2))
    floor.ready("a")
    for contact_id in ("c1", "c2", "c3"):
        come(floor, contact_id, "chat")
    assert floor.pairs() == {"c1": "a"}
    said = floor.tell(OfferAccepted(floor.offer("c1").offer_id))
    assert floor.pairs() == {"c2": "a"}
    assert of(said, AgentStateChanged)[-1].works == ("c1", "c2")
    floor.tell(OfferAccepted(floor.offer("c2").offer_id))
    assert floor.pairs() == {}
    assert (floor.agent("a").state, works(floor)) == (AgentState.READY, ["c1", "c2"])


def test_the_oldest_waiting_item_is_taken_when_capacity_frees() -> None:
    """Chatwoot's failure: items that waited were passed over by those that arrived after capacity had freed."""
    floor = Floor(person("a", queues="q r", chat=1), queues=[queue("q"), queue("r")])
    floor.ready("a")
    take(floor, "taken", "chat")
    come(floor, "oldest", "chat", "r")
    for number in range(5):
        come(floor, f"later{number}", "chat")
    for expected in ("oldest", "later0", "later1"):
        floor.tell(ContactFinished(ContactId(works(floor)[0])))
        assert floor.pairs() == {expected: "a"}
        come(floor, f"after {expected}", "chat")
        floor.tell(OfferAccepted(floor.offer(expected).offer_id))


def test_the_oldest_goes_first_whatever_its_channel() -> None:
    floor = Floor(person("a", chat=2, email=2))
    for contact_id, channel in (("mail", "email"), ("call", "voice"), ("chat", "chat")):
        come(floor, contact_id, channel)
    floor.ready("a")
    assert floor.pairs() == {"mail": "a"}
    floor.tell(OfferAccepted(floor.offer("mail").offer_id))
    assert floor.pairs() == {}, "neither a call nor a chat may interrupt"
    floor.tell(ContactFinished(ContactId("mail")))
    assert floor.pairs() == {"call": "a"}


def test_what_may_interrupt_what() -> None:
    floor = Floor(person("a", ("voice", "email"), ("chat", "voice"), chat=1, email=1))
    floor.ready("a")
    take(floor, "mail", "email")
    come(floor, "chat", "chat")
    assert floor.pairs() == {}, "a chat may not interrupt an e-mail"
    floor.tell(ContactLeft(ContactId("chat")))
    take(floor, "call", "voice")
    assert (floor.agent("a").state, works(floor)) == (AgentState.BUSY, ["mail"])
    floor.tell(ContactFinished(ContactId("mail")))
    take(floor, "chat", "chat")
    assert (floor.agent("a").state, works(floor)) == (AgentState.BUSY, ["chat"])
    come(floor, "second call", "voice")
    assert floor.pairs() == {}


def test_voice_is_exclusive_by_default() -> None:
    floor = Floor(person("a", voice=5, chat=3))
    floor.ready("a")
    take(floor, "call", "voice")
    come(floor, "second", "voice")
    come(floor, "chat", "chat")
    assert floor.pairs() == {}


def test_chats_go_around_among_those_who_have_room() -> None:
    floor = Floor(person("a", chat=3), person("b", chat=3))
    floor.ready("a", "b")
    for number in range(4):
        take(floor, f"c{number}", "chat")
    assert (works(floor, "a"), works(floor, "b")) == (["c0", "c2"], ["c1", "c3"])


def test_a_refused_chat_pauses_and_the_others_go_on() -> None:
    floor = Floor(person("a", chat=3))
    floor.ready("a")
    take(floor, "c1", "chat")
    come(floor, "c2", "chat")
    floor.tell(OfferDeclined(floor.offer("c2").offer_id, DeclineCause.DECLINED))
    assert (floor.agent("a").state, floor.agent("a").reason, works(floor)) == ("not_ready", "declined", ["c1"])
    floor.tell(AgentMadeReady(A))
    assert floor.pairs() == {"c2": "a"}
    floor.wait(20_000)
    assert (floor.agent("a").reason, floor.agent("a").misses, works(floor)) == ("no_answer", 1, ["c1"])


def test_a_chat_refused_during_a_call_pauses_after_the_call() -> None:
    floor = Floor(person("a", ("chat", "voice"), chat=3), queues=[queue("q", wrap_up_ms=0)])
    floor.ready("a")
    take(floor, "call", "voice")
    come(floor, "chat", "chat")
    floor.tell(AgentMadeNotReady(A, "lunch"))
    assert (floor.agent("a").state, floor.agent("a").pending_text, works(floor)) == ("busy", "not_ready:lunch", [])
    floor.tell(ContactFinished(ContactId("call")))
    assert (floor.agent("a").state, floor.agent("a").reason) == ("not_ready", "lunch")


@pytest.mark.parametrize("busy", [False, True])
def test_who_signs_out_stays_until_the_last_chat_is_over(busy: bool) -> None:
    floor = Floor(person("a", ("voice", "chat"), chat=2), queues=[queue("q", wrap_up_ms=0)])
    floor.ready("a")
    take(floor, "chat", "chat")
    if busy:
        take(floor, "call", "voice")
    floor.tell(AgentSignedOut(A))
    if busy:
        floor.tell(ContactFinished(ContactId("call")))
    assert (floor.agent("a").state, floor.agent("a").pending_text) == ("not_ready", "offline")
    for event in (AgentMadeReady(A), AgentMadeNotReady(A, "lunch"), AgentSignedOut(A)):
        assert floor.tell(event) == []
    come(floor, "another", "chat")
    assert floor.pairs() == {}
    floor.tell(ContactFinished(ContactId("chat")))
    assert floor.agent("a").state is AgentState.OFFLINE


def test_who_comes_back_before_the_last_chat_is_over_stays() -> None:
    floor = Floor(person("a", chat=2))
    floor.ready("a")
    take(floor, "chat", "chat")
    floor.tell(AgentSignedOut(A))
    floor.tell(AgentSignedIn(A))
    floor.tell(ContactFinished(ContactId("chat")))
    assert (floor.agent("a").state, floor.agent("a").reason) == ("not_ready", "signed_in")


def test_a_lost_client_gives_the_ringing_chat_back_unrefused() -> None:
    floor = Floor(person("a", chat=2), person("b", chat=2))
    floor.ready("a", "b")
    come(floor, "chat", "chat")
    floor.tell(AgentClientLost(A))
    assert floor.pairs() == {"chat": "b"}
    assert floor.contact("chat").excluded == ()


def test_who_is_rung_for_a_chat_cannot_call_out() -> None:
    floor = Floor(person("a", chat=2))
    floor.ready("a")
    come(floor, "chat", "chat")
    with pytest.raises(IllegalTransition):
        floor.tell(AgentEngaged(A, ContactId("out")))


def test_less_capacity_ends_nothing_that_runs() -> None:
    floor = Floor(person("a", chat=3))
    floor.ready("a")
    for contact_id in ("c1", "c2"):
        take(floor, contact_id, "chat")
    floor.tell(FloorConfigured((queue("q"),), (agent("a"),)))
    assert works(floor) == ["c1", "c2"]
    come(floor, "call", "voice")
    assert floor.pairs() == {}, "a call may not interrupt chats"
    for contact_id in ("c1", "c2"):
        floor.tell(ContactFinished(ContactId(contact_id)))
    assert floor.pairs() == {"call": "a"}


def test_a_retired_agent_is_forgotten_after_the_last_chat() -> None:
    floor = Floor(person("a", chat=3))
    floor.ready("a")
    take(floor, "chat", "chat")
    floor.tell(FloorConfigured((queue("q"),), ()))
    assert [each.agent_id for each in floor.acd.agents()] == ["a"]
    floor.tell(ContactFinished(ContactId("chat")))
    assert floor.acd.agents() == ()


def test_why_not_names_channel_and_room() -> None:
    floor = Floor(person("a", chat=1), person("b"), person("d", email=1, chat=1))
    floor.ready("a", "b")
    take(floor, "c1", "chat")
    come(floor, "c2", "chat")
    floor.ready("d")
    floor.tell(OfferAccepted(floor.offer("c2").offer_id))
    come(floor, "c3", "chat")
    rows = [why_not(floor.acd, ContactId("c3"), AgentId(each)) for each in "ab"]
    assert [(row.reasons, row.detail) for row in rows] == [
        ((Reason.NO_ROOM,), "has 1 of 1 chat"),
        ((Reason.NO_CHANNEL,), "takes no chat"),
    ]
    come(floor, "mail", "email")
    assert why_not(floor.acd, ContactId("mail"), AgentId("d")).detail == "email may not interrupt chat"
    assert why_waiting(floor.acd, ContactId("c3")).fitting == {AgentState.READY: 2}


def test_snapshots_without_channels_are_read() -> None:
    floor = Floor(agent("a"))
    floor.ready("a")
    floor.connect("c")
    saved = json.loads(json.dumps(floor.acd.snapshot()))
    for record in saved["agents"]:
        del record["works"]
        for field in ("capacity", "interrupts"):
            del record["spec"][field]
    for record in saved["contacts"]:
        del record["channel"]
    assert Acd.restore(saved).snapshot() == floor.acd.snapshot()


def test_random_floors_with_mixed_channels_behave_as_if_everybody_were_scanned(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bitsets and brute force say the same, and so does an engine restored every now and then; the books balance."""
    shared = besides = 0
    for seed in range(INSTANCES):
        dice = random.Random(seed)
        fast, twin = Acd(), Acd()
        with monkeypatch.context() as patch:
            patch.setattr(board, "Matching", BruteForceMatching)
            slow = Acd()
        book: list[Outcome] = []
        opening: list[Event] = [
            kind(AgentId(f"a{number}")) for number in range(12) for kind in (AgentMadeReady, AgentSignedIn)
        ]
        for now in range(0, EVENTS * 5, 5):
            event = mixed_floor(dice) if now == 0 or dice.random() < 0.01 else mixed_event(dice, fast, now)
            event = opening.pop() if now and opening else event
            with monkeypatch.context() as patch:
                patch.setattr(board, "Matching", BruteForceMatching)
                expected = tell(slow, event, now)
            said = tell(fast, event, now)
            assert said == expected, f"seed {seed}, now {now}, {event}"
            if dice.random() < 0.1:
                twin = Acd.restore(json.loads(json.dumps(twin.snapshot())))
            assert tell(twin, event, now) == said, f"seed {seed}, now {now}, restored"
            outcomes = [each for each in said if not isinstance(each, str)]
            book += outcomes
            check_places(fast)
            check_work_conservation(fast)
            standing = {offer.offer_id for offer in fast.offers()}
            made = [each for each in outcomes if isinstance(each, OfferContact) and each.offer_id in standing]
            besides += check_room(fast, [] if isinstance(event, FloorConfigured) else made)
            shared += sum(fast_contact.channel is not Channel.VOICE for fast_contact in fast.contacts())
            check_contact_books(book, fast)
        check_offer_books(book, len(fast.offers()))
        assert fast.snapshot() == slow.snapshot() == twin.snapshot()
    assert besides > 100, "many must have been rung beside other work"
    assert shared > 20_000, "and the floors be full"


def test_order_holds_with_mixed_channels() -> None:
    for seed in range(20):
        dice, acd = random.Random(1_000 + seed), Acd()
        for now in range(0, EVENTS * 5, 5):
            event = mixed_floor(dice) if now == 0 else mixed_event(dice, acd, now)
            acd.handle_timer(now=now)
            check_order(acd, [each for each in tell(acd, event, now) if not isinstance(each, str)])
