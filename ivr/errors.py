"""Errors of the call-flow language. Each has a stable lower-case ``code`` that is part of the API."""

from collections.abc import Sequence
from dataclasses import dataclass


class IvrError(Exception):
    """Anything the flow language raises on purpose."""

    code = "ivr-error"


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with the text of a flow."""

    step: str | None
    """Name of the step it stands in, ``None`` outside of the steps."""
    place: str
    """The table or key, written as in the text: ``steps.main.choices.1``; empty for the text as a whole."""
    line: int | None
    """Line of the table's header, counted from 1, where it could be found."""
    reason: str
    """What is wrong and what to do."""

    def __str__(self) -> str:
        where = f"[{self.place}] " if self.place else ""
        return f"{where}{self.reason}"


class FlowSyntaxError(IvrError):
    """The text is not a flow. Lists everything that was found; ``step`` and ``reason`` are those of the first."""

    code = "flow-syntax-error"

    def __init__(self, source: str, problems: Sequence[Problem]) -> None:
        self.source = source
        self.problems = tuple(problems)
        self.step = self.problems[0].step
        self.reason = self.problems[0].reason
        lines = (f"{source}:{problem.line or 1}: {problem}" for problem in self.problems)
        super().__init__("\n".join(lines))


class UnknownStep(IvrError):
    """A flow, or a saved run of it, names a step that is not there."""

    code = "unknown-step"

    def __init__(self, flow: str, step: str) -> None:
        super().__init__(f"flow {flow!r} has no step {step!r}; run lint over it")
        self.step = step


class UnknownName(IvrError):
    """A step names a prompt or an hours table that the flow does not have."""

    code = "unknown-name"

    def __init__(self, flow: str, kind: str, name: str) -> None:
        super().__init__(f"flow {flow!r} has no {kind} {name!r}; run lint over it")
        self.kind = kind
        self.name = name


class UnexpectedEvent(IvrError):
    """The host told a run something that cannot have happened now; the run is unchanged."""

    code = "unexpected-event"


class BadSnapshot(IvrError):
    """A saved run cannot be taken up: another version, another flow, or damaged."""

    code = "bad-snapshot"
