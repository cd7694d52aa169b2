"""Lines and bitsets against scanning everybody."""

import random

import pytest

from acd import board, matching
from acd.agents import TRANSITIONS, AgentTrigger
from acd.engine import Acd
from acd.errors import AcdError
from acd.events import (
    AgentMadeNotReady,
    AgentMadeReady,
    AgentOrder,
    AgentSignedIn,
    AgentSignedOut,
    AgentSpec,
    ContactArrived,
    ContactFinished,
    ContactLeft,
    DeclineCause,
    Event,
    FloorConfigured,
    OfferAccepted,
    OfferDeclined,
    QueueClosed,
    QueueDelay,
    QueueOpened,
    QueueSpec,
    RingStyle,
    SkillLevel,
    WrapUpFinished,
)
from acd.ids import AgentId, ContactId, OfferId, QueueId
from acd.lines import Line
from acd.outcomes import ContactOverflowed, OfferContact, Outcome
from acd.profiles import places
from acd.route_plans import RoutePlan, RouteStep, StepGuard
from tests.support.acd_floor import Floor, agent, queue
from tests.support.acd_oracle import BruteForceMatching

pytestmark = pytest.mark.unit

INSTANCES = 60
EVENTS = 250
EXPRESSIONS = [
    "en",
    "en >= 2",
    "en or zh",
    "not zh",
    "agent:a3",
    "not agent:a1",
    "agent:a2 or en >= 3",
    "queue:q1",
    "queue:q0 or queue:q2",
    "floor",
    "agent:a4 and floor",
    "not agent:a0 and queue:q0",
]


def test_line_gives_the_smallest_key_and_forgets_who_left() -> None:
    line: Line[ContactId] = Line()
    for number in (3, 1, 2):
        line.add((number,), ContactId(f"c{number}"))
    line.remove(ContactId("c1"))
    line.remove(ContactId("c1"))
    assert line.head == ((2,), "c2")
    assert len(line) == 2
    assert ContactId("c1") not in line


def test_line_passes_over_the_barred_and_keeps_their_place() -> None:
    line: Line[ContactId] = Line()
    for number in (1, 2, 3):
        line.add((number,), ContactId(f"c{number}"))
    one, two, three = (ContactId(f"c{number}") for number in (1, 2, 3))
    assert line.first([one, two]) == ((3,), "c3")
    assert line.first([one, two, three]) is None
    assert line.head == ((1,), "c1")


def test_line_that_many_left_is_swept() -> None:
    line: Line[ContactId] = Line()
    for number in range(1_000):
        line.add((number,), ContactId(f"c{number}"))
    for number in range(999):
        line.remove(ContactId(f"c{number + 1}"))
    assert len(line._heap) <= 3 * 1 + 64
    assert line.head == ((0,), "c0")


def test_same_item_at_a_new_key_stands_only_there() -> None:
    line: Line[ContactId] = Line()
    line.add((1,), ContactId("c"))
    line.add((9,), ContactId("c"))
    line.add((9,), ContactId("c"))
    assert line.head == ((9,), "c")
    line.remove(ContactId("c"))
    assert line.head is None


def test_empty_demand_classes_are_forgotten_beyond_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(matching, "DEMAND_LIMIT", 4)
    floor = Floor(agent("a", "q", "en9"), agent("b", "q"), queues=[queue("q")])
    floor.arrive("kept", required="en5")
    for level in range(1, 9):
        floor.arrive(f"c{level}", required=f"zh{level}")
        floor.tell(ContactLeft(ContactId(f"c{level}")))
    assert len(floor.acd._board.matching._demands) <= 4
    floor.ready("b")
    assert floor.pairs() == {}
    floor.ready("a")
    assert floor.pairs() == {"kept": "a"}
    floor.arrive("plain")
    assert floor.pairs() == {"kept": "a", "plain": "b"}


