"""CSAT, NPS, response rate and scores: counted by hand."""

import pytest

from callcenter.appraisals.facts import ConversationScored, SurveyAnswered, SurveyAsked, SurveyKind
from callcenter.reporting.book import Grain
from callcenter.reporting.postings import of_agent, of_queue
from callcenter.reporting.report import Wanted, report
from tests.support.written_journal import NINE, WrittenJournal

pytestmark = pytest.mark.unit

HOUR = 3_600_000
WHO = ("sales", "anna")


def journal() -> WrittenJournal:
    found = WrittenJournal()
    found.floor(0, "anna")
    return found


def ask(hand: WrittenJournal, call_id: str, kind: SurveyKind, score: int | None, *, after: int = HOUR) -> None:
    hand.write(0, SurveyAsked(call_id, NINE, kind, *WHO, "sms"))
    if score is not None:
        hand.write(after, SurveyAnswered(call_id, NINE + after, kind, score, *WHO, "sms", NINE))


def both(hand: WrittenJournal) -> dict[str, object]:
    hand.rows.sort(key=lambda row: row.at)
    hand.rows = [row.__class__(seq, row.at, row.kind, row.entry) for seq, row in enumerate(hand.rows, 1)]
    anna, sales = (
        next(line.values for line in report(hand.rows).lines if line.subject == subject)
        for subject in (of_agent("anna"), of_queue("sales"))
    )
    names = [name for name in sales if name.startswith(("survey", "csat", "nps", "qa"))]
    assert {name: anna[name] for name in names} == {name: sales[name] for name in names}
    return anna


def test_satisfied_are_the_two_best_of_five() -> None:
    """Eight asked, five answered 5, 4, 4, 3, 1: three of five satisfied."""
    hand = journal()
    for number, score in enumerate((5, 4, 4, 3, 1, None, None, None)):
        ask(hand, f"c{number}", SurveyKind.CSAT, score)
    found = both(hand)
    assert (found["surveys_asked"], found["surveys_answered"], found["survey_response_rate"]) == (8, 5, 0.625)
    assert (found["csat"], found["csat_mean"], found["nps"]) == (0.6, 3.4, None)


def test_promoters_less_detractors() -> None:
    """10, 9, 9, 8, 7, 6, 0: three of seven promote, two detract."""
    hand = journal()
    for number, score in enumerate((10, 9, 9, 8, 7, 6, 0)):
        ask(hand, f"c{number}", SurveyKind.NPS, score)
    found = both(hand)
    assert found["nps"] == pytest.approx(1 / 7)
    assert (found["nps_answers"], found["csat"]) == (7, None)


def test_only_the_first_answer_counts_and_an_answer_that_nobody_asked_for_was_asked() -> None:
    hand = journal()
    for score in (1, 5):
        hand.write(HOUR, SurveyAnswered("c", NINE + HOUR, SurveyKind.CSAT, score, *WHO, "sms", NINE + HOUR))
    found = both(hand)
    assert (found["surveys_asked"], found["csat_answers"], found["csat"]) == (1, 1, 0.0)


def test_an_answer_counts_where_it_was_asked_for() -> None:
    hand = journal()
    ask(hand, "c", SurveyKind.CSAT, 5, after=3 * HOUR)
    lines = report(hand.rows, Wanted(grain=Grain.INTERVAL)).lines
    answered = [line.values["surveys_answered"] for line in lines if line.subject == of_agent("anna")]
    assert answered[0] == 1 == sum(answered)  # type: ignore[arg-type]


def scored(at: int, call_id: str, score: int, *, is_fatal: bool = False, by: str = "boss") -> ConversationScored:
    return ConversationScored(call_id, NINE + at, by, "anna", "sales", NINE, "calls", (), score, is_fatal)


def test_scores_are_averaged_and_the_newest_of_a_conversation_holds() -> None:
    """80 % and 0 % (fatal); the 80 was 40 before."""
    hand = journal()
    hand.write(HOUR, scored(HOUR, "a", 4_000))
    hand.write(2 * HOUR, scored(2 * HOUR, "b", 0, is_fatal=True))
    hand.write(3 * HOUR, scored(3 * HOUR, "a", 8_000, by="lead"))
    found = both(hand)
    assert (found["qa_scored"], found["qa_fatal"], found["qa_score"]) == (2, 1, pytest.approx(0.4))
