"""The line to ``mediad``: one control connection, kept up, with questions and answers matched."""

import asyncio
import contextlib
from collections.abc import Callable

import msgspec
import structlog

from callcenter.errors import MediaError, NoFreePorts
from callcenter.media.protocol import (
    AskStatus,
    FrameBuffer,
    Hello,
    MediaStatus,
    Order,
    OrderRefused,
    Reply,
    SessionDropped,
    SessionPut,
    Welcome,
    frame,
)

log = structlog.get_logger(__name__)

_RECONNECT = 0.2
"""Seconds between attempts to connect."""
_ERRORS: dict[str, type[MediaError]] = {error.code: error for error in (MediaError, NoFreePorts)}


class OrderLine:
    """Connects to the socket of a ``mediad`` again and again; orders fail with ``MediaError`` while it is absent.

    ``on_welcome`` gets the sessions that are alive whenever a connection begins, and nothing at all when ``mediad`` is
    found to be gone; ``on_report`` gets what is told unasked.
    """

    def __init__(
        self,
        socket_path: str,
        *,
        epoch: int,
        timeout: float,
        on_report: Callable[[Reply], None],
        on_welcome: Callable[[frozenset[str]], None],
    ) -> None:
        self._socket_path = socket_path
        self._epoch = epoch
        self._timeout = timeout
        self._on_report = on_report
        self._on_welcome = on_welcome
        self._writer: asyncio.StreamWriter | None = None
        self._unsent: list[bytes] = []
        """Orders of this turn of the loop: those of all calls leave with one write."""
        self._told: dict[int, Callable[[Reply | MediaError], None]] = {}
        """Who hears of the answer to an order, by its request number."""
        self._last_request = 0
        self._task: asyncio.Task[None] | None = None
        self._is_up = asyncio.Event()
        self._was_up = False
        self.sdp_address = ""
        """The address for SDP, known once connected."""

    @property
    def connected(self) -> bool:
        """Whether orders can be given."""
        return self._is_up.is_set()

    def start(self) -> None:
        """Begin to connect."""
        self._task = asyncio.create_task(self._keep_up(), name="media-orders")

    async def ready(self, timeout: float) -> None:  # noqa: ASYNC109 - the caller says how long it can wait
        """Wait for a connection, ``timeout`` seconds at most. Raises ``MediaError``."""
        try:
            async with asyncio.timeout(timeout):
                await self._is_up.wait()
        except TimeoutError:
            raise MediaError("no media process answers") from None

    async def close(self) -> None:
        """Disconnect; orders that wait fail."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
            self._task = None
        await self._hang_up()

    async def ask_status(self) -> MediaStatus:
        """Ask how media is. Raises ``MediaError`` when it cannot be asked, or does not answer in time."""
        done: asyncio.Future[Reply | MediaError] = asyncio.get_running_loop().create_future()
        self.order(AskStatus, lambda reply: None if done.done() else done.set_result(reply))
        try:
            async with asyncio.timeout(self._timeout):
                reply = await done
        except TimeoutError:
            raise MediaError("the media process does not answer") from None
        if isinstance(reply, MediaStatus):
            return reply
        raise reply if isinstance(reply, MediaError) else MediaError("media gave another answer than was asked for")

    def order(self, build: Callable[[int], Order], told: Callable[[Reply | MediaError], None]) -> None:
        """Give an order made with a request number; ``told`` hears the answer, or why there is none."""
        self._last_request += 1
        number = self._last_request
        self._told[number] = told
        try:
            self._send(build(number))
        except MediaError as error:
            del self._told[number]
            told(error)

    def tell(self, order: Order) -> None:
        """Give an order that is not answered; nothing happens while there is nobody to take it."""
        with contextlib.suppress(MediaError):
            self._send(order)

    def _send(self, order: Order) -> None:
        if self._writer is None or self._writer.is_closing():
            raise MediaError("media is absent")
        if not self._unsent:
            asyncio.get_running_loop().call_soon(self._flush)
        self._unsent.append(frame(order))

    def _flush(self) -> None:
        unsent, self._unsent = self._unsent, []
        if self._writer is not None and not self._writer.is_closing():
            self._writer.write(b"".join(unsent))

    async def _keep_up(self) -> None:
        """Connect, listen to the end, and connect again; when that fails, what was there is gone."""
        while True:
            try:
                reader, self._writer = await asyncio.open_unix_connection(self._socket_path)
            except OSError:
                self._on_welcome(frozenset())
                await asyncio.sleep(_RECONNECT)
                continue
            self._was_up = False
            try:
                self._send(Hello(self._epoch))
                await self._listen(reader)
            except (ConnectionError, ValueError) as error:  # msgspec's errors are ValueErrors
                log.warning("media.line_broken", error=type(error).__name__)
            finally:
                await self._hang_up()
            if not self._was_up:
                await asyncio.sleep(_RECONNECT)

    async def _listen(self, reader: asyncio.StreamReader) -> None:
        buffer = FrameBuffer()
        decoder = msgspec.msgpack.Decoder(Reply)
        while data := await reader.read(65536):
            for body in buffer.feed(data):
                self._take(decoder.decode(body))

    def _take(self, reply: Reply) -> None:
        match reply:
            case Welcome(address, sessions):
                self.sdp_address = address
                self._was_up = True
                self._is_up.set()
                log.info("media.connected")
                self._on_welcome(frozenset(sessions))
            case OrderRefused(0, session_id=""):  # our hello: another exchange has taken over
                self._on_welcome(frozenset())
            case OrderRefused(0):
                self._on_report(reply)
            case SessionPut() | SessionDropped() | OrderRefused() | MediaStatus():
                told = self._told.pop(reply.request, None)
                if told is not None:
                    told(_refusal(reply) if isinstance(reply, OrderRefused) else reply)
            case _:
                self._on_report(reply)

    async def _hang_up(self) -> None:
        self._is_up.clear()
        self._unsent.clear()
        waiting, self._told = self._told, {}
        for told in waiting.values():
            told(MediaError("the media process is gone"))
        writer, self._writer = self._writer, None
        if writer is not None:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()


def _refusal(reply: OrderRefused) -> MediaError:
    return _ERRORS.get(reply.code, MediaError)(reply.text)
