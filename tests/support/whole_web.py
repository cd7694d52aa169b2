"""The whole web application in this process: console, store and players, over a store that a test has."""

from collections.abc import AsyncIterator, Iterable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import cast

import httpx
from fastapi import FastAPI
from sqlalchemy.ext.asyncio import AsyncSession

from agent_console.app import create_app
from agent_console.auth import current_principal
from agent_console.ports import Role
from agent_console.throttle import RequestRates, SignInThrottle
from callcenter.appraisals.routes import appraisal_router
from callcenter.channels.voicemail_routes import voicemail_router
from callcenter.journal import JournalReader, JournalRow
from callcenter.program_tokens import StoreTokens
from callcenter.recordings.player import player_router
from callcenter.reporting.routes import report_router
from callcenter.transcripts.routes import transcript_router
from callcenter.workforce.routes import shifts_router
from crm_bridge.api import create_router
from crm_bridge.api_tokens import NewToken, create_token
from crm_bridge.database import Database
from tests.support.console_site import KEY, ORIGIN
from tests.support.crm_records import REGION
from tests.support.fake_desk import NOON, SETTINGS, FakeAccounts, FakeDesk, FakeFloor, Ticker, a_principal

PEOPLE = tuple(a_principal(f"user-{role}", role, agent_id=None, queue_ids=()) for role in Role)
"""One person of each role, whose login is the role."""


class StillClock:
    """The same instant for the console, which wants a function, and for the rest, which wants a clock."""

    def __init__(self) -> None:
        self.ticker = Ticker()

    def now(self) -> int:
        return self.ticker.at

    def instant(self) -> datetime:
        return datetime.fromtimestamp(self.ticker.at / 1000, UTC)


class _PresentStore:
    """Stands for whatever store the present test has."""

    store: Database

    def begin(self) -> AbstractAsyncContextManager[AsyncSession]:
        return self.store.begin()

    def read(self) -> AbstractAsyncContextManager[AsyncSession]:
        return self.store.read()

    async def scrub(self) -> None:
        await self.store.scrub()


class _EmptyJournal:
    def about(self, *_: str) -> list[JournalRow]:
        return []

    def every(self, *_: str) -> list[JournalRow]:
        return []


async def _write_down(fact: object) -> None:
    raise AssertionError(f"nobody is to write {fact} down")


async def _report(_: Path, options: Iterable[str]) -> bytes:
    return repr(list(options)).encode()


_present, _clock = _PresentStore(), StillClock()


@cache
def _application() -> FastAPI:
    """Once for all tests of a process: building the routes costs more than most tests."""
    database, journal = cast("Database", _present), cast("JournalReader", _EmptyJournal())
    return create_app(
        accounts=FakeAccounts(*PEOPLE),
        desk=FakeDesk(),
        floor=FakeFloor(),
        settings=SETTINGS,
        session_key=KEY,
        static_dir=None,
        clock=_clock.ticker,
        extra_routers=[
            create_router(sessions=_present, principal_dependency=current_principal, region=REGION, now=_clock.instant),
            player_router(database, None),
            transcript_router(database, _clock),
            voicemail_router(database),
            appraisal_router(journal, _write_down, (), {}),
            report_router(Path("journal"), make=_report),
            shifts_router(journal, _write_down, time_zone="UTC"),
        ],
    )


@dataclass
class WholeWeb:
    """The application, what it stands on, and ways to come in."""

    app: FastAPI
    database: Database
    clock: StillClock
    tokens: StoreTokens

    def client(self, **headers: str) -> httpx.AsyncClient:
        """A client with these headers and no session."""
        transport = httpx.ASGITransport(self.app)
        return httpx.AsyncClient(transport=transport, base_url=ORIGIN, headers={"Origin": ORIGIN, **headers})

    def program(self, token: str) -> httpx.AsyncClient:
        """A program: with a token, without an origin."""
        transport = httpx.ASGITransport(self.app)
        return httpx.AsyncClient(transport=transport, base_url=ORIGIN, headers={"authorization": f"Bearer {token}"})

    async def person(self, role: str) -> httpx.AsyncClient:
        """Somebody of this role, signed in; whoever asks closes the client."""
        client = self.client()
        answer = await client.post("/api/session", json={"login": role, "password": FakeAccounts.PASSWORD})
        assert answer.status_code == 200, answer.text
        return client

    async def token(self, name: str, *scopes: str, days: int = 30) -> str:
        """A token that opens something now."""
        new = NewToken(name, scopes, days)
        async with self.database.begin() as session:
            _, token = await create_token(session, new, actor_id="test", now=self.clock.instant())
        return token


@asynccontextmanager
async def whole_web(database: Database) -> AsyncIterator[WholeWeb]:
    """The application, started, at noon, with nobody counted yet."""
    app = _application()
    _present.store, _clock.ticker.at = database, NOON
    tokens = StoreTokens(database, _clock)
    app.state.console = replace(
        app.state.console,
        tokens=tokens,
        throttle=SignInThrottle(),
        program_rates=RequestRates(burst=100, per_second=20),
        wrong_token_rates=RequestRates(burst=20, per_second=1),
    )
    async with app.router.lifespan_context(app):
        yield WholeWeb(app, database, _clock, tokens)
