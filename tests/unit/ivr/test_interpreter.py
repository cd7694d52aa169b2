"""What callers meet: menus, numbers, barge-in, typing ahead, silence, races, restarts."""

import pytest

from ivr.effects import (
    AnswerCall,
    EnqueueContact,
    HangUpCall,
    PlayPrompt,
    PromptText,
    StepEntered,
    StopPrompt,
)
from ivr.errors import UnexpectedEvent, UnknownName, UnknownStep
from ivr.events import (
    CallAnswered,
    CallStarted,
    DigitPressed,
    PromptFinished,
    VariablesChanged,
)
from ivr.flows import demo_flow_text
from ivr.turn import ANSWER_LIMIT_MS, MAX_STEPS_WITHOUT_INPUT, MAX_TYPED_AHEAD, PROMPT_LIMIT_MS
from tests.support.flow_caller import FlowCaller

pytestmark = pytest.mark.unit

HEADER = """
[flow]
name = "test"
start = "answer"
languages = ["en", "zh"]

[prompts]
a = { en = "A", zh = "甲" }
b = { en = "B", zh = "乙" }
wrong = { en = "Wrong.", zh = "错误" }
silent = { en = "Silence.", zh = "无声" }
english = { en = "Only English." }

[hours.never]
timezone = "UTC"

[steps.answer]
type = "answer"
next = "first"

[steps.end]
type = "hang_up"
reason = "test_over"
"""

MENU = """
[steps.first]
type = "menu"
prompt = "a"
invalid_prompt = "wrong"
no_input_prompt = "silent"
attempts = 2
timeout_seconds = 5
on_failure = "end"
[steps.first.choices]
1 = { next = "second", label = "One" }
"""


def caller(steps: str) -> FlowCaller:
    return FlowCaller(HEADER + steps)


def queue_after(step: str) -> FlowCaller:
    return caller(f'[steps.first]\n{step}\n[steps.queue]\ntype = "queue"\nqueue = "q"')


# -- the demo flow -------------------------------------------------------------------------------------------------


def test_a_caller_of_the_demo_who_listens_to_everything_comes_to_the_queue_of_choice() -> None:
    someone = FlowCaller(demo_flow_text())
    someone.call({"caller": "+4930123456"})
    assert someone.heard == ["greeting:en", "greeting:zh"]
    someone.listen()
    someone.listen()
    someone.press("2")
    assert someone.heard[-1] == "main_menu:zh"
    someone.listen()
    someone.press("2")
    assert someone.heard[-1] == "connecting_support:zh"
    someone.listen()
    assert someone.end == EnqueueContact(
        queue_id="support",
        priority=0,
        required_skills=(("zh", 1),),
        language="zh",
        variables=(("caller", "+4930123456"), ("language", "zh")),
    )
    choices = [effect.choice for effect in someone.effects if isinstance(effect, StepEntered) and effect.choice]
    assert choices == ["中文", "Support"]


def test_a_caller_of_the_demo_who_knows_the_way_hears_almost_nothing() -> None:
    someone = FlowCaller(demo_flow_text())
    someone.call()
    someone.press("11")
    assert someone.heard[-1] == "connecting_sales:en"
    assert "main_menu:zh" not in someone.heard
    someone.listen()
    assert isinstance(someone.end, EnqueueContact)
    assert someone.end.queue_id == "sales"


def test_a_silent_caller_of_the_demo_is_let_go_politely() -> None:
    someone = FlowCaller(demo_flow_text())
    someone.call()
    while not someone.run.finished:
        someone.listen()
        someone.wait(6000)
    assert someone.heard[-1] == "goodbye:en"
    assert someone.end == HangUpCall("no_input")


def test_a_caller_of_the_demo_outside_of_the_hours_is_told_so() -> None:
    closed = demo_flow_text().replace('to = "24:00"', 'to = "00:01"')
    someone = FlowCaller(closed, now=1_780_000_000_000)
    someone.call()
    someone.press("11")
    assert someone.heard[-1] == "closed:en"
    someone.listen()
    assert someone.end == HangUpCall("closed_hours")


# -- answering and speaking ----------------------------------------------------------------------------------------


def test_the_call_is_answered_before_anything_is_said() -> None:
    someone = caller('[steps.first]\ntype = "play"\nprompt = "a"\nnext = "end"')
    assert someone.call(answer=False) == [StepEntered("answer"), AnswerCall()]
    assert someone.tell(CallAnswered()) == [
        StepEntered("first"),
        PlayPrompt("prompt-1", (PromptText("a", "en", "A"),), barge_in=False),
    ]
    assert someone.listen() == [StepEntered("end"), HangUpCall("test_over")]


