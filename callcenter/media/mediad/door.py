"""The door of a media process for the exchange: one control connection at a time, the newest epoch wins."""

import asyncio
import os
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Generic, Protocol, TypeVar, cast

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
        self._present: _Connection | None = None
        self._connections: set[_Connection] = set()
        self._absent_since = time.monotonic()
        self._server: asyncio.Server | None = None

    @property
    def epoch(self) -> int:
        """Of the newest exchange so far."""
        return self._epoch

    @property
    def is_attended(self) -> bool:
        """Whether an exchange is there."""
        return self._present is not None

    def absent_for(self) -> float:
        """Seconds without a control connection."""
        return 0.0 if self._present is not None else time.monotonic() - self._absent_since

    async def open(self, path: str) -> None:
        """Listen on a Unix socket of this user alone; the file of an earlier process is replaced."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_unix_server(
            lambda: _Connection(self._take, self._begin, self._end), sock=_listening(path)
        )

    async def close(self) -> None:
        """Close all connections and wait until what was told has left."""
        if self._server is not None:
            self._server.close()
        for connection in self._connections:
            connection.close()
        if self._connections:
            await asyncio.wait([connection.is_over for connection in self._connections], timeout=1)

    def tell(self, reply: TellT) -> bool:
        """Send to the present exchange. Without one the reply is lost (false); the greeting will tell what is alive."""
        present = self._present
        if present is None or present.is_closing:
            return False
        if present.backlog > _LARGEST_BACKLOG:
            log.error("door.exchange_too_slow", door=self._process)
            present.abort()
            return False
        present.send(frame(reply))
        return True

    def _begin(self, connection: "_Connection") -> None:
        self._connections.add(connection)

    def _end(self, connection: "_Connection", error: Exception | None) -> None:
        if error is not None:
            log.warning("door.control_broken", door=self._process, error=type(error).__name__)
        self._connections.discard(connection)
        if self._present is connection:
            self._present = None
            self._absent_since = time.monotonic()

    def _take(self, connection: "_Connection", body: bytes) -> None:
        order = self._orders.decode(body)
        if isinstance(order, self._hail):
            self._greet(order, connection)
        elif self._present is connection:
            self._on_order(order)

    def _greet(self, hail: HailT, connection: "_Connection") -> None:
        if hail.epoch < self._epoch:
            log.warning("door.older_exchange_refused", door=self._process)
            if self._refusal is not None:
                connection.send(frame(self._refusal))
            connection.close()
            return
        if self._present is not None and self._present is not connection:
            self._present.close()
        is_new = hail.epoch > self._epoch
        if is_new:
            self._epoch = hail.epoch
            self._on_epoch()
        self._present = connection
        connection.send(frame(self._greeting(is_new)))
        self._on_present()


class _Connection(asyncio.Protocol):
    """One control connection: bodies of frames in, frames out."""

    def __init__(
        self,
        on_body: "Callable[[_Connection, bytes], None]",
        on_begin: "Callable[[_Connection], None]",
        on_end: "Callable[[_Connection, Exception | None], None]",
    ) -> None:
        self._on_body, self._on_begin, self._on_end = on_body, on_begin, on_end
        self._buffer = FrameBuffer()
        self._error: Exception | None = None
        self._transport: asyncio.Transport
        self.is_over: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See ``asyncio.Protocol``."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is none by its type
        self._on_begin(self)

    def data_received(self, data: bytes) -> None:
        """See ``asyncio.Protocol``."""
        try:
            for body in self._buffer.feed(data):
                if self.is_closing:
                    return
                self._on_body(self, body)
        except ValueError as error:  # msgspec's errors are ValueErrors
            self._error = error
            self.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """See ``asyncio.Protocol``."""
        self._on_end(self, exc or self._error)
        self.is_over.set_result(None)

    @property
    def is_closing(self) -> bool:
        """Whether nothing more is heard or sent."""
        return self._transport.is_closing()

    @property
    def backlog(self) -> int:
        """Bytes that the other end has not taken."""
        return self._transport.get_write_buffer_size()

    def send(self, data: bytes) -> None:
        """Send what follows what was sent before."""
        self._transport.write(data)

    def close(self) -> None:
        """Close once all that was sent has left."""
        self._transport.close()

    def abort(self) -> None:
        """Close at once."""
        self._transport.abort()


def _listening(path: str) -> socket.socket:
    Path(path).unlink(missing_ok=True)
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(0o177)
    try:
        sock.bind(path)
    finally:
        os.umask(before)
    return sock
