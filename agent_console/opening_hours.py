"""When queues let people in: the answers of the ``OpeningHours`` port, as they stand in HTTP answers."""

from typing import Protocol

import msgspec


class PeriodView(msgspec.Struct, frozen=True):
    """From ``start`` to ``end``, minutes since local midnight; ``end`` is past 1440 for a period over midnight."""

    start: int
    end: int


class HolidayView(msgspec.Struct, frozen=True):
    """A date, ``2026-12-25``, with periods of its own; none: closed."""

    date: str
    periods: tuple[PeriodView, ...]


class QueueHoursView(msgspec.Struct, frozen=True):
    """The opening hours of one queue as they are now."""

    queue_id: str
    timezone: str | None
    """IANA name; ``None`` for a queue that is always open."""
    is_open: bool
    next_change_at: int | None
    """Milliseconds since the epoch; ``None`` when a year brings no change."""
    week: tuple[tuple[PeriodView, ...], ...] = ()
    """The periods that begin on each day, Monday first."""
    holidays: tuple[HolidayView, ...] = ()
    """Today's and later ones, in order."""


class OpeningHours(Protocol):
    """What the site says about when queues are open."""

    def of(self, queue_id: str, now: int) -> QueueHoursView | None:
        """The hours at this instant (milliseconds since the epoch); ``None`` for an unknown queue."""
        ...
