"""A running console on fakes, and the ways a browser reaches it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import httpx
from fastapi import FastAPI

from agent_console.live import ConsoleHub
from tests.support.asgi_socket import AsgiSocket
from tests.support.fake_desk import FakeAccounts, FakeDesk, FakeFloor, Ticker

StartHub = Callable[..., Awaitable[ConsoleHub]]
"""``await start_hub(limits, epoch)``, both optional."""

KEY = b"k" * 32
ORIGIN = "http://console.test"


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
        credentials = {"login": login, "password": FakeAccounts.PASSWORD}
        response = await self.browser.post("/api/session", json=credentials, headers={"Origin": ORIGIN})
        assert response.status_code == 200, response.text
        return f"callcenter_session={response.cookies['callcenter_session']}"

    def socket(self, cookie: str, *, origin: str | None = ORIGIN, denial: bool = True) -> AsgiSocket:
        """A browser's socket, not yet open."""
        headers = {"Host": "console.test", "Cookie": cookie}
        if origin is not None:
            headers["Origin"] = origin
        return AsgiSocket(self.app, "/api/socket", headers, denial=denial)
