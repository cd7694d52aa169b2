"""Whatever the host tells a run, in whatever order: only documented errors, no circles, one end."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ivr.digits import ALPHABET, DigitRules
from ivr.effects import EnqueueContact, HangUpCall, PlayPrompt, StepEntered
from ivr.errors import UnexpectedEvent
from ivr.events import CallAnswered, CallStarted, DigitPressed, Event, PromptFinished, VariablesChanged
from ivr.flow import (
    AnswerStep,
    BranchStep,
    CallbackStep,
    CollectStep,
    Flow,
    HangUpStep,
    HoursStep,
    Inquiry,
    MenuChoice,
    MenuStep,
    PlayStep,
    PromptPart,
    QueueStep,
    SetStep,
    Step,
    SurveyStep,
)
from ivr.hours import Hours, Period, WeeklyPeriod
from ivr.interpreter import FlowRun
from ivr.lint import lint
from ivr.turn import MAX_STEPS_WITHOUT_INPUT

pytestmark = pytest.mark.unit

NAMES = tuple("abcdef")
TARGETS = st.sampled_from(NAMES)
DIGITS = st.sampled_from(sorted(ALPHABET))
PROMPTS = st.sampled_from([(), (PromptPart("p"),), (PromptPart("p", "zh"), PromptPart("q"))])
VALUES = st.lists(
    st.tuples(st.sampled_from(["language", "x"]), st.sampled_from(["en", "zh", "${x}${x}y", ""])), max_size=2
).map(tuple)


@st.composite
def inquiries(draw: st.DrawFn, rules: DigitRules) -> Inquiry:
    flags = st.booleans()
    return Inquiry(
        draw(PROMPTS),
        rules,
        draw(TARGETS),
        draw(st.integers(1, 3)),
        draw(PROMPTS),
        draw(PROMPTS),
        draw(flags),
        draw(flags),
    )


@st.composite
def menus(draw: st.DrawFn, name: str) -> MenuStep:
    keys = draw(st.lists(DIGITS, min_size=1, max_size=4, unique=True))
    choices = tuple(MenuChoice(key, f"label {key}", draw(TARGETS), draw(VALUES)) for key in keys)
    return MenuStep(name, draw(inquiries(DigitRules(1, 1, "", 5000, 5000))), choices)


@st.composite
def collects(draw: st.DrawFn, name: str) -> CollectStep:
    low = draw(st.integers(0, 3))
    rules = DigitRules(low, draw(st.integers(max(1, low), 4)), draw(st.sampled_from(["", "#"])), 5000, 2000)
    return CollectStep(name, draw(inquiries(rules)), "x", draw(TARGETS))


@st.composite
def surveys(draw: st.DrawFn, name: str) -> SurveyStep:
    one_key, two_keys = DigitRules(1, 1, "", 5000, 2000), DigitRules(1, 2, "#", 5000, 2000)
    kind, rules = draw(st.sampled_from((("csat", one_key), ("nps", two_keys))))
    return SurveyStep(name, draw(inquiries(rules)), kind, draw(TARGETS))


def steps(name: str) -> st.SearchStrategy[Step]:
    flags = st.booleans()
    one = st.just(name)
    return st.one_of(
        st.builds(AnswerStep, one, TARGETS),
        st.builds(PlayStep, one, PROMPTS, TARGETS, flags, flags),
        menus(name),
        collects(name),
        st.builds(HoursStep, one, st.just("h"), TARGETS, TARGETS),
        st.builds(BranchStep, one, st.just("x"), st.just((("", "a"), ("y", "b"))), TARGETS),
        st.builds(SetStep, one, VALUES, TARGETS),
        surveys(name),
        st.builds(QueueStep, one, st.just("q"), language_skill=flags),
        st.builds(CallbackStep, one, st.just("q"), TARGETS, TARGETS, language_skill=flags),
        st.builds(HangUpStep, one, st.just("end")),
    )


@st.composite
def flows(draw: st.DrawFn) -> Flow:
    return Flow(
        name="any",
        start="a",
        languages=("en", "zh"),
        default_language="en",
        prompts={"p": {"en": "P", "zh": "皮"}, "q": {"en": "Q"}},
        hours={"h": Hours("UTC", (WeeklyPeriod(frozenset(range(5)), Period(540, 1080)),))},
        steps={name: draw(steps(name)) for name in NAMES},
    )


EVENTS: st.SearchStrategy[Event | int] = st.one_of(
    st.just(CallStarted((("x", "y"),))),
    st.just(CallAnswered()),
    st.sampled_from([PromptFinished(f"prompt-{number}") for number in range(1, 6)]),
    DIGITS.map(DigitPressed),
    DIGITS.map(DigitPressed),
    st.just(VariablesChanged((("x", "z"), ("language", "zh")))),
    st.integers(0, 10_000),
)


@settings(deadline=None)
@given(flow=flows(), events=st.lists(EVENTS, max_size=40))
def test_any_events_raise_only_what_is_documented_and_end_once(flow: Flow, events: list[Event | int]) -> None:
    """An integer stands for so many milliseconds in which nothing happens but timers."""
    lint(flow)
    run, now, ends, since_digit = FlowRun(flow), 0, 0, 0
    for event in [CallStarted(), *events]:
        before = run.snapshot()
        try:
            if isinstance(event, int):
                now += event
                effects = run.handle_timer(now=now)
            else:
                effects = run.receive(event, now=now)
        except UnexpectedEvent:
            assert run.snapshot() == before
            continue
        since_digit = 0 if isinstance(event, DigitPressed) else since_digit
        since_digit += sum(isinstance(effect, StepEntered) for effect in effects)
        ends += sum(isinstance(effect, EnqueueContact | HangUpCall) for effect in effects)
        assert since_digit <= MAX_STEPS_WITHOUT_INPUT
        assert ends == int(run.finished)
        assert (run.next_deadline() is None) is run.finished
        assert FlowRun.restore(flow, run.snapshot()).snapshot() == run.snapshot()


@settings(deadline=None)
@given(flow=flows(), typed=st.lists(DIGITS, max_size=10), hears=st.booleans())
def test_every_flow_comes_to_an_end_once_the_caller_presses_nothing_more(
    flow: Flow, typed: list[str], hears: bool
) -> None:
    """Even the flows that lint refuses; also when no order is ever carried out."""
    run, now, heard = FlowRun(flow), 0, ""
    effects = list(run.receive(CallStarted(), now=now))
    for digit in typed:
        if not run.finished:
            effects += run.receive(DigitPressed(digit), now=now)
    for _ in range(400):
        deadline = run.next_deadline()
        if deadline is None:
            break
        last = effects[-1]
        if hears and isinstance(last, PlayPrompt) and last.play_id != heard:
            heard = last.play_id
            effects += run.receive(PromptFinished(last.play_id), now=now)
        else:
            now = deadline
            effects += run.handle_timer(now=now)
    assert run.finished
    assert isinstance(effects[-1], EnqueueContact | HangUpCall)
