"""Surveys by message as people write them at a queue: ``survey = { kind = "csat", share_percent = 50 }``."""

import string
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from callcenter.appraisals.facts import SurveyKind
from callcenter.site.fields import SiteModel
from callcenter.surveys.contacts import Origin
from callcenter.surveys.rules import BLANKS, LINK, SurveyRule

LONGEST_TEXT = 600
HOUR_MS = 3_600_000


def _with_a_link(text: str) -> str:
    try:
        blanks = {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}
    except ValueError:
        raise ValueError("a brace stands alone; write {link}") from None
    if unknown := sorted(blanks - BLANKS):
        known = ", ".join(f"{{{each}}}" for each in sorted(BLANKS))
        raise ValueError(f"{{{unknown[0]}}} is no blank; there are {known}")
    if LINK not in text:
        raise ValueError("the text has no {link}, by which customers answer")
    return text


SurveyText = Annotated[str, Field(max_length=LONGEST_TEXT), AfterValidator(_with_a_link)]


class SurveyModel(SiteModel):
    """Customers of this queue are asked by message when their contact is over."""

    kind: SurveyKind = SurveyKind.CSAT
    """``csat`` (satisfaction, 1 to 5) or ``nps`` (recommendation, 0 to 10)."""
    share_percent: float = Field(default=100, ge=0, le=100)
    """How many of the contacts."""
    after_seconds: int = Field(default=600, ge=0, le=604_800)
    """How long after the end of the contact."""
    apart_days: int = Field(default=30, ge=0, le=3650)
    """A person is asked once in so many days at most, whatever queue it was."""
    expires_hours: int = Field(default=168, ge=1, le=2160)
    """So long after the message an answer counts; and so long at most after the contact it may still be sent."""
    channels: tuple[Literal["sms", "email"], ...] = Field(default=("sms", "email"), min_length=1)
    """In this order, where the customer has no preference."""
    callbacks: bool = True
    """Also who was called back."""
    calls_out: bool = False
    """Also whom agents of this queue called by themselves."""
    texts: dict[str, SurveyText] = Field(default_factory=dict)
    """The message by language, with ``{link}``, and perhaps ``{scale}`` and ``{company}``; left out: words of the
    house."""

    @model_validator(mode="after")
    def _each_channel_once(self) -> Self:
        if len(set(self.channels)) != len(self.channels):
            raise ValueError("channels: each channel once")
        return self

    def rule(self) -> SurveyRule:
        """As the post office of surveys has it."""
        counted = {Origin.CUSTOMER: True, Origin.CALLBACK: self.callbacks, Origin.CALL_OUT: self.calls_out}
        return SurveyRule(
            self.kind,
            self.share_percent,
            self.after_seconds * 1000,
            self.apart_days,
            self.expires_hours * HOUR_MS,
            self.channels,
            self.texts,
            frozenset(origin for origin, asked in counted.items() if asked),
        )
