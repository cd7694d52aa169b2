"""A live user agent on loopback sockets, and a raw UDP peer to provoke it."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from ipaddress import ip_network

from callcenter.calls.legs import LegEvent, LegOffered, Party
from callcenter.clock import SystemClock
from callcenter.ports import PhoneTarget
from callcenter.sip.settings import SipSettings
from callcenter.sip.trunks import Trunk
from callcenter.sip.user_agent import UserAgent
from tests.support.sip_wire import REALM, FakeDirectory

SDP = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n"

CALM_LAG_MS = 5_000.0
"""Overload has tests of its own; the others are not to fail because the machine was busy for a moment."""


class LiveAgent:
    """A user agent with what it told, for tests to wait on."""

    def __init__(
        self, settings: SipSettings | None, trunk: str, agents: dict[str, str], trunks: Sequence[Trunk] = ()
    ) -> None:
        self.events: list[LegEvent] = []
        self.phones: list[tuple[str, bool]] = []
        self.reaction: Callable[[LegEvent], None] | None = None
        self._changed = asyncio.Event()
        self.agent = UserAgent(
            clock=SystemClock(),
            sink=self._take,
            settings=settings or SipSettings(port=0, realm=REALM, max_lag_ms=CALM_LAG_MS),
            directory=FakeDirectory(**agents),
            trunks=[Trunk("carrier", (ip_network(trunk),)), *trunks],
            secret=b"s" * 32,
            phones=self._take_phone,
        )

    def _take(self, event: LegEvent) -> None:
        self.events.append(event)
        self._changed.set()
        if self.reaction is not None:
            self.reaction(event)

    def _take_phone(self, agent_id: str, reachable: bool) -> None:
        self.phones.append((agent_id, reachable))
        self._changed.set()

    async def until(self, condition: Callable[[], object]) -> None:
        """Wait until the condition holds, checked after each event."""
        async with asyncio.timeout(20):
            while not condition():
                self._changed.clear()
                await self._changed.wait()

    def told(self, kind: type) -> list[LegEvent]:
        """The events of one kind."""
        return [event for event in self.events if isinstance(event, kind)]

    def ring(self, leg_id: str, agent_id: str, sdp: str) -> None:
        """Ring an agent's phones for a caller nobody knows."""
        self.agent.invite(leg_id, PhoneTarget(agent_id), caller=Party("+4930123", "Zoë"), sdp=sdp)

    def answer_everything(self) -> None:
        """Answer every call at once."""

        def react(event: LegEvent) -> None:
            if isinstance(event, LegOffered):
                self.agent.answer(event.leg_id, SDP)

        self.reaction = react


@asynccontextmanager
async def live_agent(
    settings: SipSettings | None = None, *, trunk: str = "127.0.0.2/32", trunks: Sequence[Trunk] = (), **agents: str
) -> AsyncIterator[LiveAgent]:
    """Start a user agent on a free port and stop it afterwards."""
    live = LiveAgent(settings, trunk, agents, trunks)
    await live.agent.start()
    try:
        yield live
    finally:
        await live.agent.stop()


class RawPeer(asyncio.DatagramProtocol):
    """Sends and receives datagrams as they are."""

    def __init__(self) -> None:
        self.inbox: asyncio.Queue[bytes] = asyncio.Queue()
        self._transport: asyncio.DatagramTransport | None = None

    @classmethod
    async def open(cls, host: str = "127.0.0.1", port: int = 0) -> "RawPeer":
        """Bind a free port; ``port`` is where streams connect to and means nothing here."""
        del port
        loop = asyncio.get_running_loop()
        transport, peer = await loop.create_datagram_endpoint(cls, local_addr=(host, 0))
        peer._transport = transport
        return peer

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """Keep what came."""
        self.inbox.put_nowait(data)

    @property
    def port(self) -> int:
        """The local port."""
        assert self._transport is not None
        return int(self._transport.get_extra_info("sockname")[1])

    def send(self, data: bytes, port: int, host: str = "127.0.0.1") -> None:
        """Send to a port of this machine."""
        assert self._transport is not None
        self._transport.sendto(data, (host, port))

    async def final_status(self, call_id: str) -> tuple[int, bytes]:
        """The next final response with this Call-ID."""
        async with asyncio.timeout(15):
            while True:
                data = await self.inbox.get()
                status = int(data[8:11])
                if status >= 200 and call_id.encode() in data:
                    return status, data

    def close(self) -> None:
        """Close the socket."""
        if self._transport is not None:
            self._transport.close()


class RawStream(asyncio.Protocol):
    """A TCP connection that sends octets as they are and cuts what comes by its Content-Length."""

    def __init__(self) -> None:
        self.inbox: asyncio.Queue[bytes] = asyncio.Queue()
        self._buffer = b""
        self._transport: asyncio.Transport | None = None
        self._changed = asyncio.Event()
        self._pongs = 0
        self._lost = False

    @classmethod
    async def open(cls, host: str = "127.0.0.1", port: int = 0) -> "RawStream":
        """Connect."""
        transport, peer = await asyncio.get_running_loop().create_connection(cls, host, port)
        peer._transport = transport
        return peer

    def data_received(self, data: bytes) -> None:
        """Keep what came."""
        self._buffer += data
        while self._buffer:
            if self._buffer.startswith(b"\r\n"):
                self._pongs += 1
                self._buffer = self._buffer[2:]
                continue
            head, found, rest = self._buffer.partition(b"\r\n\r\n")
            if not found:
                break
            length = int(head.lower().rpartition(b"content-length:")[2].split(b"\r\n")[0])
            if len(rest) < length:
                break
            self.inbox.put_nowait(head + found + rest[:length])
            self._buffer = rest[length:]
        self._changed.set()

    def connection_lost(self, exc: Exception | None) -> None:
        """The far end closed."""
        self._lost = True
        self._changed.set()

    def send(self, data: bytes, port: int) -> None:
        """Send on the connection."""
        del port
        assert self._transport is not None
        self._transport.write(data)

    async def has_been_read(self) -> None:
        """Wait until the far end answers a keep-alive behind what was sent, has answered, or closes."""
        self.send(b"\r\n\r\n", 0)
        with suppress(TimeoutError):
            async with asyncio.timeout(1):
                while not (self._pongs or self._lost or not self.inbox.empty()):
                    self._changed.clear()
                    await self._changed.wait()

    def close(self) -> None:
        """Close the connection."""
        if self._transport is not None:
            self._transport.close()
