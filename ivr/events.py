"""What a running flow is told. Instants are integer milliseconds since the epoch (flows read opening hours)."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CallStarted:
    """The call is there, not answered yet. ``variables`` are the first values (``caller``, ``called``, ...)."""

    variables: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class CallAnswered:
    """The answer ordered by ``AnswerCall`` is carried out; audio can be heard."""


@dataclass(frozen=True, slots=True)
class PromptFinished:
    """A prompt was played to its end, was stopped, or could not be played."""

    play_id: str


@dataclass(frozen=True, slots=True)
class DigitPressed:
    """The caller pressed one of ``0-9 * #`` or ``A-D``."""

    digit: str


@dataclass(frozen=True, slots=True)
class VariablesChanged:
    """Values learned while the flow runs, such as the customer's language from the customer store."""

    variables: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class ContactReturned:
    """The queue did not let the call in, or gave it back; ``reason`` becomes the variable ``queue_reason``."""

    reason: str


@dataclass(frozen=True, slots=True)
class CallbackSettled:
    """Whether the callback that ``RequestCallback`` asked for is promised."""

    taken: bool


@dataclass(frozen=True, slots=True)
class CallerFellSilent:
    """Who leaves a message has said nothing for a while; at other times it means nothing."""


Event = (
    CallStarted
    | CallAnswered
    | PromptFinished
    | DigitPressed
    | VariablesChanged
    | ContactReturned
    | CallbackSettled
    | CallerFellSilent
)
