"""The door of the browsers' process for the exchange: one control connection at a time, the newest epoch wins."""

import asyncio
import contextlib
import socket
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
import structlog

from callcenter.media.protocol import FrameBuffer, frame
from callcenter.media.webrtc.protocol import Greet, Greeted, WayOrder, WayReply

log = structlog.get_logger(__name__)

_LARGEST_BACKLOG = 4 << 20
"""Bytes an exchange may leave unread before it is cut off."""


class BrowsersDoor:
    """Accepts control connections, hands on orders and tells replies to the present one."""

    def __init__(
        self,
        socket_path: str,
        *,
        on_order: Callable[[WayOrder], None],
        on_epoch: Callable[[], None],
        greeting: Callable[[], Greeted],
    ) -> None:
        self._socket_path = socket_path
        self._on_order, self._on_epoch, self._greeting = on_order, on_epoch, greeting
        self._epoch = 0
        self._writer: asyncio.StreamWriter | None = None
        self._conversations: dict[asyncio.StreamWriter, asyncio.Task[None]] = {}
        self._absent_since = time.monotonic()
        self._server: asyncio.Server | None = None

    async def open(self) -> None:
        """Listen; the file of an earlier process is replaced."""
        self._server = await asyncio.start_unix_server(self._serve, sock=_listening(self._socket_path))

    async def close(self) -> None:
        """Close all connections and wait until they are served to the end."""
        if self._server is not None:
            self._server.close()
        for writer in self._conversations:
            writer.close()
        if self._conversations:
            await asyncio.wait(self._conversations.values(), timeout=1)

    def absent_for(self) -> float:
        """Seconds without a control connection."""
        return 0.0 if self._writer is not None else time.monotonic() - self._absent_since

    def tell(self, reply: WayReply) -> None:
        """Send to the present exchange; without one it is lost, since ``Greeted`` will tell what is alive."""
        writer = self._writer
        if writer is None or writer.is_closing():
            return
        if writer.transport.get_write_buffer_size() > _LARGEST_BACKLOG:
            log.error("browsers.exchange_too_slow")
            writer.transport.abort()
            return
        writer.write(frame(reply))

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - a coroutine runs in a task
        self._conversations[writer] = task
        try:
            await self._converse(reader, writer)
        except (ConnectionError, ValueError) as error:  # msgspec's errors are ValueErrors
            log.warning("browsers.control_broken", error=type(error).__name__)
        finally:
            if self._writer is writer:
                self._writer = None
                self._absent_since = time.monotonic()
            del self._conversations[writer]
            writer.close()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        buffer = FrameBuffer()
        decoder = msgspec.msgpack.Decoder(WayOrder)
        while data := await reader.read(65536):
            for body in buffer.feed(data):
                order = decoder.decode(body)
                if isinstance(order, Greet):
                    if not self._greet(order, writer):
                        return
                elif self._writer is writer:
                    self._on_order(order)

    def _greet(self, greet: Greet, writer: asyncio.StreamWriter) -> bool:
        if greet.epoch < self._epoch:
            log.warning("browsers.older_exchange_refused")
            return False
        if self._writer is not None and self._writer is not writer:
            self._writer.close()
        if greet.epoch > self._epoch:
            self._epoch = greet.epoch
            self._on_epoch()
        self._writer = writer
        writer.write(frame(self._greeting()))
        return True


def _listening(path: str) -> socket.socket:
    with contextlib.suppress(FileNotFoundError):
        Path(path).unlink()
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    sock.bind(path)
    Path(path).chmod(0o600)
    return sock
