"""A browser's end of a call without the browser: for load, figures and tests, on the same parts as our own end.

It checks, nominates, begins the handshake, sends a tone in 20 ms frames and can tell what it hears.
"""

import asyncio
import contextlib
import os
import secrets
from collections import deque
from typing import cast

import numpy as np
import pylibsrtp

from callcenter.media.audio import tone, tone_share
from callcenter.media.g711 import decode, encode
from callcenter.media.law import FRAME_SAMPLES, Law
from callcenter.media.rtp import ReceptionCount, RtpPacket, pack, parse
from callcenter.media.sdp_lines import parse as parse_sdp
from callcenter.media.webrtc.connectivity import Address, IceCredentials, binding_request, is_success, new_credentials
from callcenter.media.webrtc.security import Certificate, DtlsAssociation, SrtpKeys, new_certificate

_CHECK_EVERY = 0.05
_CONSENT_EVERY = 2.0
_EAR_FRAMES = 20
_FRAME = 0.02


class BrowserPeer(asyncio.DatagramProtocol):
    """One page with one call. ``answer`` the offer, wait for ``connected``, then ``start`` to speak."""

    def __init__(self, certificate: Certificate | None = None) -> None:
        self._certificate = certificate or new_certificate()
        self._association = DtlsAssociation(self._certificate, is_server=False)
        self._local = new_credentials()
        self._remote = IceCredentials("", "")
        self._target: Address = ("", 0)
        self._tie_breaker = secrets.randbits(64)
        self._transport: asyncio.DatagramTransport | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._checked = asyncio.Event()
        self.connected = asyncio.Event()
        """Set when audio may flow."""
        self.heard = ReceptionCount()
        """What came."""
        self.reports = 0
        """RTCP packets that came."""
        self.last_ssrcs: set[int] = set()
        """SSRCs that came."""
        self._ear: deque[bytes] = deque(maxlen=_EAR_FRAMES)
        self._material = b""
        self._ssrc, self._sequence = secrets.randbits(32), secrets.randbelow(1 << 15)
        self._timestamp = secrets.randbelow(1 << 31)
        self.sent = 0
        self.digit_type = 0
        """Payload type of telephone-event in the offer."""

    @classmethod
    async def open(cls, host: str = "127.0.0.1", *, certificate: Certificate | None = None) -> "BrowserPeer":
        """A peer with a socket."""
        loop = asyncio.get_running_loop()
        _, peer = await loop.create_datagram_endpoint(lambda: cls(certificate), (host, 0))
        return peer

    async def move(self) -> None:
        """Leave the network for another one: a new socket, the keys stay."""
        self.stop_checks()
        old, loop = self._transport, asyncio.get_running_loop()
        await loop.create_datagram_endpoint(lambda: self, ("127.0.0.1", 0))
        if old is not None:
            old.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The socket is there."""
        self._transport = cast("asyncio.DatagramTransport", transport)

    def answer(self, offer: str) -> str:
        """Take an offer, begin to connect, and describe this end. A second offer restarts ICE."""
        line = parse_sdp(offer).media[0]
        values = dict(line.attributes)
        self._remote = IceCredentials(values["ice-ufrag"], values["ice-pwd"])
        candidate = values["candidate"].split()
        self._target = (candidate[4], int(candidate[5]))
        self._local = new_credentials()
        self._checked.clear()
        self.stop_checks()
        self._tasks.append(asyncio.create_task(self._check(), name="peer-checks"))
        events = [value.split()[0] for value in line.values("rtpmap") if "telephone-event" in value]
        self.digit_type = int(events[0])
        lines = [
            "v=0",
            "o=- 1 1 IN IP4 127.0.0.1",
            "s=-",
            "t=0 0",
            "a=group:BUNDLE 0",
            f"m=audio 9 UDP/TLS/RTP/SAVPF 0 {self.digit_type}",
            "c=IN IP4 0.0.0.0",
            "a=mid:0",
            "a=rtpmap:0 PCMU/8000",
            f"a=rtpmap:{self.digit_type} telephone-event/8000",
            "a=sendrecv",
            "a=rtcp-mux",
            f"a=ice-ufrag:{self._local.ufrag}",
            f"a=ice-pwd:{self._local.password}",
            f"a=fingerprint:sha-256 {self._certificate.fingerprint}",
            "a=setup:active",
        ]
        return "\r\n".join(lines) + "\r\n"

    def start(self, frequency: float) -> None:
        """Speak a tone (Hertz), or silence for 0; again to change it."""
        samples = tone(frequency, 1.0) if frequency else np.zeros(8000, dtype=np.int16)
        begins = not self._material
        self._material = encode(samples, Law.PCMU)
        if begins:
            self._tasks.append(asyncio.create_task(self._speak(), name="peer-voice"))

    def heard_tone(self, frequency: float) -> float:
        """How much of the last 0.4 s is one frequency, 0 to 1."""
        return tone_share(decode(b"".join(self._ear), Law.PCMU), frequency)

    def press(self, digit: int) -> None:
        """Send one telephone event (RFC 4733): start, and three times its end."""
        self._timestamp = (self._timestamp + FRAME_SAMPLES) & 0xFFFFFFFF
        for number, payload in enumerate((0x0A, 0x8A, 0x8A, 0x8A)):
            data = bytes([digit, payload, 0x03, 0x20])
            self._send(RtpPacket(self.digit_type, 0, self._timestamp, self._ssrc, data, number == 0))

    def stop_checks(self) -> None:
        """Say nothing more about wanting this (consent)."""
        for task in [each for each in self._tasks if each.get_name() == "peer-checks"]:
            task.cancel()
            self._tasks.remove(task)

    def close(self) -> None:
        """Vanish, as a page that is reloaded."""
        for task in self._tasks:
            task.cancel()
        self._tasks.clear()
        if self._transport is not None:
            self._transport.close()

    def hand_over(self) -> tuple[int, SrtpKeys]:
        """Give the connection away after the handshake: a descriptor of its socket, and the keys. This end closes."""
        keys = self._association.keys
        assert keys is not None  # noqa: S101 - ``connected`` was waited for
        assert self._transport is not None  # noqa: S101 - opened
        descriptor = os.dup(self._transport.get_extra_info("socket").fileno())
        self.close()
        return descriptor, keys

    def datagram_received(self, datagram: bytes, addr: tuple[str, int]) -> None:
        """Something came."""
        del addr
        first = datagram[0] if datagram else 255
        if first <= 3:
            if is_success(datagram, self._remote):
                self._checked.set()
        elif 20 <= first <= 63:
            self._association.receive(datagram)
            self._flush()
        elif self._association.keys is not None:
            self._hear(datagram)

    def _hear(self, datagram: bytes) -> None:
        keys = self._association.keys
        assert keys is not None  # noqa: S101 - asked by the caller
        with contextlib.suppress(pylibsrtp.Error):
            if 192 <= datagram[1] <= 223:
                keys.unprotect_rtcp(datagram)
                self.reports += 1
                return
            packet = parse(keys.unprotect(datagram))
            if packet is not None and packet.payload_type == 0:
                self.heard.count(packet.ssrc, packet.sequence)
                self.last_ssrcs.add(packet.ssrc)
                self._ear.append(packet.payload)

    def _flush(self) -> None:
        if self._transport is not None:
            for datagram in self._association.take():
                self._transport.sendto(datagram, self._target)
        if self._association.keys is not None:
            self.connected.set()

    async def _check(self) -> None:
        """Check until it succeeds, begin the handshake once, and go on to show consent."""
        while True:
            if self._transport is not None:
                request = binding_request(self._local, self._remote, tie_breaker=self._tie_breaker)
                self._transport.sendto(request, self._target)
            if self._checked.is_set():
                if self._association.keys is None:
                    self._association.begin()
                    self._flush()
                await asyncio.sleep(_CONSENT_EVERY if self.connected.is_set() else _CHECK_EVERY)
            else:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._checked.wait(), _CHECK_EVERY)

    async def _speak(self) -> None:
        await self.connected.wait()
        loop, number = asyncio.get_running_loop(), 0
        due = loop.time() + secrets.randbelow(20) / 1000
        while True:
            due = max(due + _FRAME, loop.time() - 3 * _FRAME)
            await asyncio.sleep(max(0.0, due - loop.time()))
            start = number * FRAME_SAMPLES % len(self._material)
            number += 1
            self._timestamp = (self._timestamp + FRAME_SAMPLES) & 0xFFFFFFFF
            payload = self._material[start : start + FRAME_SAMPLES]
            self._send(RtpPacket(0, 0, self._timestamp, self._ssrc, payload))

    def _send(self, packet: RtpPacket) -> None:
        keys = self._association.keys
        if keys is None or self._transport is None:
            return
        self._sequence = (self._sequence + 1) & 0xFFFF
        numbered = RtpPacket(
            packet.payload_type, self._sequence, packet.timestamp, self._ssrc, packet.payload, packet.marker
        )
        self._transport.sendto(keys.protect(pack(numbered)), self._target)
        self.sent += 1