def test_an_answer_step_in_an_answered_call_is_passed_through() -> None:
    someone = caller('[steps.first]\ntype = "answer"\nnext = "end"')
    someone.call()
    assert someone.path == ["answer", "first", "end"]
    assert someone.effects.count(AnswerCall()) == 1


def test_the_language_of_the_caller_selects_the_prompt() -> None:
    someone = caller('[steps.first]\ntype = "play"\nprompt = ["a", "b:en"]\nnext = "end"')
    someone.call({"language": "zh"})
    assert someone.heard == ["a:zh", "b:en"]


def test_a_language_the_flow_does_not_speak_falls_back_to_its_own() -> None:
    step = 'type = "queue"\nqueue = "q"\nlanguage_skill = true'
    someone = caller(f"[steps.first]\n{step}")
    someone.call({"language": "fr"})
    assert isinstance(someone.end, EnqueueContact)
    assert (someone.end.language, someone.end.required_skills) == ("en", (("en", 1),))


def test_a_missing_text_is_said_in_the_default_language_or_else_in_any() -> None:
    someone = caller('[steps.first]\ntype = "play"\nprompt = ["english", "english:zh", "a:fr"]\nnext = "end"')
    someone.call({"language": "zh"})
    assert someone.heard == ["english:en", "english:en", "a:en"]
    lone = HEADER.replace('english = { en = "Only English." }', 'english = { zh = "只有中文" }')
    other = FlowCaller(lone + '[steps.first]\ntype = "play"\nprompt = "english"\nnext = "end"')
    other.call()
    assert other.heard == ["english:zh"]


# -- menus ---------------------------------------------------------------------------------------------------------


def test_the_first_digit_stops_the_prompt_and_counts() -> None:
    someone = caller(MENU + '[steps.second]\ntype = "hang_up"')
    someone.call()
    assert someone.press("1") == [StopPrompt("prompt-1"), StepEntered("second", "One"), HangUpCall("flow_ended")]


def test_the_clock_for_the_answer_starts_when_the_prompt_is_over() -> None:
    someone = caller(MENU + '[steps.second]\ntype = "hang_up"')
    someone.call()
    someone.wait(60_000)
    assert not someone.run.finished
    someone.listen()
    assert someone.run.next_deadline() == someone.now + 5000


def test_a_wrong_key_and_silence_are_each_told_before_the_menu_is_said_again() -> None:
    someone = caller(MENU.replace("attempts = 2", "attempts = 3") + '[steps.second]\ntype = "hang_up"')
    someone.call()
    someone.press("9")
    assert someone.heard == ["a:en", "wrong:en", "a:en"]
    someone.listen()
    someone.wait(5000)
    assert someone.heard[3:] == ["silent:en", "a:en"]
    assert someone.path == ["answer", "first"], "a further attempt is not a further step"
    someone.press("9")
    assert someone.end == HangUpCall("test_over")


def test_what_was_typed_after_a_wrong_key_is_forgotten() -> None:
    """Otherwise a caller with one slip loses every attempt without hearing a word."""
    someone = caller(
        MENU.replace('prompt = "a"', 'prompt = "a"\nbarge_in = false', 1) + '[steps.second]\ntype = "hang_up"'
    )
    someone.call()
    someone.press("911")
    someone.listen()
    assert someone.heard[-2:] == ["wrong:en", "a:en"]
    someone.listen()
    assert not someone.run.finished
    someone.press("1")
    assert someone.end == HangUpCall("flow_ended")


def test_a_choice_may_set_variables() -> None:
    menu = MENU.replace('label = "One"', 'label = "One", set = { language = "zh", kind = "k-${language}" }')
    someone = caller(menu + '[steps.second]\ntype = "queue"\nqueue = "q"')
    someone.call()
    someone.press("1")
    assert isinstance(someone.end, EnqueueContact)
    assert someone.end.variables == (("kind", "k-zh"), ("language", "zh"))


# -- typing ahead --------------------------------------------------------------------------------------------------

DEAF = """
[steps.first]
type = "play"
prompt = "a"
next = "second"
{flags}
[steps.second]
type = "menu"
prompt = "b"
on_failure = "end"
{menu_flags}
[steps.second.choices]
1 = {{ next = "end", label = "One" }}
"""


def test_digits_over_a_prompt_without_barge_in_are_kept_for_the_next_menu() -> None:
    someone = caller(DEAF.format(flags="", menu_flags=""))
    someone.call()
    assert someone.press("1") == []
    someone.listen()
    assert someone.end == HangUpCall("test_over")
    assert someone.heard == ["a:en"], "the menu is not even begun"


