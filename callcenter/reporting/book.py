"""The book: postings added up by queue or agent and by period. Pure.

A period is one interval, one day of a time zone, or everything. The finer the periods the larger the book; it never
holds anything that grows with the number of contacts.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from zoneinfo import ZoneInfo

from callcenter.reporting.intervals import INTERVAL_MS, Period, interval_of, local_day
from callcenter.reporting.postings import Measure, Posting, Subject

Sums = Mapping[str, int]
"""Measure to amount; what is not in it is 0."""


class Grain(StrEnum):
    """How long a period is."""

    INTERVAL = "interval"
    DAY = "day"
    TOTAL = "total"


class Book:
    """Sums of postings. ``window`` leaves out what lies elsewhere; ``None`` takes everything."""

    def __init__(self, grain: Grain, *, zone: ZoneInfo, window: Period | None = None) -> None:
        self.grain = grain
        self._zone = zone
        self._window = window
        self._sums: dict[tuple[Period | None, Subject], Counter[str]] = defaultdict(Counter)
        self._levels: dict[tuple[int, Subject], int] = defaultdict(int)
        self._day = Period(0, 0)

    def post(self, postings: Iterable[Posting]) -> None:
        """Add postings."""
        for interval, subject, measure, amount in postings:
            if self._window is not None and not self._window.holds(interval):
                continue
            if measure == Measure.IN_PROGRESS:
                self._levels[interval, subject] += amount
                continue
            sums = self._sums[self._period(interval), subject]
            if measure == Measure.MAX_WAIT_MS:
                sums[measure] = max(sums[measure], amount)
            else:
                sums[measure] += amount

    def copy(self) -> "Book":
        """A book with the same sums that goes its own way."""
        other = Book(self.grain, zone=self._zone, window=self._window)
        other._sums.update({key: Counter(sums) for key, sums in self._sums.items()})
        other._levels.update(self._levels)
        return other

    def sums(self, period: Period, subject: Subject, *, horizon: int) -> Sums:
        """What was posted for one subject in one of ``periods``; levels as they are at its end, or at an earlier
        ``horizon``."""
        key = None if self.grain is Grain.TOTAL else period
        sums = Counter(self._sums.get((key, subject), {}))
        last = interval_of(min(period.end - 1, horizon))
        if level := self._levels.get((last, subject), 0):
            sums[Measure.IN_PROGRESS] = level
        return sums

    def periods(self, start: int, end: int) -> Iterator[Period]:
        """The periods from the one that holds ``start`` up to ``end``."""
        if self.grain is Grain.TOTAL:
            yield Period(start, end)
            return
        while start < end:
            period = self._grained(start)
            yield period
            start = period.end

    def _period(self, interval: int) -> Period | None:
        return None if self.grain is Grain.TOTAL else self._grained(interval)

    def _grained(self, interval: int) -> Period:
        if self.grain is Grain.INTERVAL:
            return Period(interval, interval + INTERVAL_MS)
        if not self._day.holds(interval):
            self._day = local_day(interval, self._zone)
        return self._day


def total(several: Sequence[Sums]) -> Sums:
    """Several subjects as one."""
    together: Counter[str] = Counter()
    for sums in several:
        for measure, amount in sums.items():
            together[measure] = (
                max(together[measure], amount) if measure == Measure.MAX_WAIT_MS else together[measure] + amount
            )
    together[Measure.PERIOD_MS] = max((sums.get(Measure.PERIOD_MS, 0) for sums in several), default=0)
    return together
