"""Judging a flow as a whole: does every way lead somewhere, is everything said in every language, does it end?

An *error* makes the flow unfit to meet a caller; a *warning* is worth a look.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum

from ivr.flow import (
    LANGUAGE,
    AnswerStep,
    Assignments,
    CollectStep,
    Flow,
    HangUpStep,
    HoursStep,
    MenuStep,
    PlayStep,
    PromptPart,
    QueueStep,
    SetStep,
    Step,
    SurveyStep,
    Target,
    VoicemailStep,
    prompts_of,
)


class Severity(StrEnum):
    """How bad it is."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing found. ``code`` is stable; ``step`` is ``None`` for findings about the flow."""

    severity: Severity
    code: str
    step: str | None
    reason: str
    """What is wrong and what to do."""

    def __str__(self) -> str:
        where = f"[steps.{self.step}] " if self.step else ""
        return f"{self.severity}: {where}{self.reason} ({self.code})"


def lint(flow: Flow) -> tuple[Finding, ...]:
    """Everything that is questionable about a flow, errors first, in the order of its steps."""
    found = [finding for check in CHECKS for finding in check(flow)]
    order = {name: place for place, name in enumerate(flow.steps)}
    return tuple(sorted(found, key=lambda one: (one.severity, order.get(one.step or "", -1))))


def _unknown_targets(flow: Flow) -> Iterator[Finding]:
    if flow.start not in flow.steps:
        yield _error("unknown-step", None, f"start: there is no step {flow.start!r}{_advice(flow.start, flow.steps)}")
    for step in flow.steps.values():
        for target in step.targets():
            if target.step not in flow.steps:
                reason = f"leads to {target.step!r}, which is no step{_advice(target.step, flow.steps)}"
                yield _error("unknown-step", step, reason)


def _unknown_names(flow: Flow) -> Iterator[Finding]:
    for step in flow.steps.values():
        if isinstance(step, HoursStep) and step.hours not in flow.hours:
            reason = f"there is no [hours.{step.hours}]{_advice(step.hours, flow.hours)}"
            yield _error("unknown-hours", step, reason)
        for name in dict.fromkeys(part.name for part in _parts(step)):
            if name not in flow.prompts:
                yield _error("unknown-prompt", step, f"there is no [prompts.{name}]{_advice(name, flow.prompts)}")


def _unreachable(flow: Flow) -> Iterator[Finding]:
    reached = _reached(flow, flow.start, _any_way)
    for name, step in flow.steps.items():
        if reached and name not in reached:
            yield _warning("unreachable", step, "no way leads here; connect it or remove it")


def _never_ends(flow: Flow) -> Iterator[Finding]:
    for name, step in flow.steps.items():
        ahead = (flow.steps[reached] for reached in _reached(flow, name, _any_way))
        if not any(isinstance(end, QueueStep | HangUpStep) for end in ahead):
            yield _error("never-ends", step, "no way from here comes to a queue or hang_up step")


def _loops(flow: Flow) -> Iterator[Finding]:
    for name, step in flow.steps.items():
        if _returns(flow, name, _without_asking):
            yield _error("loop", step, "goes in circles without asking the caller anything; let a menu lead out of it")
        elif _returns(flow, name, _without_input):
            reason = "goes in circles as long as the caller is silent; let on_failure lead to an end"
            yield _warning("silent-loop", step, reason)


def _unanswered(flow: Flow) -> Iterator[Finding]:
    for name in _reached(flow, flow.start, _until_answered):
        step = flow.steps[name]
        if isinstance(step, PlayStep | MenuStep | CollectStep | SurveyStep | QueueStep | VoicemailStep):
            yield _error("unanswered", step, "can be reached before the call is answered; put an answer step before it")


def _missing_texts(flow: Flow) -> Iterator[Finding]:
    for step in flow.steps.values():
        for part in dict.fromkeys(part for part in _parts(step) if part.name in flow.prompts):
            texts = flow.prompts[part.name]
            wanted = (part.language,) if part.language else flow.languages
            for language in (language for language in wanted if language not in texts):
                reason = f"prompt {part.name!r} has no text in {language!r}; add it to [prompts.{part.name}]"
                yield _error("missing-text", step, reason)


def _unused(flow: Flow) -> Iterator[Finding]:
    said = {part.name for step in flow.steps.values() for part in _parts(step)}
    asked = {step.hours for step in flow.steps.values() if isinstance(step, HoursStep)}
    for kind, names, used in (("prompts", flow.prompts, said), ("hours", flow.hours, asked)):
        for name in names:
            if name not in used:
                yield Finding(Severity.WARNING, "unused", None, f"[{kind}.{name}] is used by no step")


def _languages(flow: Flow) -> Iterator[Finding]:
    for name, texts in flow.prompts.items():
        for language in texts:
            if language not in flow.languages:
                reason = f"[prompts.{name}] has a text in {language!r}, which is not among the flow's languages"
                yield Finding(Severity.WARNING, "unknown-language", None, reason)
    for step in flow.steps.values():
        for name, value in _assignments(step):
            if name == LANGUAGE and "${" not in value and value not in flow.languages:
                reason = f"sets the language {value!r}; the flow speaks {', '.join(flow.languages)}"
                yield _error("unknown-language", step, reason)


CHECKS: Sequence[Callable[[Flow], Iterable[Finding]]] = (
    _unknown_targets,
    _unknown_names,
    _unanswered,
    _missing_texts,
    _languages,
    _loops,
    _never_ends,
    _unreachable,
    _unused,
)
"""Every check; each reads the whole flow and never fails on a broken one."""


_Edge = Callable[[Step, Target], bool]
"""Which ways out of a step are followed."""


def _any_way(_step: Step, _target: Target) -> bool:
    return True


def _until_answered(step: Step, _target: Target) -> bool:
    return not isinstance(step, AnswerStep)


def _without_asking(step: Step, _target: Target) -> bool:
    return not isinstance(step, MenuStep | CollectStep | SurveyStep)


def _without_input(_step: Step, target: Target) -> bool:
    return not target.by_input


def _next(flow: Flow, name: str, follow: _Edge) -> Iterator[str]:
    step = flow.steps[name]
    for target in step.targets():
        if target.step in flow.steps and follow(step, target):
            yield target.step


def _reached(flow: Flow, start: str, follow: _Edge) -> dict[str, None]:
    """Every step that can be come to from ``start``, itself included, nearest first."""
    reached = dict.fromkeys([start] if start in flow.steps else [])
    waiting = list(reached)
    while waiting:
        for name in _next(flow, waiting.pop(0), follow):
            if name not in reached:
                reached[name] = None
                waiting.append(name)
    return reached


def _returns(flow: Flow, name: str, follow: _Edge) -> bool:
    return any(name in _reached(flow, after, follow) for after in _next(flow, name, follow))


def _parts(step: Step) -> Iterator[PromptPart]:
    for prompt in prompts_of(step):
        yield from prompt


def _assignments(step: Step) -> Assignments:
    if isinstance(step, SetStep):
        return step.values
    if isinstance(step, MenuStep):
        return tuple(value for choice in step.choices for value in choice.values)
    return ()


def _advice(name: str, known: Iterable[str]) -> str:
    close = get_close_matches(name, list(known), 1)
    return f"; did you mean {close[0]!r}?" if close else ""


def _error(code: str, step: Step | None, reason: str) -> Finding:
    return Finding(Severity.ERROR, code, step.name if step else None, reason)


def _warning(code: str, step: Step, reason: str) -> Finding:
    return Finding(Severity.WARNING, code, step.name, reason)
