"""I12: what a report says of calls out, consultations, transfers and first-contact resolution, counted anew.

Each is told a second time from raw entries, in the plainest way there is: everything about a call or a customer is
gathered first and then looked at. Nothing there shares code with the folds of ``callcenter.reporting``, which it can
contradict. Pure.
"""

from collections import Counter
from collections.abc import Iterator, Sequence

from callcenter.audit.asked import recount_consultations
from callcenter.audit.dialled import recount_calls_out
from callcenter.audit.handed_on import recount_handed_on
from callcenter.audit.handled import recount_handled
from callcenter.audit.quarters import Counts
from callcenter.audit.resolved import DAYS, recount_resolutions
from callcenter.journal import JournalRow
from callcenter.reporting.postings import Rules
from callcenter.reporting.statistics import Statistics

COUNTED = frozenset(
    {
        *("dials", "live_answers", "dropped", "dropped_after_greeting", "right_party"),
        *("consultations", "consulting_split_ms", "consulted", "consulted_split_ms"),
        *("consulting_closed_ms", "consulted_closed_ms", "handled_consulted"),
        *("transferred", "transferred_consulted", "transferred_to_queue"),
        *(f"resolved.{days}.{what}" for days in DAYS for what in ("contacts", "any", "same")),
    }
)
"""The measures of a report that are counted anew; its rates are one of them divided by another."""


def figure_breaches(rows: Sequence[JournalRow]) -> Iterator[str]:
    """Every such measure of every queue and agent in every quarter of an hour, by the report and by the recount."""
    recounted: Counts = Counter()
    recounts = (recount_calls_out, recount_consultations, recount_handled, recount_handed_on, recount_resolutions)
    for recount in recounts:
        for place, amount in recount(rows):
            recounted[place] += amount
    reported = reported_counts(rows)
    for place in sorted(reported.keys() | recounted.keys()):
        if reported[place] != recounted[place]:
            at, kind, name, measure = place
            yield (
                f"I12: {measure} of {kind} {name} at {at}: "
                f"{reported[place]} reported, {recounted[place]} by the entries"
            )


def reported_counts(rows: Sequence[JournalRow]) -> Counts:
    """What the report's own folds say."""
    statistics, counts = Statistics(Rules()), Counts()
    for row in rows:
        for interval, subject, measure, amount in statistics.take(row):
            if measure in COUNTED:
                counts[interval, subject.kind, subject.id, measure] += amount
    for interval, subject, measure, amount in statistics.up_to(statistics.last_at):
        if measure in COUNTED:
            counts[interval, subject.kind, subject.id, measure] += amount
    return counts
