"""A call flow as data: its prompts, opening hours and steps. Built by ``ivr.parser``, run by ``ivr.interpreter``."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from ivr.digits import DigitRules
from ivr.effects import PromptText
from ivr.hours import Hours

LANGUAGE = "language"
"""The variable that holds the caller's language."""


@dataclass(frozen=True, slots=True)
class PromptPart:
    """A prompt by name; ``language`` is fixed for parts said in their own language, else it is the caller's."""

    name: str
    language: str | None = None


Prompt = tuple[PromptPart, ...]
"""Parts that are said one after the other; empty: nothing is said."""


@dataclass(frozen=True, slots=True)
class Target:
    """One way out of a step."""

    step: str
    label: str = ""
    by_input: bool = False
    """Whether only a caller who presses something takes this way."""


Assignments = tuple[tuple[str, str], ...]
"""Variables and their new values, in order; ``${name}`` in a value stands for the present value of a variable."""


@dataclass(frozen=True, slots=True)
class AnswerStep:
    """Answer the call; goes on at once when it is answered already."""

    name: str
    next: str

    def targets(self) -> tuple[Target, ...]:
        """Where the flow may go from here."""
        return (Target(self.next),)


@dataclass(frozen=True, slots=True)
class PlayStep:
    """Say something."""

    name: str
    prompt: Prompt
    next: str
    barge_in: bool = False
    type_ahead: bool = True

    def targets(self) -> tuple[Target, ...]:
        """Where the flow may go from here."""
        return (Target(self.next),)


@dataclass(frozen=True, slots=True)
class Inquiry:
    """How a step asks the caller: what is said, how often, and where a caller goes who does not answer."""

    prompt: Prompt
    rules: DigitRules
    on_failure: str
    attempts: int = 3
    invalid_prompt: Prompt = ()
    """Said before the prompt when the last answer was none of those asked for."""
    no_input_prompt: Prompt = ()
    """Said before the prompt when nothing came."""
    barge_in: bool = True
    type_ahead: bool = True


@dataclass(frozen=True, slots=True)
class MenuChoice:
    """One key of a menu."""

    digit: str
    label: str
    next: str
    values: Assignments = ()


@dataclass(frozen=True, slots=True)
class MenuStep:
    """Let the caller choose with one key."""

    name: str
    inquiry: Inquiry
    choices: tuple[MenuChoice, ...]

    def targets(self) -> tuple[Target, ...]:
        """Where the flow may go from here."""
        chosen = (Target(choice.next, f"{choice.digit}: {choice.label}", by_input=True) for choice in self.choices)
        return (*chosen, Target(self.inquiry.on_failure, "no answer"))


@dataclass(frozen=True, slots=True)
class CollectStep:
    """Let the caller type a number into a variable."""

    name: str
    inquiry: Inquiry
    variable: str
    next: str

    def targets(self) -> tuple[Target, ...]:
        """Where the flow may go from here."""
        return (Target(self.next, "typed", by_input=True), Target(self.inquiry.on_failure, "no answer"))


@dataclass(frozen=True, slots=True)
class SurveyStep:
    """Ask the caller for one figure: how satisfied (``csat``, 1 to 5), how likely to recommend (``nps``, 0 to 10)."""

    name: str
    inquiry: Inquiry
    """``on_failure`` follows when the caller gives no such figure."""
    kind: str
    next: str

    def targets(self) -> tuple[Target, ...]:
        """Where the flow may go from here."""
        return (Target(self.next, "answered", by_input=True), Target(self.inquiry.on_failure, "no answer"))


SURVEYS: Mapping[str, tuple[int, int]] = {"csat": (1, 5), "nps": (0, 10)}
"""What may be asked, and the least and greatest answer."""


@dataclass(frozen=True, slots=True)
class HoursStep:
    """Go two ways by opening hours."""

    name: str
    hours: str
    open: str
    closed: str

    def targets(self) -> tuple[Target, ...]:
        """Where the flow may go from here."""
        return (Target(self.open, "open"), Target(self.closed, "closed"))


@dataclass(frozen=True, slots=True)
class BranchStep:
    """Go many ways by the value of a variable; ``otherwise`` when no case has it."""

    name: str
    variable: str
    cases: tuple[tuple[str, str], ...]
    """Value and step."""
    otherwise: str

    def targets(self) -> tuple[Target, ...]:
        """Where the flow may go from here."""
        return (*(Target(step, value or "(empty)") for value, step in self.cases), Target(self.otherwise, "otherwise"))


@dataclass(frozen=True, slots=True)
class SetStep:
    """Give variables new values."""

    name: str
    values: Assignments
    next: str

    def targets(self) -> tuple[Target, ...]:
        """Where the flow may go from here."""
        return (Target(self.next),)


