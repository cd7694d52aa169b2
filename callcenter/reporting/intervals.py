"""Quarter hours of UTC: the grain of every statistic, and how a duration is laid across them. Pure.

Instants and durations are integer milliseconds. An interval holds its first instant and not its last, so an event on a
boundary belongs to the later one.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

INTERVAL_MS = 15 * 60 * 1000


@dataclass(frozen=True, slots=True, order=True)
class Period:
    """A stretch of whole intervals, from ``start`` up to and without ``end``."""

    start: int
    end: int

    def holds(self, instant: int) -> bool:
        """Whether the instant lies in it."""
        return self.start <= instant < self.end


def interval_of(instant: int) -> int:
    """Where the interval of an instant begins; an interval is named by this."""
    return instant - instant % INTERVAL_MS


def pieces(start: int, end: int) -> Iterator[tuple[int, int]]:
    """A duration cut at the boundaries: each interval with how much of it lies there. Nothing for an empty one."""
    while start < end:
        interval = interval_of(start)
        cut = min(end, interval + INTERVAL_MS)
        yield interval, cut - start
        start = cut


def boundaries_passed(start: int, end: int) -> Iterator[int]:
    """The intervals that begin before, and end at or before, ``end``, for something that was there from ``start`` on.

    What goes away at the very end of an interval goes away in the next one, and so is still there when it ends.
    """
    interval = interval_of(start)
    while interval + INTERVAL_MS <= end:
        yield interval
        interval += INTERVAL_MS


def local_day(instant: int, zone: ZoneInfo) -> Period:
    """The day of the wall calendar that holds the instant: 23 or 25 hours long when the clocks change."""
    day = datetime.fromtimestamp(instant / 1000, UTC).astimezone(zone).date()
    return Period(_midnight(day.toordinal(), zone), _midnight(day.toordinal() + 1, zone))


def _midnight(ordinal: int, zone: ZoneInfo) -> int:
    midnight = datetime.combine(datetime.fromordinal(ordinal).date(), time(), zone)
    return (midnight.astimezone(UTC) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)
