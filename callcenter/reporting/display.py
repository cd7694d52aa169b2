"""A report for people (tables) and for programs (JSON, CSV). Rounding and time zones happen here and nowhere else."""

import csv
import io
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from rich.console import ConsoleRenderable, Group
from rich.table import Table
from rich.text import Text

from callcenter.reporting.book import Grain
from callcenter.reporting.intervals import Period
from callcenter.reporting.metrics import METRICS, Unit, Value
from callcenter.reporting.postings import SubjectKind
from callcenter.reporting.report import EVERYBODY, Line, Report, Target

_UNIT_OF = {metric.id: metric.unit for metric in METRICS}
_VERSION_OF = {metric.id: metric.version for metric in METRICS}

Columns = Sequence[tuple[str, str]]
"""Heading and metric id."""

_QUEUE_CONTACTS: Columns = (
    ("Offered", "offered"), ("Answered", "answered"), ("Abandoned", "abandoned"), ("Short", "short_abandoned"),
    ("Flowed out", "flowed_out"), ("In progress", "in_progress"), ("Abandon rate", "abandon_rate"),
)  # fmt: skip
_QUEUE_LEVELS: Columns = (
    ("A", "service_level_a"), ("B", "service_level_b"), ("C", "service_level_c"), ("D", "service_level_d"),
    ("D + flow-outs", "service_level_d_flow"), ("E", "service_level_e"),
)  # fmt: skip
_QUEUE_TIMES: Columns = (
    ("ASA", "asa"), ("To abandon", "time_to_abandon"), ("Max wait", "max_wait"), ("Mean queue", "mean_queue"),
    ("Handled", "handled"), ("Talk", "talk_closed"), ("Wrap-up", "wrap_up_closed"), ("AHT", "aht"),
    ("RONA", "rona_rate"), ("Erlang", "carried_load"),
)  # fmt: skip
_AGENT_WORK: Columns = (
    ("Answered", "answered"), ("Handled", "handled"), ("Talk", "talk_closed"), ("Wrap-up", "wrap_up_closed"),
    ("AHT", "aht"), ("AHT of seat", "aht_of_seat"), ("At once", "concurrency"),
    ("Occupancy", "occupancy"), ("Signed in", "signed_in"), ("Per hour", "contacts_per_hour"),
    ("Offers", "offers"), ("RONA", "rona_rate"),
)  # fmt: skip

_LINES: Columns = (
    ("Lines", "lines_measured"), ("Mean MOS", "mean_mos"), ("Poor", "lines_poor"), ("Poor rate", "poor_line_rate"),
)  # fmt: skip


def tables(report: Report) -> Group:
    """The report as tables of a terminal."""
    queues = [line for line in report.lines if line.subject.kind is SubjectKind.QUEUE]
    agents = [line for line in report.lines if line.subject.kind is SubjectKind.AGENT]
    parts: list[ConsoleRenderable] = [
        Text(f"{_span(report, Period(report.window.start, report.horizon))}  {report.wanted.zone.key}", style="bold"),
        _table("Contacts", report, queues, _QUEUE_CONTACTS),
        _levels(report, queues),
        _table("Times of contacts", report, queues, _QUEUE_TIMES),
        _table("Agents", report, agents, _AGENT_WORK),
        _table("Quality of customers' lines", report, queues, _LINES),
        _table("Quality of agents' lines", report, agents, _LINES),
        _table_by_name("Time in states", report, agents, "time_by_state_split"),
        _table_by_name("Time not ready by reason", report, agents, "not_ready_by_reason_split"),
        *(Text(warning, style="yellow") for warning in warnings(report)),
    ]
    return Group(*parts)


def warnings(report: Report) -> Iterator[str]:
    """What makes the figures doubtful."""
    if report.divergences:
        yield (
            f"{report.divergences} routing decisions come out otherwise than they were taken: offers and times in "
            "states are doubtful; `callcenter replay` tells from where on"
        )
    if report.missing:
        yield f"{report.missing} entries are missing from the journal; `callcenter audit` tells which"
    if report.dropped:
        yield f"{report.dropped} entries came twice or too late and were not counted"


def as_json(report: Report) -> str:
    """The report as one JSON object; durations in milliseconds, shares from 0 to 1, nothing rounded."""
    rules = report.wanted.rules
    return json.dumps(
        {
            "from": _utc(report.window.start),
            "to": _utc(report.window.end),
            "horizon": _utc(report.horizon),
            "grain": report.wanted.grain,
            "time_zone": report.wanted.zone.key,
            "rules": {
                "target_ms": rules.target_ms,
                "targets_ms": dict(rules.targets_ms),
                "short_abandon_ms": rules.short_abandon_ms,
            },
            "formulas": [
                {
                    "id": each.id,
                    "version": each.version,
                    "unit": each.unit,
                    "of": each.subjects,
                    "formula": each.formula,
                }
                for each in METRICS
            ],
            "queues": [_object(line) for line in report.lines if line.subject.kind is SubjectKind.QUEUE],
            "agents": [_object(line) for line in report.lines if line.subject.kind is SubjectKind.AGENT],
            "warnings": list(warnings(report)),
        },
        ensure_ascii=False,
    )


