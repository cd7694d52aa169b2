"""Caps on calls out: how many an agent, a group and the house may make in a day and have at a time. Pure.

A place is taken in the moment a call is allowed, so that a hundred who ask at once get exactly what the cap says;
whoever dials gives it back when the call is over. A place that nobody dials with falls free by itself.
"""

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, date, datetime, tzinfo

UNDIALLED_MS = 60_000
"""A booked place that was not dialled with within this time is free again."""


@dataclass(frozen=True, slots=True)
class Cap:
    """The most calls of one payer; 0 for any number."""

    per_day: int = 0
    at_a_time: int = 0


UNLIMITED = Cap()


@dataclass(slots=True)
class _Booking:
    payers: tuple[str, ...]
    until: int | None
    """When it falls free; ``None`` once it is dialled with."""


class CallCaps:
    """Counts calls by payer: agents, groups, the house. Days are those of the site's time zone."""

    def __init__(self, zone: tzinfo = UTC) -> None:
        self._zone = zone
        self._day: date | None = None
        self._made: Counter[str] = Counter()
        self._open: Counter[str] = Counter()
        self._bookings: dict[str, _Booking] = {}
        self._number = 0

    def __len__(self) -> int:
        return len(self._bookings)

    def book(self, caps: dict[str, Cap], at: int) -> str | tuple[str, bool]:
        """Take a place with every payer, or none: returns the booking, or the payer whose cap is reached and whether
        it is the day's."""
        self._advance(at)
        for payer, cap in caps.items():
            if cap.per_day and self._made[payer] >= cap.per_day:
                return payer, True
            if cap.at_a_time and self._open[payer] >= cap.at_a_time:
                return payer, False
        self._number += 1
        booking = f"booking-{self._number}"
        self._bookings[booking] = _Booking(tuple(caps), at + UNDIALLED_MS)
        for payer in caps:
            self._made[payer] += 1
            self._open[payer] += 1
        return booking

    def dialled(self, booking: str) -> None:
        """The call is on its way: its place stays taken until ``over``."""
        found = self._bookings.get(booking)
        if found is not None:
            found.until = None

    def withdraw(self, booking: str) -> None:
        """The call is not made after all: its place is free, and it is none of the day's."""
        found = self._bookings.get(booking)
        if found is not None:
            self._made.subtract({payer: 1 for payer in found.payers if self._made[payer]})
            self.over(booking)

    def over(self, booking: str) -> None:
        """The call is over; harmless for a booking that is not open."""
        found = self._bookings.pop(booking, None)
        for payer in found.payers if found is not None else ():
            self._open[payer] -= 1
            if not self._open[payer]:
                del self._open[payer]

    def day_begins(self, at: int) -> int:
        """The last midnight before ``at`` (milliseconds since the epoch)."""
        day = datetime.fromtimestamp(at / 1_000, self._zone).replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
        return round(day.timestamp() * 1_000)

    def made_before(self, payer: str, calls: int, at: int) -> None:
        """Count calls of today that an earlier life of the process made."""
        self._advance(at)
        self._made[payer] += calls

    def _advance(self, at: int) -> None:
        day = datetime.fromtimestamp(at / 1_000, self._zone).date()
        if day != self._day:
            self._day = day
            self._made.clear()
        for booking in [name for name, one in self._bookings.items() if one.until is not None and one.until <= at]:
            self.over(booking)
