"""Connections: one byte stream or one WebSocket each, cut into messages."""

import asyncio
from contextlib import suppress
from typing import Protocol, cast

import structlog
from websockets.exceptions import WebSocketException
from websockets.frames import Frame, Opcode
from websockets.http11 import Request
from websockets.server import ServerProtocol
from websockets.typing import Subprotocol

from callcenter.sip.errors import BadMessage
from callcenter.sip.flows import Flow, Transport
from callcenter.sip.framing import PING, PONG, StreamFramer
from callcenter.sip.parser import MAX_MESSAGE

log = structlog.get_logger(__name__)

MAX_BACKLOG = 1024 * 1024
"""Octets waiting for one peer before it is given up."""
PING_SECONDS = 30.0
"""How long a connection that we opened may be silent before we ask whether it lives (RFC 5626 section 4.4.1)."""
PONG_SECONDS = 10.0
"""How long the answer to that may take."""


class Switchboard(Protocol):
    """Whom connections report to."""

    def opened(self, connection: "Connection") -> None:
        """A connection stands."""
        ...

    def closed(self, connection: "Connection") -> None:
        """A connection is gone."""
        ...

    def deliver(self, data: bytes, flow: Flow) -> None:
        """A message came."""
        ...


class Connection(asyncio.Protocol):
    """One TCP or TLS connection."""

    def __init__(self, owner: Switchboard, number: int, transport: Transport, *, ours: bool = False) -> None:
        self._owner = owner
        self._kind = transport
        self._framer = StreamFramer()
        self._asked_at: float | None = None
        self.number = number
        self.ours = ours
        """Whether we opened it."""
        self.flow: Flow | None = None
        self.transport: asyncio.Transport | None = None
        self.heard_at = 0.0
        self.spoke = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The connection stands, its TLS handshake done."""
        self.transport = cast("asyncio.Transport", transport)
        self.transport.set_write_buffer_limits(high=MAX_BACKLOG)
        peer = transport.get_extra_info("peername")
        if not peer:  # gone already
            transport.close()
            return
        self.flow = Flow(self._kind, (peer[0], peer[1]), self.number)
        self.heard_at = asyncio.get_running_loop().time()
        self._owner.opened(self)

    def data_received(self, data: bytes) -> None:
        """Octets came."""
        self.heard_at = asyncio.get_running_loop().time()
        self._asked_at = None
        self.take(data)

    def take(self, data: bytes) -> None:
        """Find the messages in a stretch of the stream."""
        try:
            frames = self._framer.feed(data)
            for frame in frames:
                self.take_frame(frame)
            if frames:
                self._framer.feed(b"")
        except BadMessage:
            if rest := self._framer.remainder():
                self.take_frame(rest)
            self.close()

    def take_frame(self, frame: bytes) -> None:
        """A message, or a keep-alive (RFC 5626 section 3.5.1)."""
        if not frame.strip(b"\r\n"):
            if frame.startswith(PING):
                self.write(PONG)
        elif self.flow is not None:
            self.spoke = True
            self._owner.deliver(frame, self.flow)

    def eof_received(self) -> bool:
        """The far end sends no more; a message it left unfinished is told what it lacks."""
        if rest := self._framer.remainder():
            self.take_frame(rest)
        return False

    def write(self, data: bytes) -> None:
        """Send a message."""
        self.write_octets(data)

    def write_octets(self, data: bytes) -> None:
        """Put octets on the stream; a peer that does not take them is given up."""
        if self.transport is None or self.transport.is_closing():
            return
        self.transport.write(data)
        if self.transport.get_write_buffer_size() > MAX_BACKLOG:
            log.warning("sip.connection_too_slow")
            self.transport.abort()

    def look_after(self, now: float) -> None:
        """Ask whether a silent connection of ours lives, and give it up when nothing comes back."""
        if not self.ours or now - self.heard_at < PING_SECONDS:
            return
        if self._asked_at is None:
            self._asked_at = now
            self.write_octets(PING)
        elif now - self._asked_at > PONG_SECONDS and self.transport is not None:
            self.transport.abort()

    def close(self) -> None:
        """Close when everything is written."""
        if self.transport is not None:
            self.transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone."""
        del exc
        self._owner.closed(self)


class WebSocketConnection(Connection):
    """SIP over WebSocket: subprotocol ``sip``, one message in each frame (RFC 7118 sections 4 and 5)."""

    def __init__(self, owner: Switchboard, number: int, transport: Transport) -> None:
        super().__init__(owner, number, transport)
        self._socket = ServerProtocol(subprotocols=[Subprotocol("sip")], max_size=MAX_MESSAGE)
        self._parts: list[bytes] = []

    def take(self, data: bytes) -> None:
        """Find the frames in a stretch of the stream."""
        self._socket.receive_data(data)
        for event in self._socket.events_received():
            if isinstance(event, Request):
                self._socket.send_response(self._socket.accept(event))
            elif isinstance(event, Frame):
                self._take_part(event)
        self._flush()

    def _take_part(self, frame: Frame) -> None:
        if frame.opcode not in {Opcode.TEXT, Opcode.BINARY, Opcode.CONT}:
            return  # ping and close are answered by the library
        self._parts.append(bytes(frame.data))
        if sum(map(len, self._parts)) > MAX_MESSAGE:
            self._parts.clear()
            self._socket.fail(1009, "Message too large")
        elif frame.fin:
            message = b"".join(self._parts)
            self._parts.clear()
            self.take_frame(message)

    def eof_received(self) -> bool:
        """The far end sends no more."""
        self._socket.receive_eof()
        self._flush()
        return False

    def write(self, data: bytes) -> None:
        """Send a message: as text when it is, since some phones in browsers read nothing else."""
        with suppress(WebSocketException):  # not open yet, or closing
            try:
                data.decode()
                self._socket.send_text(data)
            except UnicodeDecodeError:
                self._socket.send_binary(data)
            self._flush()

    def _flush(self) -> None:
        for octets in self._socket.data_to_send():
            if octets:
                self.write_octets(octets)
            else:
                super().close()
        if self._socket.close_expected():
            super().close()

    def close(self) -> None:
        """Say goodbye and close."""
        with suppress(WebSocketException):
            self._socket.send_close(1001)
        self._flush()
        super().close()
