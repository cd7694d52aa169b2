"""Sockets: every transport on the addresses asked for. Nothing here understands SIP beyond where a message ends.

This is one of the four edges where every exception is caught: a message that breaks something is logged and dropped,
and the next one is served.
"""

import asyncio
import os
import socket
import ssl
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import cast

import structlog

from callcenter.sip.arrivals import Arrivals
from callcenter.sip.connections import Connection, WebSocketConnection
from callcenter.sip.flows import Address, Flow, Transport

log = structlog.get_logger(__name__)

RECEIVE_BUFFER = 4 * 1024 * 1024
"""Octets of socket buffer asked for: a stalled second at a thousand messages fits in."""
SO_MEMINFO = 55
"""Linux: what a socket holds; the first of its nine numbers is the octets received and not read yet."""
OCTETS_HELD = 2_304
"""What the kernel reckons for a datagram of 500 to 1,500 octets."""
SWEEP_SECONDS = 5.0
FIRST_MESSAGE_SECONDS = 30.0
"""A connection that says nothing for so long after it was opened is closed."""
HANDSHAKE_SECONDS = 10.0

OnMessage = Callable[[bytes, Flow], None]
OnFlowLost = Callable[[Flow], None]


class _Udp(asyncio.DatagramProtocol):
    def __init__(self, sockets: "Sockets", channel: int) -> None:
        self._arrivals = Arrivals(sockets.deliver, self._holds_more)
        self._channel = channel
        self.transport: asyncio.DatagramTransport | None = None
        self._raw: socket.socket | None = None
        """To ask the kernel; the transport's own makes another object of itself for each question."""
        self.is_ipv6 = False
        self.full = False

    def pause_writing(self) -> None:
        self.full = True

    def resume_writing(self) -> None:
        self.full = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.DatagramTransport", transport)
        self.is_ipv6 = ":" in transport.get_extra_info("sockname")[0]
        self._raw = socket.socket(fileno=os.dup(transport.get_extra_info("socket").fileno()))

    def close(self) -> None:
        if self._raw is not None:
            self._raw.close()
            self._raw = None
        if self.transport is not None:
            self.transport.close()

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        if data.strip(b"\r\n\0"):  # else a keep-alive (RFC 5626 section 3.5.1)
            self._arrivals.take(data, Flow(Transport.UDP, (addr[0], addr[1]), self._channel))

    @property
    def waiting(self) -> int:
        """About how many datagrams wait to be served."""
        return len(self._arrivals) + self._held() // OCTETS_HELD

    def _holds_more(self) -> bool:
        return self._held() > 0

    def _held(self) -> int:
        """Octets that the kernel holds for us; 0 where it does not tell."""
        if self._raw is not None:
            with suppress(OSError):
                return int.from_bytes(self._raw.getsockopt(socket.SOL_SOCKET, SO_MEMINFO, 36)[:4], sys.byteorder)
        return 0

    def error_received(self, exc: Exception) -> None:
        log.debug("sip.datagram_refused", error=type(exc).__name__)


