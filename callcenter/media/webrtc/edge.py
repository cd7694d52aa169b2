"""The exchange's hand on the browsers' process: opens ways, passes answers on, hears what becomes of them."""

import asyncio
import contextlib
import time
from collections.abc import Callable, Iterator

import msgspec
import structlog

from callcenter.errors import MediaError
from callcenter.media.protocol import FrameBuffer, frame
from callcenter.media.webrtc.protocol import (
    AskWays,
    BrowserConnected,
    BrowserHeard,
    BrowserSilent,
    DescribeBrowser,
    DropLeg,
    Greet,
    Greeted,
    MoveLeg,
    OpenWay,
    WayOpened,
    WayOrder,
    WayReply,
    WaysStatus,
)

log = structlog.get_logger(__name__)

_RECONNECT = 0.2
"""Seconds between attempts to connect."""
EdgeEvent = BrowserConnected | BrowserSilent | BrowserHeard


class BrowserEdge:
    """Connects again and again; orders raise ``MediaError`` while the process is away.

    ``on_event`` gets what is told of legs; ``on_return`` the legs that are alive whenever a connection begins: legs
    that are not among them were lost with an earlier process and want a new way.
    """

    def __init__(
        self,
        socket_path: str,
        *,
        on_event: Callable[[EdgeEvent], None],
        on_return: Callable[[frozenset[str]], None],
        timeout: float = 2.0,
    ) -> None:
        self._socket_path, self._timeout = socket_path, timeout
        self._on_event, self._on_return = on_event, on_return
        self._epoch = time.time_ns() // 1_000_000
        self._writer: asyncio.StreamWriter | None = None
        self._waiting: dict[int, asyncio.Future[WayOpened | WaysStatus]] = {}
        self._last_request = 0
        self._task: asyncio.Task[None] | None = None
        self._is_up = asyncio.Event()
        self.greeted: Greeted | None = None
        """What the process said of itself last."""

    @property
    def connected(self) -> bool:
        """Whether the process is there."""
        return self._is_up.is_set()

    def start(self) -> None:
        """Begin to connect."""
        self._task = asyncio.create_task(self._keep_up(), name="browser-edge")

    async def ready(self, timeout: float) -> None:  # noqa: ASYNC109 - the caller says how long it can wait
        """Wait for the process, ``timeout`` seconds at most. Raises ``MediaError``."""
        try:
            async with asyncio.timeout(timeout):
                await self._is_up.wait()
        except TimeoutError:
            raise MediaError("no process serves browsers") from None

    async def stop(self) -> None:
        """Disconnect."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
            self._task = None

    async def open_way(self, leg_id: str, way_id: str, media: tuple[str, int], *, inner_port: int = 0) -> WayOpened:
        """Make a way for a page, or restart its ICE when it has one. Raises ``MediaError``."""
        with self._request() as (number, future):
            self._send(OpenWay(number, leg_id, way_id, media, inner_port))
            reply = await self._answer(future)
        if not isinstance(reply, WayOpened):
            raise MediaError("the process for browsers gave another answer than was asked for")
        if reply.error:
            raise MediaError(reply.error)
        return reply

    async def status(self) -> WaysStatus:
        """Figures. Raises ``MediaError``."""
        with self._request() as (number, future):
            self._send(AskWays(number))
            reply = await self._answer(future)
        if not isinstance(reply, WaysStatus):
            raise MediaError("the process for browsers gave another answer than was asked for")
        return reply

    def describe(self, leg_id: str, way_id: str, *, ufrag: str, fingerprint: str, payload_type: int) -> None:
        """Pass a browser's answer on; lost without a process, whose successor will ask for another one."""
        with contextlib.suppress(MediaError):
            self._send(DescribeBrowser(leg_id, way_id, ufrag, fingerprint, payload_type))

    def move(self, leg_id: str, media: tuple[str, int]) -> None:
        """The plane's RTP socket of this leg is another one now; lost without a process, whose successor is told."""
        with contextlib.suppress(MediaError):
            self._send(MoveLeg(leg_id, media))

    def drop(self, leg_id: str) -> None:
        """Close a leg."""
        with contextlib.suppress(MediaError):
            self._send(DropLeg(leg_id))

    def _send(self, order: WayOrder) -> None:
        if self._writer is None or self._writer.is_closing():
            raise MediaError("no process serves browsers")
        self._writer.write(frame(order))

    @contextlib.contextmanager
    def _request(self) -> Iterator[tuple[int, "asyncio.Future[WayOpened | WaysStatus]"]]:
        self._last_request += 1
        number = self._last_request
        future: asyncio.Future[WayOpened | WaysStatus] = asyncio.get_running_loop().create_future()
        self._waiting[number] = future
        try:
            yield number, future
        finally:
            self._waiting.pop(number, None)
            if future.done() and not future.cancelled():
                future.exception()

    async def _answer(self, future: "asyncio.Future[WayOpened | WaysStatus]") -> WayOpened | WaysStatus:
        try:
            async with asyncio.timeout(self._timeout):
                return await future
        except TimeoutError:
            raise MediaError("the process for browsers does not answer") from None

    async def _keep_up(self) -> None:
        while True:
            try:
                reader, self._writer = await asyncio.open_unix_connection(self._socket_path)
            except OSError:
                await asyncio.sleep(_RECONNECT)
                continue
            try:
                self._send(Greet(self._epoch))
                await self._listen(reader)
            except (ConnectionError, ValueError, MediaError) as error:  # msgspec's errors are ValueErrors
                log.warning("browsers.line_broken", error=type(error).__name__)
            finally:
                self._hang_up()
            await asyncio.sleep(_RECONNECT)

    async def _listen(self, reader: asyncio.StreamReader) -> None:
        buffer = FrameBuffer()
        decoder = msgspec.msgpack.Decoder(WayReply)
        while data := await reader.read(65536):
            for body in buffer.feed(data):
                self._take(decoder.decode(body))

    def _take(self, reply: WayReply) -> None:
        match reply:
            case Greeted():
                self.greeted = reply
                self._is_up.set()
                log.info("browsers.connected")
                self._on_return(frozenset(reply.legs))
            case WayOpened() | WaysStatus():
                future = self._waiting.get(reply.request)
                if future is not None and not future.done():
                    future.set_result(reply)
            case _:
                self._on_event(reply)

    def _hang_up(self) -> None:
        self._is_up.clear()
        writer, self._writer = self._writer, None
        if writer is not None:
            writer.close()
        for future in self._waiting.values():
            if not future.done():
                future.set_exception(MediaError("the process for browsers is gone"))
