"""The door of a media process for the exchange: one control connection at a time, the newest epoch wins."""

import asyncio
import os
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Generic, Protocol, TypeVar

import msgspec
import structlog

from callcenter.media.protocol import FrameBuffer, frame

log = structlog.get_logger(__name__)

_LARGEST_BACKLOG = 4 << 20
"""Bytes an exchange may leave unread before it is cut off."""


class Hailing(Protocol):
    """The order that opens a connection."""

    @property
    def epoch(self) -> int:
        """Of the exchange that is there."""
        ...


HailT = TypeVar("HailT", bound=Hailing)
AskT = TypeVar("AskT")
TellT = TypeVar("TellT", bound=msgspec.Struct)


class Door(Generic[HailT, AskT, TellT]):
    """Accepts control connections, hands on orders and tells replies to the present one."""

    def __init__(
        self,
        process: str,
        orders: msgspec.msgpack.Decoder[AskT],
        hail: type[HailT],
        *,
        on_order: Callable[[AskT], None],
        on_epoch: Callable[[], None],
        greeting: Callable[[bool], TellT],
        on_present: Callable[[], None] = lambda: None,
        refusal: TellT | None = None,
    ) -> None:
        """``process`` is its name in the log, ``hail`` the order that opens a connection.

        It is answered by ``greeting``, which is told whether the epoch is new and all that was there is being closed
        (``on_epoch``), or by ``refusal`` when a newer exchange has been here.
        """
        self._process, self._orders, self._hail = process, orders, hail
        self._on_order, self._on_epoch, self._on_present = on_order, on_epoch, on_present
        self._greeting, self._refusal = greeting, refusal
        self._epoch = 0
        self._writer: asyncio.StreamWriter | None = None
        self._conversations: dict[asyncio.StreamWriter, asyncio.Task[None]] = {}
        self._absent_since = time.monotonic()
        self._server: asyncio.Server | None = None

    @property
    def epoch(self) -> int:
        """Of the newest exchange so far."""
        return self._epoch

    @property
    def is_attended(self) -> bool:
        """Whether an exchange is there."""
        return self._writer is not None

    def absent_for(self) -> float:
        """Seconds without a control connection."""
        return 0.0 if self._writer is not None else time.monotonic() - self._absent_since

    async def open(self, path: str) -> None:
        """Listen on a Unix socket of this user alone; the file of an earlier process is replaced."""
        self._server = await asyncio.start_unix_server(self._serve, sock=_listening(path))

    async def close(self) -> None:
        """Close all connections and wait until they are served to the end."""
        if self._server is not None:
            self._server.close()
        for writer in self._conversations:
            writer.close()
        if self._conversations:
            await asyncio.wait(self._conversations.values(), timeout=1)

    def tell(self, reply: TellT) -> bool:
        """Send to the present exchange. Without one the reply is lost (false); the greeting will tell what is alive."""
        writer = self._writer
        if writer is None or writer.is_closing():
            return False
        if writer.transport.get_write_buffer_size() > _LARGEST_BACKLOG:
            log.error("door.exchange_too_slow", door=self._process)
            writer.transport.abort()
            return False
        writer.write(frame(reply))
        return True

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - a coroutine runs in a task
        self._conversations[writer] = task
        try:
            await self._converse(reader, writer)
        except (ConnectionError, ValueError) as error:  # msgspec's errors are ValueErrors
            log.warning("door.control_broken", door=self._process, error=type(error).__name__)
        finally:
            if self._writer is writer:
                self._writer = None
                self._absent_since = time.monotonic()
            del self._conversations[writer]
            writer.close()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        buffer = FrameBuffer()
        while data := await reader.read(65536):
            for body in buffer.feed(data):
                order = self._orders.decode(body)
                if isinstance(order, self._hail):
                    if not self._greet(order, writer):
                        return
                elif self._writer is writer:
                    self._on_order(order)

    def _greet(self, hail: HailT, writer: asyncio.StreamWriter) -> bool:
        if hail.epoch < self._epoch:
            log.warning("door.older_exchange_refused", door=self._process)
            if self._refusal is not None:
                writer.write(frame(self._refusal))
            return False
        if self._writer is not None and self._writer is not writer:
            self._writer.close()
        is_new = hail.epoch > self._epoch
        if is_new:
            self._epoch = hail.epoch
            self._on_epoch()
        self._writer = writer
        writer.write(frame(self._greeting(is_new)))
        self._on_present()
        return True


def _listening(path: str) -> socket.socket:
    Path(path).unlink(missing_ok=True)
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(0o177)
    try:
        sock.bind(path)
    finally:
        os.umask(before)
    return sock
