"""Cycles of garbage are looked for when nothing happens, and only then."""

import asyncio
import gc
import weakref
from collections.abc import Iterator

import pytest

from callcenter.collecting import NEVER_QUIET, WORTH_COLLECTING, QuietCollector

pytestmark = pytest.mark.unit


class Knot:
    """An object that only the collector can free."""

    def __init__(self) -> None:
        self.itself = self


@pytest.fixture(autouse=True)
def nobody_else_collects() -> Iterator[None]:
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def garbage() -> "tuple[weakref.ref[Knot], list[list[int]]]":
    """A knot that nobody holds, and more objects than before."""
    return weakref.ref(Knot()), [[number] for number in range(WORTH_COLLECTING + 1_000)]


def test_garbage_is_collected_when_nothing_happened() -> None:
    collector = QuietCollector(lambda: 7)
    knot, young = garbage()
    assert knot() is not None
    assert collector.look()
    assert knot() is None
    assert young


def test_nobody_waits_for_the_collector_while_something_happens() -> None:
    happened = iter(range(100))
    collector = QuietCollector(lambda: next(happened))
    knot, young = garbage()
    assert not any(collector.look() for _ in range(50))
    assert knot() is not None
    assert young


def test_a_few_objects_are_not_worth_it() -> None:
    collector = QuietCollector(lambda: 7)
    knot = weakref.ref(Knot())
    assert not collector.look()
    assert knot() is not None


def test_garbage_that_is_old_is_found_in_time() -> None:
    collector = QuietCollector(lambda: 7)
    held = Knot()
    knot, there = weakref.ref(held), [garbage()]
    assert collector.look()
    del held
    while knot() is not None:
        there.append(garbage())
        assert collector.look()
        assert len(there) < 20
    assert len(there) > 3, "only the young were looked at first"


async def test_the_interpreter_leaves_it_to_us_for_as_long_as_we_run() -> None:
    before = gc.get_threshold()
    running = asyncio.create_task(QuietCollector(lambda: 7).run())
    await asyncio.sleep(0)
    assert gc.get_threshold()[0] == NEVER_QUIET
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert gc.get_threshold() == before
