"""Lines and bitsets against scanning everybody."""

import random

import pytest

from acd import board, matching
from acd.agents import TRANSITIONS, AgentTrigger
from acd.engine import Acd
from acd.events import (
    ContactLeft,
)
from acd.ids import ContactId
from acd.lines import Line
from acd.outcomes import ContactOverflowed, OfferContact
from acd.profiles import places
from tests.support.acd_floor import Floor, agent, queue
from tests.support.acd_oracle import BruteForceMatching
from tests.support.acd_random_floor import random_event, random_floor, tell

pytestmark = pytest.mark.unit

INSTANCES = 60
EVENTS = 250


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
            event = random_floor(dice) if now == 0 or dice.random() < 0.01 else random_event(dice, fast, now)
            with monkeypatch.context() as patch:
                patch.setattr(board, "Matching", BruteForceMatching)
                expected = tell(slow, event, now)
            said = tell(fast, event, now)
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


def test_places_are_the_set_bits_across_words() -> None:
    assert places((1 << 0) | (1 << 59) | (1 << 60) | (1 << 200)) == [0, 59, 60, 200]


def test_every_trigger_of_the_agent_has_a_row() -> None:
    assert {trigger for _, trigger in TRANSITIONS} == set(AgentTrigger)
