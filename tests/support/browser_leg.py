"""One call between a plain phone and a browser's end, on real media processes; no exchange in between."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from callcenter.media.endpoint import RtpEndpoint
from callcenter.media.mediad.browsers_line import browsers_socket
from callcenter.media.webrtc.description import (
    PlainStream,
    WayIn,
    browser_offer,
    plain_answer,
    read_browser_answer,
    read_plain,
)
from callcenter.media.webrtc.edge import BrowserEdge, EdgeEvent
from callcenter.media.webrtc.peer import BrowserPeer
from callcenter.media.webrtc.protocol import BrowserConnected, BrowserHeard
from callcenter.ports import Route
from tests.support.media_contract import PROFILE
from tests.support.mediad_process import MediaProcess, running_mediad

CUSTOMER, AGENT = "customer", "agent"


def leg_of(session: str) -> str:
    """The browser leg's id in signalling."""
    return f"{session}-{AGENT}"


class BrowserHouse:
    """A ``mediad`` that takes browsers, and the exchange's hand on both of its doors."""

    def __init__(self, media: MediaProcess) -> None:
        self.media = media
        self.events: list[EdgeEvent] = []
        self.returns: list[frozenset[str]] = []
        self.edge = BrowserEdge(
            browsers_socket(media.socket_path), on_event=self.events.append, on_return=self.returns.append
        )
        self.streams: dict[str, PlainStream] = {}
        self.inner_ports: dict[str, int] = {}
        self._phones: list[RtpEndpoint] = []
        self._pages: list[BrowserPeer] = []

    async def page(self) -> BrowserPeer:
        """A fresh page of a browser."""
        peer = await BrowserPeer.open()
        self._pages.append(peer)
        return peer

    async def caller(self, session: str) -> RtpEndpoint:
        """A session with a phone in it and a leg that waits for a browser."""
        plane = self.media.plane
        await plane.create(session)
        phone = await self.media.calling(session, CUSTOMER)
        self._phones.append(phone)
        self.streams[leg_of(session)] = read_plain(await plane.make_offer(session, AGENT))
        return phone

    def gaps(self, session: str) -> list[int]:
        """How long nothing came from the browser each time it came back, milliseconds."""
        return [
            event.gap_ms for event in self.events if isinstance(event, BrowserHeard) and event.leg_id == leg_of(session)
        ]

    async def close(self) -> None:
        """Close every phone and page."""
        for phone in self._phones:
            await phone.close()
        for page in self._pages:
            page.close()

    async def offer(self, leg_id: str, way_id: str) -> str:
        """The offer for a page."""
        stream = self.streams[leg_id]
        way = await self.edge.open_way(
            leg_id, way_id, (stream.host, stream.port), inner_port=self.inner_ports.get(leg_id, 0)
        )
        self.inner_ports[leg_id] = way.inner_port
        greeted = self.edge.greeted
        assert greeted is not None
        where = WayIn(way.ufrag, way.password, greeted.fingerprint, greeted.addresses)
        return browser_offer(stream, where, sdp_session_id=secrets.randbits(31), version=1)

    def take_answer(self, leg_id: str, way_id: str, sdp: str) -> str:
        """Take a page's answer; the plane's answer."""
        answer = read_browser_answer(sdp, self.streams[leg_id].formats)
        self.edge.describe(
            leg_id, way_id, ufrag=answer.ufrag, fingerprint=answer.fingerprint, payload_type=answer.payload_type
        )
        greeted = self.edge.greeted
        assert greeted is not None
        return plain_answer(answer, host=greeted.inner_host, port=self.inner_ports[leg_id])

    async def attach(self, leg_id: str, way_id: str, peer: BrowserPeer) -> str:
        """Connect a page to a leg."""
        answer = self.take_answer(leg_id, way_id, peer.answer(await self.offer(leg_id, way_id)))
        async with asyncio.timeout(10):
            await peer.connected.wait()
        return answer

    def connections(self, session: str) -> list[str]:
        """The pages that connected to a session's browser leg, in order."""
        told = [event for event in self.events if isinstance(event, BrowserConnected)]
        return [event.way_id for event in told if event.leg_id == leg_of(session)]

    async def refused_since(self, before: int, count: int) -> bool:
        """Whether so many datagrams were refused since the figure was ``before``."""
        return (await self.edge.status()).refused >= before + count

    async def call(self, session: str) -> tuple[RtpEndpoint, BrowserPeer]:
        """A phone and a browser that hear each other: 440 Hz from the customer, 620 Hz from the agent."""
        plane, leg_id = self.media.plane, leg_of(session)
        phone, peer = await self.caller(session), await self.page()
        await plane.accept_answer(session, AGENT, await self.attach(leg_id, "page1", peer), PROFILE)
        await plane.route(session, [Route(CUSTOMER, AGENT), Route(AGENT, CUSTOMER)])
        phone.start(440)
        peer.start(620)
        return phone, peer


@asynccontextmanager
async def browser_house(*options: str) -> AsyncIterator[BrowserHouse]:
    """Start the processes with a port of any number for browsers."""
    async with running_mediad("--standby", "0", "--browser-port", "0", *options) as media:
        house = BrowserHouse(media)
        house.edge.start()
        try:
            await house.edge.ready(20)
            yield house
        finally:
            await house.close()
            await house.edge.stop()
