"""The collector alone."""

import pytest

from ivr.digits import Collected, DigitCollector, DigitRules, Verdict

pytestmark = pytest.mark.unit

RULES = DigitRules(min_digits=2, max_digits=4, terminator="#", timeout_ms=5000, inter_digit_ms=2000)


def press(digits: str, rules: DigitRules = RULES, now: int = 0) -> DigitCollector | Collected:
    collector: DigitCollector | Collected = DigitCollector.start(rules, now=now)
    for digit in digits:
        assert isinstance(collector, DigitCollector), "the input was over before its last digit"
        collector = collector.press(digit, now=now)
    return collector


def test_the_most_digits_complete_the_input_at_once() -> None:
    assert press("1234") == Collected(Verdict.COMPLETE, "1234")


def test_the_terminator_completes_the_input_and_is_no_part_of_it() -> None:
    assert press("12#") == Collected(Verdict.COMPLETE, "12")


def test_the_terminator_after_too_few_digits_is_too_short() -> None:
    assert press("1#") == Collected(Verdict.TOO_SHORT, "1")


def test_the_terminator_alone_is_an_empty_answer_where_one_is_allowed() -> None:
    rules = DigitRules(0, 4, "#", 5000, 2000)
    assert press("#", rules) == Collected(Verdict.COMPLETE, "")


def test_without_a_terminator_every_key_is_a_digit() -> None:
    rules = DigitRules(1, 2, "", 5000, 2000)
    assert press("*#", rules) == Collected(Verdict.COMPLETE, "*#")


def test_the_first_digit_may_take_longer_than_the_next() -> None:
    collector = DigitCollector.start(RULES, now=1000)
    assert collector.deadline == 6000
    following = collector.press("1", now=3000)
    assert isinstance(following, DigitCollector)
    assert following.deadline == 5000


def test_silence_is_no_input() -> None:
    assert DigitCollector.start(RULES, now=0).time_out() == Collected(Verdict.NO_INPUT, "")


@pytest.mark.parametrize(("digits", "verdict"), [("1", Verdict.TOO_SHORT), ("12", Verdict.COMPLETE)])
def test_a_caller_who_stops_typing_is_judged_by_what_came(digits: str, verdict: Verdict) -> None:
    collector = press(digits)
    assert isinstance(collector, DigitCollector)
    assert collector.time_out() == Collected(verdict, digits)
