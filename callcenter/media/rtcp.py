"""RTCP reports (RFC 3550 section 6): what we tell a far end about its stream, and what it tells us about ours.

Far ends need our reports to know loss and round trip of what they send; we need theirs to know what they hear.
"""

import struct
from dataclasses import dataclass

from callcenter.media.rtp import timestamp_distance

SENDER_REPORT, RECEIVER_REPORT, DESCRIPTION = 200, 201, 202
_NTP_EPOCH = 2_208_988_800
"""Seconds from 1900 to 1970."""
_CANONICAL_NAME = b"callcenter"
_BLOCK = struct.Struct("!IIIIII")
_SENDER = struct.Struct("!BBHIIIIII")
_TELEPHONE_RATE = 8
"""Timestamp units in a millisecond of every codec but Opus."""
_CONTROL_FIRST, _CONTROL_LAST = 192, 223
"""Second byte of what is RTCP on a port shared with RTP (RFC 5761 section 4)."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What a far end says of our stream in one report block."""

    fraction_lost: float
    jitter_ms: float
    round_trip_ms: float | None


class Reception:
    """The figures of one incoming stream (RFC 3550 appendix A.3 and A.8), made new when its SSRC changes."""

    __slots__ = (
        "_base",
        "_expected_before",
        "_rate",
        "_received_before",
        "_transit",
        "highest",
        "jitter",
        "received",
        "ssrc",
    )

    def __init__(self, ssrc: int, sequence: int, *, rate: int = _TELEPHONE_RATE) -> None:
        self.ssrc = ssrc
        self._base = self.highest = sequence
        """The highest sequence number, counted on over its wraps."""
        self.received = self._received_before = self._expected_before = 0
        self._transit: int | None = None
        self._rate = rate
        self.jitter = 0.0
        """In timestamp units."""

    def count(self, sequence: int, timestamp: int | None, *, now: int) -> None:
        """Count a packet that came at ``now`` (milliseconds); without a timestamp it tells nothing of the jitter."""
        self.received += 1
        ahead = (sequence - self.highest + 0x8000 & 0xFFFF) - 0x8000
        if ahead > 0:
            self.highest += ahead
        if timestamp is None:
            return
        transit = (now * self._rate - timestamp) & 0xFFFFFFFF
        if self._transit is not None:
            change = (transit - self._transit + 0x80000000 & 0xFFFFFFFF) - 0x80000000
            self.jitter += (abs(change) - self.jitter) / 16
        self._transit = transit

    @property
    def transit(self) -> int | None:
        """Relative transit time of the last packet, in timestamp units."""
        return self._transit

    @property
    def lost(self) -> int:
        """Packets that never came; late and duplicate ones make up for lost ones, as the RFC has it."""
        return max(0, self.highest - self._base + 1 - self.received)

    def catch_up(self, packets: int, highest: int, *, jitter: float, transit: int | None) -> None:
        """Packets were counted elsewhere."""
        self.received += packets
        self.highest = highest
        self.jitter, self._transit = jitter, transit

    def block(self, *, last_report: int, delay: int) -> bytes:
        """A report block; the fraction counts from the last one. ``last_report`` and ``delay`` in 1/65536 s."""
        expected = self.highest - self._base + 1
        lost = min(0x7FFFFF, self.lost)
        expected_now = expected - self._expected_before
        lost_now = expected_now - (self.received - self._received_before)
        self._expected_before, self._received_before = expected, self.received
        fraction = min(255, (lost_now << 8) // expected_now) if expected_now > 0 and lost_now > 0 else 0
        return _BLOCK.pack(
            self.ssrc, fraction << 24 | lost, self.highest & 0xFFFFFFFF, int(self.jitter), last_report, delay
        )


class Reporter:
    """Both directions of one far end's stream. Instants are milliseconds of one clock."""

    def __init__(self, *, rate: int = _TELEPHONE_RATE, received: int = 0, lost: int = 0) -> None:
        """``received`` and ``lost`` are packets of the far end that were counted before."""
        self.rate = rate
        """Timestamp units in a millisecond."""
        self._before = (received, lost)
        self._reception: Reception | None = None
        self._packets = self._octets = 0
        self._last: tuple[int, int, int] | None = None
        """SSRC, sequence number's successor and timestamp of what we sent last, with ``_sent_at``."""
        self._sent_at = 0
        self._their_report, self._their_report_at = 0, 0
        self.heard: Heard | None = None
        """What the far end said last of our stream."""

    def received(self, ssrc: int, sequence: int, timestamp: int | None, *, now: int) -> None:
        """A packet of the far end came."""
        reception = self._reception
        if reception is None or reception.ssrc != ssrc:
            self._before = (self.packets_received, self.packets_lost)
            reception = self._reception = Reception(ssrc, sequence, rate=self.rate)
        reception.count(sequence, timestamp, now=now)

    @property
    def packets_received(self) -> int:
        """Of the far end, over changes of its stream."""
        return self._before[0] + (0 if self._reception is None else self._reception.received)

    @property
    def packets_lost(self) -> int:
        """Of the far end, over changes of its stream."""
        return self._before[1] + (0 if self._reception is None else self._reception.lost)

    @property
    def reception(self) -> Reception | None:
        """The figures of the far end's present stream."""
        return self._reception

    def sent(self, ssrc: int, timestamp: int, octets: int, *, now: int, packets: int = 1) -> None:
        """A packet went to the far end, or several, of which this is the last one's timestamp."""
        if self._last is None or self._last[0] != ssrc:
            self._packets = self._octets = 0
        self._packets += packets
        self._octets += octets
        self._last, self._sent_at = (ssrc, self._packets, timestamp), now

    @property
    def jitter_ms(self) -> float:
        """Of the far end's stream, as it comes in (section 6.4.1)."""
        return 0.0 if self._reception is None else self._reception.jitter / self.rate

    def report(self, *, now: int) -> bytes | None:
        """A compound packet for the far end, ``None`` while there is nothing to say."""
        if self._last is None:
            return None
        ssrc, _, timestamp = self._last
        ntp = _ntp(now)
        block = b""
        if self._reception is not None:
            delay = (now - self._their_report_at) * 65536 // 1000 if self._their_report else 0
            block = self._reception.block(last_report=self._their_report, delay=delay & 0xFFFFFFFF)
        timestamp = (timestamp + (now - self._sent_at) * self.rate) & 0xFFFFFFFF
        head = _SENDER.pack(
            0x80 | bool(block), SENDER_REPORT, 6 + len(block) // 4, ssrc, ntp >> 32, ntp & 0xFFFFFFFF, timestamp,
            self._packets & 0xFFFFFFFF, self._octets & 0xFFFFFFFF,
        )  # fmt: skip
        return head + block + _description(ssrc)

    def take(self, packet: bytes, *, now: int) -> None:
        """Read a compound packet of the far end; what is malformed is left."""
        position = 0
        while position + 8 <= len(packet):
            first, kind, words = struct.unpack_from("!BBH", packet, position)
            end = position + 4 * (words + 1)
            if end > len(packet):
                return
            blocks = position + (28 if kind == SENDER_REPORT else 8)
            if kind == SENDER_REPORT and position + 28 <= end:
                self._their_report = int.from_bytes(packet[position + 10 : position + 14])
                self._their_report_at = now
            if kind in (SENDER_REPORT, RECEIVER_REPORT) and first & 0x1F and blocks + 24 <= end:
                self._hear(packet[blocks : blocks + 24], now)
            position = end

    def _hear(self, block: bytes, now: int) -> None:
        _, loss, _, jitter, last_report, delay = _BLOCK.unpack(block)
        round_trip = None
        if last_report:
            arrival = (_ntp(now) >> 16) & 0xFFFFFFFF
            round_trip = max(0, timestamp_distance(arrival, (last_report + delay) & 0xFFFFFFFF)) * 1000 / 65536
        self.heard = Heard((loss >> 24) / 256, jitter / self.rate, round_trip)


def report_on_behalf(ssrc: int, sender_report: bytes, heard: Heard, *, age: int, rate: int) -> bytes | None:
    """A receiver report that passes on what a far end behind us says of a stream whose sender reports end here.

    ``sender_report`` is the stream's last one, ``age`` milliseconds old. The delay since it is told short by the far
    end's round trip, so that the sender works out that one. ``None`` while that would be negative, and for a packet
    that is no sender report.
    """
    if len(sender_report) < 28 or sender_report[1] != SENDER_REPORT:
        return None
    delay = age - (heard.round_trip_ms or 0.0)
    if delay < 0:
        return None
    block = _BLOCK.pack(
        int.from_bytes(sender_report[4:8]),
        min(255, round(heard.fraction_lost * 256)) << 24,
        0,
        round(heard.jitter_ms * rate) & 0xFFFFFFFF,
        int.from_bytes(sender_report[10:14]) if heard.round_trip_ms is not None else 0,
        round(delay * 65.536) & 0xFFFFFFFF,
    )
    return struct.pack("!BBHI", 0x81, RECEIVER_REPORT, 7, ssrc) + block + _description(ssrc)


def is_control(second_byte: int) -> bool:
    """Whether the second byte of a datagram on a shared port makes it RTCP."""
    return _CONTROL_FIRST <= second_byte <= _CONTROL_LAST


def _ntp(now: int) -> int:
    """A 64-bit NTP timestamp (RFC 3550 section 4)."""
    return ((now // 1000 + _NTP_EPOCH) << 32) + (now % 1000) * (1 << 32) // 1000


def _description(ssrc: int) -> bytes:
    """Our canonical name, which every compound packet must hold (section 6.1)."""
    item = struct.pack("!IBB", ssrc, 1, len(_CANONICAL_NAME)) + _CANONICAL_NAME
    item += bytes(4 - len(item) % 4)
    return struct.pack("!BBH", 0x81, DESCRIPTION, len(item) // 4) + item
