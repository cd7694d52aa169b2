"""The process that serves browsers: one UDP port for all of them, and an inner socket for each of their legs.

It only ever moves packets between the two. Datagrams are told apart by their first byte (RFC 7983); a browser's
address is known from the check that proved its password, and nothing from other addresses gets further than that.
"""

import argparse
import asyncio
import contextlib
import gc
import signal
import socket
import time

import msgspec
import structlog
import uvloop

from callcenter.logs import configure_logs
from callcenter.media.mediad.browser_leg import SILENT_AFTER, BrowserLeg, clock_of
from callcenter.media.mediad.door import Door
from callcenter.media.mediad.worker import ask_for_real_time
from callcenter.media.webrtc.connectivity import Address, local_ufrag
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
from callcenter.media.webrtc.security import new_certificate
from callcenter.media.webrtc.way import Way

log = structlog.get_logger(__name__)

_TICK = 0.02
_REPORT_EVERY = 2_000
"""Milliseconds between RTCP reports to each browser; the console looks at its figures as often."""
_GRACE = 60_000
"""Milliseconds for which legs live on without the exchange."""
_MOST_DATAGRAMS = 128
_LARGEST = 2048
_MOST_WAYS = 4
"""Pages that may try to reach one leg at the same time."""


def now_ms() -> int:
    """Milliseconds of the monotonic clock."""
    return time.monotonic_ns() // 1_000_000


def wall_ms() -> int:
    """Milliseconds since the Unix epoch, for NTP timestamps."""
    return time.time_ns() // 1_000_000


