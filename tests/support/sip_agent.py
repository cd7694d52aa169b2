"""A live user agent on loopback sockets, and a raw UDP peer to provoke it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from ipaddress import ip_network

from callcenter.calls.legs import LegEvent, LegOffered
from callcenter.sip.phone import MonotonicClock
from callcenter.sip.settings import SipSettings
from callcenter.sip.trunks import Trunk
from callcenter.sip.user_agent import UserAgent
from tests.support.sip_wire import REALM, FakeDirectory

SDP = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n"


class LiveAgent:
    """A user agent with what it told, for tests to wait on."""

    def __init__(self, settings: SipSettings | None, trunk: str, agents: dict[str, str]) -> None:
        self.events: list[LegEvent] = []
        self.phones: list[tuple[str, bool]] = []
        self.reaction: Callable[[LegEvent], None] | None = None
        self._changed = asyncio.Event()
        self.agent = UserAgent(
            clock=MonotonicClock(),
            sink=self._take,
            settings=settings or SipSettings(port=0, realm=REALM),
            directory=FakeDirectory(**agents),
            trunks=[Trunk("carrier", (ip_network(trunk),))],
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
        async with asyncio.timeout(10):
            while not condition():
                self._changed.clear()
                await self._changed.wait()

    def told(self, kind: type) -> list[LegEvent]:
        """The events of one kind."""
        return [event for event in self.events if isinstance(event, kind)]

    def answer_everything(self) -> None:
        """Answer every call at once."""

        def react(event: LegEvent) -> None:
            if isinstance(event, LegOffered):
                self.agent.answer(event.leg_id, SDP)

        self.reaction = react


@asynccontextmanager
async def live_agent(
    settings: SipSettings | None = None, *, trunk: str = "127.0.0.2/32", **agents: str
) -> AsyncIterator[LiveAgent]:
    """Start a user agent on a free port and stop it afterwards."""
    live = LiveAgent(settings, trunk, agents)
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
    async def open(cls, host: str = "127.0.0.1") -> "RawPeer":
        """Bind a free port."""
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

    def send(self, data: bytes, port: int) -> None:
        """Send to a port of 127.0.0.1."""
        assert self._transport is not None
        self._transport.sendto(data, ("127.0.0.1", port))

    async def final_status(self, call_id: str) -> tuple[int, bytes]:
        """The next final response with this Call-ID."""
        async with asyncio.timeout(5):
            while True:
                data = await self.inbox.get()
                status = int(data[8:11])
                if status >= 200 and call_id.encode() in data:
                    return status, data

    def close(self) -> None:
        """Close the socket."""
        if self._transport is not None:
            self._transport.close()
