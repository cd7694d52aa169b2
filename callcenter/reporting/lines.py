"""How lines sounded: of a queue those of its customers, of an agent the own one. Pure."""

from callcenter.calls.participants import Role
from callcenter.calls.quality_facts import LegMeasured
from callcenter.media.quality import POOR_BELOW
from callcenter.reporting.intervals import interval_of
from callcenter.reporting.postings import Measure, Posting, Subject, of_agent, of_queue


def line_postings(fact: LegMeasured) -> list[Posting]:
    """What a leg that was measured adds; nothing for one that nothing came from, or that was nobody's."""
    whose = _whose(fact)
    if fact.mos is None or whose is None:
        return []
    interval = interval_of(fact.at)
    return [
        Posting(interval, whose, Measure.LINES_MEASURED, 1),
        Posting(interval, whose, Measure.LINES_POOR, int(fact.mos < POOR_BELOW)),
        Posting(interval, whose, Measure.MOS_HUNDREDTHS, round(100 * fact.mos)),
    ]


def _whose(fact: LegMeasured) -> Subject | None:
    if fact.role == Role.CUSTOMER:
        return of_queue(fact.queue_id) if fact.queue_id else None
    return of_agent(fact.agent_id) if fact.agent_id else None
