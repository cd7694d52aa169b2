"""How lucky a simulated day was: what its customers asked for, against what such customers ask for in the long run.

The means of these quantities are known exactly, so whatever a figure of the simulation owes to their chance deviation
can be taken out of it (control variates; S. S. Lavenberg, P. D. Welch, Management Science 27, 1981):

- plain sums: gaps between arrivals, handle times, patience;
- crowds: the same customers on a floor with an agent for everybody. The number talking is Poisson whatever the law of
  handle times (M/G/infinity), and how often it exceeds the real number of agents tells most of what went into queues.
  Conversations drawn out to twice and four times their length remember longer, as busy floors do;
- the fast server: the same customers before one server as fast as all agents together. Its waits follow from sums
  (Lindley), their moments are known (Pollaczek and Khinchine, Takacs), and long congestions look the same to both.

Together they are worth four to a hundred times as many calls.
"""

import math
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from acd.simulator_books import Book
from acd.simulator_laws import Deterministic, Poisson, moments
from acd.simulator_scenario import Scenario

_STRETCHES = ((1.0, 0.0), (1.0, 1.0), (2.0, 0.0), (4.0, 0.0))
"""How much longer conversations last, and by how many square roots of the load the threshold is raised."""
_SHARE_OF_STRETCH = 0.9
"""How much of the stretched load the threshold follows."""
_FAST_SERVER_LIMIT = 0.99
"""Share of time the fast server is busy, beyond which it remembers longer than a simulation lasts."""
_Array = np.ndarray[Any, np.dtype[np.float64]]


def luck_of(scenario: Scenario, books: Sequence[Book]) -> list[list[float]]:
    """Deviations from expectation, summed over each batch, the most telling first.

    Empty where expectations are unknown: customers who come by no steady rate or call again, agents who come and go.
    """
    classes = scenario.classes
    steady = all(isinstance(each.arrivals, Poisson) for each in classes)
    again = any(each.redialling is not None for each in classes)
    if not steady or again or any(group.shifts or group.breaks for group in scenario.groups):
        return []
    customers = _Customers(scenario, books)
    plain = [customers.gaps(), customers.handle_excess(), customers.patience_excess()]
    columns = [*customers.fast_server(), *customers.crowds(), *plain]
    return [customers.per_batch(column) for column in columns]


class _Customers:
    """All customers of a run in order of arrival."""

    def __init__(self, scenario: Scenario, books: Sequence[Book]) -> None:
        wrap_ups = {
            queue.queue_id: queue.wrap_up.mean_s if isinstance(queue.wrap_up, Deterministic) else 0.0
            for queue in scenario.queues
        }
        self.agents = sum(group.count for group in scenario.groups)
        parts = [
            [
                np.asarray(book.instants, float),
                np.asarray(book.handles, float) + 1000 * wrap_ups[each.queue_id],
                np.full(len(book.handles), 1000 * (each.handle.mean_s + wrap_ups[each.queue_id])),
                np.asarray(book.patiences, float) - 1000 * each.patience.mean_s
                if each.patience is not None
                else np.zeros(len(book.handles)),
            ]
            for each, book in zip(scenario.classes, books, strict=True)
        ]
        arrived, handles, means, patience = (np.concatenate(column) for column in zip(*parts, strict=True))
        order = np.argsort(arrived, kind="stable")
        self._arrived: _Array = arrived[order]
        self._handles: _Array = handles[order]
        self._expected: _Array = means[order]
        self._patience: _Array = patience[order]
        self._marks = [sum(marks) for marks in zip(*(book.marks for book in books), strict=True)]
        rates = [each.arrivals.per_hour for each in scenario.classes if isinstance(each.arrivals, Poisson)]
        self._gap_ms = 3_600_000 / sum(rates)
        self._patient = all(each.patience is None for each in scenario.classes)
        of_classes = [moments(each.handle, wrap_ups[each.queue_id]) for each in scenario.classes]
        self._moments = [
            sum(rate * moment for rate, moment in zip(rates, column, strict=True)) / sum(rates)
            for column in zip(*of_classes, strict=True)
        ]
        self._load = sum(rates) / 3600 * self._moments[0]

    def per_batch(self, column: _Array) -> list[float]:
        """The sum over each batch."""
        sums = np.concatenate(([0.0], np.cumsum(column)))
        bounds = sums[np.asarray(self._marks)]
        return [float(each) for each in np.diff(bounds)]

    def gaps(self) -> _Array:
        """How much later than expected each came after the one before."""
        return np.diff(self._arrived, prepend=0.0) - self._gap_ms

    def handle_excess(self) -> _Array:
        """How much longer than expected each wanted to talk."""
        return self._handles - self._expected

    def patience_excess(self) -> _Array:
        """How much longer than expected each would have waited."""
        return self._patience

    def fast_server(self) -> Iterator[_Array]:
        """Waits before one server as fast as all agents; their squares too where nobody gives up."""
        _, second, third = self._moments
        rate, share = 1000.0 / self._gap_ms, self._load / self.agents
        if share > _FAST_SERVER_LIMIT:
            return
        before = np.concatenate(([0.0], self._handles[:-1])) / self.agents
        walk = np.cumsum(before - np.diff(self._arrived, prepend=0.0)) / 1000
        waits = walk - np.minimum(0.0, np.minimum.accumulate(walk))
        second, third = second / self.agents**2, third / self.agents**3
        mean = rate * second / 2 / (1 - share)
        yield np.asarray(waits - mean, dtype=np.float64)
        if self._patient:
            yield np.asarray(waits**2 - 2 * mean**2 - rate * third / 3 / (1 - share), dtype=np.float64)

    def crowds(self) -> Iterator[_Array]:
        """By how many, and whether at all, conversations would exceed a threshold if nobody ever waited."""
        present: dict[float, _Array] = {}
        for stretch, roots in _STRETCHES:
            if stretch not in present:
                ends = np.sort(self._arrived + stretch * self._handles)
                ended = np.searchsorted(ends, self._arrived, side="right")
                present[stretch] = np.arange(len(self._arrived), dtype=np.float64) - ended
            load = stretch * self._load
            threshold = self.agents + round(
                _SHARE_OF_STRETCH * (stretch - 1.0) * self._load + roots * math.sqrt(self._load)
            )
            share, excess = _poisson_tail(load, threshold)
            yield np.asarray(np.maximum(0.0, present[stretch] - threshold) - excess, dtype=np.float64)
            yield np.asarray((present[stretch] >= threshold) - share, dtype=np.float64)


@lru_cache(maxsize=64)
def _poisson_tail(mean: float, threshold: int) -> tuple[float, float]:
    """``P(N >= threshold)`` and ``E[(N - threshold)+]`` of a Poisson number, summed from the threshold upwards."""
    weight = math.exp(threshold * math.log(mean) - mean - math.lgamma(threshold + 1))
    share = excess = 0.0
    number = threshold
    while number <= mean or weight > 1e-18 * (share + 1e-300):
        share += weight
        excess += weight * (number - threshold)
        number += 1
        weight *= mean / number
        if weight == 0.0 and number > mean:
            break
    return share, excess
