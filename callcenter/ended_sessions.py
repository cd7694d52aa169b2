"""What was signed out stays signed out over a restart of the web process: revoked sessions lie in the customer store.

Signing out never waits for it. While the store is away, revocations hold in memory and are written when it is back;
until it has been read after a start, a cookie that was stolen before its session was signed out would open again.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from datetime import datetime

import structlog

from agent_console.sessions import CLOCK_STEP_MS, Session, Sessions
from callcenter.ports import Clock
from crm_bridge.database import Database
from crm_bridge.ended_sessions import ended_since, keep_ended
from crm_bridge.errors import CrmError
from crm_bridge.models.base import from_micros, to_micros

log = structlog.get_logger(__name__)

RETRY_SECONDS = 2.0
MOST_WAITING = 10_000


class EndedSessions:
    """Keeps the console's revocations and the store's table together. ``run`` is a task of the web process."""

    def __init__(self, database: Database, sessions: Sessions, clock: Clock) -> None:
        self._database = database
        self._sessions = sessions
        self._clock = clock
        self._waiting: deque[Session] = deque(maxlen=MOST_WAITING)
        self._news = asyncio.Event()
        sessions.on_revoked = self._remember

    async def run(self) -> None:
        """Read what was revoked before, then write what is revoked from now on. Tries again while the store is away."""
        await self._until_done(self._read)
        while True:
            await self._news.wait()
            self._news.clear()
            await self._until_done(self._write)

    def _remember(self, session: Session) -> None:
        self._waiting.append(session)
        self._news.set()

    async def _until_done(self, work: Callable[[], Awaitable[None]]) -> None:
        told = False
        while True:
            try:
                await work()
            except CrmError as error:
                if not told:
                    log.warning("ended sessions wait for the store", error=str(error))
                told = True
                await asyncio.sleep(RETRY_SECONDS)
            else:
                return

    async def _read(self) -> None:
        now = self._clock.now()
        async with self._database.read() as session:
            rows = await ended_since(session, self._oldest(now))
        for row in rows:
            issued_at = to_micros(row.issued_at) // 1000
            self._sessions.restore(Session(row.user_id, issued_at, issued_at, row.session_id), now=now)

    async def _write(self) -> None:
        while self._waiting:
            ended = self._waiting[0]
            issued_at = from_micros(ended.issued_at * 1000)
            async with self._database.begin() as session:
                older = self._oldest(self._clock.now())
                await keep_ended(session, ended.session_id, ended.user_id, issued_at=issued_at, older_than=older)
            self._waiting.popleft()

    def _oldest(self, now: int) -> datetime:
        return from_micros((now - self._sessions.lifetime_ms - CLOCK_STEP_MS) * 1000)
