"""Tells waiting callers their place and their expected wait, over the music. One task; the facts come by the bus.

Losing it would cost nobody a call: it only plays, and every failure of a play is logged and forgotten.
"""

import asyncio
from collections.abc import Callable

import structlog

from callcenter.calls.audio import ANNOUNCEMENT_PLAY
from callcenter.calls.effects import CUSTOMER_LEG
from callcenter.calls.facts import CallConnected
from callcenter.errors import MediaError
from callcenter.ports import Clock, MediaPlane, Prompts
from callcenter.waiting_room import Announcement, ExpectedWait, WaitingRoom

log = structlog.get_logger(__name__)


class QueueAnnouncer:
    """``hear`` is for the bus; ``run`` plays what is due until cancelled."""

    def __init__(
        self,
        room: WaitingRoom,
        *,
        clock: Clock,
        media: MediaPlane,
        prompts: Prompts,
        expected_wait: ExpectedWait,
        leg_of: Callable[[str], str] = lambda _call_id: CUSTOMER_LEG,
    ) -> None:
        """``leg_of`` names the media leg of who waits in a call: the customer's, or a colleague's who was handed on."""
        self._leg_of = leg_of
        self._room = room
        self._clock = clock
        self._media = media
        self._prompts = prompts
        self._expected_wait = expected_wait
        self._news = asyncio.Event()
        self._count = 0
        self._playing: dict[str, str] = {}
        """The last announcement of each call that waits."""
        self._to_stop: list[tuple[str, str]] = []

    def hear(self, fact: object, at: int) -> None:
        """Take a fact; whoever is connected hears no announcement any longer."""
        before = self._room.next_deadline()
        left = self._room.apply(fact, at)
        if isinstance(fact, CallConnected):
            left = fact.call_id
        if left is not None and left in self._playing:
            self._to_stop.append((left, self._playing.pop(left)))
        if self._to_stop or self._room.next_deadline() != before:
            self._news.set()

    async def run(self) -> None:
        """Play what is due, when it is due."""
        while True:
            await self._wait()
            self._news.clear()
            stops, self._to_stop = self._to_stop, []
            for call_id, play_id in stops:
                await self._stop(call_id, play_id)
            for announcement in self._room.due(now=self._clock.now(), expected_wait=self._expected_wait):
                await self._play(announcement)

    async def _wait(self) -> None:
        deadline = self._room.next_deadline()
        seconds = None if deadline is None else max(0, deadline - self._clock.now()) / 1000
        try:
            async with asyncio.timeout(seconds):
                await self._news.wait()
        except TimeoutError:
            pass

    async def _play(self, announcement: Announcement) -> None:
        paths = [await self._prompts.path(part) for part in announcement.parts]
        call_id = announcement.call_id
        if self._room.position(call_id) is None:  # connected, or gone, while the prompts were looked up
            return
        self._count += 1
        play_id = f"{ANNOUNCEMENT_PLAY}-{self._count}"
        self._playing[call_id] = play_id
        try:
            await self._media.play(call_id, self._leg_of(call_id), play_id, paths)
        except MediaError as error:
            log.warning("announcement not played", call_id=call_id, error=str(error))

    async def _stop(self, call_id: str, play_id: str) -> None:
        try:
            await self._media.stop_play(call_id, play_id)
        except MediaError as error:
            log.warning("announcement not stopped", call_id=call_id, error=str(error))
