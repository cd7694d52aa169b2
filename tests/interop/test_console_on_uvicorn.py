"""The console behind its real web server, spoken to by an independent WebSocket client, over loopback."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass

import httpx
import pytest
import uvicorn
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from agent_console.app import create_app
from agent_console.messages import ContactChanged
from callcenter.demo.console_client import ConsoleClient
from tests.support.fake_desk import ANNA, SETTINGS, SOFIA, FakeAccounts, FakeDesk, FakeFloor, a_contact, an_agent
from tests.support.waiting import until

pytestmark = pytest.mark.interop

WITHIN = 10.0


@dataclass
class Served:
    """A console on a port of its own."""

    port: int
    floor: FakeFloor
    desk: FakeDesk

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def sign_in(self, login: str) -> str:
        async with httpx.AsyncClient() as web:
            credentials = {"login": login, "password": FakeAccounts.PASSWORD}
            response = await web.post(f"{self.origin}/api/session", json=credentials)
            return f"callcenter_session={response.cookies['callcenter_session']}"

    def socket(self, cookie: str, origin: str | None = None) -> connect:
        headers = {"Cookie": cookie, "Origin": origin or self.origin}
        narrow = socket.socket()
        narrow.setsockopt(
            socket.SOL_SOCKET, socket.SO_RCVBUF, 16_384
        )  # else the kernel takes megabytes for a slow reader
        narrow.connect(("127.0.0.1", self.port))
        narrow.setblocking(False)
        return connect(
            f"ws://127.0.0.1:{self.port}/api/socket",
            sock=narrow,
            additional_headers=headers,
            proxy=None,
            max_size=None,
            compression=None,
        )


@pytest.fixture
async def served() -> AsyncIterator[Served]:
    floor, desk = FakeFloor(agents=[an_agent("anna")]), FakeDesk()
    app = create_app(
        accounts=FakeAccounts(ANNA, SOFIA),
        desk=desk,
        floor=floor,
        settings=SETTINGS,
        session_key=b"k" * 32,
        static_dir=None,
    )
    config = uvicorn.Config(
        app, host="127.0.0.1", port=0, log_level="warning", ws_max_size=16_384, ws="websockets-sansio"
    )
    server = uvicorn.Server(config)
    sock = config.bind_socket()
    sock.listen()
    task = asyncio.create_task(server.serve([sock]))
    port: int = sock.getsockname()[1]
    await _until_it_answers(port)
    yield Served(port, floor, desk)
    server.should_exit = True
    async with asyncio.timeout(WITHIN):
        await task
    sock.close()


async def _until_it_answers(port: int) -> None:
    """The socket listens before the server serves: the first request waits in the backlog until it does."""
    async with httpx.AsyncClient() as web:
        response = await web.get(f"http://127.0.0.1:{port}/api/health", timeout=WITHIN)
    assert response.status_code == 200


async def _receive_until(browser: ClientConnection, kind: str) -> dict[str, object]:
    async with asyncio.timeout(WITHIN):
        while True:
            frame: dict[str, object] = json.loads(await browser.recv())
            if frame["type"] == kind:
                return frame


async def test_a_browser_follows_and_acts(served: Served) -> None:
    async with served.socket(await served.sign_in("anna")) as browser:
        await browser.send(json.dumps({"type": "hello", "epoch": None, "seq": None}))
        await _receive_until(browser, "snapshot")
        served.floor.apply(ContactChanged(a_contact("c1", agent_id="anna")))
        assert (await _receive_until(browser, "contact.changed"))["seq"] == 2
        await browser.send(json.dumps({"type": "intent", "intent_id": "i1", "intent": "agent.ready"}))
        assert (await _receive_until(browser, "intent.accepted"))["intent_id"] == "i1"
    assert served.desk.orders == [("sign_in", "anna"), ("ready", "anna")]


@pytest.mark.parametrize(("forged", "origin", "status"), [(False, "https://evil.example", 403), (True, None, 401)])
async def test_handshakes_are_refused_with_a_status(
    served: Served, forged: bool, origin: str | None, status: int
) -> None:
    cookie = "callcenter_session=x.y.z" if forged else await served.sign_in("anna")
    with pytest.raises(InvalidStatus) as refusal:
        async with served.socket(cookie, origin):
            pass
    assert refusal.value.response.status_code == status


async def test_big_frames_close_with_1009_and_signing_out_with_4401(served: Served) -> None:
    cookie = await served.sign_in("anna")
    async with served.socket(cookie) as big, served.socket(cookie) as other:
        await big.send("x" * 20_000)
        with pytest.raises(ConnectionClosed):
            async with asyncio.timeout(WITHIN):
                await big.recv()
        assert big.close_code == 1009
        async with httpx.AsyncClient() as web:
            headers = {"Cookie": cookie, "Origin": served.origin}
            response = await web.delete(f"{served.origin}/api/session", headers=headers)
        assert response.status_code == 204
        with pytest.raises(ConnectionClosed):
            async with asyncio.timeout(WITHIN):
                await other.recv()
        assert other.close_code == 4401


async def test_a_browser_that_does_not_read_is_bounded_and_resynced(served: Served) -> None:
    """Real back-pressure: kernel buffers fill, the outbox overflows once, and a snapshot makes the browser whole."""
    async with served.socket(await served.sign_in("sofia")) as browser:
        await browser.send(json.dumps({"type": "hello"}))
        await _receive_until(browser, "snapshot")
        browser.transport.pause_reading()
        for number in range(40_000):
            served.floor.apply(ContactChanged(a_contact(f"c{number % 200}")))
            if number % 500 == 0:
                await asyncio.sleep(0)
        browser.transport.resume_reading()
        snapshot = await _receive_until(browser, "snapshot")
        floor = snapshot["floor"]
        assert isinstance(floor, dict)
        assert len(floor["contacts"]) == 200
        assert snapshot["seq"] == 40_001


async def test_an_intent_without_a_connection_is_carried_out_once_there_is_one(served: Served) -> None:
    """As pages do it: it is asked again under its own id after the connection was lost."""
    console = ConsoleClient(served.origin, "anna", FakeAccounts.PASSWORD)
    following = asyncio.create_task(console.run(), name="console")
    try:
        await until("the console sees the floor", lambda: console.agents)
        assert console._socket is not None
        console._socket.transport.abort()
        await console.intend("agent.ready")
        console._socket.transport.abort()
        await until("the connection is gone", lambda: console._socket is None)
        await console.intend("agent.not_ready", reason="lunch")
    finally:
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)
    assert [order[0] for order in served.desk.orders if order[0] != "sign_in"] == ["ready", "not_ready"]
