"""The control line to rtpengine: its ng protocol, one UDP datagram for each question and answer.

A question carries a cookie and is sent again with the same one when no answer comes; rtpengine answers a cookie that it
knows from memory, so nothing is done twice.
"""

import asyncio
import secrets
from collections.abc import Mapping
from typing import cast

import structlog

from callcenter.errors import MediaError
from callcenter.media.bencode import Decoded, MalformedBencode, Value, decode, encode

log = structlog.get_logger(__name__)

_PATIENCE = (0.25, 0.5, 1.0)
"""Seconds after which a question is sent again, and at last given up."""


class RtpengineRefused(MediaError):
    """rtpengine said no; the text is its reason."""

    code = "rtpengine-refused"


class RtpengineControl(asyncio.DatagramProtocol):
    """Asks one rtpengine at ``address``. ``open`` first."""

    def __init__(self, address: tuple[str, int]) -> None:
        self._address = address
        self._transport: asyncio.DatagramTransport | None = None
        self._waiting: dict[bytes, asyncio.Future[bytes]] = {}

    async def open(self) -> None:
        """Make the socket."""
        loop = asyncio.get_running_loop()
        await loop.create_datagram_endpoint(lambda: self, remote_addr=self._address)

    async def close(self) -> None:
        """Close the socket; who still waits is told."""
        for future in self._waiting.values():
            if not future.done():
                future.set_exception(MediaError("the line to rtpengine is closed"))
        if self._transport is not None:
            self._transport.close()

    async def ask(self, command: str, **fields: Value) -> Mapping[str, Decoded]:
        """Give a command; underscores in field names stand for hyphens. Raises ``MediaError``, ``RtpengineRefused``."""
        if self._transport is None or self._transport.is_closing():
            raise MediaError("there is no line to rtpengine")
        cookie = secrets.token_hex(8).encode()
        question = {"command": command} | {name.replace("_", "-"): value for name, value in fields.items()}
        datagram = cookie + b" " + encode(question)
        future: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._waiting[cookie] = future
        try:
            answer = await self._answer(future, datagram)
        finally:
            del self._waiting[cookie]
        return _read(answer)

    async def _answer(self, future: "asyncio.Future[bytes]", datagram: bytes) -> bytes:
        assert self._transport is not None  # noqa: S101 - asked by the caller
        for patience in _PATIENCE:
            self._transport.sendto(datagram)
            done, _ = await asyncio.wait([future], timeout=patience)
            if done:
                return future.result()
        raise MediaError("rtpengine does not answer")

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The socket is there."""
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """An answer came, perhaps one that nobody waits for any more."""
        del addr
        cookie, _, answer = data.partition(b" ")
        future = self._waiting.get(cookie)
        if future is not None and not future.done():
            future.set_result(answer)

    def error_received(self, exc: Exception) -> None:
        """Nobody listens there; the question will time out."""
        log.debug("rtpengine.unreachable", error=type(exc).__name__)


def _read(answer: bytes) -> Mapping[str, Decoded]:
    try:
        fields = decode(answer)
    except MalformedBencode as error:
        raise MediaError(f"rtpengine's answer cannot be read: {error}") from error
    if not isinstance(fields, dict):
        raise MediaError("rtpengine's answer is no dictionary")
    if fields.get("result") == b"error":
        reason = fields.get("error-reason", b"")
        raise RtpengineRefused(reason.decode("utf-8", "replace") if isinstance(reason, bytes) else "no reason given")
    return fields
