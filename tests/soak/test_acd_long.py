"""The routing engine at length: a million interleavings, and random floors against scanning everybody."""

import gc
import random
from collections.abc import Iterator

import pytest
from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test

from acd import board
from acd.engine import Acd
from acd.outcomes import OfferContact
from tests.support.acd_mixed_floor import mixed_event, mixed_floor
from tests.support.acd_oracle import BruteForceMatching
from tests.support.acd_races import Races
from tests.support.acd_random_floor import random_event, random_floor, tell
from tests.unit.acd.test_acd_invariants import FloorMachine

pytestmark = [pytest.mark.unit, pytest.mark.timeout(3_600)]

INSTANCES, EVENTS = 200, 1_500


@pytest.fixture(autouse=True)
def collector_at_rest() -> Iterator[None]:
    """The engine makes no cycles."""
    gc.disable()
    yield
    gc.enable()


def test_a_million_interleavings_without_a_violation(interleavings: range) -> None:
    """By the rule of three, 0 in a million means less than 3 in a million at 95 % confidence."""
    for seed in interleavings:
        try:
            Races(random.Random(seed)).live()
        except Exception as violation:
            violation.add_note(f"seed {seed}")
            raise


def test_any_order_of_events_keeps_the_invariants_for_long(pytestconfig: pytest.Config) -> None:
    """Of a seed that ``--hypothesis-seed`` chooses, with two and a half times as many steps as the suite."""
    examples = pytestconfig.getoption("--examples")
    run_state_machine_as_test(
        FloorMachine,
        settings=settings(max_examples=examples, stateful_step_count=100, deadline=None, database=None),
    )


@pytest.mark.parametrize("kind", ["calls", "channels"])
@pytest.mark.parametrize("part", range(10))
def test_random_floors_behave_as_if_everybody_were_scanned_for_long(
    part: int, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What these floors and events are made of: ``tests/unit/acd/test_acd_generated.py``."""
    floor, some_event = (random_floor, random_event) if kind == "calls" else (mixed_floor, mixed_event)
    for seed in range(1_000 + part, 1_000 + INSTANCES, 10):
        dice, offers = random.Random(seed), 0
        fast = Acd()
        with monkeypatch.context() as patch:
            patch.setattr(board, "Matching", BruteForceMatching)
            slow = Acd()
        for now in range(0, EVENTS * 5, 5):
            event = floor(dice) if now == 0 or dice.random() < 0.005 else some_event(dice, fast, now)
            with monkeypatch.context() as patch:
                patch.setattr(board, "Matching", BruteForceMatching)
                expected = tell(slow, event, now)
            said = tell(fast, event, now)
            assert said == expected, f"seed {seed}, now {now}, {event}"
            offers += sum(isinstance(outcome, OfferContact) for outcome in said)
        assert fast.snapshot() == slow.snapshot()
        assert offers > 20
