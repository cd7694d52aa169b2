"""Reading ``[hours.NAME]``: a time zone, weekly periods, holidays."""

import re
from zoneinfo import ZoneInfo

from ivr.hours import MINUTES_A_DAY, Holiday, Hours, Period, WeeklyPeriod
from ivr.tables import TableReader

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

_CLOCK = re.compile(r"([01]\d|2[0-3]):([0-5]\d)|(24):(00)")
_DAY = re.compile("|".join(DAYS))


def read_hours(reader: TableReader) -> Hours:
    """One table of opening hours."""
    hours = Hours(
        timezone=_timezone(reader),
        weekly=tuple(_weekly(row) for row in reader.rows("weekly")),
        holidays=tuple(holiday for row in reader.rows("holidays") for holiday in _holidays(row)),
    )
    reader.close()
    return hours


def _timezone(reader: TableReader) -> str:
    name = reader.text("timezone")
    try:
        ZoneInfo(name or "UTC")
    except (KeyError, ValueError, OSError):  # not found; a path; a folder of the database
        reader.note(f"{name!r} is no time zone; give one such as 'Europe/Berlin' or 'Asia/Shanghai'", "timezone")
        return "UTC"
    return name or "UTC"


def _weekly(row: TableReader) -> WeeklyPeriod:
    days = frozenset(DAYS.index(day) for day in row.texts("days", pattern=_DAY) if day in DAYS)
    period = _period(row)
    row.close()
    return WeeklyPeriod(days, period)


def _holidays(row: TableReader) -> tuple[Holiday, ...]:
    dates = row.dates("date")
    periods = []
    for inner in row.rows("periods"):
        periods.append(_period(inner))
        inner.close()
    row.close()
    return tuple(Holiday(day, tuple(periods)) for day in dates)


def _period(row: TableReader) -> Period:
    start, end = _minute(row, "from"), _minute(row, "to")
    if start == end and row.has("from") and row.has("to"):
        row.note('begins and ends at the same time; a whole day is from = "00:00", to = "24:00"')
    return Period(start, end if start < end else end + MINUTES_A_DAY)


def _minute(row: TableReader, key: str) -> int:
    text = row.text(key)
    match = _CLOCK.fullmatch(text)
    if not match or (key == "from" and text == "24:00"):
        if text:
            row.note(f"{text!r} is no time of day; write it like 09:30", key)
        return 0
    hour, minute = (part for part in match.groups() if part)
    return int(hour) * 60 + int(minute)
