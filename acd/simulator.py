"""The floor in a box: the routing engine with simulated people around it, under virtual time.

The engine is the real one and is told everything it would be told by the exchange. Nothing reads a clock: a week
passes in seconds, and the same scenario with the same seed gives the same day, contact by contact.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import TypeVar

from acd.engine import Acd
from acd.simulator_books import Tally, digest
from acd.simulator_core import CoreFloor, is_plain
from acd.simulator_fairness import group_figures
from acd.simulator_floor import Floor
from acd.simulator_luck import luck_of
from acd.simulator_results import ContactFigures, Result, Ruler, contact_figures
from acd.simulator_scenario import Scenario
from acd.simulator_stage import Engine

BATCHES = 100
"""At most so many; each is at least five times the offered load, in contacts."""
_LEAST_BATCH = 25
_EVERYBODY = 1 << 62
Name = TypeVar("Name", bound=str)


def simulate(
    scenario: Scenario,
    *,
    seed: int,
    calls: int | None = None,
    warm_up: int | None = None,
    batches: int = BATCHES,
    engine: Callable[[], Engine] | None = None,
) -> Result:
    """Run the scenario and measure ``calls`` contacts after ``warm_up`` others; ``None`` measures all there are.

    Without ``warm_up`` an endless scenario gets ten times its offered load, at least a twentieth of ``calls``, and a
    day that ends gets none. An endless scenario stops when every measured contact was served or left, or when as many
    again have arrived meanwhile; a day runs until everybody is gone.

    ``engine`` is what is simulated. Left out, it is the routing engine: the whole of it where people ring, wrap up or
    pause, its matching alone where nothing else has a say (``simulator_core``: same outcome, several times as fast).
    Raises ``ValueError`` for an endless scenario without ``calls``.
    """
    customers = scenario.customers(seed)
    if scenario.endless:
        if not calls:
            raise ValueError("customers never stop coming: say how many calls to measure")
        warm_up = max(int(10 * scenario.load), calls // 20) if warm_up is None else warm_up
    else:
        day = list(customers)
        customers = iter(day)
        warm_up = min(warm_up or 0, len(day))
        calls = len(day) - warm_up if calls is None else min(calls, len(day) - warm_up)
    floor: Floor | CoreFloor
    if engine is None and is_plain(scenario):
        floor = CoreFloor(scenario, customers)
    else:
        floor = Floor(scenario, customers, seed, (engine or Acd)())
    run = _Run(scenario, floor, calls)
    run.measure(warm_up, max(1, min(batches, calls // max(_LEAST_BATCH, int(5 * scenario.load)))))
    return run.result()


class _Run:
    """One run: a floor, and what of it is measured."""

    def __init__(self, scenario: Scenario, floor: Floor | CoreFloor, calls: int) -> None:
        self.scenario = scenario
        self.floor = floor
        self.calls = calls

    def measure(self, warm_up: int, batches: int) -> None:
        """Pass over the warm-up, mark where each batch begins, let the last measured contacts come to their end."""
        floor = self.floor
        floor.open()
        for batch in range(batches):
            floor.advance(warm_up + self.calls * batch // batches)
            floor.mark()
        if self.scenario.endless:
            floor.advance(warm_up + self.calls)
            floor.mark()
            floor.settle(floor.arrived + self.calls)
        else:
            floor.advance(_EVERYBODY)
            floor.mark()

    def result(self) -> Result:
        """The figures of the measured contacts."""
        floor, books = self.floor, self.floor.books
        tallies = [book.tallies() for book in books]
        spans = floor.meter.spans()
        ruler = Ruler(len(spans), luck_of(self.scenario, books))
        lengths = [span.length_ms for span in spans]
        return Result(
            whole=contact_figures("all", _together(tallies), ruler),
            classes=tuple(
                contact_figures(each.name, own, ruler) for each, own in zip(self.scenario.classes, tallies, strict=True)
            ),
            queues=self._queues(tallies, ruler),
            channels=tuple(
                contact_figures(channel, _together(own), ruler)
                for channel, own in self._by([each.channel for each in self.scenario.classes], tallies).items()
            ),
            groups=group_figures(self.scenario.groups, books, floor.time_of_groups(), floor.offers_of_groups()),
            occupancy=ruler.ratio([span.busy_ms for span in spans], [span.staffed_ms for span in spans]),
            mean_queue=ruler.ratio([span.queue_ms for span in spans], lengths),
            hours=sum(lengths) / 3_600_000,
            arrived=floor.arrived,
            served=floor.served,
            abandoned=floor.abandoned,
            sent_away=floor.sent_away,
            unreached=floor.unreached,
            in_system=floor.in_system,
            engine_events=floor.events,
            digest=digest(books),
        )

    def _queues(self, tallies: Sequence[list[Tally]], ruler: Ruler) -> tuple[ContactFigures, ...]:
        """The figures of each queue that somebody asked for, or came to."""
        ids = [queue.queue_id for queue in self.scenario.queues]
        own = self._by([each.queue_id for each in self.scenario.classes], tallies)
        flows: Counter[tuple[int, int]] = Counter()
        for each, book in zip(self.scenario.classes, self.floor.books, strict=True):
            asked = ids.index(each.queue_id)
            flows.update({(asked, number): count for number, count in book.ends_elsewhere(asked).items()})
        found = []
        for number, queue_id in enumerate(ids):
            flowed_out = sum(count for (asked, _), count in flows.items() if asked == number)
            flowed_in = sum(count for (_, last), count in flows.items() if last == number)
            if queue_id in own:
                figures = contact_figures(queue_id, _together(own[queue_id]), ruler)
            elif flowed_in:
                figures = contact_figures(queue_id, [], Ruler(0))
            else:
                continue
            found.append(replace(figures, flowed_out=flowed_out, flowed_in=flowed_in))
        return tuple(found)

    def _by(self, names: Sequence[Name], tallies: Sequence[list[Tally]]) -> dict[Name, list[list[Tally]]]:
        """The classes' tallies by whatever they have in common, in the order of the classes."""
        found: dict[Name, list[list[Tally]]] = {}
        for name, own in zip(names, tallies, strict=True):
            found.setdefault(name, []).append(own)
        return found


def _together(several: Iterable[list[Tally]]) -> list[Tally]:
    """The tallies of several classes as one, batch by batch."""
    return [sum(batch, Tally()) for batch in zip(*several, strict=True)]
