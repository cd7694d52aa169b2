"""A browser's end of a WebSocket on an ASGI application, on the same event loop: no port, no thread, no sleep."""

import asyncio
import json
from collections.abc import Mapping
from typing import Any, Self

from starlette.types import ASGIApp, Message

WITHIN = 5.0
"""Seconds after which something that should have come counts as missing."""


class AsgiSocket:
    """``async with AsgiSocket(app, "/api/socket", headers) as socket``; ``refused`` is the status when not let in."""

    def __init__(
        self,
        app: ASGIApp,
        path: str,
        headers: Mapping[str, str],
        *,
        scheme: str = "ws",
        denial: bool = True,
    ) -> None:
        self._app = app
        self._scope: dict[str, Any] = {
            "type": "websocket",
            "asgi": {"version": "3.0", "spec_version": "2.4"},
            "http_version": "1.1",
            "scheme": scheme,
            "path": path,
            "raw_path": path.encode(),
            "query_string": b"",
            "root_path": "",
            "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
            "client": ("127.0.0.1", 50_000),
            "server": ("127.0.0.1", 80),
            "subprotocols": [],
            "extensions": {"websocket.http.response": {}} if denial else {},
            "state": {},
        }
        self._to_app: asyncio.Queue[Message] = asyncio.Queue()
        self._from_app: asyncio.Queue[Message] = asyncio.Queue()
        self.reading = asyncio.Event()
        """Cleared: the browser does not read, and the application's sending waits."""
        self.reading.set()
        self.refused: int | None = None
        self.accepted_headers: list[tuple[bytes, bytes]] = []

    async def __aenter__(self) -> Self:
        self._to_app.put_nowait({"type": "websocket.connect"})
        self._task = asyncio.create_task(self._serve())
        first = await self._next()
        if first["type"] == "websocket.accept":
            self.accepted_headers = list(first.get("headers") or ())
        elif first["type"] == "websocket.http.response.start":
            self.refused = first["status"]
        else:
            self.refused = 403  # a close before the accept; servers answer 403
        return self

    async def __aexit__(self, *_: object) -> None:
        self.reading.set()
        self.leave()
        async with asyncio.timeout(WITHIN):
            await self._task

    async def _serve(self) -> None:
        await self._app(self._scope, self._to_app.get, self._send)

    async def _send(self, message: Message) -> None:
        await self.reading.wait()
        self._from_app.put_nowait(message)

    async def _next(self) -> Message:
        async with asyncio.timeout(WITHIN):
            return await self._from_app.get()

    def leave(self, code: int = 1006) -> None:
        """Be gone."""
        self._to_app.put_nowait({"type": "websocket.disconnect", "code": code})

    def send(self, **frame: Any) -> None:
        """Send a JSON frame."""
        self.send_text(json.dumps(frame))

    def send_text(self, text: str) -> None:
        """Send a text frame."""
        self._to_app.put_nowait({"type": "websocket.receive", "text": text})

    def send_bytes(self, data: bytes) -> None:
        """Send a binary frame."""
        self._to_app.put_nowait({"type": "websocket.receive", "bytes": data})

    async def receive(self) -> dict[str, Any]:
        """The next frame. Raises ``AssertionError`` when the socket is closed instead."""
        message = await self._next()
        assert message["type"] == "websocket.send", message
        frame: dict[str, Any] = json.loads(message["text"])
        return frame

    async def receive_until(self, kind: str) -> dict[str, Any]:
        """The next frame of this type; earlier ones are dropped."""
        while (frame := await self.receive())["type"] != kind:
            pass
        return frame

    async def closed(self) -> int:
        """The code the server closes with; frames before it are dropped."""
        while (message := await self._next())["type"] == "websocket.send":
            pass
        assert message["type"] == "websocket.close", message
        code: int = message["code"]
        return code
