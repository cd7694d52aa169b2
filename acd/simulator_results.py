"""What a simulation found, with how far it can be trusted.

A run is cut into batches of consecutive contacts. Batches are long against the time in which a floor forgets, so they
count as independent, and the spread between them gives a confidence interval for every figure (batch means; A. M. Law,
"Simulation Modeling and Analysis", section 9.5; ratios as in its section 9.5.2 by the residuals of each batch).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from operator import mul
from statistics import NormalDist

from acd.simulator_books import Tally

CONFIDENCE = 0.999
_BATCHES_PER_CONTROL = 5
_DEPENDENT = 1e-9
_ONE_BATCH = 0.5
_LEAST_FREEDOM = 0.05


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure of a simulation with its standard error and the degrees of freedom behind that; 0 when unknown."""

    value: float
    error: float = 0.0
    freedom: int = 0

    def half_width(self, confidence: float = CONFIDENCE) -> float:
        """Half the width of the confidence interval; infinite when the spread is unknown."""
        if self.freedom < 1:
            return math.inf
        return student_quantile((1.0 + confidence) / 2.0, self.freedom) * self.error

    def covers(self, truth: float, confidence: float = CONFIDENCE) -> bool:
        """Whether ``truth`` lies within the confidence interval."""
        return abs(self.value - truth) <= self.half_width(confidence)


def student_quantile(share: float, freedom: int) -> float:
    """Quantile of Student's t by the Cornish-Fisher expansion, Abramowitz & Stegun 26.7.5; 3 digits from 15 degrees."""
    z = NormalDist().inv_cdf(share)
    terms = (
        z,
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92160,
    )
    return math.fsum(term / freedom**power for power, term in enumerate(terms))


@dataclass(frozen=True, slots=True)
class _Control:
    """One direction of luck: its deviations over the batches (orthogonal to the earlier ones') and its mean."""

    deviations: tuple[float, ...]
    spread: float
    mean: float


