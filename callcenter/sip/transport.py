"""Sockets: UDP and TCP on the addresses asked for. Nothing here understands SIP beyond where a message ends.

This is one of the four edges where every exception is caught: a message that breaks something is logged and dropped,
and the next one is served.
"""

import asyncio
import socket
from collections.abc import Callable
from contextlib import suppress
from typing import cast

import structlog

from callcenter.sip.errors import BadMessage
from callcenter.sip.flows import Address, Flow, Transport
from callcenter.sip.framing import PING, PONG, StreamFramer

log = structlog.get_logger(__name__)

RECEIVE_BUFFER = 4 * 1024 * 1024
"""Octets of socket buffer asked for: a stalled second at a thousand messages fits in."""
MAX_BACKLOG = 1024 * 1024
"""Octets waiting for one TCP peer before it is given up. UDP messages are dropped while the socket is full."""
SWEEP_SECONDS = 5.0
FIRST_MESSAGE_SECONDS = 30.0
"""A connection that says nothing for so long after it was opened is closed."""

OnMessage = Callable[[bytes, Flow], None]
OnFlowLost = Callable[[Flow], None]


class _Udp(asyncio.DatagramProtocol):
    def __init__(self, sockets: "Sockets", channel: int) -> None:
        self._sockets = sockets
        self._channel = channel
        self.transport: asyncio.DatagramTransport | None = None
        self.full = False

    def pause_writing(self) -> None:
        self.full = True

    def resume_writing(self) -> None:
        self.full = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        if data.strip(b"\r\n\0"):  # else a keep-alive (RFC 5626 section 3.5.1)
            self._sockets.deliver(data, Flow(Transport.UDP, (addr[0], addr[1]), self._channel))

    def error_received(self, exc: Exception) -> None:
        log.debug("sip.datagram_refused", error=type(exc).__name__)


class _Tcp(asyncio.Protocol):
    def __init__(self, sockets: "Sockets", number: int) -> None:
        self._sockets = sockets
        self._framer = StreamFramer()
        self.number = number
        self.flow: Flow | None = None
        self.transport: asyncio.Transport | None = None
        self.heard_at = 0.0
        self.spoke = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self.transport.set_write_buffer_limits(high=MAX_BACKLOG)
        peer = transport.get_extra_info("peername")
        self.flow = Flow(Transport.TCP, (peer[0], peer[1]), self.number)
        self.heard_at = asyncio.get_running_loop().time()
        self._sockets.opened(self)

    def data_received(self, data: bytes) -> None:
        assert self.flow is not None  # noqa: S101 - set when the connection was made
        self.heard_at = asyncio.get_running_loop().time()
        try:
            frames = self._framer.feed(data)
        except BadMessage:
            self.close()
            return
        for frame in frames:
            if frame == PING:
                self.write(PONG)
            else:
                self.spoke = True
                self._sockets.deliver(frame, self.flow)

    def write(self, data: bytes) -> None:
        if self.transport is None or self.transport.is_closing():
            return
        self.transport.write(data)
        if self.transport.get_write_buffer_size() > MAX_BACKLOG:
            log.warning("sip.connection_too_slow")
            self.transport.abort()

    def close(self) -> None:
        if self.transport is not None:
            self.transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        self._sockets.closed(self)


