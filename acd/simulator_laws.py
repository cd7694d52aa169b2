"""Laws of chance for the simulated floor: how long things take, and when customers come.

Every law draws from a ``random.Random`` that it is given, so a seed decides everything. Laws are described in seconds,
draws are integer milliseconds, as the engine counts.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from random import Random

Sampler = Callable[[], int]
"""Draws one duration in milliseconds."""


@dataclass(frozen=True, slots=True)
class Exponential:
    """No memory: the law of the Erlang formulas."""

    mean_s: float

    def sampler(self, dice: Random) -> Sampler:
        """Draws by inversion, one random number each."""
        scale, draw, log = -1000.0 * self.mean_s, dice.random, math.log
        return lambda: int(scale * log(1.0 - draw()) + 0.5)


@dataclass(frozen=True, slots=True)
class LogNormal:
    """The law that measured talk times follow best (Brown et al., "Statistical analysis of a telephone call center",
    JASA 100, 2005). ``cv`` is the standard deviation over the mean.
    """

    mean_s: float
    cv: float = 1.0

    def sampler(self, dice: Random) -> Sampler:
        """Draws through the normal law of the logarithm."""
        variance = math.log1p(self.cv * self.cv)
        middle, width, draw = math.log(1000.0 * self.mean_s) - variance / 2, math.sqrt(variance), dice.lognormvariate
        return lambda: int(draw(middle, width) + 0.5)


@dataclass(frozen=True, slots=True)
class Deterministic:
    """Always the same."""

    mean_s: float

    def sampler(self, dice: Random) -> Sampler:  # noqa: ARG002 - nothing to draw, but called like the others
        """The one value."""
        value = round(1000.0 * self.mean_s)
        return lambda: value


@dataclass(frozen=True, slots=True)
class Empirical:
    """One of the measured values, each as likely as it was."""

    values_s: tuple[float, ...]

    @property
    def mean_s(self) -> float:
        """The mean of the measured values."""
        return math.fsum(self.values_s) / len(self.values_s)

    def sampler(self, dice: Random) -> Sampler:
        """Draws with replacement."""
        values, draw = [round(1000.0 * value) for value in self.values_s], dice.random
        count = len(values)
        return lambda: values[int(draw() * count)]


Law = Exponential | LogNormal | Deterministic | Empirical
"""How long something takes. All have ``mean_s``."""


def moments(law: Law, plus_s: float = 0.0) -> tuple[float, float, float]:
    """First, second and third moment of what the law draws and ``plus_s`` together, in powers of seconds."""
    first = law.mean_s
    if isinstance(law, Exponential):
        second, third = 2 * first**2, 6 * first**3
    elif isinstance(law, LogNormal):
        second, third = first**2 * (1 + law.cv**2), first**3 * (1 + law.cv**2) ** 3
    elif isinstance(law, Deterministic):
        second, third = first**2, first**3
    else:
        second = math.fsum(value**2 for value in law.values_s) / len(law.values_s)
        third = math.fsum(value**3 for value in law.values_s) / len(law.values_s)
    return (
        first + plus_s,
        second + 2 * plus_s * first + plus_s**2,
        third + 3 * plus_s * second + 3 * plus_s**2 * first + plus_s**3,
    )


@dataclass(frozen=True, slots=True)
class Poisson:
    """Customers come independently of each other, for ever, at one rate."""

    per_hour: float

    def instants(self, dice: Random) -> Iterator[int]:
        """Arrival instants in milliseconds from the start; never ends."""
        scale, draw, log, at = -3_600_000.0 / self.per_hour, dice.random, math.log, 0.0
        while True:
            at += scale * log(1.0 - draw())
            yield int(at)


@dataclass(frozen=True, slots=True)
class RateTable:
    """A day in intervals, each with its own rate: Poisson within each. Ends with the last interval."""

    interval_s: float
    per_hour: tuple[float, ...]

    def instants(self, dice: Random) -> Iterator[int]:
        """Arrival instants in milliseconds from the start: one unit of exponential work is used up at the rate."""
        length, draw, log = 1000.0 * self.interval_s, dice.random, math.log
        work = -log(1.0 - draw())
        for number, rate in enumerate(self.per_hour):
            at, end, per_ms = number * length, (number + 1) * length, rate / 3_600_000.0
            while per_ms * (end - at) >= work:
                at += work / per_ms
                yield int(at)
                work = -log(1.0 - draw())
            work -= per_ms * (end - at)


@dataclass(frozen=True, slots=True)
class RecordedContact:
    """One contact of a recorded day. What was not recorded (``None``) is drawn from the class's laws."""

    at_ms: int
    handle_ms: int | None = None
    patience_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Recorded:
    """A recorded day: these contacts and no others, in order of arrival."""

    contacts: tuple[RecordedContact, ...]

    def instants(self, dice: Random) -> Iterator[int]:  # noqa: ARG002 - nothing to draw, but called like the others
        """Arrival instants in milliseconds from the start."""
        return (contact.at_ms for contact in self.contacts)


Arrivals = Poisson | RateTable | Recorded
"""When customers come."""
