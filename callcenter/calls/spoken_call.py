"""A call of an agent's phone that is answered by a sentence: where a customer was parked. Nobody else is in it."""

import asyncio
from dataclasses import dataclass, field

import structlog

from callcenter.calls.legs import EndCause, LegEvent, LegOffered
from callcenter.calls.lone_leg import PHONE, LoneLeg
from callcenter.errors import MediaError
from callcenter.ports import (
    MediaEvent,
    MediaPlane,
    PlayFinished,
    Prompts,
    Signalling,
)
from ivr.effects import PromptText

log = structlog.get_logger(__name__)

PLAY = "spoken"
PARKED = PromptText("park.slot", "en", "Parked at")
DIGITS = tuple(
    PromptText(f"digit.{number}", "en", word)
    for number, word in enumerate(("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"))
)


def parking_prompts() -> list[PromptText]:
    """Everything that is said of parking, to be rendered beforehand; an operator's recordings go first."""
    return [PARKED, *DIGITS]


def slot_said(slot: str) -> list[PromptText]:
    """Where somebody is parked, digit by digit."""
    return [PARKED, *(DIGITS[int(digit)] for digit in slot)]


@dataclass(slots=True)
class SpokenCall:
    """One such call."""

    offered: LegOffered
    agent_id: str
    said: list[PromptText]
    signalling: Signalling
    media: MediaPlane
    prompts: Prompts
    inbox: "asyncio.Queue[LegEvent | MediaEvent]" = field(default_factory=lambda: asyncio.Queue(100))

    @property
    def session_id(self) -> str:
        """The media session."""
        return f"spoken-{self.offered.leg_id}"

    async def run(self) -> None:
        """Answer, say it, hang up."""
        cause = EndCause.NORMAL
        leg = LoneLeg(self.offered, self.session_id, self.signalling, self.media)
        try:
            await leg.answer()
            paths = [await self.prompts.path(each) for each in self.said]
            await self.media.play(self.session_id, PHONE, PLAY, paths)
            while not leg.is_over and not isinstance(event := await self.inbox.get(), PlayFinished):
                await leg.hear(event)
        except MediaError as error:
            log.info("nothing said to a phone", agent_id=self.agent_id, error=str(error))
            cause = EndCause.MEDIA_LOST
        finally:
            self.signalling.end(self.offered.leg_id, cause)
            await leg.close()
