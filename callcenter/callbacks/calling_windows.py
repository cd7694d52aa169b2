"""When a customer may be called: days and hours on the customer's own clock. Pure.

Where the clock hangs is told by the customer store, else by the number. A number that may be in several zones is called
only when the hour suits in all of them.
"""

from collections.abc import Sequence
from dataclasses import replace

import phonenumbers
import phonenumbers.timezone

from ivr.hours import Hours, is_open, next_change

MOST_CHANGES = 2_000
"""How many openings are looked at before a window that suits all zones is given up."""


def zones_of(number: str) -> tuple[str, ...]:
    """The time zones (IANA names) that a number in international form may be in; none when nobody can say."""
    try:
        found = phonenumbers.timezone.time_zones_for_number(phonenumbers.parse(number, None))
    except phonenumbers.NumberParseException:
        return ()
    return tuple(zone for zone in found if zone != phonenumbers.timezone.UNKNOWN_TIMEZONE)


def next_call_at(hours: Hours, zones: Sequence[str], now: int) -> int | None:
    """The first instant from ``now`` (milliseconds) on at which it is within ``hours`` in every zone; ``None`` when
    that is not to be expected. Without zones the hours' own holds."""
    clocks = [replace(hours, timezone=zone) for zone in zones] or [hours]
    at = now
    for _ in range(MOST_CHANGES):
        closed = next((clock for clock in clocks if not is_open(clock, at)), None)
        if closed is None:
            return at
        opening = next_change(closed, at)
        if opening is None:
            return None
        at = opening
    return None
