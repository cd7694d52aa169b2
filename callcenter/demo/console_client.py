"""A console without a screen: signs in over HTTP, follows the socket, sends intents, as a browser does."""

import asyncio
import contextlib
import uuid
from collections.abc import AsyncIterator
from typing import Any

import httpx
import msgspec
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake

RECONNECT_SECONDS = 0.5
INTENT_SECONDS = 20.0
"""How long an intent is waited for, also over a reconnection: it is repeated under its own id, as pages do."""


class IntentRefusedError(Exception):
    """The server said no; ``code`` is its stable reason."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code


class ConsoleClient:
    """One signed-in person; reconnects and resumes by itself. ``agents``, ``queues`` and ``contacts`` are what was last
    told, by id."""

    def __init__(self, base_url: str, login: str, password: str) -> None:
        self._base_url = base_url
        self._login = login
        self._password = password
        self._cookie = ""
        self._socket: ClientConnection | None = None
        self._epoch: str | None = None
        self._seq: int | None = None
        self._replies: dict[str, asyncio.Future[None]] = {}
        self._unanswered: dict[str, dict[str, Any]] = {}
        """Intents that nobody has answered yet, by id; the server carries out what has the same id once."""
        self._changed = asyncio.Event()
        self.agent_id: str | None = None
        self.agents: dict[str, dict[str, Any]] = {}
        self.queues: dict[str, dict[str, Any]] = {}
        self.contacts: dict[str, dict[str, Any]] = {}
        self.exchange_up = True
        self.resyncs = 0

    @property
    def agent(self) -> dict[str, Any] | None:
        """The own agent as last told."""
        return self.agents.get(self.agent_id or "")

    async def sign_in(self) -> None:
        """Sign in; waits for a server that is not up yet, or that has too many people at its door."""
        async with httpx.AsyncClient(base_url=self._base_url, trust_env=False) as http:
            while True:
                try:
                    answer = await http.post(
                        "/api/session",
                        json={"login": self._login, "password": self._password},
                        headers={"Origin": self._base_url},
                    )
                except httpx.TransportError:
                    await asyncio.sleep(RECONNECT_SECONDS)
                    continue
                if answer.status_code == httpx.codes.TOO_MANY_REQUESTS:
                    await asyncio.sleep(float(answer.headers.get("Retry-After", RECONNECT_SECONDS)))
                    continue
                answer.raise_for_status()
                self.agent_id = answer.json()["agent_id"]
                self._cookie = "; ".join(f"{name}={value}" for name, value in answer.cookies.items())
                return

    async def run(self) -> None:
        """Follow the socket until cancelled."""
        await self.sign_in()
        url = self._base_url.replace("http", "ws", 1) + "/api/socket"
        while True:
            with contextlib.suppress(OSError, ConnectionClosed, InvalidHandshake, TimeoutError):
                async with connect(
                    url, additional_headers={"Cookie": self._cookie}, origin=self._origin(), proxy=None
                ) as socket:
                    self._socket = socket
                    await self._send({"type": "hello", "epoch": self._epoch, "seq": self._seq})
                    for intent in [*self._unanswered.values()]:
                        await self._send(intent)
                    async for frame in socket:
                        await self._take(msgspec.json.decode(frame))
            self._socket = None
            await asyncio.sleep(RECONNECT_SECONDS)

    async def intend(self, intent: str, **fields: str) -> None:
        """Ask for something, once there is a connection, and wait for the answer. Raises ``IntentRefusedError``."""
        intent_id = str(uuid.uuid4())
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._replies[intent_id] = future
        message = self._unanswered[intent_id] = {
            "type": "intent", "intent_id": intent_id, "intent": intent, **fields,
        }  # fmt: skip
        try:
            async with asyncio.timeout(INTENT_SECONDS):
                with contextlib.suppress(ConnectionClosed):
                    await self._send(message)
                await future
        except TimeoutError:
            raise IntentRefusedError("no-answer", "the server did not answer") from None
        finally:
            del self._replies[intent_id], self._unanswered[intent_id]

    async def changes(self) -> AsyncIterator[None]:
        """One item whenever something may have changed, the first at once."""
        while True:
            yield
            await self._changed.wait()
            self._changed.clear()

    def _origin(self) -> Any:
        return self._base_url

    async def _send(self, message: dict[str, Any]) -> None:
        """To whom it is connected; what is asked is sent again once it is."""
        if self._socket is not None:
            await self._socket.send(msgspec.json.encode(message).decode())

    async def _take(self, frame: dict[str, Any]) -> None:
        if "seq" in frame and frame["type"] != "snapshot" and frame.get("after") != self._seq:
            self.resyncs += 1
            await self._send({"type": "resync"})
            return
        if "seq" in frame:
            self._seq = frame["seq"]
        match frame["type"]:
            case "welcome":
                self._epoch = frame["epoch"]
            case "snapshot":
                self.agents = {agent["agent_id"]: agent for agent in frame["floor"]["agents"]}
                self.queues = {queue["queue_id"]: queue for queue in frame["floor"]["queues"]}
                self.contacts = {contact["contact_id"]: contact for contact in frame["floor"]["contacts"]}
            case "agent.changed":
                self.agents[frame["agent"]["agent_id"]] = frame["agent"]
            case "queue.changed":
                self.queues[frame["queue"]["queue_id"]] = frame["queue"]
            case "contact.changed":
                self.contacts[frame["contact"]["contact_id"]] = frame["contact"]
            case "contact.removed":
                self.contacts.pop(frame["contact_id"], None)
            case "exchange.status":
                self.exchange_up = frame["up"]
            case "intent.accepted" | "intent.refused":
                self._settle(frame)
        self._changed.set()

    def _settle(self, frame: dict[str, Any]) -> None:
        future = self._replies.get(frame["intent_id"])
        if future is None or future.done():
            return
        if frame["type"] == "intent.accepted":
            future.set_result(None)
        else:
            future.set_exception(IntentRefusedError(frame["code"], frame["message"]))