def as_csv(report: Report) -> str:
    """One row for each figure; nothing rounded, an empty value where there is none."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("from", "to", "kind", "id", "name", "metric", "version", "unit", "value"))
    for line in report.lines:
        place = _utc(line.period.start), _utc(line.period.end), line.subject.kind, line.subject.id, _safe(line.name)
        for metric, value in line.values.items():
            for name, amount in _flat(metric, value):
                writer.writerow((*place, name, _VERSION_OF[metric], _UNIT_OF[metric], "" if amount is None else amount))
    return text.getvalue()


def _safe(name: str) -> str:
    """A name that no spreadsheet takes for a formula."""
    return f"'{name}" if name.startswith(("=", "+", "-", "@", "\t", "\r")) else name


def _flat(metric: str, value: Value) -> Iterator[tuple[str, int | float | None]]:
    if isinstance(value, dict):
        yield from ((f"{metric}.{name}", amount) for name, amount in value.items())
    else:
        yield metric, value


def _object(line: Line) -> dict[str, Any]:
    return {
        "id": line.subject.id or None,
        "name": line.name or None,
        **({} if line.target is None else {"target": asdict(line.target)}),
        "from": _utc(line.period.start),
        "to": _utc(line.period.end),
        "metrics": line.values,
    }


def _table(title: str, report: Report, lines: Sequence[Line], columns: Columns) -> Table:
    return _filled(title, report, lines, [heading for heading, _ in columns], lambda line: [
        _text(line.values[metric], _UNIT_OF[metric]) for _, metric in columns
    ])  # fmt: skip


def _levels(report: Report, lines: Sequence[Line]) -> Table:
    """The service levels, each queue beside its target."""
    headings = ["Target", *(heading for heading, _ in _QUEUE_LEVELS)]
    return _filled("Service level", report, lines, headings, lambda line: [
        _promise(line.target), *(_text(line.values[metric], _UNIT_OF[metric]) for _, metric in _QUEUE_LEVELS)
    ])  # fmt: skip


def _promise(target: Target | None) -> str:
    return "-" if target is None else f"{target.percent} % in {_span_of(target.within_ms)}"


def _span_of(ms: int) -> str:
    """A round duration in its largest unit: 20 s, 15 min, 4 h; with two units where one is not enough."""
    parts = []
    for unit, length in (("d", 86_400_000), ("h", 3_600_000), ("min", 60_000)):
        count, ms = divmod(ms, length)
        parts += [f"{count} {unit}"] if count else []
    parts += [f"{ms / 1000:g} s"] if ms or not parts else []
    return " ".join(parts[:2])


def _table_by_name(title: str, report: Report, lines: Sequence[Line], metric: str) -> Table:
    values = {id(line): value for line in lines if isinstance(value := line.values[metric], dict)}
    names = sorted({name for value in values.values() for name in value})
    return _filled(title, report, lines, [name.replace("_", " ") for name in names], lambda line: [
        _text(values[id(line)].get(name), Unit.MS) for name in names
    ])  # fmt: skip


def _filled(
    title: str, report: Report, lines: Sequence[Line], headings: Sequence[str], cells: Callable[[Line], list[str]]
) -> Table:
    table = Table(title=title, title_justify="left")
    by_period = report.wanted.grain is not Grain.TOTAL
    if by_period:
        table.add_column("From", no_wrap=True)
    table.add_column("Agent" if lines and lines[0].subject.kind is SubjectKind.AGENT else "Queue")
    for heading in headings:
        table.add_column(Text(heading), justify="right")
    for line in lines:
        name = "all" if line.subject.id == EVERYBODY else line.name or line.subject.id
        when = [_local(line.period.start, report.wanted.zone)] if by_period else []
        table.add_row(*when, Text(name), *cells(line), style="bold" if line.subject.id == EVERYBODY else None)
    return table


def _text(value: Value, unit: Unit) -> str:
    if value is None or isinstance(value, dict):
        return "-"
    match unit:
        case Unit.SHARE:
            return f"{value:.1%}"
        case Unit.MS:
            return _duration(value)
        case _:
            return str(value) if isinstance(value, int) else f"{value:.2f}"


def _duration(ms: float) -> str:
    seconds = round(ms / 1000)
    if seconds < 60:
        return f"{ms / 1000:.1f} s" if seconds < 10 else f"{seconds} s"
    hours, minutes, seconds = seconds // 3600, seconds // 60 % 60, seconds % 60
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


def _span(report: Report, period: Period) -> str:
    zone = report.wanted.zone
    return f"{_local(period.start, zone)} to {_local(period.end, zone)}"


def _local(instant: int, zone: ZoneInfo) -> str:
    return datetime.fromtimestamp(instant / 1000, UTC).astimezone(zone).strftime("%Y-%m-%d %H:%M %z")


def _utc(instant: int) -> str:
    return datetime.fromtimestamp(instant / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
