"""How long somebody will wait, as quantiles: a fold of the engine's outcomes, one for each queue.

QLm (Ibrahim and Whitt, "Real-time delay estimation based on delay history", M&SOM 2009): with ``k`` contacts ahead, a
service rate ``r`` of the whole queue and a rate ``theta`` at which each waiting contact gives up, the wait is a sum of
``k + 1`` exponential times of rates ``r + i * theta``, ``i = 0 .. k``. ``r`` is measured: contacts that were offered to
somebody over the time during which any waited, so that shared agents and other queues' priorities are in it. ``theta``
is the maximum-likelihood estimate from censored data: contacts that gave up over all time spent waiting or ringing, by
whoever. The time that agents take to answer is added as it is.
"""

import math
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from acd.capacity import PATIENT
from acd.ids import ContactId, QueueId
from acd.outcomes import ContactDequeued, ContactQueued, CustomerCame, DequeueReason, OfferContact, Outcome

BUCKET_MS = 60_000
"""Figures are kept by the minute."""
BUCKETS = 30
"""For half an hour; what is older says little about now."""
LEAST_TAKEN = 5
"""Contacts that must have been taken before a rate is believed."""


class Basis(StrEnum):
    """What an estimate rests on."""

    QUEUE_LENGTH = "queue_length"
    """QLm: the number ahead, the measured rate and patience."""
    HEAD_OF_LINE = "head_of_line"
    """How long the first in line has waited so far, when no rate is known."""


@dataclass(frozen=True, slots=True)
class WaitEstimate:
    """How long one more contact would wait, were it as patient as need be. Milliseconds."""

    basis: Basis
    ahead: int
    mean_ms: float
    deviation_ms: float
    answer_ms: float = 0.0
    """How much of the mean is the agents' time to answer."""

    def quantile_ms(self, share: float) -> float:
        """The wait that is not exceeded with probability ``share`` (between 0 and 1).

        From the gamma law of the same mean and deviation: exact for one step and for customers who never give up.
        """
        waiting_ms = self.mean_ms - self.answer_ms
        if waiting_ms <= 0 or self.deviation_ms <= 0:
            return max(0.0, self.mean_ms)
        shape = (waiting_ms / self.deviation_ms) ** 2
        return self.answer_ms + _gamma_quantile(share, shape) * waiting_ms / shape


@dataclass(slots=True)
class _Bucket:
    start: int
    taken: int = 0
    gave_up: int = 0
    answered: int = 0
    rung_ms: int = 0
    backlogged_ms: int = 0
    waited_ms: int = 0


@dataclass(slots=True)
class _QueueFigures:
    at: int
    waiting: dict[ContactId, tuple[int, int]] = field(default_factory=dict)
    """Contact to when it arrived and when it began to wait here."""
    ringing: dict[ContactId, int] = field(default_factory=dict)
    """Contact to when an agent began to ring for it."""
    away: set[ContactId] = field(default_factory=set)
    """Those of both with nobody at the other end: they take their turn, and cannot give up."""
    buckets: deque[_Bucket] = field(default_factory=deque)

    def bucket(self, at: int) -> _Bucket:
        start = at - at % BUCKET_MS
        if not self.buckets or self.buckets[-1].start < start:
            self.buckets.append(_Bucket(start))
        while self.buckets[0].start <= start - BUCKETS * BUCKET_MS:
            self.buckets.popleft()
        return self.buckets[-1]

    def take(self, contact_id: ContactId, now: int) -> None:
        """Somebody was found; that counts for the rate unless nobody had to wait for it."""
        since = self.waiting.pop(contact_id, None)
        if since is not None and (self.waiting or since[1] < now):
            self.bucket(now).taken += 1

    def answer_ms(self) -> float:
        """The mean time that agents take to answer."""
        answered = sum(bucket.answered for bucket in self.buckets)
        return sum(bucket.rung_ms for bucket in self.buckets) / answered if answered else 0.0

    def present_share(self) -> float:
        """Which share of those who wait is there, and may give up."""
        if not self.away:
            return 1.0
        return sum(contact_id not in self.away for contact_id in self.waiting) / max(1, len(self.waiting))

    def pass_time(self, at: int) -> None:
        """Count the waiting up to ``at``, each minute for itself."""
        if at <= self.at:
            return
        waiting, present = len(self.waiting), len(self.waiting) + len(self.ringing) - len(self.away)
        self.at = max(self.at, at - BUCKETS * BUCKET_MS)
        while self.at < at:
            bucket = self.bucket(self.at)
            until = min(at, bucket.start + BUCKET_MS)
            bucket.waited_ms += present * (until - self.at)
            bucket.backlogged_ms += until - self.at if waiting else 0
            self.at = until