def test_digits_over_a_prompt_without_type_ahead_are_lost() -> None:
    someone = caller(DEAF.format(flags="type_ahead = false", menu_flags=""))
    someone.call()
    assert someone.press("1") == []
    someone.listen()
    assert someone.heard == ["a:en", "b:en"]


def test_a_menu_without_type_ahead_wants_to_be_heard_first() -> None:
    someone = caller(DEAF.format(flags="", menu_flags="type_ahead = false"))
    someone.call()
    someone.press("1")
    someone.listen()
    assert someone.heard == ["a:en", "b:en"]
    someone.press("1")
    assert someone.end == HangUpCall("test_over")


def test_a_prompt_with_barge_in_is_left_out_for_a_caller_who_has_typed_ahead() -> None:
    someone = caller(
        '[steps.first]\ntype = "play"\nprompt = "a"\nnext = "second"\n'
        '[steps.second]\ntype = "play"\nbarge_in = true\nprompt = "b"\nnext = "end"'
    )
    someone.call()
    someone.press("1")
    someone.listen()
    assert someone.heard == ["a:en"]
    assert someone.run.finished


def test_digits_before_the_answer_is_confirmed_are_kept() -> None:
    someone = caller(MENU + '[steps.second]\ntype = "hang_up"')
    someone.call(answer=False)
    someone.press("1")
    someone.tell(CallAnswered())
    assert someone.end == HangUpCall("flow_ended")


def test_no_more_digits_are_kept_than_fit() -> None:
    someone = caller(DEAF.format(flags="", menu_flags=""))
    someone.call()
    someone.press("1" * (MAX_TYPED_AHEAD + 5))
    assert someone.run.snapshot()["typed"] == "1" * MAX_TYPED_AHEAD


# -- deciding ------------------------------------------------------------------------------------------------------


def test_hours_decide_between_two_ways() -> None:
    someone = caller('[steps.first]\ntype = "hours"\nhours = "never"\nopen = "answer"\nclosed = "end"')
    someone.call()
    assert someone.path == ["answer", "first", "end"]


BRANCH = 'type = "branch"\nvariable = "level"\ncases = { gold = "queue", "" = "answer" }\notherwise = "end"'


@pytest.mark.parametrize(("level", "step"), [("gold", "queue"), ("tin", "end")])
def test_a_branch_goes_by_the_value_of_a_variable(level: str, step: str) -> None:
    someone = queue_after(BRANCH)
    someone.call({"level": level})
    assert someone.path[-1] == step


def test_a_variable_without_a_value_is_empty_to_a_branch() -> None:
    someone = queue_after(BRANCH.replace('"" = "answer"', '"" = "queue"'))
    someone.call()
    assert someone.path[-1] == "queue"


def test_set_fills_in_present_values_and_cuts_what_grows() -> None:
    someone = caller('[steps.first]\ntype = "set"\nvalues = { a = "${a}${a}x${b}$" }\nnext = "first"')
    someone.call({"a": "1"})
    variables = someone.run.snapshot()["variables"]
    assert isinstance(variables, dict)
    assert variables["a"].startswith("11x$11x$x$")
    assert len(variables["a"]) == 256


def test_a_queue_step_asks_for_its_own_skills_and_the_language() -> None:
    someone = caller(
        '[steps.first]\ntype = "queue"\nqueue = "q"\npriority = 5\n'
        "skills = { repair = 3, en = 4 }\nlanguage_skill = true"
    )
    someone.call()
    assert isinstance(someone.end, EnqueueContact)
    assert someone.end.required_skills == (("en", 4), ("repair", 3)), "a level asked for outright stands"
    assert someone.end.priority == 5


# -- what the host learns ------------------------------------------------------------------------------------------


def test_what_is_learned_while_the_flow_runs_counts_from_then_on() -> None:
    someone = caller(DEAF.format(flags="", menu_flags=""))
    someone.call()
    assert someone.learn(language="zh") == []
    someone.listen()
    assert someone.heard == ["a:en", "b:zh"]


def test_what_the_caller_chose_is_not_overruled_by_what_was_looked_up() -> None:
    menu = MENU.replace('label = "One"', 'label = "One", set = { language = "en" }')
    someone = caller(menu + '[steps.second]\ntype = "play"\nprompt = "b"\nnext = "end"')
    someone.call({"language": "zh"})
    someone.press("1")
    someone.learn(language="zh", level="gold")
    variables = someone.run.snapshot()["variables"]
    assert isinstance(variables, dict)
    assert (variables["language"], variables["level"]) == ("en", "gold")


