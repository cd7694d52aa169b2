"""How fast the routing engine is: ``python -m tests.bench.bench_acd [events]``.

A simulated floor (Poisson arrivals, exponential handling, rings, wrap-ups, refusals, impatient customers) is recorded
once and then replayed: over the engine as it is, and over the same engine that scans everybody (the tests' oracle).
Figures are CPU time of one process, so a busy machine does not spoil them. Both must say the same.
"""

import gc
import heapq
import platform
import random
import statistics
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from acd import board
from acd.engine import Acd
from acd.events import (
    AgentMadeReady,
    AgentSignedIn,
    AgentSpec,
    ContactArrived,
    ContactFinished,
    ContactLeft,
    DeclineCause,
    Event,
    FloorConfigured,
    OfferAccepted,
    OfferDeclined,
    QueueSpec,
    SkillLevel,
)
from acd.ids import AgentId, ContactId, QueueId
from acd.matching import Matching
from acd.outcomes import AgentState, AgentStateChanged, ContactAssigned, ContactQueued, OfferContact, Outcome
from tests.support.acd_oracle import BruteForceMatching

Record = list[tuple[Event | None, int]]
TALK_MS, PATIENCE_MS, ANSWER_MS = 240_000, 120_000, 4_000


@dataclass(frozen=True)
class Case:
    """One floor. ``load`` is the offered work over the agents' capacity."""

    agents: int
    queues: int
    profiles: int
    queues_each: int
    load: float


CASES = [
    Case(100, 50, 20, 10, 0.90),
    Case(100, 50, 100, 20, 1.05),
    Case(1_000, 500, 50, 20, 0.90),
    Case(1_000, 500, 50, 20, 1.05),
    Case(1_000, 500, 1_000, 20, 0.90),
    Case(1_000, 20, 1_000, 10, 0.50),
]


class Simulation:
    """Runs a floor in virtual time and records what the engine was told."""

    def __init__(self, case: Case, seed: int) -> None:
        self.case = case
        self.dice = random.Random(seed)
        self.acd = Acd()
        self.record: Record = []
        self.agenda: list[tuple[int, int, Event]] = []
        self.connected: set[ContactId] = set()
        """Contacts that ever were; their patience no longer matters."""
        self.planned = 0
        self.arrived = 0
        self.queue_ids = [QueueId(f"q{n}") for n in range(case.queues)]
        self.popularity = [1 / (1 + n % 17) for n in range(case.queues)]
        work_ms = TALK_MS + 30_000 + ANSWER_MS
        self.gap_ms = work_ms / (case.agents * case.load)

    def run(self, events: int) -> Record:
        """Record about this many events, after the floor has filled up."""
        self.open()
        now = 0
        while len(self.record) < events:
            deadline = self.acd.next_deadline()
            if self.agenda and (deadline is None or self.agenda[0][0] < deadline):
                now, _, event = heapq.heappop(self.agenda)
                self.take(event, now)
            elif deadline is not None:
                now = deadline
                self.record.append((None, now))
                self.follow(self.acd.handle_timer(now=now), now)
        return self.record

    def open(self) -> None:
        """Configure the floor, seat everybody and plan the first arrival."""
        served = [tuple(self.dice.sample(self.queue_ids, self.case.queues_each)) for _ in range(self.case.profiles)]
        specs = [
            AgentSpec(AgentId(f"a{n}"), "", served[n % len(served)], (SkillLevel("en", 1 + n % len(served) % 3),))
            for n in range(self.case.agents)
        ]
        self.take(FloorConfigured(tuple(QueueSpec(q, q) for q in self.queue_ids), tuple(specs)), 0)
        for spec in specs:
            self.take(AgentSignedIn(spec.agent_id), 0)
            self.take(AgentMadeReady(spec.agent_id), 0)
        self.plan_arrival(0)

    def take(self, event: Event, now: int) -> None:
        """Tell the engine, unless what was planned has been overtaken."""
        if isinstance(event, ContactLeft) and event.contact_id in self.connected:
            return
        self.record.append((event, now))
        said = self.acd.receive(event, now=now)
        if isinstance(event, ContactArrived):
            self.plan_arrival(now)
        self.follow(said, now)

    def plan(self, at: float, event: Event) -> None:
        """Put an event on the agenda."""
        self.planned += 1
        heapq.heappush(self.agenda, (int(at), self.planned, event))

    def plan_arrival(self, now: int) -> None:
        """The next contact."""
        self.arrived += 1
        at = now + self.dice.expovariate(1 / self.gap_ms)
        (queue_id,) = self.dice.choices(self.queue_ids, self.popularity)
        skills = (SkillLevel("en", 2),) if self.dice.random() < 0.2 else ()
        priority = self.dice.choice([0, 0, 0, 1, 2])
        self.plan(at, ContactArrived(ContactId(f"c{self.arrived}"), queue_id, int(at), priority, skills))

    def follow(self, said: Sequence[Outcome], now: int) -> None:
        """Plan what people do about what the engine said."""
        for outcome in said:
            if isinstance(outcome, OfferContact):
                self.answer(outcome, now)
            elif isinstance(outcome, ContactAssigned):
                self.connected.add(outcome.contact_id)
                talk = self.dice.expovariate(1 / TALK_MS)
                self.plan(now + talk, ContactFinished(outcome.contact_id))
            elif isinstance(outcome, ContactQueued) and not outcome.returned:
                self.plan(now + self.dice.expovariate(1 / PATIENCE_MS), ContactLeft(outcome.contact_id))
            elif isinstance(outcome, AgentStateChanged) and outcome.state is AgentState.NOT_READY and now > 0:
                self.plan(now + 15_000, AgentMadeReady(outcome.agent_id))

    def answer(self, offer: OfferContact, now: int) -> None:
        """Most agents answer, some refuse, some let it ring."""
        luck = self.dice.random()
        at = now + self.dice.expovariate(1 / ANSWER_MS)
        if at >= offer.expires_at or luck < 0.02:
            return
        refusal = OfferDeclined(offer.offer_id, DeclineCause.DECLINED)
        self.plan(at, refusal if luck < 0.03 else OfferAccepted(offer.offer_id))


