"""A leg whose far end is a browser: the inner socket to its RTP worker, and the ways by which the page may come.

Towards the worker there is one stream for the leg's whole life. What the browser says is relayed into it; while nothing
comes, comfort tone takes its place, so that the customer knows the line is alive and the worker sees no dead leg.
"""

import contextlib
import functools
import secrets
import socket

import numpy as np

from callcenter.media.audio import tone
from callcenter.media.codecs import EVERY, FORMS, Codec
from callcenter.media.g711 import encode
from callcenter.media.law import FRAME_MILLISECONDS, SAMPLE_RATE
from callcenter.media.outgoing import OutgoingStream
from callcenter.media.rtcp import Heard, report_on_behalf
from callcenter.media.rtp import HEADER, LARGEST_PACKET, MARKER, VERSION_2, read_header
from callcenter.media.sdp import EVENT_PAYLOAD_TYPE
from callcenter.media.webrtc.description import EVENTS_BESIDE_OPUS
from callcenter.media.webrtc.way import Way
from callcenter.media.wideband import WIDE_RATE, make_encoder

COMFORT_AFTER = 200
"""Milliseconds without the browser after which comfort tone begins: far more than jitter, hardly a pause."""
SILENT_AFTER = 1_000
"""Milliseconds after which the exchange is told."""
_COMFORT_HZ, _COMFORT_LEVEL = 425.0, 0.02
_COMFORT_SECONDS, _BEEP_SECONDS = 2.0, 0.3
_CODECS = {FORMS[codec].payload_type: codec for codec in EVERY}
"""What browsers are offered, by the payload types that our offers use."""
_MOST_PACKETS = 64


@functools.cache
def comfort_frames(codec: Codec) -> list[bytes]:
    """A soft beep every two seconds, in frames of 20 ms."""
    law = FORMS[codec].law
    rate = SAMPLE_RATE if law is not None else WIDE_RATE
    samples = np.zeros(round(_COMFORT_SECONDS * rate), dtype=np.int16)
    beep = tone(_COMFORT_HZ, _BEEP_SECONDS, level=_COMFORT_LEVEL, rate=rate)
    samples[: len(beep)] = beep
    frames = samples.reshape(-1, rate * FRAME_MILLISECONDS // 1000)
    if law is not None:
        return [encode(frame, law) for frame in frames]
    encoder = make_encoder(codec)
    return [encoder.encode(frame) for frame in frames]


def clock_of(payload_type: int) -> int:
    """Timestamp units in a millisecond of what browsers call this."""
    codec = _CODECS.get(payload_type)
    return 8 if codec is None else FORMS[codec].clock // 1000


class BrowserLeg:
    """Instants are milliseconds of the monotonic clock. Raises ``OSError`` when the inner socket cannot be made."""

    def __init__(self, leg_id: str, host: str, port: int, media: tuple[str, int], *, now: int) -> None:
        self.leg_id = leg_id
        self.ways: list[Way] = []
        """The newest last."""
        self.active: Way | None = None
        """The way audio goes."""
        self.payload_type = 0
        self.heard_at: int | None = None
        """When the browser was last heard; ``None`` before it ever was."""
        self.has_spoken = False
        """Whether a packet ever came."""
        self.gap_ms = 0
        """How long nothing had come before the newest packet, where comfort tone took its place; else 0."""
        self.is_silent = False
        """Whether the exchange was told that nothing comes."""
        self._sender_report: tuple[bytes, int] | None = None
        """The worker's last one, and when it came."""
        self._frame = 0
        self._comfort_due = now
        self._media = media
        """Where the worker's side is. The socket is not connected there: an error that somebody who is gone leaves on
        a connected one ends the event loop's watch over it."""
        self.inner = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            self.inner.setblocking(False)
            try:
                self.inner.bind((host, port))
            except OSError:
                self.inner.bind((host, 0))
        except OSError:
            self.inner.close()
            raise
        self._stream = OutgoingStream(
            secrets.randbits(32), sequence=secrets.randbelow(1 << 15), timestamp=secrets.randbelow(1 << 31), at=now
        )

    @property
    def port(self) -> int:
        """Of the inner socket."""
        return int(self.inner.getsockname()[1])

    def move(self, media: tuple[str, int]) -> None:
        """The worker's side is elsewhere now."""
        self._media = media

    def way(self, way_id: str) -> Way | None:
        """The way of a page."""
        return next((way for way in self.ways if way.way_id == way_id), None)

    def tune(self, payload_type: int) -> None:
        """The browser speaks so from now on; its clock is that of the stream and of the reports."""
        self.payload_type = payload_type
        codec = _CODECS.get(payload_type)
        if codec is not None:
            self._stream.frame_units = FORMS[codec].frame_units

    def from_browser(self, way: Way, packet: bytes, *, now: int, wall: int) -> bool:
        """Hand a packet of the browser to the worker; false for one that is not RTP."""
        header = read_header(packet, len(packet))
        if header is None:
            return False
        payload_type, marker, sequence, timestamp, ssrc, start, end = header
        way.reporter.received(ssrc, sequence, timestamp, now=wall)
        if payload_type == EVENTS_BESIDE_OPUS:
            payload_type = EVENT_PAYLOAD_TYPE
        if way is not self.active:
            return True
        gap = now - self.heard_at if self.has_spoken and self.heard_at is not None else 0
        self.gap_ms = gap if gap >= COMFORT_AFTER else 0
        self.has_spoken, self.heard_at = True, now
        stamp = self._stream.relay(way.way_id, ssrc, sequence, timestamp, marker, now=now)
        if stamp is not None:
            self._send(payload_type, stamp, packet[start:end])
        return True

    def read(self) -> list[bytes]:
        """What the worker has sent."""
        packets = []
        for _ in range(_MOST_PACKETS):
            try:
                packet, source = self.inner.recvfrom(LARGEST_PACKET)
            except OSError:  # nothing is left
                break
            if source == self._media:
                packets.append(packet)
        return packets

    def take_report(self, packet: bytes, *, now: int) -> None:
        """Keep the worker's report; the browser gets our own."""
        self._sender_report = packet, now

    def tell_line(self, heard: Heard, *, rate: int, now: int) -> None:
        """Let the worker know what the browser says of our stream: its line is the leg's line."""
        if self._sender_report is None:
            return
        report, came = self._sender_report
        told = report_on_behalf(self._stream.ssrc, report, heard, age=now - came, rate=rate)
        if told is not None:
            with contextlib.suppress(OSError):
                self.inner.sendto(told, self._media)

    def comfort(self, *, now: int) -> None:
        """Send comfort tone when it is due; to be called every 20 ms."""
        if self.heard_at is None or now - self.heard_at < COMFORT_AFTER:
            self._comfort_due = now
            return
        codec = _CODECS.get(self.payload_type)
        frames = None if codec is None else comfort_frames(codec)
        self._comfort_due = max(self._comfort_due, now - 3 * FRAME_MILLISECONDS)  # a stall is not made up for
        while frames is not None and self._comfort_due <= now:
            self._send(self.payload_type, self._stream.next_frame(now=self._comfort_due), frames[self._frame])
            self._frame = (self._frame + 1) % len(frames)
            self._comfort_due += FRAME_MILLISECONDS

    def _send(self, payload_type: int, stamp: tuple[int, int, bool], payload: bytes) -> None:
        sequence, timestamp, marker = stamp
        second = payload_type | (MARKER if marker else 0)
        with contextlib.suppress(OSError):
            self.inner.sendto(
                HEADER.pack(VERSION_2, second, sequence, timestamp, self._stream.ssrc) + payload, self._media
            )