# -- limits --------------------------------------------------------------------------------------------------------


def test_a_flow_that_goes_in_circles_is_ended() -> None:
    someone = caller('[steps.first]\ntype = "play"\nprompt = "a"\nnext = "first"')
    someone.call()
    while not someone.run.finished:
        someone.listen()
    assert someone.end == HangUpCall("flow_loop")
    assert len(someone.path) == MAX_STEPS_WITHOUT_INPUT


def test_a_caller_who_presses_keys_may_go_round_as_often_as_wanted() -> None:
    someone = caller(MENU.replace('next = "second"', 'next = "first"'))
    someone.call()
    someone.press("1" * 3 * MAX_STEPS_WITHOUT_INPUT)
    assert not someone.run.finished


@pytest.mark.parametrize(("answer", "limit"), [(False, ANSWER_LIMIT_MS), (True, PROMPT_LIMIT_MS)])
def test_a_host_that_forgets_an_order_does_not_leave_the_caller_hanging(answer: bool, limit: int) -> None:
    someone = caller(MENU + '[steps.second]\ntype = "hang_up"')
    someone.call(answer=answer)
    someone.wait(limit - 1)
    assert not someone.run.finished
    someone.wait(1)
    assert someone.end == HangUpCall("flow_stalled")


def test_a_timer_called_too_early_or_for_nothing_does_nothing() -> None:
    someone = caller(MENU + '[steps.second]\ntype = "hang_up"')
    assert someone.run.handle_timer(now=someone.now) == ()
    someone.call()
    before = someone.run.snapshot()
    assert someone.run.handle_timer(now=someone.now) == ()
    assert someone.run.snapshot() == before


# -- races and mistakes --------------------------------------------------------------------------------------------


def test_the_end_of_a_stopped_prompt_comes_late_and_means_nothing() -> None:
    someone = caller(MENU + '[steps.second]\ntype = "play"\nprompt = "b"\nnext = "end"')
    someone.call()
    someone.press("1")
    assert someone.tell(PromptFinished("prompt-1")) == []
    assert someone.path[-1] == "second"


def test_the_media_may_stop_the_prompt_before_it_tells_the_digit() -> None:
    someone = caller(MENU + '[steps.second]\ntype = "hang_up"')
    someone.call()
    someone.tell(PromptFinished("prompt-1"))
    assert someone.tell(PromptFinished("prompt-1")) == []
    assert someone.press("1") == [StepEntered("second", "One"), HangUpCall("flow_ended")]
    assert someone.stopped == []


@pytest.mark.parametrize(
    "late", [CallAnswered(), DigitPressed("1"), VariablesChanged((("a", "b"),)), PromptFinished("prompt-1")]
)
def test_what_comes_after_the_end_is_ignored(late) -> None:
    someone = caller(MENU + '[steps.second]\ntype = "hang_up"')
    someone.call()
    someone.press("1")
    before = someone.run.snapshot()
    assert someone.tell(late) == []
    assert someone.run.snapshot() == before
    assert someone.run.next_deadline() is None


@pytest.mark.parametrize(
    "event",
    [
        CallStarted(),
        CallAnswered(),
        DigitPressed("x"),
        DigitPressed("12"),
        DigitPressed(""),
        PromptFinished("prompt-2"),
    ],
)
def test_an_event_out_of_place_raises_and_changes_nothing(event) -> None:
    someone = caller(MENU + '[steps.second]\ntype = "hang_up"')
    someone.call()
    before = someone.run.snapshot()
    with pytest.raises(UnexpectedEvent):
        someone.tell(event)
    assert someone.run.snapshot() == before


@pytest.mark.parametrize("event", [CallAnswered(), DigitPressed("1"), PromptFinished("prompt-1"), VariablesChanged(())])
def test_nothing_comes_before_the_call(event) -> None:
    with pytest.raises(UnexpectedEvent):
        caller(MENU + '[steps.second]\ntype = "hang_up"').tell(event)


@pytest.mark.parametrize(
    ("steps", "error"),
    [
        ('type = "play"\nprompt = "a"\nnext = "nowhere"', UnknownStep),
        ('type = "play"\nprompt = "nothing"\nnext = "end"', UnknownName),
        ('type = "hours"\nhours = "nothing"\nopen = "end"\nclosed = "end"', UnknownName),
    ],
)
def test_a_flow_that_leads_nowhere_never_meets_a_caller(steps: str, error: type[Exception]) -> None:
    with pytest.raises(error, match=r"'(nowhere|nothing)'"):
        caller(f"[steps.first]\n{steps}")
