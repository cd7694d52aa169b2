"""What was signed out stays signed out when the web process starts anew, and a store that is away delays nobody."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from sqlalchemy import text

from agent_console.errors import NotSignedIn
from agent_console.sessions import HOUR, Sessions
from callcenter import ended_sessions
from callcenter.ended_sessions import EndedSessions
from crm_bridge.database import Database, migrate
from tests.support.waiting import until
from tests.support.whole_web import StillClock

pytestmark = pytest.mark.unit

KEYS = [b"k" * 32]


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    url = f"sqlite+aiosqlite:///{tmp_path}/store.db"
    await migrate(url)
    database = Database(url)
    yield database
    await database.close()


@asynccontextmanager
async def a_run(database: Database, clock: StillClock) -> AsyncIterator[Sessions]:
    """One life of the web process, as far as sessions go."""
    sessions = Sessions(KEYS)
    kept = EndedSessions(database, sessions, clock)
    task = asyncio.create_task(kept.run())
    yield sessions
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def count(database: Database) -> int:
    async with database.read() as session:
        found = await session.scalar(text("SELECT COUNT(*) FROM ended_session"))
    return int(found or 0)


def opens(sessions: Sessions, token: str, now: int) -> bool:
    try:
        sessions.read(token, now=now)
    except NotSignedIn:
        return False
    return True


async def wait_for(database: Database, rows: int) -> None:
    async def there() -> bool:
        return await count(database) == rows

    await until(f"{rows} ended sessions are kept", there)


async def test_a_session_that_was_signed_out_opens_nothing_after_a_restart(database: Database) -> None:
    clock = StillClock()
    async with a_run(database, clock) as sessions:
        stolen, other = (sessions.open("anna", now=clock.now()) for _ in range(2))
        sessions.revoke(sessions.read(stolen, now=clock.now()), now=clock.now())
        await wait_for(database, 1)
    async with a_run(database, clock) as sessions:
        await until("the revocation is read", lambda: not opens(sessions, stolen, clock.now()))
        assert opens(sessions, other, clock.now())


async def test_what_would_have_expired_anyway_is_forgotten(database: Database) -> None:
    clock = StillClock()
    async with a_run(database, clock) as sessions:
        sessions.revoke(sessions.read(sessions.open("anna", now=clock.now()), now=clock.now()), now=clock.now())
        await wait_for(database, 1)
        clock.ticker.pass_seconds(13 * HOUR / 1000)
        sessions.revoke(sessions.read(sessions.open("boris", now=clock.now()), now=clock.now()), now=clock.now())

        async def only_the_newer() -> bool:
            async with database.read() as session:
                return (await session.scalar(text("SELECT MIN(user_id) FROM ended_session"))) == "boris"

        await until("only the newer one is kept", only_the_newer)


async def test_a_store_that_is_away_delays_no_signing_out_and_gets_it_later(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ended_sessions, "RETRY_SECONDS", 0.01)
    clock = StillClock()
    async with database.engine.begin() as connection:
        await connection.execute(text("ALTER TABLE ended_session RENAME TO elsewhere"))
    async with a_run(database, clock) as sessions:
        token = sessions.open("anna", now=clock.now())
        sessions.revoke(sessions.read(token, now=clock.now()), now=clock.now())
        assert not opens(sessions, token, clock.now())
        async with database.engine.begin() as connection:
            await connection.execute(text("ALTER TABLE elsewhere RENAME TO ended_session"))
        await wait_for(database, 1)
