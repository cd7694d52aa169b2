"""How many browsers one process carries: every agent a peer with a handshake of its own, speaking and hearing.

What a peer sends comes out at the inner side, is echoed there, and returns encrypted: each packet passes the process
twice, as in a call it passes once each way. Delays are those of both passes.
"""

import asyncio
import random
import secrets
import select
import socket
import struct
import time
from dataclasses import dataclass, field

import pylibsrtp

from callcenter.media.rtp import RtpPacket, pack, parse
from callcenter.media.sdp import LocalStream, build_offer
from callcenter.media.traffic import in_real_time
from callcenter.media.webrtc.description import WayIn, browser_offer, read_browser_answer, read_plain
from callcenter.media.webrtc.edge import BrowserEdge
from callcenter.media.webrtc.peer import BrowserPeer
from callcenter.media.webrtc.security import SrtpKeys, new_certificate

_STAMP = struct.Struct("!Qd")
_WARM_UP = 1.0
_PATIENCE = 30.0
"""Seconds for all handshakes."""
_AT_ONCE = 10
"""Handshakes side by side: the peers share the measuring process."""


@dataclass(slots=True)
class BrowserTraffic:
    """What came back. ``delays`` in seconds, there and back."""

    sent: int = 0
    received: int = 0
    delays: list[float] = field(default_factory=list)

    @property
    def lost(self) -> int:
        """Packets that did not come back."""
        return self.sent - self.received

    def percentile_ms(self, share: float) -> float | None:
        """A percentile of the delays in milliseconds, ``None`` without any."""
        delays = sorted(self.delays)
        return round(delays[min(len(delays) - 1, int(share * len(delays)))] * 1000, 2) if delays else None


@dataclass(slots=True)
class _Agent:
    """A peer after its handshake: its socket, its keys and where its stream stands."""

    sock: socket.socket
    keys: SrtpKeys
    target: tuple[str, int]
    ssrc: int
    sequence: int = 0


async def connect_browsers(socket_path: str, count: int) -> tuple[list[_Agent], socket.socket]:
    """Open legs and let peers connect to them; also the socket that is the plane's end of all. Raises ``MediaError``.

    ``socket_path`` is that of the process for browsers.
    """
    media = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    media.bind(("127.0.0.1", 0))
    media.setblocking(False)
    edge = BrowserEdge(socket_path, on_event=lambda _: None, on_return=lambda _: None, timeout=10.0)
    edge.start()
    await edge.ready(_PATIENCE)
    door = asyncio.Semaphore(_AT_ONCE)

    async def enter(number: int) -> _Agent:
        async with door:
            return await _connect(edge, f"leg-{number}", media)

    try:
        return list(await asyncio.gather(*(enter(number) for number in range(count)))), media
    finally:
        await edge.stop()


async def _connect(edge: BrowserEdge, leg_id: str, media: socket.socket) -> _Agent:
    host, port = media.getsockname()
    stream = read_plain(build_offer(LocalStream(host, port, 1, 1)))
    way = await edge.open_way(leg_id, "page", (host, port))
    greeted = edge.greeted
    assert greeted is not None  # noqa: S101 - it has answered
    where = WayIn(way.ufrag, way.password, greeted.fingerprint, greeted.addresses)
    peer = await BrowserPeer.open(certificate=new_certificate())
    answer = read_browser_answer(peer.answer(browser_offer(stream, where, sdp_session_id=1, version=1)), stream.formats)
    edge.describe(leg_id, "page", ufrag=answer.ufrag, fingerprint=answer.fingerprint, payload_type=answer.payload_type)
    async with asyncio.timeout(_PATIENCE):
        await peer.connected.wait()
    descriptor, keys = peer.hand_over()
    sock = socket.socket(fileno=descriptor)
    sock.setblocking(False)
    return _Agent(sock, keys, greeted.addresses[0], secrets.randbits(32))


def exchange_browsers(agents: list[_Agent], media: socket.socket, *, seconds: float) -> BrowserTraffic:
    """Speak for ``seconds`` after a second of warming up, from all agents, each every 20 ms in a phase of its own."""
    traffic, poll = BrowserTraffic(), select.epoll()
    by_descriptor = {agent.sock.fileno(): agent for agent in agents}
    for descriptor in (media.fileno(), *by_descriptor):
        poll.register(descriptor, select.EPOLLIN)
    begin = time.monotonic() + 0.05
    counted_from, end = begin + _WARM_UP, begin + _WARM_UP + seconds
    due = sorted((begin + random.random() * 0.02, index) for index in range(len(agents)))  # noqa: S311 - phases
    position = 0
    with in_real_time():
        while (now := time.monotonic()) < end + 0.3:
            while now < end and due[position][0] <= now:
                at, index = due[position]
                due[position] = (at + 0.02, index)
                position = (position + 1) % len(due)
                _speak(agents[index], now)
                traffic.sent += now >= counted_from
            pause = due[position][0] - now if now < end else 0.05
            for descriptor, _ in poll.poll(max(0.0, min(pause, 0.005)), 256):
                agent = by_descriptor.get(descriptor)
                if agent is None:
                    _echo(media)
                else:
                    _hear(agent, traffic, counted_from)
    poll.close()
    return traffic


def _speak(agent: _Agent, now: float) -> None:
    agent.sequence += 1
    payload = _STAMP.pack(agent.ssrc, now) + b"\xd0" * (160 - _STAMP.size)
    packet = RtpPacket(0, agent.sequence & 0xFFFF, agent.sequence * 160 & 0xFFFFFFFF, agent.ssrc, payload)
    agent.sock.sendto(agent.keys.protect(pack(packet)), agent.target)


def _echo(media: socket.socket) -> None:
    while True:
        try:
            data, source = media.recvfrom(2048)
        except BlockingIOError:
            return
        media.sendto(data, source)


def _hear(agent: _Agent, traffic: BrowserTraffic, counted_from: float) -> None:
    while True:
        try:
            data = agent.sock.recv(2048)
        except BlockingIOError:
            return
        if not 128 <= data[0] <= 191 or 192 <= data[1] <= 223:
            continue
        try:
            packet = parse(agent.keys.unprotect(data))
        except pylibsrtp.Error:
            continue
        if packet is None or len(packet.payload) != 160:
            continue
        name, sent_at = _STAMP.unpack_from(packet.payload)
        if name == agent.ssrc and sent_at >= counted_from:
            traffic.received += 1
            traffic.delays.append(time.monotonic() - sent_at)


def close_browsers(agents: list[_Agent], media: socket.socket) -> None:
    """Close every socket."""
    for agent in agents:
        agent.sock.close()
    media.close()
