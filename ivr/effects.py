"""What a running flow orders, and what it reports."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PromptText:
    """One prompt in one language. ``name`` finds an operator's recording, ``text`` is spoken when there is none."""

    name: str
    language: str
    text: str


@dataclass(frozen=True, slots=True)
class AnswerCall:
    """Answer the call."""


@dataclass(frozen=True, slots=True)
class PlayPrompt:
    """Play these prompts one after the other; with ``barge_in`` the first digit stops them at once, where they play."""

    play_id: str
    prompts: tuple[PromptText, ...]
    barge_in: bool


@dataclass(frozen=True, slots=True)
class StopPrompt:
    """Stop a prompt that may still be playing."""

    play_id: str


@dataclass(frozen=True, slots=True)
class EnqueueContact:
    """Hand the call to a queue. The flow is over, or with ``may_return`` waits for ``ContactReturned``."""

    queue_id: str
    priority: int
    required_skills: tuple[tuple[str, int], ...]
    language: str
    variables: tuple[tuple[str, str], ...]
    plan: str = ""
    """The route plan of the house to go by; empty: that of the queue."""
    agent: str = ""
    """The agent to ask first for ``agent_ms``; empty: none."""
    agent_ms: int = 0
    may_return: bool = False
    surveys: bool = False
    """Whether the flow goes on, too, when the agent hangs up and the caller stays."""


@dataclass(frozen=True, slots=True)
class RecordMessage:
    """Record what the caller says, for this box, until ``EndMessage`` or the end of the call."""

    box: str
    language: str


@dataclass(frozen=True, slots=True)
class RequestCallback:
    """Promise the caller a callback from this queue; answered by ``CallbackSettled``."""

    queue_id: str
    priority: int
    required_skills: tuple[tuple[str, int], ...]
    language: str


@dataclass(frozen=True, slots=True)
class EndMessage:
    """The message is over."""


@dataclass(frozen=True, slots=True)
class HangUpCall:
    """End the call. The flow is over."""

    reason: str


@dataclass(frozen=True, slots=True)
class SurveyGiven:
    """Fact: the caller answered a survey of this kind."""

    kind: str
    score: int


@dataclass(frozen=True, slots=True)
class SurveyPut:
    """Fact: the caller is asked one."""

    kind: str


@dataclass(frozen=True, slots=True)
class StepEntered:
    """Fact: the flow came to this step; ``choice`` is the menu choice that led here, by its label."""

    step: str
    choice: str | None = None


Effect = (
    AnswerCall
    | PlayPrompt
    | StopPrompt
    | EnqueueContact
    | RequestCallback
    | RecordMessage
    | EndMessage
    | HangUpCall
    | SurveyPut
    | SurveyGiven
    | StepEntered
)
