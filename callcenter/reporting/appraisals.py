"""Satisfaction, recommendation and scores of conversations. Pure.

Answers count where the customer was asked, scores where the conversation ended, so that a share and what it is a share
of are about the same interactions.
"""

from callcenter.appraisals.facts import ConversationScored, SurveyAnswered, SurveyAsked, SurveyKind
from callcenter.reporting.intervals import interval_of
from callcenter.reporting.postings import Measure, Posting, Subject, of_agent, of_queue

REMEMBERED_MS = 90 * 86_400_000
"""How long an interaction may be answered, or scored anew, and still be one."""
SATISFIED_FROM = 4
PROMOTER_FROM, DETRACTOR_TO = 9, 6


class Appraisals:
    """Who was asked, who answered, and the newest scores, as long as they may change."""

    def __init__(self) -> None:
        self._asked: dict[str, int] = {}
        self._answered: dict[str, int] = {}
        self._scored: dict[tuple[str, str], ConversationScored] = {}

    def take(self, fact: object) -> list[Posting]:
        """Fold one fact."""
        match fact:
            case SurveyAsked():
                return self._ask(fact)
            case SurveyAnswered():
                return self._answer(fact)
            case ConversationScored():
                return self._score(fact)
            case _:
                return []

    def _ask(self, fact: SurveyAsked) -> list[Posting]:
        if fact.call_id in self._asked:
            return []
        _forget(self._asked, fact.at)
        self._asked[fact.call_id] = fact.at
        return _posted(fact.at, _subjects(fact.queue_id, fact.agent_id), {Measure.SURVEYS_ASKED: 1})

    def _answer(self, fact: SurveyAnswered) -> list[Posting]:
        if fact.call_id in self._answered:
            return []
        _forget(self._answered, fact.at)
        self._answered[fact.call_id] = fact.at
        asked = fact.call_id in self._asked
        amounts = {Measure.SURVEYS_ANSWERED: 1, Measure.SURVEYS_ASKED: int(not asked)}
        if not asked:
            self._asked[fact.call_id] = fact.at
        if fact.kind is SurveyKind.CSAT:
            satisfied = int(fact.score >= SATISFIED_FROM)
            amounts |= {Measure.CSAT_ANSWERS: 1, Measure.CSAT_SATISFIED: satisfied, Measure.CSAT_POINTS: fact.score}
        else:
            promoter, detractor = int(fact.score >= PROMOTER_FROM), int(fact.score <= DETRACTOR_TO)
            amounts |= {Measure.NPS_ANSWERS: 1, Measure.NPS_PROMOTERS: promoter, Measure.NPS_DETRACTORS: detractor}
        at = self._asked[fact.call_id] if asked else fact.asked_at
        return _posted(at, _subjects(fact.queue_id, fact.agent_id), amounts)

    def _score(self, fact: ConversationScored) -> list[Posting]:
        whose = fact.contact_id or fact.call_id, fact.agent_id
        before = self._scored.pop(whose, None)
        while self._scored and next(iter(self._scored.values())).at < fact.at - REMEMBERED_MS:
            del self._scored[next(iter(self._scored))]
        self._scored[whose] = fact
        found = _posted(fact.talked_at, _subjects(fact.queue_id, fact.agent_id), _amounts(fact))
        if before is not None:
            taken_back = _posted(before.talked_at, _subjects(before.queue_id, before.agent_id), _amounts(before))
            found += [each._replace(amount=-each.amount) for each in taken_back]
        return found


def _amounts(fact: ConversationScored) -> dict[Measure, int]:
    return {Measure.QA_SCORED: 1, Measure.QA_POINTS: fact.score, Measure.QA_FATAL: int(fact.is_fatal)}


def _subjects(queue_id: str, agent_id: str) -> list[Subject]:
    return [*([of_queue(queue_id)] if queue_id else []), *([of_agent(agent_id)] if agent_id else [])]


def _posted(at: int, subjects: list[Subject], amounts: dict[Measure, int]) -> list[Posting]:
    interval = interval_of(at)
    return [Posting(interval, each, name, amount) for each in subjects for name, amount in amounts.items() if amount]


def _forget(remembered: dict[str, int], now: int) -> None:
    """Those come first that were remembered first."""
    while remembered and next(iter(remembered.values())) < now - REMEMBERED_MS:
        del remembered[next(iter(remembered))]
