"""I11 of the auditor: each breach of it is found, and a sound journal has none."""

from dataclasses import replace

import pytest

from callcenter.appraisals.facts import ConversationScored, SurveyAnswered, SurveyAsked, SurveyKind
from callcenter.audit.opinions import opinion_breaches
from callcenter.calls.facts import CallArrived
from callcenter.workforce.activities import Activity
from callcenter.workforce.shifts import Shift, ShiftsPlanned
from tests.support.written_journal import NINE, WrittenJournal

pytestmark = pytest.mark.unit

ASKED = SurveyAsked("c", NINE + 2, SurveyKind.CSAT, "sales", "anna", "call")
ANSWERED = SurveyAnswered("c", NINE + 3, SurveyKind.CSAT, 5, "sales", "anna", "call", NINE + 2)
SCORED = ConversationScored("c", NINE + 4, "boss", "anna", "sales", NINE + 1, "calls", (), 8_000, is_fatal=False)
SHIFTS = (Shift("anna", NINE, NINE + 10, Activity.ON_QUEUE), Shift("anna", NINE + 10, NINE + 20, Activity.BREAK))
PLAN = ShiftsPlanned(NINE, "boss", ("anna",), NINE, NINE + 20, SHIFTS)


def breaches(*entries: object) -> list[str]:
    journal = WrittenJournal()
    journal.write(0, CallArrived("c", NINE, "+1", "", "", "", "", "main"))
    for at, entry in enumerate(entries, 1):
        journal.write(at, entry)
    return list(opinion_breaches(journal.rows))


def test_a_sound_journal_has_none() -> None:
    assert breaches(PLAN, ASKED, ANSWERED, SCORED) == []


@pytest.mark.parametrize(
    ("entries", "said"),
    [
        ((ASKED, ANSWERED, ANSWERED), "answers for c again"),
        ((replace(ANSWERED, score=6),), "answers csat with 6"),
        ((replace(ANSWERED, kind=SurveyKind.NPS, score=11),), "answers nps with 11"),
        ((ASKED, replace(ANSWERED, at=NINE + 1)), "answers before it was asked"),
        ((replace(ASKED, call_id="d"),), "is about d, which never began"),
        ((replace(SCORED, call_id="d"),), "is about d, which never began"),
        ((replace(SCORED, is_fatal=True),), "and is fatal"),
        ((replace(SCORED, score=10_001),), "scores 10001"),
        ((replace(PLAN, shifts=(SHIFTS[0], replace(SHIFTS[1], start=NINE + 9))),), "plans anna twice at a time"),
        ((replace(PLAN, end=NINE + 19),), "or outside of the plan"),
        ((replace(PLAN, shifts=(replace(SHIFTS[0], agent_id="ben"),)),), "whom it does not name"),
    ],
)
def test_each_breach_is_named(entries: tuple[object, ...], said: str) -> None:
    (found,) = breaches(*entries)
    assert found.startswith("I11: entry ")
    assert said in found
