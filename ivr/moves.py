"""What a step kind wants to happen next. Verbs return moves; the interpreter carries them out and keeps the state."""

from collections.abc import Mapping
from dataclasses import dataclass

from ivr.digits import DigitRules
from ivr.effects import EnqueueContact, HangUpCall, PromptText, RequestCallback, SurveyGiven
from ivr.flow import LANGUAGE, Assignments, Flow, Prompt


@dataclass(frozen=True, slots=True)
class Scene:
    """What a verb may look at."""

    flow: Flow
    variables: Mapping[str, str]
    answered: bool
    attempt: int
    """Which attempt of the present step this is, from 1."""
    now: int
    """Milliseconds since the epoch."""

    @property
    def language(self) -> str:
        """The caller's language where the flow speaks it, else the flow's own."""
        language = self.variables.get(LANGUAGE, "")
        return language if language in self.flow.languages else self.flow.default_language

    def render(self, *prompts: Prompt) -> tuple[PromptText, ...]:
        """These prompts for this caller."""
        return tuple(text for prompt in prompts for text in self.flow.render(prompt, self.language))


@dataclass(frozen=True, slots=True)
class AwaitAnswer:
    """Answer the call; ``done`` of the verb follows."""


@dataclass(frozen=True, slots=True)
class Say:
    """Say this; ``done`` of the verb follows, at once when there is nothing to say or the caller has typed ahead."""

    prompts: tuple[PromptText, ...]
    barge_in: bool
    type_ahead: bool


@dataclass(frozen=True, slots=True)
class AskAgain:
    """The next attempt of the same step; what was typed ahead meant something else and is forgotten."""

    say: Say


@dataclass(frozen=True, slots=True)
class Listen:
    """Collect digits; ``typed`` of the verb follows."""

    rules: DigitRules


@dataclass(frozen=True, slots=True)
class Go:
    """Set these variables and enter a step; ``choice`` is the label of the menu choice that led there."""

    step: str
    choice: str | None = None
    values: Assignments = ()
    given: SurveyGiven | None = None
    """An answer that was given on the way."""


@dataclass(frozen=True, slots=True)
class Record:
    """Take a message for this box; the verb's ``recorded`` follows when it is over."""

    box: str
    max_ms: int


@dataclass(frozen=True, slots=True)
class Finish:
    """The flow is over, or waits for its call to come back from a queue."""

    effect: EnqueueContact | HangUpCall


@dataclass(frozen=True, slots=True)
class AwaitCallback:
    """Ask for a callback; ``done`` of the verb follows, with the answer in the variable ``callback``."""

    effect: RequestCallback


Move = AwaitAnswer | AwaitCallback | Say | AskAgain | Listen | Go | Record | Finish