def replay(record: Record, said: list[Sequence[Outcome]] | None = None) -> float:
    """Replay without looking at single events; CPU seconds."""
    acd = Acd()
    gc.collect()
    gc.disable()
    start = time.process_time()
    for event, now in record:
        answer = acd.handle_timer(now=now) if event is None else acd.receive(event, now=now)
        if said is not None:
            said.append(answer)
    spent = time.process_time() - start
    gc.enable()
    return spent


def latencies(record: Record, skip: int) -> list[float]:
    """Replay with the CPU microseconds of each event after the first ``skip``, clock reading included."""
    acd, spent = Acd(), []
    gc.collect()
    gc.disable()
    for event, now in record:
        start = time.thread_time_ns()
        if event is None:
            acd.handle_timer(now=now)
        else:
            acd.receive(event, now=now)
        spent.append((time.thread_time_ns() - start) / 1_000)
    gc.enable()
    return spent[skip:]


@contextmanager
def scanning_everybody() -> Iterator[None]:
    """Engines configured meanwhile match by brute force."""
    vars(board)["Matching"] = BruteForceMatching
    try:
        yield
    finally:
        vars(board)["Matching"] = Matching


def main(events: int) -> None:
    """Print one row for each case."""
    print(f"{platform.python_implementation()} {platform.python_version()}, {events} events a case, CPU time")
    print("agents queues profiles each load | events/s   p50 us   p99 us   max us | scan events/s  scan p50 us  same")
    for case in CASES:
        record = Simulation(case, seed=7).run(events + 2 * case.agents)
        skip = 2 * case.agents + 1
        said: list[Sequence[Outcome]] = []
        spent = min(replay(record) for _ in range(3))
        replay(record, said)
        each = latencies(record, skip)
        part = record[: skip + events // 4]
        scanned: list[Sequence[Outcome]] = []
        with scanning_everybody():
            scan = replay(part, scanned)
            scan_each = latencies(part, skip)
        cuts = statistics.quantiles(each, n=100)
        print(
            f"{case.agents:6} {case.queues:6} {case.profiles:8} {case.queues_each:4} {case.load:4.2f} |"
            f" {len(record) / spent:8,.0f} {cuts[49]:8.1f} {cuts[98]:8.1f} {max(each):8.0f} |"
            f" {len(part) / scan:13,.0f} {statistics.median(scan_each):12.1f}  {scanned == said[: len(part)]}"
        )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 20_000)