class Sockets:
    """Every socket of one endpoint."""

    def __init__(
        self,
        on_message: OnMessage,
        on_flow_lost: OnFlowLost,
        *,
        max_connections: int = 1_000,
        idle_seconds: float = 900.0,
    ) -> None:
        self._on_message = on_message
        self._on_flow_lost = on_flow_lost
        self._max_connections = max_connections
        self._idle = idle_seconds
        self._udp: list[_Udp] = []
        self._servers: list[asyncio.Server] = []
        self._connections: dict[int, _Tcp] = {}
        self._by_remote: dict[Address, _Tcp] = {}
        self._opening: dict[Address, list[bytes]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._count = 0
        self._sweeper: asyncio.TimerHandle | None = None
        self._bind_host = "127.0.0.1"
        self._closing = False

    async def listen(self, host: str, port: int, transports: tuple[Transport, ...]) -> int:
        """Bind; returns the port, the same for every transport. Raises ``OSError``."""
        loop = asyncio.get_running_loop()
        self._bind_host = host
        attempts = 1 if port else 20
        while True:
            attempts -= 1
            try:
                return await self._bind(loop, host, port, transports)
            except OSError:
                await self._unbind()
                if attempts <= 0:
                    raise

    async def _bind(
        self, loop: asyncio.AbstractEventLoop, host: str, port: int, transports: tuple[Transport, ...]
    ) -> int:
        if Transport.TCP in transports:
            server = await loop.create_server(self._accept, host, port)
            self._servers.append(server)
            port = int(server.sockets[0].getsockname()[1])
        if Transport.UDP in transports:
            channel = len(self._udp)
            endpoint, protocol = await loop.create_datagram_endpoint(
                lambda: _Udp(self, channel), local_addr=(host, port)
            )
            self._udp.append(protocol)
            raw = endpoint.get_extra_info("socket")
            with suppress(OSError):
                raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
            port = int(endpoint.get_extra_info("sockname")[1])
        self._sweeper = loop.call_later(SWEEP_SECONDS, self._sweep)
        return port

    async def _unbind(self) -> None:
        for udp in self._udp:
            if udp.transport is not None:
                udp.transport.close()
        for server in self._servers:
            server.close()
        self._udp.clear()
        self._servers.clear()
        if self._sweeper is not None:
            self._sweeper.cancel()

    async def close(self) -> None:
        """Close everything; nothing is delivered any more."""
        self._closing = True
        await self._unbind()
        for task in list(self._tasks):
            task.cancel()
        for connection in list(self._connections.values()):
            if connection.transport is not None:
                connection.transport.abort()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _accept(self) -> _Tcp:
        self._count += 1
        return _Tcp(self, self._count)

    def deliver(self, data: bytes, flow: Flow) -> None:
        """Hand a message on. The edge: whatever goes wrong with it ends here."""
        if self._closing:
            return
        try:
            self._on_message(data, flow)
        except Exception:  # the edge: one bad message must not stop the next one
            log.exception("sip.message_failed", transport=flow.transport)

    def send(self, data: bytes, flow: Flow) -> None:
        """Send on a flow. Never blocks and never raises: what cannot be sent is lost, or told as a lost flow."""
        if flow.transport is Transport.UDP:
            self._send_datagram(data, flow)
            return
        connection = self._connections.get(flow.channel) or self._by_remote.get(flow.remote)
        if connection is not None:
            connection.write(data)
        elif flow.channel == 0 and not self._closing:
            self._open(data, flow)
        elif not self._closing:
            asyncio.get_running_loop().call_soon(self._on_flow_lost, flow)

    def _send_datagram(self, data: bytes, flow: Flow) -> None:
        if flow.channel >= len(self._udp):
            return
        udp = self._udp[flow.channel]
        transport = udp.transport
        if transport is None or transport.is_closing() or udp.full:
            return
        try:
            transport.sendto(data, flow.remote)
        except (OSError, ValueError) as error:
            log.debug("sip.datagram_not_sent", error=type(error).__name__)

    def _open(self, data: bytes, flow: Flow) -> None:
        waiting = self._opening.get(flow.remote)
        if waiting is not None:
            waiting.append(data)
            return
        self._opening[flow.remote] = [data]
        task = asyncio.get_running_loop().create_task(self._connect(flow), name="sip-connect")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _connect(self, flow: Flow) -> None:
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(10):
                _, connection = await loop.create_connection(
                    self._accept, *flow.remote, local_addr=(self._bind_host, 0)
                )
        except (OSError, TimeoutError):
            self._opening.pop(flow.remote, None)
            self._on_flow_lost(flow)
            return
        for data in self._opening.pop(flow.remote, []):
            connection.write(data)

    def opened(self, connection: _Tcp) -> None:
        """A connection stands; one too many is closed at once."""
        if self._closing or len(self._connections) >= self._max_connections or connection.flow is None:
            connection.close()
            return
        self._connections[connection.number] = connection
        self._by_remote[connection.flow.remote] = connection

    def closed(self, connection: _Tcp) -> None:
        """A connection is gone."""
        flow = connection.flow
        if self._connections.pop(connection.number, None) is None or flow is None:
            return
        if self._by_remote.get(flow.remote) is connection:
            del self._by_remote[flow.remote]
        if not self._closing:
            self._on_flow_lost(flow)
            self._on_flow_lost(Flow(flow.transport, flow.remote))

    def _sweep(self) -> None:
        loop = asyncio.get_running_loop()
        now = loop.time()
        for connection in list(self._connections.values()):
            allowed = self._idle if connection.spoke else FIRST_MESSAGE_SECONDS
            if now - connection.heard_at > allowed:
                connection.close()
        self._sweeper = loop.call_later(SWEEP_SECONDS, self._sweep)