class WaitEstimates:
    """Folds what the engine says. Pure: the same outcomes at the same instants give the same estimates."""

    def __init__(self) -> None:
        self._queues: dict[QueueId, _QueueFigures] = {}
        self._folds: Mapping[type, Callable[[Any, int], None]] = {
            ContactQueued: self._queue,
            OfferContact: self._offer,
            CustomerCame: self._come,
            ContactDequeued: self._end,
        }

    def apply(self, outcome: Outcome, now: int) -> None:
        """Take one outcome that was said at ``now`` (milliseconds); what waits patiently is nobody's wait."""
        fold = self._folds.get(type(outcome))
        if fold is not None:
            fold(outcome, now)

    def estimate(self, queue_id: QueueId, *, now: int, ahead: int | None = None) -> WaitEstimate | None:
        """How long one more contact would wait behind ``ahead`` others, all that wait unless given.

        ``None`` when nothing is known: no rate, and nobody waits.
        """
        figures = self._figures(queue_id, now)
        ahead = len(figures.waiting) if ahead is None else ahead
        answer_ms = figures.answer_ms()
        rate = self.rate(queue_id, now=now)
        if rate is not None:
            giving_up = self.giving_up(queue_id, now=now) * figures.present_share()
            rates = [rate + place * giving_up for place in range(ahead + 1)]
            mean = answer_ms + sum(1 / each for each in rates)
            deviation = math.sqrt(sum(1 / each**2 for each in rates))
            return WaitEstimate(Basis.QUEUE_LENGTH, ahead, mean, deviation, answer_ms)
        if not figures.waiting:
            return None
        return WaitEstimate(Basis.HEAD_OF_LINE, ahead, float(now - min(figures.waiting.values())[0]), 0.0)

    def rate(self, queue_id: QueueId, *, now: int) -> float | None:
        """Contacts taken in a millisecond while any waited; ``None`` when too few were."""
        buckets = self._figures(queue_id, now).buckets
        taken = sum(bucket.taken for bucket in buckets)
        backlogged_ms = sum(bucket.backlogged_ms for bucket in buckets)
        return taken / backlogged_ms if taken >= LEAST_TAKEN and backlogged_ms > 0 else None

    def giving_up(self, queue_id: QueueId, *, now: int) -> float:
        """The rate at which a waiting contact gives up, by the millisecond; its inverse is the patience."""
        buckets = self._figures(queue_id, now).buckets
        waited_ms = sum(bucket.waited_ms for bucket in buckets)
        return sum(bucket.gave_up for bucket in buckets) / waited_ms if waited_ms else 0.0

    def _queue(self, outcome: ContactQueued, now: int) -> None:
        if outcome.channel in PATIENT:
            return
        figures = self._figures(outcome.queue_id, now)
        figures.waiting[outcome.contact_id] = (outcome.arrived_at, now)
        if outcome.is_away:
            figures.away.add(outcome.contact_id)
        if outcome.returned and figures.ringing.pop(outcome.contact_id, None) is not None:
            figures.bucket(now).taken -= 1

    def _offer(self, outcome: OfferContact, now: int) -> None:
        figures = self._figures(outcome.queue_id, now)
        if outcome.contact_id in figures.waiting:  # else a patient one
            figures.take(outcome.contact_id, now)
            figures.ringing.setdefault(outcome.contact_id, now)

    def _come(self, outcome: CustomerCame, now: int) -> None:
        self._figures(outcome.queue_id, now).away.discard(outcome.contact_id)

    def _end(self, outcome: ContactDequeued, now: int) -> None:
        if outcome.channel in PATIENT:
            return
        figures = self._figures(outcome.queue_id, now)
        rang_since = figures.ringing.pop(outcome.contact_id, None)
        figures.away.discard(outcome.contact_id)
        bucket = figures.bucket(now)
        if outcome.reason is DequeueReason.ASSIGNED:
            figures.take(outcome.contact_id, now)
            if rang_since is not None:
                bucket.answered += 1
                bucket.rung_ms += now - rang_since
        else:
            figures.waiting.pop(outcome.contact_id, None)
            bucket.gave_up += outcome.reason is DequeueReason.ABANDONED

    def _figures(self, queue_id: QueueId, now: int) -> _QueueFigures:
        figures = self._queues.get(queue_id)
        if figures is None:
            figures = self._queues[queue_id] = _QueueFigures(now)
        figures.pass_time(now)
        figures.bucket(now)
        return figures


