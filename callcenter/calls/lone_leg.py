"""The one leg of a phone that calls the house itself and is alone with it: its media, and what becomes of it."""

from collections.abc import Callable
from dataclasses import dataclass

import structlog

from callcenter.calls.legs import (
    LegAnswered,
    LegEnded,
    LegEvent,
    LegOffered,
    LegReanswered,
    LegReoffered,
    LegReofferRefused,
)
from callcenter.errors import MediaError
from callcenter.ports import LegProfile, LegsStranded, MediaEvent, MediaPlane, SessionLost, Signalling

log = structlog.get_logger(__name__)

PHONE = "phone"
"""The media leg."""


@dataclass(slots=True)
class LoneLeg:
    """Owned by the task of its call, which tells it of everything that comes."""

    offered: LegOffered
    session_id: str
    signalling: Signalling
    media: MediaPlane
    is_over: bool = False
    """Whether nobody is there any more."""

    async def answer(self) -> None:
        """Open the media and answer the phone. Raises ``MediaError``."""
        await self.media.create(self.session_id)
        if self.offered.sdp:
            profile = LegProfile(self.offered.peer_address)
            sdp = await self.media.answer_offer(self.session_id, PHONE, self.offered.sdp, profile)
        else:
            sdp = await self.media.make_offer(self.session_id, PHONE)
        self.signalling.answer(self.offered.leg_id, sdp)

    async def hear(self, event: LegEvent | MediaEvent) -> None:
        """Follow the leg: new descriptions are met, and ports that are gone are replaced by a new offer.

        Raises ``MediaError`` for an answer that media cannot take.
        """
        match event:
            case LegReoffered():
                await self._describe(event.sdp, event.peer_address, self.signalling.accept_reoffer)
            case LegsStranded():
                await self._describe("", "", self.signalling.reoffer)
            case LegAnswered() | LegReanswered():
                profile = LegProfile(event.peer_address)
                await self.media.accept_answer(self.session_id, PHONE, event.sdp, profile)
            case LegEnded() | LegReofferRefused() | SessionLost():
                self.is_over = True
            case _:
                pass

    async def _describe(self, sdp: str, peer_address: str, tell: Callable[[str, str], None]) -> None:
        """Answer what the phone offers, or make it an offer. One that fails leaves the call as it is: the phone is
        refused by the stack, and media tells of a stranded leg again."""
        try:
            if sdp:
                ours = await self.media.answer_offer(self.session_id, PHONE, sdp, LegProfile(peer_address))
            else:
                ours = await self.media.make_offer(self.session_id, PHONE)
        except MediaError as error:
            log.warning("no new description for a phone", call_id=self.session_id, error=str(error))
            return
        tell(self.offered.leg_id, ours)

    async def close(self) -> None:
        """Close the media."""
        try:
            await self.media.destroy(self.session_id)
        except MediaError as error:
            log.warning("media session not closed", call_id=self.session_id, error=str(error))
