"""How many agents: the smallest number that meets the targets, by formula for one queue, by simulation for several.

More agents never hurt, so the smallest sufficient number is found by bisection and is exact. The square-root rule
(Halfin and Whitt 1981; Garnett, Mandelbaum, Reiman 2002) explains it: ``n = R + beta sqrt(R)``, where the load ``R``
is what the work needs and ``beta`` is the comfort that was bought.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from acd.erlang import SteadyState, Workload, steady_state
from acd.errors import AcdError

AGENTS_LIMIT = 1_000_000


class Unreachable(AcdError):
    """No number of agents meets the targets."""

    code = "targets-unreachable"


@dataclass(frozen=True, slots=True)
class Targets:
    """What the floor has to give; ``None`` is not asked for. Shares are of all contacts that arrive."""

    service_level: float | None = 0.8
    """Share answered within ``answer_within_s``."""
    answer_within_s: float = 20.0
    asa_s: float | None = None
    """Longest mean wait."""
    p_abandon: float | None = None
    """Largest share of contacts that leave before they are answered."""
    occupancy: float | None = None
    """Largest share of the agents' time with contacts: people need pauses between them, 0.85 to 0.88 at most."""

    def __post_init__(self) -> None:
        shares = (self.service_level, self.p_abandon, self.occupancy)
        if any(share is not None and not 0 <= share <= 1 for share in shares):
            raise ValueError(f"shares lie between 0 and 1: {self}")

    def met_by(self, state: SteadyState) -> bool:
        """Whether this long run is good enough."""
        return (
            (self.service_level is None or state.service_level >= self.service_level)
            and (self.asa_s is None or state.asa_s <= self.asa_s)
            and (self.p_abandon is None or state.p_abandon <= self.p_abandon)
            and (self.occupancy is None or state.occupancy <= self.occupancy)
        )


@dataclass(frozen=True, slots=True)
class Staffing:
    """How many agents an interval needs, what they give, and why so many."""

    work: Workload
    agents: int
    rostered: int
    """How many have to be on the roster so that ``agents`` are there."""
    state: SteadyState
    one_fewer: SteadyState | None
    """What one agent fewer would give; ``None`` when there is only one."""
    comfort: float
    """``beta`` of the square-root rule: agents beyond the load, in units of its square root."""

    @property
    def explanation(self) -> str:
        """The square-root rule in one line."""
        load = self.work.load
        return f"{self.agents} = {load:.2f} erlangs of work {self.comfort:+.2f} x its square root {math.sqrt(load):.2f}"


def required_agents(work: Workload, targets: Targets, *, shrinkage: float = 0.0) -> Staffing:
    """The smallest floor that meets the targets. Raises ``Unreachable`` when none does.

    ``shrinkage`` is the share of paid time in which people are not there (leave, training, breaks).
    """

    def enough(agents: int) -> bool:
        return targets.met_by(steady_state(work, agents, target_s=targets.answer_within_s))

    agents = _smallest(enough, start=max(1, math.ceil(work.load)))
    return Staffing(
        work=work,
        agents=agents,
        rostered=rostered(agents, shrinkage),
        state=steady_state(work, agents, target_s=targets.answer_within_s),
        one_fewer=steady_state(work, agents - 1, target_s=targets.answer_within_s) if agents > 1 else None,
        comfort=(agents - work.load) / math.sqrt(work.load),
    )


def staff_intervals(workloads: Sequence[Workload], targets: Targets, *, shrinkage: float = 0.0) -> tuple[Staffing, ...]:
    """Each interval on its own, as if it lasted (the stationary approximation: short calls against long intervals)."""
    return tuple(required_agents(work, targets, shrinkage=shrinkage) for work in workloads)


def rostered(agents: int, shrinkage: float) -> int:
    """How many people on the roster leave ``agents`` at work: ``n / (1 - shrinkage)``, rounded up."""
    if not 0.0 <= shrinkage < 1.0:
        raise ValueError(f"shrinkage is a share below 1: {shrinkage}")
    return math.ceil(agents / (1.0 - shrinkage) - 1e-9)


def _smallest(enough: Callable[[int], bool], start: int) -> int:
    """The smallest number that is enough: doubling steps from ``start``, then bisection."""
    low, high, step = 0, start, 1
    while not enough(high):
        low, high, step = high, high + step, 2 * step
        if high > AGENTS_LIMIT:
            raise Unreachable("no number of agents meets these targets")
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high
