"""A running console on fakes, and the ways a browser reaches it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import httpx
from fastapi import FastAPI

from agent_console.app import create_app
from agent_console.live import ConsoleHub
from tests.support.asgi_socket import AsgiSocket
from tests.support.fake_desk import SETTINGS, FakeAccounts, FakeDesk, FakeFloor, Ticker

StartHub = Callable[..., Awaitable[ConsoleHub]]
"""``await start_hub(limits, epoch)``, both optional."""

KEY = b"k" * 32
ORIGIN = "http://console.test"


def console_app(
    accounts: FakeAccounts,
    *,
    desk: FakeDesk | None = None,
    floor: FakeFloor | None = None,
    clock: Ticker | None = None,
    **ports: Any,
) -> FastAPI:
    """A console on fakes for these people; ``ports`` are what ``create_app`` takes besides."""
    return create_app(
        accounts=accounts,
        desk=desk or FakeDesk(),
        floor=floor or FakeFloor(),
        settings=SETTINGS,
        session_key=KEY,
        clock=clock or Ticker(),
        **{"static_dir": None, **ports},
    )


def browser_of(app: FastAPI) -> httpx.AsyncClient:
    """A browser without a port; whoever opened it closes it."""
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url=ORIGIN)


async def sign_in(browser: httpx.AsyncClient, login: str) -> httpx.Response:
    """Sign somebody in, as everybody does here."""
    credentials = {"login": login, "password": FakeAccounts.PASSWORD}
    response = await browser.post("/api/session", json=credentials, headers={"Origin": ORIGIN})
    assert response.status_code == 200, response.text
    return response


@dataclass
class Site:
    """A running console and the fakes behind it."""

    app: FastAPI
    browser: httpx.AsyncClient
    floor: FakeFloor
    desk: FakeDesk
    accounts: FakeAccounts
    clock: Ticker

    @property
    def hub(self) -> ConsoleHub:
        hub: ConsoleHub = self.app.state.console.hub
        return hub

    async def sign_in(self, login: str) -> str:
        """Sign in; the session cookie as a ``Cookie`` header's value."""
        response = await sign_in(self.browser, login)
        return f"callcenter_session={response.cookies['callcenter_session']}"

    def socket(self, cookie: str, *, origin: str | None = ORIGIN, denial: bool = True) -> AsgiSocket:
        """A browser's socket, not yet open."""
        headers = {"Host": "console.test", "Cookie": cookie}
        if origin is not None:
            headers["Origin"] = origin
        return AsgiSocket(self.app, "/api/socket", headers, denial=denial)