@dataclass(frozen=True, slots=True)
class QueueStep:
    """Hand the call to a queue: an end of the flow, unless it says what follows ``otherwise``."""

    name: str
    queue: str
    priority: int = 0
    skills: tuple[tuple[str, int], ...] = ()
    language_skill: bool = False
    """Ask also for the skill named like the caller's language, at level 1."""
    plan: str = ""
    """The route plan of the house to go by; empty: that of the queue."""
    agent: str = ""
    """An agent who is asked first, by id, with ``${name}`` for variables; empty: none."""
    agent_ms: int = 0
    """How long that agent alone is asked."""
    otherwise: str = ""
    """The step that follows when the queue does not let the call in or gives it back; empty: none, this is the end."""
    survey: str = ""
    """The step that follows when the agent hangs up and the caller stays; empty: none, the call is over."""

    def targets(self) -> tuple[Target, ...]:
        """Where the flow may go from here."""
        ways = (Target(self.otherwise, "otherwise"), Target(self.survey, "talked"))
        return tuple(way for way in ways if way.step)


@dataclass(frozen=True, slots=True)
class VoicemailStep:
    """Let the caller leave a message: until ``#`` is pressed, the time is over or the caller hangs up."""

    name: str
    box: str
    """Whose message it is: a queue or an agent, with ``${name}`` for variables."""
    prompt: Prompt
    next: str
    max_ms: int = 120_000
    otherwise: str = ""
    """Where the flow goes when the variables name no box; empty for a box that is always there."""

    def targets(self) -> tuple[Target, ...]:
        """Where the flow may go from here."""
        return (Target(self.next), Target(self.otherwise, "no box")) if self.otherwise else (Target(self.next),)


@dataclass(frozen=True, slots=True)
class CallbackStep:
    """Take the caller's number for a callback with the place of now; the call itself goes on."""

    name: str
    queue: str
    next: str
    otherwise: str
    """The step that follows when no callback can be promised."""
    priority: int = 0
    skills: tuple[tuple[str, int], ...] = ()
    language_skill: bool = False
    """Ask also for the skill named like the caller's language, at level 1."""

    def targets(self) -> tuple[Target, ...]:
        """Where the flow may go from here."""
        return (Target(self.next, "taken"), Target(self.otherwise, "refused"))


@dataclass(frozen=True, slots=True)
class HangUpStep:
    """End the call: an end of the flow."""

    name: str
    reason: str

    def targets(self) -> tuple[Target, ...]:
        """Where the flow may go from here."""
        return ()


Step = (
    AnswerStep
    | PlayStep
    | MenuStep
    | CollectStep
    | SurveyStep
    | HoursStep
    | BranchStep
    | SetStep
    | QueueStep
    | VoicemailStep
    | CallbackStep
    | HangUpStep
)


@dataclass(frozen=True, slots=True)
class Flow:
    """One call flow. Mappings keep the order of the text and are not to be changed."""

    name: str
    start: str
    languages: tuple[str, ...]
    default_language: str
    prompts: Mapping[str, Mapping[str, str]]
    """Prompt name -> language -> text."""
    hours: Mapping[str, Hours]
    steps: Mapping[str, Step]

    def render(self, prompt: Prompt, language: str) -> tuple[PromptText, ...]:
        """The prompt for a caller of this language; a text that is missing is said in the default language."""
        return tuple(self._render_part(part, part.language or language) for part in prompt)

    def _render_part(self, part: PromptPart, language: str) -> PromptText:
        texts = self.prompts[part.name]
        said = next(code for code in (language, self.default_language, *texts) if code in texts)
        return PromptText(part.name, said, texts[said])

    def prompt_texts(self) -> tuple[PromptText, ...]:
        """Everything this flow can say, for rendering it beforehand."""
        return tuple(
            PromptText(name, language, text) for name, texts in self.prompts.items() for language, text in texts.items()
        )

    def box_ids(self) -> frozenset[str]:
        """Every voicemail box this flow takes messages for, but for those that a variable names."""
        steps = (step for step in self.steps.values() if isinstance(step, VoicemailStep))
        return frozenset(step.box for step in steps if "${" not in step.box)

    def queue_ids(self) -> frozenset[str]:
        """Every queue this flow hands calls to."""
        return frozenset(step.queue for step in self.steps.values() if isinstance(step, QueueStep | CallbackStep))

    def plan_ids(self) -> frozenset[str]:
        """Every route plan of the house this flow names."""
        return _plan_ids(self.steps.values())


def _plan_ids(steps: Iterable[Step]) -> frozenset[str]:
    return frozenset(step.plan for step in steps if isinstance(step, QueueStep) and step.plan)


def prompts_of(step: Step) -> Iterator[Prompt]:
    """Everything a step can say."""
    if isinstance(step, PlayStep | VoicemailStep):
        yield step.prompt
    elif isinstance(step, MenuStep | CollectStep | SurveyStep):
        yield from (step.inquiry.prompt, step.inquiry.invalid_prompt, step.inquiry.no_input_prompt)
