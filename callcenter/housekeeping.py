"""How much the exchange holds, counted into the journal now and then, so that an audit sees what leaks.

A count is only a fact: nobody acts on it. ``audit/house`` compares those that were taken while nobody called.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from callcenter.errors import MediaError
from callcenter.media.protocol import MediaStatus
from callcenter.ports import Clock, Journal

EVERY_SECONDS = 300.0
MEDIA_SECONDS = 1.0
"""How long the media processes may take to answer; a count goes without them then."""
DESCRIPTORS = Path("/proc/self/fd")


@dataclass(frozen=True, slots=True)
class HouseCounted:
    """What the exchange held at one instant. ``-1`` is what could not be counted."""

    at: int
    started_at: int
    """When this life of the exchange began: counts of different lives are not compared."""
    calls: int
    """Calls in progress, those of phones to their boxes included."""
    legs: int
    transactions: int
    connections: int
    """SIP connections: phones and trunks over TCP, TLS and WebSockets come and go without any call."""
    sessions: int
    """Media sessions."""
    ports: int
    """RTP ports in use, those at rest not counted."""
    tasks: int
    descriptors: int
    """Open files and sockets of the process."""


class HouseCounter:
    """Counts at the start and every five minutes."""

    def __init__(
        self,
        clock: Clock,
        journal: Journal,
        *,
        calls: Callable[[], int],
        sip: Callable[[], Mapping[str, int]],
        media: Callable[[], Awaitable[MediaStatus]],
    ) -> None:
        self._clock = clock
        self._journal = journal
        self._calls = calls
        self._sip = sip
        self._media = media
        self._started_at = clock.now()

    async def run(self) -> None:
        """Count until cancelled."""
        while True:
            await self.count()
            await asyncio.sleep(EVERY_SECONDS)

    async def count(self) -> None:
        """One count."""
        media = await self._ask_media()
        sip, now = self._sip(), self._clock.now()
        counted = HouseCounted(
            at=now,
            started_at=self._started_at,
            calls=self._calls(),
            legs=sip.get("legs", -1),
            transactions=sip.get("transactions", -1),
            connections=sip.get("connections", -1),
            sessions=-1 if media is None else media.sessions,
            ports=-1 if media is None else media.ports_used,
            tasks=len(asyncio.all_tasks()),
            descriptors=_descriptors(),
        )
        self._journal.append(counted, at=now)

    async def _ask_media(self) -> MediaStatus | None:
        with suppress(MediaError, TimeoutError):
            async with asyncio.timeout(MEDIA_SECONDS):
                return await self._media()
        return None


def _descriptors() -> int:
    """Open files and sockets of this process; ``-1`` where the system does not tell (``/proc`` is of Linux)."""
    return sum(1 for _ in DESCRIPTORS.iterdir()) if DESCRIPTORS.exists() else -1