class BrowserServer:
    """All legs of browsers. ``sock`` is the public port, ``addresses`` what its candidates are called."""

    def __init__(
        self, sock: socket.socket, socket_path: str, *, addresses: tuple[str, ...], inner_host: str, tether: int
    ) -> None:
        self._sock, self._tether = sock, tether
        port = int(sock.getsockname()[1])
        self._addresses = tuple((address, port) for address in addresses)
        self._inner_host = inner_host
        self._certificate = new_certificate()
        self._legs: dict[str, BrowserLeg] = {}
        self._by_ufrag: dict[str, Way] = {}
        self._by_address: dict[Address, Way] = {}
        self._socket_path = socket_path
        self._door: Door[Greet, WayOrder, WayReply] = Door(
            "browsers",
            msgspec.msgpack.Decoder(WayOrder),
            Greet,
            on_order=self._follow,
            on_epoch=self._clear,
            greeting=self._greeting,
        )
        self._loop = asyncio.get_running_loop()
        self._stopped = asyncio.Event()
        self._packets_in = self._packets_out = self._refused = 0
        self._busy_since = (time.monotonic(), time.process_time())
        self._report_due = now_ms() + _REPORT_EVERY

    async def run(self) -> None:
        """Serve until SIGTERM."""
        for number in (signal.SIGTERM, signal.SIGINT):
            self._loop.add_signal_handler(number, self._stopped.set)
        self._loop.add_reader(self._tether, self._stopped.set)
        self._loop.add_reader(self._sock.fileno(), self._read)
        await self._door.open(self._socket_path)
        gc.freeze()
        log.info("browsers.started", port=self._sock.getsockname()[1])
        try:
            await self._tick_until_stopped()
        finally:
            self._loop.remove_reader(self._tether)
            await self._door.close()
            self._clear()

    async def _tick_until_stopped(self) -> None:
        """Absolute deadlines, so that comfort tone keeps time."""
        due = self._loop.time()
        while not self._stopped.is_set():
            due = max(due + _TICK, self._loop.time() - 3 * _TICK)
            await asyncio.sleep(max(0.0, due - self._loop.time()))
            self._tick(now_ms())

    def _tick(self, now: int) -> None:
        for leg in self._legs.values():
            leg.comfort(now=now)
            if leg.heard_at is not None and not leg.is_silent and now - leg.heard_at >= SILENT_AFTER:
                leg.is_silent = True
                self._door.tell(BrowserSilent(leg.leg_id))
            for way in leg.ways:
                if way.keys is None and way.address is not None:
                    self._send_all(way.due(), way.address)
        if now >= self._report_due:
            self._report_due = now + _REPORT_EVERY
            self._report(now)
            if self._legs and self._door.absent_for() * 1000 > _GRACE:
                log.error("browsers.exchange_gone", legs=len(self._legs))
                self._clear()

    def _report(self, now: int) -> None:
        wall = wall_ms()
        for leg in self._legs.values():
            way = leg.active
            if way is None or way.keys is None or way.address is None:
                continue
            if way.reporter.heard is not None:
                leg.tell_line(way.reporter.heard, rate=way.reporter.rate, now=now)
            packet = way.reporter.report(now=wall)
            if packet is not None:
                self._send_all([way.keys.protect_rtcp(packet)], way.address)

    # Orders of the exchange.

    def _greeting(self, is_new: bool) -> Greeted:  # noqa: ARG002 - the legs of a former exchange are gone at once
        return Greeted(self._certificate.fingerprint, self._addresses, self._inner_host, tuple(self._legs))

    def _follow(self, order: WayOrder) -> None:
        match order:
            case OpenWay():
                self._door.tell(self._open(order))
            case DescribeBrowser(leg_id=leg_id, way_id=way_id):
                leg = self._legs.get(leg_id)
                way = None if leg is None else leg.way(way_id)
                if leg is not None and way is not None:
                    leg.tune(order.payload_type)
                    way.describe(order.ufrag, order.fingerprint, rate=clock_of(order.payload_type))
                    self._admit(way)
            case MoveLeg(leg_id=leg_id, media=media):
                if leg_id in self._legs:
                    self._legs[leg_id].move(media)
            case DropLeg(leg_id=leg_id):
                self._drop(leg_id)
            case AskWays(request=request):
                self._door.tell(self._status(request))
            case _:
                log.error("browsers.unexpected_order", order=type(order).__name__)

    def _open(self, order: OpenWay) -> WayOpened:
        leg = self._legs.get(order.leg_id)
        if leg is None:
            try:
                leg = BrowserLeg(order.leg_id, self._inner_host, order.inner_port, order.media, now=now_ms())
            except OSError as error:
                return WayOpened(order.request, error=f"no inner socket: {error.strerror}")
            self._legs[order.leg_id] = leg
            self._loop.add_reader(leg.inner.fileno(), self._read_inner, leg)
        way = leg.way(order.way_id)
        if way is None:
            way = Way(order.way_id, order.leg_id, self._certificate)
            leg.ways.append(way)
            for old in leg.ways[:-_MOST_WAYS]:
                self._forget(leg, old)
            credentials = way.agents[-1].credentials
        else:
            credentials = way.restart()
        self._by_ufrag[credentials.ufrag] = way
        return WayOpened(order.request, credentials.ufrag, credentials.password, leg.port)

    def _drop(self, leg_id: str) -> None:
        leg = self._legs.pop(leg_id, None)
        if leg is None:
            return
        for way in [*leg.ways]:
            self._forget(leg, way)
        self._loop.remove_reader(leg.inner.fileno())
        leg.inner.close()

    def _forget(self, leg: BrowserLeg, way: Way) -> None:
        if way.address is not None:
            self._send_all(way.close(), way.address)
        leg.ways.remove(way)
        self._by_ufrag = {ufrag: each for ufrag, each in self._by_ufrag.items() if each is not way}
        self._by_address = {address: each for address, each in self._by_address.items() if each is not way}

    def _clear(self) -> None:
        for leg_id in [*self._legs]:
            self._drop(leg_id)

    def _status(self, request: int) -> WaysStatus:
        wall, used = time.monotonic(), time.process_time()
        busy = (used - self._busy_since[1]) / max(1e-3, wall - self._busy_since[0])
        self._busy_since = (wall, used)
        connected = sum(leg.active is not None for leg in self._legs.values())
        return WaysStatus(
            request, len(self._legs), connected, self._packets_in, self._packets_out, self._refused, round(busy, 3)
        )

    # Packets.

    def _read(self) -> None:
        now, wall = now_ms(), wall_ms()
        for _ in range(_MOST_DATAGRAMS):
            try:
                datagram, source = self._sock.recvfrom(_LARGEST)
            except BlockingIOError:
                return
            except OSError:  # an ICMP error of an earlier packet
                continue
            if datagram:
                self._take(datagram, source[:2], now, wall)

    def _take(self, datagram: bytes, source: Address, now: int, wall: int) -> None:
        first = datagram[0]
        way = self._by_address.get(source)
        if 128 <= first <= 191 and way is not None:
            self._take_media(way, datagram, now, wall)
        elif first <= 3:
            self._check(datagram, source, now)
        elif 20 <= first <= 63 and way is not None:
            self._send_all(way.receive_handshake(datagram), source)
            self._admit(way)
        else:
            self._refused += 1

    def _take_media(self, way: Way, datagram: bytes, now: int, wall: int) -> None:
        leg = self._legs.get(way.leg_id)
        if leg is None:
            return
        if 192 <= datagram[1] <= 223:  # RTCP on the same port (RFC 5761 section 4)
            packet = way.unprotect_rtcp(datagram)
            if packet is not None:
                way.reporter.take(packet, now=wall)
            return
        packet = way.unprotect(datagram)
        if packet is None or not leg.from_browser(way, packet, now=now, wall=wall):
            self._refused += 1
            return
        self._packets_in += 1
        if way is leg.active and (leg.is_silent or leg.gap_ms):
            leg.is_silent = False
            self._door.tell(BrowserHeard(leg.leg_id, leg.gap_ms))

    def _check(self, datagram: bytes, source: Address, now: int) -> None:
        ufrag = local_ufrag(datagram)
        way = None if ufrag is None else self._by_ufrag.get(ufrag)
        answer = None if way is None or ufrag is None else way.receive_check(datagram, source, ufrag, now=now)
        if way is None or answer is None:
            self._refused += 1
            return
        self._by_address[source] = way
        self._send_all([answer], source)

    def _admit(self, way: Way) -> None:
        """A way whose keys are agreed upon carries the leg from now on; the ones before it are closed."""
        leg = self._legs.get(way.leg_id)
        if leg is None or way not in leg.ways:
            return
        if way.is_closed:
            if leg.active is way:
                leg.active = None
            self._forget(leg, way)
            return
        if way.keys is None or leg.active is way:
            return
        leg.active = way
        if leg.heard_at is None:
            leg.heard_at = now_ms()
        for old in leg.ways[: leg.ways.index(way)]:
            self._forget(leg, old)
        self._door.tell(BrowserConnected(leg.leg_id, way.way_id))

    def _read_inner(self, leg: BrowserLeg) -> None:
        packets = leg.read()
        way = leg.active
        if way is None or way.keys is None or way.address is None:
            return
        wall = wall_ms()
        for packet in packets:
            if len(packet) < 12:
                continue
            if 192 <= packet[1] <= 223:  # the worker's reports end here; the browser gets ours
                leg.take_report(packet, now=now_ms())
                continue
            ssrc, timestamp = int.from_bytes(packet[8:12]), int.from_bytes(packet[4:8])
            way.reporter.sent(ssrc, timestamp, len(packet) - 12, now=wall)
            self._send_all([way.keys.protect(packet)], way.address)
            self._packets_out += 1

    def _send_all(self, datagrams: list[bytes], address: Address) -> None:
        for datagram in datagrams:
            with contextlib.suppress(OSError):  # a full buffer or an unreachable browser loses a packet, no more
                self._sock.sendto(datagram, address)


async def _serve(given: argparse.Namespace) -> None:
    sock = socket.socket(fileno=given.descriptor)
    sock.setblocking(False)
    addresses = tuple(given.addresses.split(","))
    server = BrowserServer(sock, given.socket, addresses=addresses, inner_host=given.inner_host, tether=given.tether)
    await server.run()


def main() -> None:
    """Run until SIGTERM, or until the keeper is gone."""
    parser = argparse.ArgumentParser(prog="mediad-browsers")
    parser.add_argument("--descriptor", type=int, required=True, help="the UDP socket of all browsers")
    parser.add_argument("--tether", type=int, required=True, help="a pipe whose end means that the keeper is gone")
    parser.add_argument("--realtime", action="store_true", help="ask for real-time scheduling")
    parser.add_argument("--socket", required=True, help="Unix socket for the exchange's orders")
    parser.add_argument("--addresses", required=True, help="candidate addresses, separated by commas")
    parser.add_argument("--inner-host", required=True, help="address of the sockets towards the RTP workers")
    given = parser.parse_args()
    configure_logs("browsers")
    if given.realtime:
        ask_for_real_time()
    uvloop.run(_serve(given))


if __name__ == "__main__":
    main()
