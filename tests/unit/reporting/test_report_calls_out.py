"""Dials, live answers, drops by two clocks, and the right person: counted by hand."""

import pytest

from callcenter.calls.callback_facts import CallbackDialled, CallbackRequested
from callcenter.calls.facts import CallAnswered, CallArrived, CallConnected, CallQueued, Outcome, WrapUpRecorded
from callcenter.code_meanings import CodesConfigured, WrapUpMeaning
from callcenter.reporting.postings import Subject, of_agent, of_queue
from callcenter.reporting.report import report
from tests.support.written_journal import NINE, WrittenJournal

pytestmark = pytest.mark.unit

SECOND = 1_000


def journal() -> WrittenJournal:
    found = WrittenJournal()
    found.floor(0, "anna", "ben")
    found.write(0, CodesConfigured(NINE, (), (WrapUpMeaning("reached", right_party=True), WrapUpMeaning("wrong"))))
    return found


def call_back(
    hand: WrittenJournal, call_id: str, at: int, *, greeted: int | None = None, met: int | None = None
) -> None:
    """A customer is called first, and answers at ``at``; instants in milliseconds after that."""
    hand.write(at, CallbackRequested(f"p{call_id}", NINE + at, "+1", "sales", NINE + at))
    hand.write(at, CallbackDialled(f"p{call_id}", NINE + at, call_id))
    hand.write(at, CallAnswered(call_id, NINE + at))
    if greeted is not None:
        hand.write(at + greeted, CallQueued(call_id, NINE + at + greeted, "sales", 0, None))
    if met is not None:
        hand.write(at + met, CallConnected(call_id, NINE + at + met, "o", "anna", "sales"))
    hand.ended(at + 20 * SECOND, call_id, Outcome.ANSWERED if met is not None else Outcome.ABANDONED)


def values(hand: WrittenJournal, subject: Subject) -> dict[str, object]:
    return next(line.values for line in report(hand.rows).lines if line.subject == subject)


def test_a_drop_is_a_live_answer_that_nobody_meets_within_two_seconds() -> None:
    """Of four live answers: met after 1 s, after exactly 2 s, 1 s after a greeting of 5 s, and never."""
    hand = journal()
    call_back(hand, "a", 0, greeted=500, met=1_000)
    call_back(hand, "b", 60_000, greeted=0, met=2_000)
    call_back(hand, "c", 120_000, greeted=5_000, met=6_000)
    call_back(hand, "d", 180_000, greeted=1_000)
    hand.write(240_000, CallbackRequested("pe", NINE, "+1", "sales", NINE))
    hand.write(240_000, CallbackDialled("pe", NINE + 240_000, "e"))
    hand.ended(250_000, "e", Outcome.UNREACHED)
    found = values(hand, of_queue("sales"))
    assert (found["dials"], found["live_answers"]) == (5, 4)
    assert (found["dropped"], found["drop_rate"]) == (2, 0.5)
    assert (found["dropped_after_greeting"], found["drop_rate_after_greeting"]) == (1, 0.25)
    anna = values(hand, of_agent("anna"))
    assert (anna["dials"], anna["live_answers"], anna["dropped"]) == (3, 3, 1)


def test_the_right_person_is_told_by_the_wrap_up_code_once_and_as_it_was_said_last() -> None:
    hand = journal()
    call_back(hand, "a", 0, met=1_000)
    call_back(hand, "b", 60_000, met=1_000)
    for code in ("reached", "reached"):
        hand.write(100_000, WrapUpRecorded("a", NINE + 100_000, "anna", code, "", 1))
    for code in ("reached", "wrong"):
        hand.write(110_000, WrapUpRecorded("b", NINE + 110_000, "anna", code, "", 1))
    for subject in (of_queue("sales"), of_agent("anna")):
        found = values(hand, subject)
        assert (found["right_party"], found["right_party_rate"]) == (1, 0.5)


def test_who_dials_is_there_when_the_customer_answers() -> None:
    hand = journal()
    for call_id, answered in (("a", True), ("b", False)):
        hand.write(0, CallArrived(call_id, NINE, "", "", "+1", "", "", "", "outbound", "ben"))
        if answered:
            hand.write(9_000, CallConnected(call_id, NINE + 9_000, "", "ben", ""))
        hand.ended(30_000, call_id, Outcome.ANSWERED if answered else Outcome.UNREACHED)
    hand.write(31_000, WrapUpRecorded("a", NINE + 31_000, "ben", "reached", "", 1))
    found = values(hand, of_agent("ben"))
    assert (found["dials"], found["live_answers"], found["drop_rate"], found["right_party_rate"]) == (2, 1, 0.0, 0.5)


def test_incoming_and_internal_calls_are_no_dials() -> None:
    hand = journal()
    hand.write(0, CallArrived("a", NINE, "", "", "", "", "", "", "internal", "ben"))
    hand.queued(0, "b")
    hand.connected(1_000, "b", "ben")
    hand.write(31_000, WrapUpRecorded("b", NINE + 31_000, "ben", "reached", "", 1))
    assert (values(hand, of_agent("ben"))["dials"], values(hand, of_agent("ben"))["right_party"]) == (0, 0)
