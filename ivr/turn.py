"""One turn of a run: an event comes in, its moves are carried out until one has to wait, effects go out.

A run is in one of seven phases. ``Turn.ROWS`` says which event means what in which phase; an event without a row raises
and changes nothing. What a step does is said by its verb in moves (``ivr.moves``); ``Turn.MOVES`` carries those out.

Digits go into the *typed-ahead* line first and are taken from there. A prompt that allows barge-in ends as soon as
something stands in that line, so one rule covers the caller who interrupts and the caller who knows the way by heart.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, ClassVar

from ivr.digits import ALPHABET, Collected, DigitCollector, DigitRules, Verdict
from ivr.effects import (
    AnswerCall,
    Effect,
    EndMessage,
    EnqueueContact,
    HangUpCall,
    PlayPrompt,
    RecordMessage,
    StepEntered,
    StopPrompt,
    SurveyPut,
)
from ivr.errors import UnexpectedEvent
from ivr.events import (
    CallAnswered,
    CallbackSettled,
    CallerFellSilent,
    CallStarted,
    ContactReturned,
    DigitPressed,
    Event,
    PromptFinished,
    VariablesChanged,
)
from ivr.flow import LANGUAGE, CollectStep, Flow, MenuStep, PlayStep, Step, SurveyStep, VoicemailStep
from ivr.moves import AskAgain, AwaitAnswer, AwaitCallback, Finish, Go, Listen, Move, Record, Say, Scene
from ivr.variables import MAX_VALUE_LENGTH, substitute
from ivr.verbs import CALLBACK, QUEUE_REASON, REFUSED, TAKEN, VERBS

MAX_STEPS_WITHOUT_INPUT = 50
"""A flow that takes more steps than this between two digits of the caller goes in circles and is ended."""

MAX_TYPED_AHEAD = 32
"""Digits kept for later steps; further ones are lost."""

ANSWER_LIMIT_MS = 60_000
PROMPT_LIMIT_MS = 600_000
"""How long an answer or a prompt may take before the host is taken to have forgotten it."""


END_OF_MESSAGE = "#"


class Phase(StrEnum):
    """What the run waits for."""

    NEW = "new"
    ANSWERING = "answering"
    SPEAKING = "speaking"
    LISTENING = "listening"
    RECORDING = "recording"
    REQUESTING = "requesting"
    """A callback was asked for."""
    QUEUED = "queued"
    """The call waits in a queue and may come back."""
    OVER = "over"


_LIVE = (Phase.ANSWERING, Phase.REQUESTING, Phase.SPEAKING, Phase.LISTENING)


@dataclass(slots=True)
class RunState:
    """Everything that changes during a run, as plain data."""

    phase: Phase = Phase.NEW
    step: str = ""
    attempt: int = 1
    answered: bool = False
    variables: dict[str, str] = field(default_factory=dict)
    own: list[str] = field(default_factory=list)
    """Variables the flow has set itself; what the host learns later does not overrule them."""
    typed: str = ""
    """Digits not taken yet."""
    collected: str = ""
    """Digits taken by the present step."""
    deadline: int | None = None
    plays: int = 0
    """Prompts ordered so far; the last one is the one that plays in phase SPEAKING."""
    steps: int = 0
    """Steps since the last digit."""
    habit: str = ""
    """A terminator the caller may add from habit to a number that was complete without it; it means nothing."""
    habit_until: int = 0


@dataclass(slots=True)
class Turn:
    """One event, or one elapsed deadline, at work on the state of a run."""

    flow: Flow
    state: RunState
    now: int
    effects: list[Effect] = field(default_factory=list)

    def take(self, event: Event) -> None:
        """Something happened. Raises ``UnexpectedEvent`` before anything is changed."""
        row = self.ROWS.get((self.state.phase, type(event)))
        if row is None:
            raise UnexpectedEvent(f"{type(event).__name__} in phase {self.state.phase}")
        self._carry_out(row(self, event))

    def time_out(self) -> None:
        """The deadline of the present phase has passed."""
        if self.state.phase is Phase.LISTENING:
            collector = self._collector()
            self._carry_out(self._input_over(collector.rules, collector.time_out()))
        elif self.state.phase is Phase.RECORDING:
            self._carry_out(self._end_message())
        else:
            self._carry_out(Finish(HangUpCall("flow_stalled")))

    def _carry_out(self, move: Move | None) -> None:
        while move is not None:
            move = self.MOVES[type(move)](self, move)

    # -- events ------------------------------------------------------------------------------------------------------

    def _start(self, event: CallStarted) -> Move | None:
        self.state.variables = {LANGUAGE: self.flow.default_language}
        self._learn(event)
        return Go(self.flow.start)

    def _learn(self, event: CallStarted | VariablesChanged) -> Move | None:
        for name, value in event.variables:
            if name not in self.state.own:
                self.state.variables[name] = value[:MAX_VALUE_LENGTH]
        return None

    def _answered(self, _event: CallAnswered) -> Move | None:
        self.state.answered = True
        return self._done()

    def _prompt_over(self, event: PromptFinished) -> Move | None:
        """Only the end of the prompt that plays matters; those of stopped ones come late by nature."""
        ordered = [_play_id(number) for number in range(1, self.state.plays + 1)]
        if event.play_id not in ordered:
            raise UnexpectedEvent(f"no prompt {event.play_id!r} was ordered")
        current = self.state.phase is Phase.SPEAKING and event.play_id == ordered[-1]
        return self._done() if current else None

    def _digit(self, event: DigitPressed) -> Move | None:
        state = self.state
        if event.digit not in ALPHABET:
            raise UnexpectedEvent("a digit is one of 0-9 * # A-D")
        state.steps = 0
        from_habit = event.digit == state.habit and self.now <= state.habit_until
        state.habit = ""
        return None if from_habit else self.TYPING[state.phase](self, event.digit)

    def _type(self, digit: str) -> Move | None:
        self.state.typed = (self.state.typed + digit)[:MAX_TYPED_AHEAD]
        return None

    def _type_over_prompt(self, digit: str) -> Move | None:
        barge_in, type_ahead = _manners(self._step())
        if barge_in or type_ahead:
            self._type(digit)
        if not barge_in:
            return None
        self.effects.append(StopPrompt(_play_id(self.state.plays)))
        return self._done()

    def _type_answer(self, digit: str) -> Move | None:
        self._type(digit)
        return self._take_typed()

    def _type_over_message(self, event: DigitPressed) -> Move | None:
        return self._end_message() if event.digit == END_OF_MESSAGE else None

    def _fall_silent(self, _event: CallerFellSilent) -> Move | None:
        return self._end_message()

    def _end_message(self) -> Move:
        step = self._step()
        assert isinstance(step, VoicemailStep)  # noqa: S101 (only these record)
        self.state.steps = 0
        self.effects.append(EndMessage())
        return Go(step.next)

    def _come_back(self, event: ContactReturned) -> Move | None:
        self.state.typed = ""
        self.state.variables[QUEUE_REASON] = event.reason[:MAX_VALUE_LENGTH]
        return self._done()

    def _callback_settled(self, event: CallbackSettled) -> Move | None:
        self.state.variables[CALLBACK] = TAKEN if event.taken else REFUSED
        return self._done()

    def _too_late(self, _event: Event) -> Move | None:
        return None

    TYPING: ClassVar[Mapping[Phase, Callable[["Turn", str], Move | None]]] = {
        Phase.ANSWERING: _type,
        Phase.REQUESTING: _type,
        Phase.SPEAKING: _type_over_prompt,
        Phase.LISTENING: _type_answer,
    }
    """What a digit does in each phase that takes digits."""

    ROWS: ClassVar[Mapping[tuple[Phase, type[Event]], Callable[["Turn", Any], Move | None]]] = {
        (Phase.NEW, CallStarted): _start,
        (Phase.ANSWERING, CallAnswered): _answered,
        **dict.fromkeys(((phase, DigitPressed) for phase in _LIVE), _digit),
        **dict.fromkeys(((phase, PromptFinished) for phase in (*_LIVE, Phase.QUEUED, Phase.OVER)), _prompt_over),
        **dict.fromkeys(((phase, VariablesChanged) for phase in (*_LIVE, Phase.QUEUED)), _learn),
        (Phase.QUEUED, ContactReturned): _come_back,
        (Phase.RECORDING, DigitPressed): _type_over_message,
        (Phase.RECORDING, CallerFellSilent): _fall_silent,
        **dict.fromkeys(((phase, CallerFellSilent) for phase in (*_LIVE, Phase.QUEUED, Phase.OVER)), _too_late),
        (Phase.RECORDING, PromptFinished): _prompt_over,
        (Phase.RECORDING, VariablesChanged): _learn,
        (Phase.RECORDING, CallAnswered): _too_late,
        (Phase.REQUESTING, CallbackSettled): _callback_settled,
        **dict.fromkeys(((Phase.QUEUED, idle) for idle in (CallAnswered, DigitPressed)), _too_late),
        **dict.fromkeys(
            (
                (Phase.OVER, late)
                for late in (CallAnswered, DigitPressed, VariablesChanged, ContactReturned, CallbackSettled)
            ),
            _too_late,
        ),
    }
    """What each event means in each phase."""

    # -- moves -------------------------------------------------------------------------------------------------------

    def _go(self, move: Go) -> Move | None:
        state = self.state
        for name, template in move.values:
            state.variables[name] = substitute(template, state.variables)
            if name not in state.own:
                state.own.append(name)
        if state.steps >= MAX_STEPS_WITHOUT_INPUT:
            return Finish(HangUpCall("flow_loop"))
        state.steps += 1
        state.step, state.attempt = move.step, 1
        if move.given is not None:
            self.effects.append(move.given)
        self.effects.append(StepEntered(move.step, move.choice))
        step = self._step()
        if isinstance(step, SurveyStep):
            self.effects.append(SurveyPut(step.kind))
        return VERBS[type(step)].enter(step, self._scene())

    def _await_answer(self, _move: AwaitAnswer) -> Move | None:
        self._wait(Phase.ANSWERING, self.now + ANSWER_LIMIT_MS)
        self.effects.append(AnswerCall())
        return None

    def _await_callback(self, move: AwaitCallback) -> Move | None:
        self._wait(Phase.REQUESTING, self.now + ANSWER_LIMIT_MS)
        self.effects.append(move.effect)
        return None

    def _say(self, move: Say) -> Move | None:
        state = self.state
        if not move.type_ahead:
            state.typed = ""
        if not move.prompts or (move.barge_in and state.typed):
            return self._done()
        state.plays += 1
        self._wait(Phase.SPEAKING, self.now + PROMPT_LIMIT_MS)
        self.effects.append(PlayPrompt(_play_id(state.plays), move.prompts, move.barge_in))
        return None

    def _ask_again(self, move: AskAgain) -> Move | None:
        self.state.attempt += 1
        self.state.typed = ""
        return move.say

    def _listen(self, move: Listen) -> Move | None:
        self.state.collected = ""
        self._wait(Phase.LISTENING, DigitCollector.start(move.rules, now=self.now).deadline)
        return self._take_typed()

    def _record(self, move: Record) -> Move | None:
        self.state.typed = ""
        self._wait(Phase.RECORDING, self.now + move.max_ms)
        self.effects.append(RecordMessage(move.box, self._scene().language))
        return None

    def _finish(self, move: Finish) -> Move | None:
        waits = isinstance(move.effect, EnqueueContact) and (move.effect.may_return or move.effect.surveys)
        self._wait(Phase.QUEUED if waits else Phase.OVER, None)
        self.effects.append(move.effect)
        return None

    MOVES: ClassVar[Mapping[type[Move], Callable[["Turn", Any], Move | None]]] = {
        AwaitAnswer: _await_answer,
        AwaitCallback: _await_callback,
        Say: _say,
        AskAgain: _ask_again,
        Listen: _listen,
        Go: _go,
        Record: _record,
        Finish: _finish,
    }
    """How each move is carried out; the next move, or ``None`` when the run has to wait."""

    # -- parts of both -----------------------------------------------------------------------------------------------

    def _step(self) -> Step:
        return self.flow.steps[self.state.step]

    def _scene(self) -> Scene:
        return Scene(self.flow, self.state.variables, self.state.answered, self.state.attempt, self.now)

    def _done(self) -> Move:
        step = self._step()
        return VERBS[type(step)].done(step, self._scene())

    def _wait(self, phase: Phase, deadline: int | None) -> None:
        self.state.phase = phase
        self.state.deadline = deadline

    def _collector(self) -> DigitCollector:
        step = self._step()
        assert isinstance(step, MenuStep | CollectStep | SurveyStep)  # noqa: S101 (only these listen)
        return DigitCollector(step.inquiry.rules, self.state.collected, self.state.deadline or 0)

    def _take_typed(self) -> Move | None:
        state = self.state
        collector = self._collector()
        while state.typed:
            digit, state.typed = state.typed[0], state.typed[1:]
            result = collector.press(digit, now=self.now)
            if isinstance(result, Collected):
                return self._input_over(collector.rules, result, last=digit)
            collector = result
        state.collected, state.deadline = collector.digits, collector.deadline
        return None

    def _input_over(self, rules: DigitRules, collected: Collected, *, last: str = "") -> Move:
        if rules.terminator and last not in ("", rules.terminator) and collected.verdict is Verdict.COMPLETE:
            self._expect_habit(rules)
        step = self._step()
        return VERBS[type(step)].typed(step, self._scene(), collected)

    def _expect_habit(self, rules: DigitRules) -> None:
        """The number was complete without its terminator: one that follows belongs to it, not to the next step."""
        state = self.state
        if not state.typed:
            state.habit, state.habit_until = rules.terminator, self.now + rules.inter_digit_ms
        elif state.typed[0] == rules.terminator:
            state.typed = state.typed[1:]


def _play_id(number: int) -> str:
    return f"prompt-{number}"


def _manners(step: Step) -> tuple[bool, bool]:
    """Whether the prompt of this step gives way to a digit, and whether digits during it are kept."""
    if isinstance(step, MenuStep | CollectStep | SurveyStep):
        return step.inquiry.barge_in, step.inquiry.type_ahead
    if isinstance(step, VoicemailStep):
        return False, False
    assert isinstance(step, PlayStep)  # noqa: S101 (only these four speak)
    return step.barge_in, step.type_ahead
