"""A report: a journal's rows folded, added up by period, and every metric worked out. Pure.

It ends at the newest instant that the journal knows, or at the end of the window when that is earlier; so the same
journal always gives the same report.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from acd.events import Channel
from callcenter.journal import JournalRow
from callcenter.reporting.book import Book, Grain, Sums, total
from callcenter.reporting.intervals import INTERVAL_MS, Period, interval_of
from callcenter.reporting.item_lines import SEPARATOR
from callcenter.reporting.metrics import Value, evaluate
from callcenter.reporting.ordering import InOrder
from callcenter.reporting.postings import Measure, Rules, Subject, SubjectKind
from callcenter.reporting.statistics import Statistics

EVERYBODY = ""
"""Id of the line that is all queues, or all agents, together."""
FOREVER = 1 << 62


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a report is about. Instants in milliseconds on boundaries of intervals; ``None`` is the journal's own."""

    start: int | None = None
    end: int | None = None
    grain: Grain = Grain.TOTAL
    zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("UTC"))
    """Whose days ``Grain.DAY`` means."""
    rules: Rules = field(default_factory=Rules)
    queues: frozenset[str] = frozenset()
    """Ids; empty: all of them."""
    agents: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Target:
    """So large a share, in per cent, of the contacts is to be answered within so long."""

    within_ms: int
    percent: int


@dataclass(frozen=True, slots=True)
class Line:
    """One queue or agent in one period."""

    subject: Subject
    name: str
    period: Period
    values: dict[str, Value]
    """Metric id to figure."""
    target: Target | None = None
    """Of a queue: the service level that held when the report ends."""


@dataclass(frozen=True, slots=True)
class Report:
    """What ``report`` found. ``divergences``, ``missing`` and ``dropped`` are 0 for a sound journal."""

    window: Period
    horizon: int
    """How far the journal, or the window, goes."""
    wanted: Wanted
    lines: tuple[Line, ...]
    divergences: int
    """See ``RoutingReplay``."""
    missing: int
    """Entries that the journal skips."""
    dropped: int
    """Entries that came twice or too late."""


class RunningReport:
    """A report that goes on: read what is new in the journal, ask for the report so far, read on."""

    def __init__(self, wanted: Wanted | None = None) -> None:
        self.wanted = wanted or Wanted()
        self._statistics = Statistics(self.wanted.rules)
        self._limits = Period(self.wanted.start or 0, FOREVER if self.wanted.end is None else self.wanted.end)
        self._book = Book(self.wanted.grain, zone=self.wanted.zone, window=self._limits)
        self._last_seq = self._missing = self._dropped = 0

    def read(self, rows: Iterable[JournalRow]) -> None:
        """Fold rows. What was read before is dropped; what comes mixed up within one call is put in order."""
        ordered = InOrder(rows, self._last_seq)
        for row in ordered:
            self._book.post(self._statistics.take(row))
        self._last_seq = ordered.last_seq
        self._missing += ordered.missing
        self._dropped += ordered.dropped

    def report(self) -> Report:
        """What was read so far adds up to this. Changes nothing."""
        statistics, book = self._statistics, self._book.copy()
        book.post(statistics.up_to(statistics.last_at))
        window = _window(statistics, self._limits)
        known = Period(max(statistics.first_at or 0, window.start), min(statistics.last_at, window.end))
        lines = _lines(book, statistics, self.wanted, window, known)
        return Report(window, known.end, self.wanted, lines, statistics.divergences, self._missing, self._dropped)


def report(rows: Iterable[JournalRow], wanted: Wanted | None = None) -> Report:
    """Fold a whole journal from its beginning. Rows may come in any order and more than once."""
    running = RunningReport(wanted)
    running.read(rows)
    return running.report()


def _window(statistics: Statistics, limits: Period) -> Period:
    """The limits, as far as the journal knows anything about them."""
    first, last = interval_of(statistics.first_at or 0), interval_of(statistics.last_at) + INTERVAL_MS
    start = max(limits.start, first)
    return Period(start, max(start, min(limits.end, last)))


def _lines(book: Book, statistics: Statistics, wanted: Wanted, window: Period, known: Period) -> tuple[Line, ...]:
    found: list[Line] = []
    for period in book.periods(window.start, window.end):
        for kind, chosen in ((SubjectKind.QUEUE, wanted.queues), (SubjectKind.AGENT, wanted.agents)):
            subjects = [
                subject
                for subject in sorted(statistics.names)
                if subject.kind is kind and (not chosen or subject.id.partition(SEPARATOR)[0] in chosen)
            ]
            level_at = min(known.end, window.end - 1)
            sums = [_with_length(book.sums(period, subject, horizon=level_at), period, known) for subject in subjects]
            found += _evaluated(kind, subjects, sums, period, statistics)
    return tuple(found)


def _with_length(sums: Sums, period: Period, known: Period) -> Sums:
    length_ms = max(0, min(period.end, known.end) - max(period.start, known.start))
    return {**sums, Measure.PERIOD_MS: length_ms}


def _target(subject: Subject, statistics: Statistics) -> Target | None:
    if subject.kind is not SubjectKind.QUEUE:
        return None
    queue_id, _, channel = subject.id.partition(SEPARATOR)
    promised = statistics.waits.targets.of(queue_id, Channel(channel or Channel.VOICE))
    return Target(statistics.waits.target_of(subject.id), promised.percent)


def _evaluated(
    kind: SubjectKind, subjects: Sequence[Subject], sums: Sequence[Sums], period: Period, statistics: Statistics
) -> list[Line]:
    lines = [
        Line(subject, statistics.names[subject], period, evaluate(kind, each), _target(subject, statistics))
        for subject, each in zip(subjects, sums, strict=True)
    ]
    calls = [each for subject, each in zip(subjects, sums, strict=True) if SEPARATOR not in subject.id]
    if len(calls) > 1:
        lines.append(Line(Subject(kind, EVERYBODY), "", period, evaluate(kind, total(calls))))
    return lines