@dataclass(slots=True)
class Calibration:
    """How good estimates were: promised quantiles against what came. Shares are between 0 and 1.

    A contact that gave up waited at least so long: it counts where that decides, and nowhere else.
    """

    shares: tuple[float, ...] = (0.5, 0.8, 0.9)
    scored: int = 0
    error_ms: float = 0.0
    squared_error: float = 0.0
    waited_ms: float = 0.0
    _promised: dict[ContactId, WaitEstimate] = field(default_factory=dict)
    _kept: dict[float, int] = field(default_factory=dict)
    _decided: dict[float, int] = field(default_factory=dict)

    def promise(self, contact_id: ContactId, estimate: WaitEstimate) -> None:
        """Remember what was estimated for a contact on its arrival."""
        self._promised[contact_id] = estimate

    def apply(self, outcome: Outcome) -> None:
        """Take one outcome; only the end of waiting counts."""
        if not isinstance(outcome, ContactDequeued):
            return
        estimate = self._promised.pop(outcome.contact_id, None)
        if estimate is None:
            return
        served = outcome.reason is DequeueReason.ASSIGNED
        for share in self.shares:
            within = outcome.waited_ms <= estimate.quantile_ms(share)
            if served or not within:
                self._decided[share] = self._decided.get(share, 0) + 1
                self._kept[share] = self._kept.get(share, 0) + within
        if served:
            error = estimate.mean_ms - outcome.waited_ms
            self.scored += 1
            self.error_ms += error
            self.squared_error += error**2
            self.waited_ms += outcome.waited_ms

    def coverage(self, share: float) -> float | None:
        """Which share of the contacts waited no longer than the quantile for ``share``: the same when all is well."""
        decided = self._decided.get(share, 0)
        return self._kept[share] / decided if decided else None

    def bias(self) -> float | None:
        """Mean error over mean wait of the served; positive when too much was promised."""
        return self.error_ms / self.waited_ms if self.waited_ms else None

    def relative_rmse(self) -> float | None:
        """Root mean square error over mean wait of the served."""
        if not self.scored or not self.waited_ms:
            return None
        return math.sqrt(self.squared_error / self.scored) / (self.waited_ms / self.scored)


def _gamma_quantile(share: float, shape: float) -> float:
    """The quantile of the gamma law of this shape and scale 1, by bisection to 9 digits."""
    low, high = 0.0, shape + 10 * math.sqrt(shape) + 10
    while _gamma_share(high, shape) < share:
        high *= 2
    for _ in range(80):
        middle = (low + high) / 2
        if _gamma_share(middle, shape) < share:
            low = middle
        else:
            high = middle
        if high - low <= 1e-9 * high:
            break
    return (low + high) / 2


def _gamma_share(value: float, shape: float) -> float:
    """The regularised lower incomplete gamma function, by its series (Abramowitz & Stegun 6.5.29)."""
    if value <= 0:
        return 0.0
    term = total = 1 / shape
    divisor = shape
    while term > total * 1e-15:
        divisor += 1
        term *= value / divisor
        total += term
    return min(1.0, total * math.exp(-value + shape * math.log(value) - math.lgamma(shape)))
