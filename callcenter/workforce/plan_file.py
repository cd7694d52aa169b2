"""Rosters as CSV, in and out. Pure.

A line is a stretch of one agent: ``agent,from,to,activity,paid,time_zone``. ``from`` and ``to`` are instants of ISO
8601; without an offset they are of the line's time zone, or of the one that whoever asks names. ``paid`` is yes where
it is left out. A break, training or meeting may lie within a stretch at the queues, which then goes on around it.
"""

import csv
import io
import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from callcenter.workforce.activities import PLANNED, Activity
from callcenter.workforce.shifts import Shift, ShiftsPlanned

COLUMNS = ("agent", "from", "to", "activity", "paid", "time_zone")
_NEEDED = COLUMNS[:4]
MAX_LINES = 20_000
MAX_DAYS = 366
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_YES_OR_NO: Mapping[str, bool] = {
    "": True, "yes": True, "true": True, "1": True, "no": False, "false": False, "0": False,
}  # fmt: skip


class PlanFault(ValueError):
    """A line that cannot be taken; the text says which, what is wrong, and what would be right."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(f"line {line}: {message}")
        self.line = line


def read_plan(text: str, *, zone: ZoneInfo, at: int, by: str) -> ShiftsPlanned:
    """A file as the plan of the agents it names, for all days of ``zone`` from its first to its last. Raises
    ``PlanFault``."""
    lines = list(_lines(text, zone))
    if not lines:
        raise PlanFault(1, "the file plans nothing; it needs a line for each shift")
    agents = tuple(sorted({shift.agent_id for _, shift in lines}))
    shifts = tuple(shift for agent_id in agents for shift in _laid_over(agent_id, lines))
    start = _midnight(min(shift.start for _, shift in lines), zone, 0)
    end = _midnight(max(shift.end for _, shift in lines) - 1, zone, 1)
    if end - start > MAX_DAYS * 86_400_000:
        raise PlanFault(lines[-1][0], f"the file is about more than {MAX_DAYS} days; bring it in parts")
    return ShiftsPlanned(at, by, agents, start, end, shifts)


def write_plan(shifts: Iterable[Shift], zone: ZoneInfo) -> str:
    """Shifts as a file that ``read_plan`` takes."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for each in shifts:
        times = (_local(instant, zone).isoformat(timespec="minutes") for instant in (each.start, each.end))
        writer.writerow((each.agent_id, *times, each.activity, "yes" if each.paid else "no", zone.key))
    return text.getvalue()


def _lines(text: str, zone: ZoneInfo) -> Iterator[tuple[int, Shift]]:
    reader = csv.DictReader(io.StringIO(text.removeprefix("\ufeff")), strict=True)
    try:
        present = [name.strip().lower() for name in reader.fieldnames or ()]
        missing = [name for name in _NEEDED if name not in present]
        if missing:
            raise PlanFault(1, f"no column {', '.join(missing)}; the first line names {','.join(COLUMNS)}")
        reader.fieldnames = present
        for count, row in enumerate(reader):
            if count >= MAX_LINES:
                raise PlanFault(reader.line_num, f"more than {MAX_LINES} lines; bring the file in parts")
            yield reader.line_num, _shift(reader.line_num, row, zone)
    except csv.Error as error:
        raise PlanFault(reader.line_num, f"this is no CSV: {error}") from None


def _shift(line: int, row: Mapping[str, str | None], zone: ZoneInfo) -> Shift:
    said = {name: (row.get(name) or "").strip() for name in COLUMNS}
    if not said["agent"]:
        raise PlanFault(line, "no agent; write the agent's id")
    own = _zone(line, said["time_zone"]) if said["time_zone"] else zone
    start, end = (_instant(line, said[name], own) for name in ("from", "to"))
    if end <= start:
        raise PlanFault(line, f"{said['to']} is not after {said['from']}")
    if said["activity"].lower() not in PLANNED:
        raise PlanFault(line, f"{said['activity']!r} is no activity; write {', '.join(PLANNED)}")
    paid = _YES_OR_NO.get(said["paid"].lower())
    if paid is None:
        raise PlanFault(line, f"paid is yes or no, not {said['paid']!r}")
    return Shift(said["agent"], start, end, Activity(said["activity"].lower()), paid)


def _zone(line: int, name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        raise PlanFault(line, f"{name!r} is no time zone; write one such as Europe/Berlin") from None


def _instant(line: int, text: str, zone: ZoneInfo) -> int:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise PlanFault(line, f"{text!r} is no instant; write 2026-03-02T09:00") from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=zone)
        if moment.astimezone(UTC).astimezone(zone).replace(tzinfo=None) != moment.replace(tzinfo=None):
            raise PlanFault(line, f"{text} is not there in {zone.key}: the clocks are put forward")
    return (moment.astimezone(UTC) - _EPOCH) // timedelta(milliseconds=1)


def _laid_over(agent_id: str, lines: Sequence[tuple[int, Shift]]) -> Iterator[Shift]:
    """An agent's stretches in order, those at the queues cut by what lies within them."""
    own = sorted(((line, each) for line, each in lines if each.agent_id == agent_id), key=lambda each: each[1].start)
    at_queues = [each for each in own if each[1].activity is Activity.ON_QUEUE]
    others = [each for each in own if each[1].activity is not Activity.ON_QUEUE]
    _check_apart(at_queues)
    _check_apart(others)
    found = [each for _, each in others]
    for _, shift in at_queues:
        there = shift.start
        for _, other in others:
            if other.end <= there or other.start >= shift.end:
                continue
            if other.start > there:
                found.append(replace(shift, start=there, end=other.start))
            there = other.end
        if there < shift.end:
            found.append(replace(shift, start=there))
    yield from sorted(found, key=lambda each: each.start)


def _check_apart(lines: Sequence[tuple[int, Shift]]) -> None:
    for (earlier, before), (line, after) in itertools.pairwise(lines):
        if after.start < before.end:
            raise PlanFault(line, f"{after.agent_id} is planned twice at a time: see line {earlier}")


def _midnight(instant: int, zone: ZoneInfo, days: int) -> int:
    day = _local(instant, zone).replace(tzinfo=None, hour=0, minute=0, second=0, microsecond=0) + timedelta(days=days)
    return (day.replace(tzinfo=zone).astimezone(UTC) - _EPOCH) // timedelta(milliseconds=1)


def _local(instant: int, zone: ZoneInfo) -> datetime:
    return (_EPOCH + timedelta(milliseconds=instant)).astimezone(zone)
