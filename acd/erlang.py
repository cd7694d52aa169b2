"""Exact queueing formulas: how a floor of equal agents does in the long run.

Erlang B (nobody waits), Erlang C (everybody waits for ever) and Erlang A (everybody waits as long as a patience lasts
that is exponential like arrivals and handling). One function, ``steady_state``, picks the model by the patience.

Sources: A. K. Erlang 1917 (B, C); C. Palm 1946 and Garnett, Mandelbaum, Reiman, "Designing a call center with
impatient customers", M&SOM 4(3), 2002 (A); A. Cobham, "Priority assignment in waiting line problems", Oper. Res. 2,
1954 (priorities). Everything is summed in an order that keeps all terms positive and scaled at the likeliest state, so
it holds its digits for ten thousand agents. Times are seconds, rates per hour, loads erlangs.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

SECONDS_PER_HOUR = 3600.0
_NEGLIGIBLE = 1e-18
_STATES_LIMIT = 5_000_000


@dataclass(frozen=True, slots=True)
class Workload:
    """What customers bring: arrivals (Poisson), mean handle time and mean patience (both exponential).

    ``patience_s`` 0 means that who cannot be served at once is lost, ``math.inf`` that nobody ever gives up.
    """

    arrivals_per_hour: float
    aht_s: float
    patience_s: float = math.inf

    def __post_init__(self) -> None:
        if not (0 < self.arrivals_per_hour < math.inf and 0 < self.aht_s < math.inf and self.patience_s >= 0):
            raise ValueError(f"arrivals and handle time must be positive, patience not negative: {self}")

    @property
    def load(self) -> float:
        """Offered load in erlangs: how many agents the work would keep busy if none were ever idle."""
        return self.arrivals_per_hour / SECONDS_PER_HOUR * self.aht_s


@dataclass(frozen=True, slots=True)
class SteadyState:
    """What a floor gives in the long run. Shares are of all contacts that arrived."""

    p_wait: float
    """Share of contacts that find every agent busy."""
    asa_s: float
    """Mean wait of all contacts, served or not."""
    asa_served_s: float
    """Mean wait of those who were served."""
    p_abandon: float
    mean_queue: float
    occupancy: float
    """Share of the agents' time spent handling contacts."""
    service_level: float
    """Share of all contacts that were answered within the target."""
    p_wait_beyond_target: float
    """Share of contacts that were still waiting when the target had passed."""


def erlang_b(load: float, agents: int) -> float:
    """Probability that an arrival finds all agents busy when nobody waits: ``B_k = a B / (k + a B)``, ``B_0 = 1``."""
    blocking = 1.0
    for busy in range(1, agents + 1):
        blocking = load * blocking / (busy + load * blocking)
    return blocking


def erlang_c(load: float, agents: int) -> float:
    """Probability of waiting when nobody gives up: ``C = B / (1 - rho (1 - B))``; 1 when the load is too much."""
    if load >= agents:
        return 1.0
    blocking = erlang_b(load, agents)
    return blocking / (1.0 - load / agents * (1.0 - blocking))


def steady_state(work: Workload, agents: int, *, target_s: float = 20.0) -> SteadyState:
    """The long run of ``agents`` equal agents serving ``work`` first come, first served.

    ``target_s`` is the service level's threshold. Without abandonment and with too few agents there is no long run:
    then the limits are given (everybody waits, waits are infinite). Raises ``ValueError`` for fewer than one agent.
    """
    if agents < 1:
        raise ValueError("a floor has at least one agent")
    if work.patience_s == 0:
        return _loss(work, agents)
    if math.isinf(work.patience_s):
        return _patient(work, agents, target_s)
    return _impatient(work, agents, target_s)


def _loss(work: Workload, agents: int) -> SteadyState:
    lost = erlang_b(work.load, agents)
    return SteadyState(lost, 0.0, 0.0, lost, 0.0, work.load * (1.0 - lost) / agents, 1.0 - lost, 0.0)


def _patient(work: Workload, agents: int, target_s: float) -> SteadyState:
    """Erlang C: ``ASA = C / (n mu - lambda)``, ``P(W > T) = C exp(-(n mu - lambda) T)``."""
    load = work.load
    if load >= agents:
        return SteadyState(1.0, math.inf, math.inf, 0.0, math.inf, 1.0, 0.0, 1.0)
    p_wait = erlang_c(load, agents)
    spare = (agents - load) / work.aht_s
    asa_s = p_wait / spare
    late = p_wait * math.exp(-spare * target_s)
    mean_queue = asa_s * work.arrivals_per_hour / SECONDS_PER_HOUR
    return SteadyState(p_wait, asa_s, asa_s, 0.0, mean_queue, load / agents, 1.0 - late, late)


