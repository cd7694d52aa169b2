"""What people write when they ask for a report, as the report understands it. Raises ``ValueError`` with what to write
instead. Pure."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from callcenter.reporting.book import Grain
from callcenter.reporting.intervals import INTERVAL_MS
from callcenter.reporting.postings import Rules

_LONGEST_SECONDS = 31_536_000
"""A year."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def grain_of(text: str) -> Grain:
    """``interval``, ``day`` or ``total``."""
    if text not in tuple(Grain):
        raise ValueError(f"by is {', '.join(Grain)}, not {text}")
    return Grain(text)


def zone_of(name: str) -> ZoneInfo:
    """A time zone by its name."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # a folder of zones is one, too
        raise ValueError(f"{name!r} is not a time zone; write one such as Europe/Berlin") from None


def instant_of(text: str, zone: ZoneInfo) -> int:
    """A day or a quarter hour of the zone, as milliseconds."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{text!r} is no instant; write 2026-03-29 or 2026-03-29T08:15") from None
    moment = moment.replace(tzinfo=zone) if moment.tzinfo is None else moment
    try:
        instant = (moment.astimezone(UTC) - _EPOCH) // timedelta(milliseconds=1)
    except OverflowError:
        raise ValueError(f"{text} lies beyond the years 1 to 9999") from None
    if instant % INTERVAL_MS:
        raise ValueError(f"{text} is not on a quarter hour")
    return instant


def window_of(start: str | None, end: str | None, zone: ZoneInfo) -> tuple[int | None, int | None]:
    """From and up to which instant; ``None`` is as far as the journal goes."""
    instants = [None if each is None else instant_of(each, zone) for each in (start, end)]
    if None not in instants and instants[0] > instants[1]:  # type: ignore[operator]
        raise ValueError(f"{end} is before {start}; the end comes after the beginning")
    return instants[0], instants[1]


def rules_of(targets: Iterable[str], short_abandon_seconds: float) -> Rules:
    """Targets of the service level, general or by queue, and the limit of a short abandon, in seconds."""
    general: int | None = None
    own: dict[str, int] = {}
    for text in targets:
        queue_id, _, seconds = text.rpartition("=")
        try:
            target_ms = _milliseconds(seconds)
        except ValueError:
            raise ValueError(f"target is 30, sales=30 or sales/message=7200, not {text}") from None
        if queue_id:
            own[queue_id] = target_ms
        else:
            general = target_ms
    return Rules(general, tuple(sorted(own.items())), _milliseconds(short_abandon_seconds))


def _milliseconds(seconds: str | float) -> int:
    value = float(seconds)
    if not 0 <= value <= _LONGEST_SECONDS:
        raise ValueError(f"{seconds} is no number of seconds from 0 to {_LONGEST_SECONDS}")
    return round(value * 1000)
