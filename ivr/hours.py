"""Opening hours: weekly periods in a time zone, over midnight where wanted, with holidays.

Every boundary is the **first instant at which the local clock shows that time or a later one**. So a period that
begins in the hour skipped in spring begins when the clock jumps, and the hour repeated in autumn opens and closes
nothing twice. A period belongs to the day it begins on: a holiday replaces the periods of its date, and leaves alone
the night shift that began the evening before.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import chain
from zoneinfo import ZoneInfo

MINUTES_A_DAY = 1440
HORIZON_DAYS = 370
"""How far ahead a change is looked for: a year with its holidays."""

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Period:
    """From ``start`` to ``end``, minutes since local midnight; ``end`` is past 1440 for a period over midnight."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class WeeklyPeriod:
    """A period on some days of the week; Monday is 0."""

    days: frozenset[int]
    period: Period


@dataclass(frozen=True, slots=True)
class Holiday:
    """A date with periods of its own; none: closed."""

    date: date
    periods: tuple[Period, ...] = ()


@dataclass(frozen=True, slots=True)
class Hours:
    """When somebody is there. ``timezone`` is an IANA name that exists (the parser sees to it)."""

    timezone: str
    weekly: tuple[WeeklyPeriod, ...]
    holidays: tuple[Holiday, ...] = ()


def is_open(hours: Hours, now: int) -> bool:
    """Whether ``now`` (milliseconds since the epoch) lies in a period; the end of a period is outside."""
    today = _local_date(hours, now)
    days = (today + offset * _DAY for offset in (-2, -1, 0, 1))
    return any(start <= now < end for start, end in chain.from_iterable(_spans(hours, day) for day in days))


def next_change(hours: Hours, now: int) -> int | None:
    """The next instant at which ``is_open`` says something else; ``None`` when a year brings no change."""
    today = _local_date(hours, now)
    open_until = now
    for offset in range(-2, HORIZON_DAYS + 1):
        for start, end in sorted(_spans(hours, today + offset * _DAY)):
            if start > open_until:
                return open_until if open_until > now else start
            open_until = max(open_until, end)
    horizon = _instant(hours, today + HORIZON_DAYS * _DAY, MINUTES_A_DAY)
    return open_until if now < open_until < horizon else None


def _local_date(hours: Hours, now: int) -> date:
    return datetime.fromtimestamp(now // 1000, ZoneInfo(hours.timezone)).date()


def _spans(hours: Hours, day: date) -> Iterator[tuple[int, int]]:
    """The periods that begin on ``day`` as instants, without those that a clock change swallows."""
    for period in _periods(hours, day):
        start, end = _instant(hours, day, period.start), _instant(hours, day, period.end)
        if start < end:
            yield start, end


def _periods(hours: Hours, day: date) -> tuple[Period, ...]:
    for holiday in hours.holidays:
        if holiday.date == day:
            return holiday.periods
    return tuple(weekly.period for weekly in hours.weekly if day.weekday() in weekly.days)


def _instant(hours: Hours, day: date, minute: int) -> int:
    """The first instant, in milliseconds, at which the local clock shows ``minute`` of ``day`` or later."""
    zone = ZoneInfo(hours.timezone)
    wall = datetime(day.year, day.month, day.day) + timedelta(minutes=minute)  # noqa: DTZ001 (a clock face, no instant)
    first = int(wall.replace(tzinfo=zone, fold=0).timestamp())
    if _wall(first, zone) == wall:
        return first * 1000
    # The clock never shows this time: it jumps over it, somewhere between the two readings of it.
    before = int(wall.replace(tzinfo=zone, fold=1).timestamp())
    after = first
    while after - before > 1:
        middle = (before + after) // 2
        before, after = (middle, after) if _wall(middle, zone) < wall else (before, middle)
    return after * 1000


def _wall(seconds: int, zone: ZoneInfo) -> datetime:
    return datetime.fromtimestamp(seconds, UTC).astimezone(zone).replace(tzinfo=None)
