"""The door for the exchange: one control connection at a time, the newest epoch wins."""

import asyncio
import time
from collections.abc import Callable

import msgspec
import structlog

from callcenter.media.protocol import FrameBuffer, Hello, Order, OrderRefused, Reply, Welcome, frame

log = structlog.get_logger(__name__)

_LARGEST_BACKLOG = 4 << 20
"""Bytes an exchange may leave unread before it is cut off."""


class ControlDoor:
    """Accepts control connections, hands on orders and tells replies to the present one."""

    def __init__(
        self,
        sdp_address: str,
        *,
        on_order: Callable[[Order], None],
        on_epoch: Callable[[], None],
        on_present: Callable[[], None],
        sessions: Callable[[], tuple[str, ...]],
    ) -> None:
        self._sdp_address = sdp_address
        self._on_order = on_order
        self._on_epoch = on_epoch
        self._on_present = on_present
        self._epoch = 0
        self._writer: asyncio.StreamWriter | None = None
        self._conversations: dict[asyncio.StreamWriter, asyncio.Task[None]] = {}
        self._absent_since = time.monotonic()
        self._sessions = sessions

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

    def tell(self, reply: Reply) -> bool:
        """Send to the present exchange. Without one the reply is lost (false); ``Welcome`` will tell what is alive."""
        writer = self._writer
        if writer is None or writer.is_closing():
            return False
        if writer.transport.get_write_buffer_size() > _LARGEST_BACKLOG:
            log.error("media.exchange_too_slow")
            writer.transport.abort()
            return False
        writer.write(frame(reply))
        return True

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection to its end."""
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - a coroutine runs in a task
        self._conversations[writer] = task
        try:
            await self._converse(reader, writer)
        except (ConnectionError, ValueError) as error:  # msgspec's errors are ValueErrors
            log.warning("media.control_broken", error=type(error).__name__)
        finally:
            if self._writer is writer:
                self._writer = None
                self._absent_since = time.monotonic()
            del self._conversations[writer]
            writer.close()

    async def close(self) -> None:
        """Close all connections and wait until they are served to the end."""
        for writer in self._conversations:
            writer.close()
        if self._conversations:
            await asyncio.wait(self._conversations.values(), timeout=1)

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        buffer = FrameBuffer()
        decoder = msgspec.msgpack.Decoder(Order)
        while data := await reader.read(65536):
            for body in buffer.feed(data):
                order = decoder.decode(body)
                if isinstance(order, Hello):
                    self._greet(order, writer)
                elif self._writer is writer:
                    self._on_order(order)

    def _greet(self, hello: Hello, writer: asyncio.StreamWriter) -> None:
        if hello.epoch < self._epoch:
            writer.write(frame(OrderRefused(0, "media-error", "a newer exchange is in charge")))
            writer.close()
            return
        if self._writer is not None and self._writer is not writer:
            self._writer.close()
        if hello.epoch > self._epoch:
            self._epoch = hello.epoch
            self._on_epoch()
            alive: tuple[str, ...] = ()
        else:
            alive = self._sessions()
        self._writer = writer
        writer.write(frame(Welcome(self._sdp_address, alive)))
        self._on_present()
