"""I11: rosters, surveys and scores say what can be. Recounted from raw entries, without the code that wrote them."""

from collections.abc import Iterator, Sequence
from itertools import pairwise

from callcenter.appraisals.facts import ConversationScored, SurveyAnswered, SurveyAsked
from callcenter.calls.facts import CallArrived
from callcenter.channels.facts import ItemArrived
from callcenter.journal import JournalRow
from callcenter.workforce.shifts import ShiftsPlanned

_MOST = {"csat": 5, "nps": 10}
_LEAST = {"csat": 1, "nps": 0}


def opinion_breaches(rows: Sequence[JournalRow]) -> Iterator[str]:
    """Shifts of an agent are apart; a survey is answered once, within its bounds, about a contact that was there; a
    fatal fault is a score of nothing."""
    began = {row.entry.call_id for row in rows if isinstance(row.entry, CallArrived)}
    began |= {row.entry.contact_id for row in rows if isinstance(row.entry, ItemArrived)}
    since = rows[0].at if rows else 0
    answered: set[str] = set()
    asked: dict[str, int] = {}
    for row in rows:
        entry = row.entry
        if isinstance(entry, ShiftsPlanned):
            yield from _plan(entry, row.seq)
        elif isinstance(entry, SurveyAsked):
            if entry.call_id in asked and entry.how != "call":
                yield f"I11: entry {row.seq} asks about {entry.call_id} again"
            asked.setdefault(entry.call_id, entry.at)
        elif isinstance(entry, SurveyAnswered):
            yield from _answer(entry, row.seq, asked.get(entry.call_id), again=entry.call_id in answered)
            answered.add(entry.call_id)
        elif isinstance(entry, ConversationScored):
            yield from _score(entry, row.seq)
        about = entry.call_id if isinstance(entry, SurveyAsked | SurveyAnswered | ConversationScored) else None
        whole = not isinstance(entry, ConversationScored) or entry.talked_at >= since
        if about is not None and about not in began and rows[0].seq == 1 and whole:
            yield f"I11: entry {row.seq} is about {about}, which never began"


def _plan(plan: ShiftsPlanned, seq: int) -> Iterator[str]:
    for agent_id in plan.agent_ids:
        own = sorted((each.start, each.end) for each in plan.shifts if each.agent_id == agent_id)
        apart = all(before[1] <= after[0] for before, after in pairwise(own))
        within = all(plan.start <= start < end <= plan.end for start, end in own)
        if not (apart and within):
            yield f"I11: entry {seq} plans {agent_id} twice at a time, or outside of the plan"
    if any(each.agent_id not in plan.agent_ids for each in plan.shifts):
        yield f"I11: entry {seq} plans somebody whom it does not name"


def _answer(entry: SurveyAnswered, seq: int, asked_at: int | None, *, again: bool) -> Iterator[str]:
    if again:
        yield f"I11: entry {seq} answers for {entry.call_id} again"
    if not _LEAST[entry.kind] <= entry.score <= _MOST[entry.kind]:
        yield f"I11: entry {seq} answers {entry.kind} with {entry.score}"
    if entry.asked_at > entry.at or (asked_at is not None and entry.at < asked_at):
        yield f"I11: entry {seq} answers before it was asked"


def _score(entry: ConversationScored, seq: int) -> Iterator[str]:
    if not 0 <= entry.score <= 10_000 or (entry.is_fatal and entry.score):
        fault = ", and is fatal" if entry.is_fatal else ""
        yield f"I11: entry {seq} scores {entry.score} hundredths of a per cent{fault}"
