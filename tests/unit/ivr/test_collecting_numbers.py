"""A step that collects a number: when it is complete, asked for again, and given up."""

import pytest

from ivr.effects import (
    EnqueueContact,
    HangUpCall,
)
from tests.support.flow_caller import FlowCaller
from tests.unit.ivr.test_interpreter import caller

pytestmark = pytest.mark.unit


NUMBER = """
[steps.first]
type = "collect"
prompt = "a"
invalid_prompt = "wrong"
no_input_prompt = "silent"
variable = "account"
min_digits = 2
max_digits = 4
inter_digit_seconds = 2
attempts = 2
on_failure = "end"
next = "second"
[steps.second]
type = "menu"
prompt = "b"
on_failure = "end"
[steps.second.choices]
1 = { next = "queue", label = "One" }
"#" = { next = "end", label = "Hash" }
[steps.queue]
type = "queue"
queue = "q"
"""


def account(someone: FlowCaller) -> str | None:
    variables = someone.run.snapshot()["variables"]
    assert isinstance(variables, dict)
    return variables.get("account")


@pytest.mark.parametrize(("digits", "number"), [("12#", "12"), ("123#", "123"), ("1234", "1234")])
def test_a_number_is_complete_by_its_terminator_or_its_length(digits: str, number: str) -> None:
    someone = caller(NUMBER)
    someone.call()
    someone.press(digits)
    assert someone.path[-1] == "second"
    assert account(someone) == number


def test_a_number_is_complete_when_the_caller_stops_typing() -> None:
    someone = caller(NUMBER)
    someone.call()
    someone.press("12")
    someone.wait(1999)
    assert someone.path[-1] == "first"
    someone.wait(1)
    assert account(someone) == "12"


def test_a_number_that_is_too_short_is_asked_for_again_from_nothing() -> None:
    someone = caller(NUMBER)
    someone.call()
    someone.press("1#")
    assert someone.heard[-2:] == ["wrong:en", "a:en"]
    someone.press("34#")
    assert account(someone) == "34"


def test_a_number_that_never_comes_leads_to_the_failure_step() -> None:
    someone = caller(NUMBER)
    someone.call()
    someone.listen()
    someone.wait(5000)
    assert someone.heard[-2:] == ["silent:en", "a:en"]
    someone.listen()
    someone.wait(5000)
    assert someone.end == HangUpCall("test_over")


def test_a_terminator_from_habit_after_a_full_number_means_nothing_to_the_next_step() -> None:
    someone = caller(NUMBER)
    someone.call()
    someone.press("1234")
    someone.wait(1500)
    assert someone.press("#") == []
    someone.press("1")
    assert isinstance(someone.end, EnqueueContact)


def test_the_habit_is_over_after_a_while_or_another_digit() -> None:
    later = caller(NUMBER)
    later.call()
    later.press("1234")
    later.wait(2001)
    later.press("#")
    assert later.end == HangUpCall("test_over")
    other = caller(NUMBER)
    other.call()
    other.press("12349")
    other.press("#")
    assert other.end == HangUpCall("test_over")


@pytest.mark.parametrize(("digits", "path_end"), [("1234#1", "queue"), ("12341", "queue"), ("1234##", "end")])
def test_a_number_typed_ahead_with_its_terminator_leaves_the_rest_for_the_next_step(digits: str, path_end: str) -> None:
    someone = caller(
        '[steps.first]\ntype = "play"\nprompt = "a"\nnext = "number"\n'
        + NUMBER.replace("[steps.first]", "[steps.number]")
    )
    someone.call()
    someone.press(digits)
    someone.listen()
    assert someone.path[-1] == path_end


def test_a_collect_step_without_a_prompt_listens_at_once() -> None:
    someone = caller(NUMBER.replace('prompt = "a"\n', "", 1))
    someone.call()
    assert someone.heard == []
    assert someone.run.next_deadline() == someone.now + 5000