def _impatient(work: Workload, agents: int, target_s: float) -> SteadyState:
    """Erlang A. Who finds ``k`` ahead in the queue waits for the sum of exponentials of rates ``n mu + i theta``.

    With ``V`` that wait, ``exp(-theta V)`` is Beta(r, k + 1) distributed with ``r = n mu / theta``, because
    a product of Beta(r + i, 1) is. So ``P(V > T)`` is a regularised incomplete beta function, which obeys
    ``I_x(a, b + 1) = I_x(a, b) + x^a (1 - x)^b Gamma(a + b) / (Gamma(a) Gamma(b + 1))``: positive terms only.
    """
    theta = 1.0 / work.patience_s
    queue = _queue_probabilities(work, agents)
    ratio = agents * work.patience_s / work.aht_s
    mean_queue = sum(waiting * p for waiting, p in enumerate(queue))
    asa_s = mean_queue * SECONDS_PER_HOUR / work.arrivals_per_hour
    p_abandon = theta * asa_s
    in_time = beyond = served_wait = harmonic = 0.0
    later = zip(_beta_tails(ratio, theta * target_s), _beta_tails(ratio + 1.0, theta * target_s), strict=True)
    for ahead, (p, (tail, tail_served)) in enumerate(zip(queue, later, strict=False)):
        served = ratio / (ratio + ahead + 1.0)
        harmonic += 1.0 / (ratio + ahead + 1.0)
        in_time += p * served * max(0.0, 1.0 - tail_served)
        beyond += p * tail
        served_wait += p * served * harmonic * work.patience_s
    p_wait = min(1.0, sum(queue))
    return SteadyState(
        p_wait=p_wait,
        asa_s=asa_s,
        asa_served_s=served_wait / (1.0 - p_abandon),
        p_abandon=p_abandon,
        mean_queue=mean_queue,
        occupancy=work.load * (1.0 - p_abandon) / agents,
        service_level=max(0.0, 1.0 - p_wait + in_time),
        p_wait_beyond_target=beyond * math.exp(-theta * target_s),
    )


def _queue_probabilities(work: Workload, agents: int) -> list[float]:
    """Probabilities that all agents are busy and 0, 1, 2 ... wait: a birth-death chain, scaled at its likeliest state.

    Deaths happen at ``n mu + k theta`` (here in units of ``mu``); the states with an idle agent weigh together
    ``1/B - 1`` times the state in which all are busy and none waits, which the recursion of Erlang B gives stably.
    """
    load, eta = work.load, work.aht_s / work.patience_s
    blocking = erlang_b(load, agents)
    if blocking == 0.0:
        return [0.0]
    likeliest = max(0, int((load - agents) / eta))
    if likeliest > _STATES_LIMIT:
        raise ValueError(f"a queue of {likeliest} is beyond this formula; the load exceeds the floor for ever")
    down = [1.0]
    for waiting in range(likeliest, 0, -1):
        down.append(down[-1] * (agents + waiting * eta) / load)
    weights = down[::-1]
    weight, waiting = 1.0, likeliest
    while weight > _NEGLIGIBLE:
        waiting += 1
        weight *= load / (agents + waiting * eta)
        weights.append(weight)
    total = math.fsum(weights) + weights[0] * (1.0 / blocking - 1.0)
    return [weight / total for weight in weights]


def _beta_tails(shape: float, scaled_time: float) -> Iterator[float]:
    """``I_x(shape, 1), I_x(shape, 2) ...`` at ``x = exp(-scaled_time)``: who is k-th in line still waits."""
    if scaled_time == 0.0:
        while True:
            yield 1.0
    log_term = -shape * scaled_time
    log_rest = math.log(-math.expm1(-scaled_time))
    tail, step = 0.0, 0
    while True:
        tail += math.exp(log_term)
        yield min(1.0, tail)
        step += 1
        log_term += log_rest + math.log((shape + step - 1.0) / step)


@dataclass(frozen=True, slots=True)
class ClassWait:
    """How one priority class fares in the long run."""

    asa_s: float
    """Mean wait of all contacts of the class, served or not."""
    p_abandon: float
    mean_queue: float


def priority_waits(
    arrivals_per_hour: Sequence[float], aht_s: float, agents: int, *, patience_s: float = math.inf
) -> tuple[ClassWait, ...]:
    """Waits of classes served in strict priority, the first one first, without interrupting anybody.

    Handle time and patience are the same for all. While all agents are busy, those who wait in the ``k`` most urgent
    classes are a birth-death chain that knows nothing of the others; the time with all busy is that of the whole
    floor. Without patience this is Cobham's formula.
    """
    whole = Workload(sum(arrivals_per_hour), aht_s, patience_s)
    if patience_s == 0:
        return tuple(ClassWait(0.0, erlang_b(whole.load, agents), 0.0) for _ in arrivals_per_hour)
    p_wait = steady_state(whole, agents).p_wait
    waits: list[ClassWait] = []
    urgent = queue_before = 0.0
    for rate in arrivals_per_hour:
        urgent += rate
        queue = p_wait * _mean_when_busy(Workload(urgent, aht_s, patience_s), agents)
        own = queue - queue_before if math.isfinite(queue) else math.inf
        asa_s = own * SECONDS_PER_HOUR / rate
        waits.append(ClassWait(asa_s, asa_s / patience_s, own))
        queue_before = queue
    return tuple(waits)


def _mean_when_busy(work: Workload, agents: int) -> float:
    """Mean number waiting while all agents are busy."""
    if math.isinf(work.patience_s):
        rho = work.load / agents
        return rho / (1.0 - rho) if rho < 1.0 else math.inf
    queue = _queue_probabilities(work, agents)
    return sum(waiting * p for waiting, p in enumerate(queue)) / sum(queue)