class Ruler:
    """Turns sums per batch into figures, and takes out of them what is known to be luck.

    ``luck`` holds, for each batch, by how much something of known mean deviated from it (see ``simulator_luck``). What
    the figures owe to that is found by regression over the batches and taken away. As many of the first are used as
    the number of batches bears; without any, figures are plain ratios.
    """

    def __init__(self, batches: int, luck: Sequence[Sequence[float]] = ()) -> None:
        self._batches = batches
        self._controls = _orthogonal(luck[: max(0, batches // _BATCHES_PER_CONTROL - 1)])
        self._weights = self._weigh()

    def ratio(self, parts: Sequence[float], wholes: Sequence[float], scale: float = 1.0) -> Estimate:
        """``scale`` times the sum of the parts over the sum of the wholes, one of each per batch."""
        count, whole = self._batches, math.fsum(wholes)
        if whole <= 0.0:
            return Estimate(0.0)
        value = math.fsum(parts) / whole
        freedom = count - 1 - len(self._controls)
        if freedom < 1:
            return Estimate(scale * value)
        rest = [part - value * each for part, each in zip(parts, wholes, strict=True)]
        owed = 0.0
        for control in self._controls:
            slope = _dot(control.deviations, rest) / control.spread
            owed += slope * control.mean
            rest = [left - slope * deviation for left, deviation in zip(rest, control.deviations, strict=True)]
        error = (
            math.sqrt(math.fsum((w * left) ** 2 for w, left in zip(self._weights, rest, strict=True))) * count / whole
        )
        return Estimate(scale * max(0.0, value - owed * count / whole), scale * error, freedom)

    def _weigh(self) -> list[float]:
        """What each batch counts for in the error of a mean: its weight, over how freely its residual could vary.

        Batches differ in their spread, and an unusual one pulls the regression its way: the HC3 estimator of J. G.
        MacKinnon and H. White, Journal of Econometrics 29, 1985.
        """
        weights = []
        for batch in range(self._batches):
            weight = leverage = 1.0 / self._batches
            for control in self._controls:
                share = control.deviations[batch] / control.spread
                weight -= control.mean * share
                leverage += control.deviations[batch] * share
            weights.append(weight / max(_LEAST_FREEDOM, 1.0 - leverage))
        return weights


def _orthogonal(luck: Sequence[Sequence[float]]) -> list[_Control]:
    """Luck as independent directions (Gram-Schmidt), without what follows from others or varies in one batch only."""
    controls: list[_Control] = []
    for column in luck:
        mean = math.fsum(column) / len(column)
        deviations = [each - mean for each in column]
        whole = math.fsum(each * each for each in column)
        for known in controls:
            slope = _dot(known.deviations, deviations) / known.spread
            mean -= slope * known.mean
            deviations = [own - slope * other for own, other in zip(deviations, known.deviations, strict=True)]
        spread = math.fsum(each * each for each in deviations)
        if spread > _DEPENDENT * whole and max(map(abs, deviations)) ** 2 < _ONE_BATCH * spread:
            controls.append(_Control(tuple(deviations), spread, mean))
    return controls


def _dot(left: Sequence[float], right: Sequence[float]) -> float:
    return math.fsum(map(mul, left, right))


@dataclass(frozen=True, slots=True)
class ContactFigures:
    """How the contacts of a class, of a queue or of the whole floor fared. Shares are of all that arrived."""

    name: str
    offered: int
    served: int
    abandoned: int
    unfinished: int
    """Contacts that were still waiting when the simulation ended."""
    p_wait: Estimate
    asa_s: Estimate
    """Mean wait of all, served or not."""
    asa_served_s: Estimate
    p_abandon: Estimate
    service_level: Estimate
    """Answered within the target of the queue, over all that arrived; by a callback is not within."""
    p_sent_away: Estimate = Estimate(0.0)
    """Not let in, or at the end of a route plan that led to no other queue."""
    sent_away: int = 0
    called_back: int = 0
    """Customers who were promised a callback, whatever became of it."""
    unreached: int = 0
    """Those of them who were never there when they were called."""
    redialled: int = 0
    """Contacts of customers who had given up before; each counts among the offered, too."""
    flowed_out: int = 0
    """Of a queue: its contacts that were in another one last."""
    flowed_in: int = 0
    """Of a queue: contacts of others that were in it last. They count with the queue that they asked for."""


def contact_figures(name: str, tallies: Sequence[Tally], ruler: Ruler) -> ContactFigures:
    """The figures that follow from the batches."""
    offered = [float(tally.offered) for tally in tallies]
    served = [float(tally.served) for tally in tallies]
    whole = sum(tallies, Tally())
    return ContactFigures(
        name=name,
        offered=whole.offered,
        served=whole.served,
        abandoned=whole.abandoned,
        unfinished=whole.offered - whole.served - whole.abandoned - whole.sent_away - whole.unreached,
        p_wait=ruler.ratio([tally.delayed for tally in tallies], offered),
        asa_s=ruler.ratio([tally.wait_ms for tally in tallies], offered, 0.001),
        asa_served_s=ruler.ratio([tally.served_wait_ms for tally in tallies], served, 0.001),
        p_abandon=ruler.ratio([tally.abandoned for tally in tallies], offered),
        service_level=ruler.ratio([tally.in_time for tally in tallies], offered),
        p_sent_away=ruler.ratio([tally.sent_away for tally in tallies], offered),
        sent_away=whole.sent_away,
        called_back=whole.called_back,
        unreached=whole.unreached,
        redialled=whole.redialled,
    )


@dataclass(frozen=True, slots=True)
class GroupFigures:
    """How the agents of a group fared."""

    name: str
    served: int
    occupancy_spread: float
    """Standard deviation over mean of the work the group's agents got; 0 when all got the same."""
    idle_spread: float
    """Standard deviation over mean of the time between two contacts of an agent: how evenly work comes."""
    agents: int = 0
    occupancy: float = 0.0
    """Time with contacts and in wrap-up over time staffed."""
    staffed_hours: float = 0.0
    """Agents there and not paused, times hours measured."""
    offers: int = 0
    """How often the group's phones rang, in the whole run."""
    rang_out: int = 0


@dataclass(frozen=True, slots=True)
class Result:
    """Everything a simulation found. Warm-up is left out of every figure but the totals."""

    whole: ContactFigures
    classes: tuple[ContactFigures, ...]
    queues: tuple[ContactFigures, ...]
    channels: tuple[ContactFigures, ...]
    groups: tuple[GroupFigures, ...]
    occupancy: Estimate
    mean_queue: Estimate
    hours: float
    """Simulated time that was measured."""
    arrived: int
    """All contacts of the run, warm-up and drain included: served, abandoned, sent away, unreached, in the system."""
    served: int
    """Conversations that came to their end."""
    abandoned: int
    sent_away: int
    unreached: int
    in_system: int
    """Contacts waiting, ringing, talking or promised a callback when the run ended."""
    engine_events: int
    digest: str
    """Tells apart any two runs in which somebody was connected to somebody else, or at another instant."""
