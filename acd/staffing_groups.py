"""How many agents of each kind: several skills, by simulation with the routing engine itself.

The search is greedy from the Erlang numbers (R. B. Wallace, W. Whitt, "A staffing algorithm for call centers with
skill-based routing", M&SOM 7(4), 2005): add agents where they help the failing queues most for their cost, then take
away whoever nobody misses. Every trial meets the very same customers, so trials differ by staffing and not by luck.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from math import isfinite

from acd.erlang import Workload
from acd.ids import QueueId
from acd.simulator import simulate
from acd.simulator_laws import Poisson, RateTable
from acd.simulator_results import ContactFigures, Result
from acd.simulator_scenario import CustomerClass, Scenario
from acd.staffing import Targets, Unreachable, required_agents

TRIALS_LIMIT = 400
_Sizes = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class SimulatedStaffing:
    """Sizes of groups that meet every queue's targets in simulation."""

    scenario: Scenario
    """The given one with the groups' new sizes."""
    result: Result
    trials: int

    @property
    def agents(self) -> dict[str, int]:
        """How many agents each group has."""
        return {group.name: group.count for group in self.scenario.groups}


def staff_groups(
    scenario: Scenario, targets: Targets, *, calls: int, seed: int = 1, costs: Mapping[str, float] | None = None
) -> SimulatedStaffing:
    """The sizes of the scenario's groups that meet the targets in every queue.

    ``calls`` are measured in each trial. No single agent can be removed from what is found; it need not be the
    cheapest of all staffings. ``costs`` are per group and agent, 1 where not given. An occupancy cap holds for the
    whole floor. Raises ``Unreachable`` when more agents do not help, or a queue with customers has no group.
    """
    queues = tuple(replace(queue, target_s=targets.answer_within_s) for queue in scenario.queues)
    search = _Search(replace(scenario, queues=queues), targets, calls, seed, costs or {})
    return search.run()


class _Search:
    """The search, with everything it has tried."""

    def __init__(self, scenario: Scenario, targets: Targets, calls: int, seed: int, costs: Mapping[str, float]) -> None:
        self.scenario = scenario
        self.targets = targets
        self.calls = calls
        self.seed = seed
        self.costs = [costs.get(group.name, 1.0) for group in scenario.groups]
        self.tried: dict[_Sizes, Result] = {}

    def run(self) -> SimulatedStaffing:
        """Start, add, remove."""
        sizes = self._remove(self._add(self._start()))
        return SimulatedStaffing(self._with(sizes), self._try(sizes), len(self.tried))

    def _start(self) -> _Sizes:
        """Each queue's Erlang number, spread evenly over the groups that serve it."""
        sizes = [0.0] * len(self.scenario.groups)
        for queue_id in dict.fromkeys(each.queue_id for each in self.scenario.classes):
            serving = [n for n, group in enumerate(self.scenario.groups) if queue_id in group.queue_ids]
            if not serving:
                raise Unreachable(f"no group serves queue {queue_id!r}")
            needed = self._erlang_number(queue_id)
            for number in serving:
                sizes[number] += needed / len(serving)
        return tuple(max(1, round(size)) for size in sizes)

    def _erlang_number(self, queue_id: QueueId) -> float:
        """Of a queue by itself; what the given groups would share when its customers follow no rate."""
        wrap_up = next(queue.wrap_up for queue in self.scenario.queues if queue.queue_id == queue_id)
        rates = [(each, _peak(each)) for each in self.scenario.classes if each.queue_id == queue_id]
        total = sum(rate for _, rate in rates)
        if total <= 0:
            return float(sum(group.count for group in self.scenario.groups if queue_id in group.queue_ids))
        aht_s = sum(rate * each.handle.mean_s for each, rate in rates) / total + (wrap_up.mean_s if wrap_up else 0.0)
        leaving = sum(rate / max(each.patience.mean_s, 1e-3) for each, rate in rates if each.patience is not None)
        patience_s = total / leaving if leaving else float("inf")
        return float(required_agents(Workload(total, aht_s, patience_s), self.targets).agents)

    def _add(self, sizes: _Sizes) -> _Sizes:
        """Add where it takes away most of the shortfall for its cost, until there is none."""
        while (shortfall := self._shortfall(sizes)) > 0:
            if len(self.tried) > TRIALS_LIMIT:
                raise Unreachable(f"not met by {self._try_names(sizes)}, after {len(self.tried)} trials")
            gains = {
                grown: (shortfall - self._shortfall(grown)) / cost for grown, cost in self._neighbours(sizes, shortfall)
            }
            sizes = max(gains, key=lambda grown: gains[grown])
        return sizes

    def _neighbours(self, sizes: _Sizes, shortfall: float) -> Iterator[tuple[_Sizes, float]]:
        """Every group that serves a failing queue, larger: by a few while much is missing, by one at the end."""
        failing = {figures.name for figures in self._try(sizes).queues if self._missing(figures) > 0}
        for number, group in enumerate(self.scenario.groups):
            if not failing or failing.intersection(group.queue_ids):
                more = max(1, round(sizes[number] * min(0.2, shortfall / 4)))
                yield _changed(sizes, number, more), self.costs[number] * more

    def _remove(self, sizes: _Sizes) -> _Sizes:
        """Take away whoever nobody misses, the dearest first."""
        order = sorted(range(len(sizes)), key=lambda number: -self.costs[number])
        while True:
            for number in order:
                fewer = _changed(sizes, number, -1)
                if fewer[number] >= 0 and sum(fewer) > 0 and self._shortfall(fewer) == 0:
                    sizes = fewer
                    break
            else:
                return sizes

    def _shortfall(self, sizes: _Sizes) -> float:
        """How far from the targets, over all queues; 0 when they are met."""
        result = self._try(sizes)
        missing = sum(self._missing(figures) for figures in result.queues)
        cap = self.targets.occupancy
        return missing + (max(0.0, result.occupancy.value - cap) if cap is not None else 0.0)

    def _missing(self, figures: ContactFigures) -> float:
        targets = self.targets
        missing = figures.unfinished / figures.offered if figures.offered else 0.0
        if targets.service_level is not None:
            missing += max(0.0, targets.service_level - figures.service_level.value)
        if targets.p_abandon is not None:
            missing += max(0.0, figures.p_abandon.value - targets.p_abandon)
        if targets.asa_s is not None:
            missing += max(0.0, figures.asa_s.value - targets.asa_s) / max(targets.asa_s, 1.0)
        return missing if isfinite(missing) else 1e9

    def _try(self, sizes: _Sizes) -> Result:
        if sizes not in self.tried:
            self.tried[sizes] = simulate(self._with(sizes), seed=self.seed, calls=self.calls)
        return self.tried[sizes]

    def _with(self, sizes: _Sizes) -> Scenario:
        groups = zip(self.scenario.groups, sizes, strict=True)
        return replace(self.scenario, groups=tuple(replace(group, count=size) for group, size in groups))

    def _try_names(self, sizes: _Sizes) -> dict[str, int]:
        return {group.name: size for group, size in zip(self.scenario.groups, sizes, strict=True)}


def _peak(customers: CustomerClass) -> float:
    """The highest rate of a class per hour; 0 for a recorded day."""
    if isinstance(customers.arrivals, Poisson):
        return customers.arrivals.per_hour
    return max(customers.arrivals.per_hour) if isinstance(customers.arrivals, RateTable) else 0.0


def _changed(sizes: _Sizes, number: int, by: int) -> _Sizes:
    return (*sizes[:number], sizes[number] + by, *sizes[number + 1 :])