class Sockets:
    """Every socket of one endpoint."""

    def __init__(
        self,
        on_message: OnMessage,
        on_flow_lost: OnFlowLost,
        *,
        max_connections: int = 1_000,
        idle_seconds: float = 900.0,
        calling: ssl.SSLContext | None = None,
    ) -> None:
        self._on_message = on_message
        self._on_flow_lost = on_flow_lost
        self._max_connections = max_connections
        self._idle = idle_seconds
        self._calling = calling
        """For TLS connections that we open; without it none are."""
        self._udp: list[_Udp] = []
        self._servers: list[asyncio.Server] = []
        self._connections: dict[int, Connection] = {}
        self._by_remote: dict[tuple[Transport, Address], Connection] = {}
        self._opening: dict[tuple[Transport, Address], list[bytes]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._count = 0
        self._sweeper: asyncio.TimerHandle | None = None
        self._hosts: tuple[str, ...] = ()
        self._closing = False

    @property
    def connection_count(self) -> int:
        """How many connections are open."""
        return len(self._connections)

    async def listen(self, hosts: Sequence[str], port: int, transports: Sequence[Transport]) -> int:
        """Bind UDP, TCP or both on every host; returns the port, the same for all. Raises ``OSError``."""
        self._hosts = tuple(hosts)
        attempts = 1 if port else 20
        while True:
            attempts -= 1
            try:
                return await self._bind(hosts, port, transports)
            except OSError:
                self._unbind()
                if attempts <= 0:
                    raise

    async def listen_also(
        self, hosts: Sequence[str], port: int, transport: Transport, context: ssl.SSLContext | None = None
    ) -> int:
        """Bind TLS, WS or WSS on every host, after ``listen``; returns the port. Raises ``OSError``."""
        for host in hosts:
            port = await self._serve(host, port, transport, context)
        return port

    async def _bind(self, hosts: Sequence[str], port: int, transports: Sequence[Transport]) -> int:
        loop = asyncio.get_running_loop()
        for host in hosts:
            if Transport.TCP in transports:
                port = await self._serve(host, port, Transport.TCP, None)
            if Transport.UDP in transports:
                channel = len(self._udp)
                endpoint, protocol = await loop.create_datagram_endpoint(
                    lambda channel=channel: _Udp(self, channel),  # type: ignore[misc]  # mypy cannot infer a lambda
                    local_addr=(host, port),
                )
                self._udp.append(protocol)
                raw = endpoint.get_extra_info("socket")
                with suppress(OSError):
                    raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
                port = int(endpoint.get_extra_info("sockname")[1])
        if self._sweeper is None:
            self._sweeper = loop.call_later(SWEEP_SECONDS, self._sweep)
        return port

    async def _serve(self, host: str, port: int, transport: Transport, context: ssl.SSLContext | None) -> int:
        server = await asyncio.get_running_loop().create_server(
            lambda: self._accept(transport),
            host,
            port,
            ssl=context,
            ssl_handshake_timeout=None if context is None else HANDSHAKE_SECONDS,
        )
        self._servers.append(server)
        return int(server.sockets[0].getsockname()[1])

    def _unbind(self) -> None:
        for udp in self._udp:
            udp.close()
        for server in self._servers:
            server.close()
        self._udp.clear()
        self._servers.clear()
        if self._sweeper is not None:
            self._sweeper.cancel()
            self._sweeper = None

    async def close(self) -> None:
        """Close everything; nothing is delivered any more."""
        self._closing = True
        self._unbind()
        for task in list(self._tasks):
            task.cancel()
        for connection in list(self._connections.values()):
            if connection.transport is not None:
                connection.transport.abort()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _accept(self, transport: Transport, *, ours: bool = False) -> Connection:
        self._count += 1
        if transport in {Transport.WS, Transport.WSS}:
            return WebSocketConnection(self, self._count, transport)
        return Connection(self, self._count, transport, ours=ours)

    def messages_waiting(self) -> int:
        """About how many datagrams wait to be served."""
        return sum(udp.waiting for udp in self._udp)

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
        connection = self._connections.get(flow.channel) or self._by_remote.get((flow.transport, flow.remote))
        if connection is not None:
            connection.write(data)
        elif flow.channel == 0 and not self._closing and flow.transport in {Transport.TCP, Transport.TLS}:
            self._open(data, flow)
        elif not self._closing:
            asyncio.get_running_loop().call_soon(self._on_flow_lost, flow)

    def _send_datagram(self, data: bytes, flow: Flow) -> None:
        if flow.channel >= len(self._udp):
            return
        udp = self._udp[flow.channel]
        if udp.is_ipv6 is not flow.is_ipv6:
            found = next((one for one in self._udp if one.is_ipv6 is flow.is_ipv6), None)
            if found is None:
                log.debug("sip.no_socket_of_this_family", ipv6=flow.is_ipv6)
                return
            udp = found
        transport = udp.transport
        if transport is None or transport.is_closing() or udp.full:
            return
        try:
            transport.sendto(data, flow.remote)
        except (OSError, ValueError) as error:
            log.debug("sip.datagram_not_sent", error=type(error).__name__)

    def _open(self, data: bytes, flow: Flow) -> None:
        key = (flow.transport, flow.remote)
        waiting = self._opening.get(key)
        if waiting is not None:
            waiting.append(data)
            return
        self._opening[key] = [data]
        task = asyncio.get_running_loop().create_task(self._connect(flow), name="sip-connect")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _connect(self, flow: Flow) -> None:
        key = (flow.transport, flow.remote)
        tls = flow.transport is Transport.TLS
        host = next((host for host in self._hosts if (":" in host) is flow.is_ipv6), None)
        try:
            if host is None or (tls and self._calling is None):
                raise OSError("no way to connect by this transport")
            async with asyncio.timeout(HANDSHAKE_SECONDS):
                _, connection = await asyncio.get_running_loop().create_connection(
                    lambda: self._accept(flow.transport, ours=True),
                    *flow.remote,
                    local_addr=(host, 0),
                    ssl=self._calling if tls else None,
                    server_hostname=(flow.name or flow.remote[0]) if tls else None,
                )
        except (OSError, TimeoutError) as error:
            log.info("sip.connection_not_made", transport=flow.transport, error=type(error).__name__)
            self._opening.pop(key, None)
            self._on_flow_lost(flow)
            return
        for data in self._opening.pop(key, []):
            connection.write(data)

    def opened(self, connection: Connection) -> None:
        """A connection stands; one too many is closed at once."""
        if self._closing or len(self._connections) >= self._max_connections or connection.flow is None:
            connection.close()
            return
        self._connections[connection.number] = connection
        self._by_remote[(connection.flow.transport, connection.flow.remote)] = connection

    def closed(self, connection: Connection) -> None:
        """A connection is gone."""
        flow = connection.flow
        if self._connections.pop(connection.number, None) is None or flow is None:
            return
        if self._by_remote.get((flow.transport, flow.remote)) is connection:
            del self._by_remote[(flow.transport, flow.remote)]
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
            else:
                connection.look_after(now)
        self._sweeper = loop.call_later(SWEEP_SECONDS, self._sweep)
