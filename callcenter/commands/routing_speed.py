"""How fast the routing engine decides on this machine.

A journal of an invented floor is recorded once and replayed into fresh engines. Figures are CPU time of this process,
so that a busy machine does not spoil them, with the garbage collector frozen as in the exchange.
"""

import gc
import statistics
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import islice
from typing import Any

from acd.engine import Acd
from acd.simulator_core import CoreFloor
from acd.simulator_journal import FloorJournal, FloorSize, large_floor, plain, record
from acd.simulator_scenario import Scenario

REPEATS = 3


def measure(size: FloorSize, *, events: int, seed: int) -> dict[str, Any]:
    """All figures of a floor of this size."""
    scenario = large_floor(size, seed=seed)
    journal = record(scenario, seed=seed, events=events)
    spent = min(replay_seconds(journal) for _ in range(REPEATS))
    each = event_microseconds(journal)
    count = len(journal.entries) - journal.opening
    cuts = statistics.quantiles(each, n=1000)
    mix = Counter("Timer" if event is None else type(event).__name__ for event, _ in journal.entries[journal.opening :])
    return {
        "events_per_s": round(count / spent),
        "p50_us": round(cuts[499], 2),
        "p99_us": round(cuts[989], 2),
        "p999_us": round(cuts[998], 2),
        "max_us": round(max(each), 1),
        "match_core_events_per_s": round(
            core_events_per_second(scenario, seed=seed, events=events, waiting=size.waiting)
        ),
        "events": count,
        "agents": size.agents,
        "queues": size.queues,
        "profiles": min(size.profiles, size.agents),
        "queues_each": min(size.queues_each, size.queues),
        "load": size.load,
        "waiting": size.waiting,
        "messages": size.messages,
        "mix": dict(mix.most_common()),
    }


def replay_seconds(journal: FloorJournal, make: Callable[[], Acd] = Acd) -> float:
    """CPU seconds for everything after the opening, all in one go."""
    acd = _opened(journal, make)
    rest = journal.entries[journal.opening :]
    with _collector_frozen():
        start = time.process_time()
        for event, now in rest:
            if event is None:
                acd.handle_timer(now=now)
            else:
                acd.receive(event, now=now)
        return time.process_time() - start


def event_microseconds(journal: FloorJournal, make: Callable[[], Acd] = Acd) -> list[float]:
    """CPU microseconds of every event after the opening, the reading of the clock included."""
    acd = _opened(journal, make)
    spent = []
    with _collector_frozen():
        for event, now in journal.entries[journal.opening :]:
            start = time.thread_time_ns()
            if event is None:
                acd.handle_timer(now=now)
            else:
                acd.receive(event, now=now)
            spent.append((time.thread_time_ns() - start) / 1000)
    return spent


def core_events_per_second(scenario: Scenario, *, seed: int, events: int, waiting: int = 0) -> float:
    """Events per CPU second of the matching alone: the same floor, everybody answers at once, no offers, no records.

    The agenda of the simulated people is part of the time, the drawing of their customers is not.
    """
    bare = plain(scenario)
    filled = scenario_size(bare) + waiting
    floor = CoreFloor(bare, iter(list(islice(bare.customers(seed), filled + events))))
    floor.open()
    floor.advance(filled)
    before = floor.arrived + floor.served + floor.abandoned
    with _collector_frozen():
        start = time.process_time()
        floor.advance(floor.arrived + events // 2)
        spent = time.process_time() - start
    return (floor.arrived + floor.served + floor.abandoned - before) / spent


def scenario_size(scenario: Scenario) -> int:
    """How many contacts fill the floor: as many as there are agents."""
    return sum(group.count for group in scenario.groups)


def _opened(journal: FloorJournal, make: Callable[[], Acd]) -> Acd:
    acd = make()
    for event, now in journal.entries[: journal.opening]:
        if event is None:
            acd.handle_timer(now=now)
        else:
            acd.receive(event, now=now)
    return acd


@contextmanager
def _collector_frozen() -> Iterator[None]:
    gc.collect()
    gc.freeze()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        gc.unfreeze()
