"""How fast the routing engine is beside a scan of everybody: ``python tests/bench/bench_routing.py [events]``.

The rows are floors as ``callcenter bench routing`` invents them. ``scan`` is the same engine over a matching that looks
at every agent and every contact each time, on a part of the journal; both must make the same offers.
"""

import platform
import statistics
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from acd import board
from acd.engine import Acd
from acd.outcomes import OfferContact
from acd.simulator_journal import FloorJournal, FloorSize, large_floor, record
from callcenter.commands.routing_speed import (
    core_events_per_second,
    event_microseconds,
    replay_seconds,
)
from tests.support.acd_oracle import BruteForceMatching

SIZES = (
    FloorSize(100, 50, 100, 5, 0.9),
    FloorSize(1_000, 500, 50, 20, 0.9),
    FloorSize(1_000, 500, 50, 20, 1.05),
    FloorSize(1_000, 500, 1_000, 20, 0.9),
    FloorSize(10_000, 500, 400, 20, 0.9),
    FloorSize(10_000, 500, 10_000, 20, 1.05),
)
SCAN_PART = 10
"""The scan gets one event in so many: it is that slow."""


@contextmanager
def scanning_everybody() -> Iterator[None]:
    """Engines made meanwhile match by brute force."""
    usual = vars(board)["Matching"]
    vars(board)["Matching"] = BruteForceMatching
    try:
        yield
    finally:
        vars(board)["Matching"] = usual


def pairs(journal: FloorJournal) -> list[tuple[int, str, str]]:
    """Who was offered to whom, and when."""
    acd = Acd()
    made: list[tuple[int, str, str]] = []
    for event, now in journal.entries:
        said = acd.handle_timer(now=now) if event is None else acd.receive(event, now=now)
        made += [(now, each.contact_id, each.agent_id) for each in said if isinstance(each, OfferContact)]
    return made


def row(size: FloorSize, events: int) -> str:
    """The figures of one floor."""
    scenario = large_floor(size, seed=1)
    journal = record(scenario, seed=1, events=events)
    count = len(journal.entries) - journal.opening
    spent = min(replay_seconds(journal) for _ in range(3))
    cuts = statistics.quantiles(event_microseconds(journal), n=100)
    core = core_events_per_second(scenario, seed=1, events=events, waiting=size.waiting)
    part = FloorJournal(journal.entries[: journal.opening + count // SCAN_PART], journal.opening)
    said = pairs(part)
    scan, same = "-", "-"
    if size.agents <= 1_000:
        with scanning_everybody():
            scan = f"{count // SCAN_PART / replay_seconds(part):,.0f}"
            same = str(pairs(part) == said)
    return (
        f"{size.agents:6} {size.queues:6} {size.profiles:8} {size.queues_each:4} {size.load:4.2f} |"
        f" {count / spent:8,.0f} {cuts[49]:8.1f} {cuts[98]:8.1f} | {core:12,.0f} | {scan:>10}  {same}"
    )


def main(events: int) -> None:
    """Print one row for each floor."""
    print(f"{platform.python_implementation()} {platform.python_version()}, {events} events a floor, CPU time")
    print("agents queues profiles each load | events/s   p50 us   p99 us | match core/s |     scan/s  same")
    for size in SIZES:
        print(row(size, events), flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 20_000)
