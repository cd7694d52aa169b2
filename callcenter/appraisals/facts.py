"""Surveys and scores as facts, past tense. ``call_id`` is the interaction: a call, or an item; ``contact_id`` names a
later segment, and is empty for the first. Who was there is written down with them, since answers come days later."""

from dataclasses import dataclass
from enum import StrEnum


class SurveyKind(StrEnum):
    """What a customer is asked."""

    CSAT = "csat"
    """How satisfied, from 1 to 5."""
    NPS = "nps"
    """How likely to recommend us, from 0 to 10."""


RANGES = {SurveyKind.CSAT: (1, 5), SurveyKind.NPS: (0, 10)}


@dataclass(frozen=True, slots=True)
class SurveyAsked:
    """The customer is asked. ``at`` in milliseconds, as all instants here."""

    call_id: str
    at: int
    kind: SurveyKind
    queue_id: str
    agent_id: str
    how: str
    """``call``: on the line after the conversation; else the channel of the message."""


@dataclass(frozen=True, slots=True)
class SurveyAnswered:
    """The customer's answer; only the first one of an interaction counts."""

    call_id: str
    at: int
    kind: SurveyKind
    score: int
    queue_id: str
    agent_id: str
    how: str
    asked_at: int
    """Where it counts."""
    comment: str = ""
    """What the customer said beside the number."""


@dataclass(frozen=True, slots=True)
class Mark:
    """What was given for one criterion."""

    criterion: str
    points: int | None
    """``None``: it did not apply."""


@dataclass(frozen=True, slots=True)
class ConversationScored:
    """A supervisor scored a conversation; a later score of the same one takes its place in the figures."""

    call_id: str
    at: int
    by: str
    agent_id: str
    queue_id: str
    talked_at: int
    """When the conversation ended: where it counts."""
    form_id: str
    marks: tuple[Mark, ...]
    score: int
    """In hundredths of a per cent."""
    is_fatal: bool
    notes: str = ""
    contact_id: str = ""


AppraisalFact = SurveyAsked | SurveyAnswered | ConversationScored