def test_random_floors_behave_as_if_everybody_were_scanned(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same engine over bitsets and over brute force says the same, candidates and runner-up included."""
    offers = repeats = steps = overflows = 0
    for seed in range(INSTANCES):
        dice = random.Random(seed)
        fast = Acd()
        with monkeypatch.context() as patch:
            patch.setattr(board, "Matching", BruteForceMatching)
            slow = Acd()
        for now in range(0, EVENTS * 5, 5):
            event = _floor(dice) if now == 0 or dice.random() < 0.01 else _event(dice, fast, now)
            with monkeypatch.context() as patch:
                patch.setattr(board, "Matching", BruteForceMatching)
                expected = _tell(slow, event, now)
            said = _tell(fast, event, now)
            assert said == expected, f"seed {seed}, now {now}, {event}"
            made = [outcome for outcome in said if isinstance(outcome, OfferContact)]
            offers += len(made)
            refused = {contact.contact_id for contact in fast.contacts() if contact.excluded}
            repeats += sum(offer.contact_id in refused for offer in made)
            steps += sum(offer.decision.step > 0 for offer in made)
            overflows += sum(isinstance(outcome, ContactOverflowed) for outcome in said)
        assert fast.snapshot() == slow.snapshot()
        assert type(slow._board.matching).__name__ == "BruteForceMatching"
    assert offers > 500, "the instances must be busy to prove anything"
    assert repeats > 50, "and refused contacts must be offered again"
    assert steps > 50, "and plans must have gone on"
    assert overflows > 20, "and come to their end"


def _tell(acd: Acd, event: Event | None, now: int) -> list[Outcome | str]:
    said: list[Outcome | str] = list(acd.handle_timer(now=now))
    try:
        return said if event is None else [*said, *acd.receive(event, now=now)]
    except AcdError as error:
        return [*said, error.code]


def _floor(dice: random.Random) -> FloorConfigured:
    queues = [QueueId(f"q{n}") for n in range(dice.randint(1, 5))]
    agents = [AgentId(f"a{n}") for n in range(12) if dice.random() < 0.9]
    return FloorConfigured(
        tuple(_queue(dice, queue_id) for queue_id in queues),
        tuple(_agent(dice, agent_id, queues) for agent_id in agents),
        dice.choice([None, 30]),
        dice.randrange(1_000),
    )


def _queue(dice: random.Random, queue_id: QueueId) -> QueueSpec:
    return QueueSpec(
        queue_id,
        queue_id,
        ring_timeout_ms=60,
        wrap_up_ms=dice.choice([0, 40]),
        order=dice.choice(list(AgentOrder)),
        ring=dice.choice([RingStyle.ONE, RingStyle.ONE, RingStyle.ALL, RingStyle.PROGRESSIVELY]),
        ring_step_ms=20,
        weight=dice.choice([0, 0, 1]),
        max_waiting=dice.choice([None, None, 6]),
        entry=dice.choice([StepGuard.NONE, StepGuard.NONE, *StepGuard]),
        resume_window_ms=dice.choice([0, 50]),
    )


def _agent(dice: random.Random, agent_id: AgentId, queues: list[QueueId]) -> AgentSpec:
    served = tuple(dice.sample(queues, dice.randint(1, len(queues))))
    delays = tuple(QueueDelay(queue_id, dice.choice([15, 40])) for queue_id in queues if dice.random() < 0.15)
    return AgentSpec(agent_id, agent_id, served, _skills(dice), delays)


def _plan(dice: random.Random) -> RoutePlan | None:
    """Up to three steps of anything."""
    if dice.random() < 0.5:
        return None
    steps = [
        RouteStep(
            dice.choice(["", *EXPRESSIONS]),
            20 * (number + 1),
            dice.choice([0, 0, 1]),
            dice.choice(list(StepGuard)),
            dice.choice([0, 0, 0, 1, 2]),
        )
        for number in range(dice.randint(1, 3))
    ]
    return RoutePlan(tuple(steps), dice.choice([None, None, "voicemail"]))


def _skills(dice: random.Random) -> tuple[SkillLevel, ...]:
    return tuple(SkillLevel(skill, dice.randint(1, 3)) for skill in ("en", "zh") if dice.random() < 0.5)


def _event(dice: random.Random, acd: Acd, now: int) -> Event | None:
    agent_id = AgentId(f"a{dice.randrange(12)}")
    contact_id = ContactId(f"c{dice.randrange(40)}")
    offers = acd.offers()
    offer_id = dice.choice(offers).offer_id if offers else OfferId("o1")
    talking = [contact.contact_id for contact in acd.contacts() if contact.state == "connected"]
    queue_id = QueueId(f"q{dice.randrange(5)}")
    arrived_at = now - dice.randint(0, 50)
    choices: list[tuple[int, Event | None]] = [
        (
            30,
            ContactArrived(
                contact_id, queue_id, arrived_at, dice.choice([0, 0, 1]), _skills(dice)[:1], _plan(dice), contact_id[-1]
            ),
        ),
        (8, ContactLeft(contact_id)),
        (15, OfferAccepted(offer_id)),
        (8, OfferDeclined(offer_id, DeclineCause.DECLINED)),
        (15, ContactFinished(dice.choice(talking) if talking else contact_id)),
        (12, AgentSignedIn(agent_id)),
        (40, AgentMadeReady(agent_id)),
        (3, AgentMadeNotReady(agent_id, "lunch")),
        (2, AgentSignedOut(agent_id)),
        (8, WrapUpFinished(agent_id)),
        (1, QueueClosed(queue_id, send_away=dice.random() < 0.5)),
        (3, QueueOpened(queue_id)),
        (10, None),
    ]
    return dice.choices([event for _, event in choices], [weight for weight, _ in choices])[0]


def test_places_are_the_set_bits_across_words() -> None:
    assert places((1 << 0) | (1 << 59) | (1 << 60) | (1 << 200)) == [0, 59, 60, 200]


def test_every_trigger_of_the_agent_has_a_row() -> None:
    assert {trigger for _, trigger in TRANSITIONS} == set(AgentTrigger)
