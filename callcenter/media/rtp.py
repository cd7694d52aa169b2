"""RTP packets (RFC 3550 section 5.1): packing and reading the header, nothing more."""

import struct
from dataclasses import dataclass

HEADER = struct.Struct("!BBHII")
HEADER_BYTES = 12
VERSION_2 = 0x80
MARKER = 0x80
LARGEST_PACKET = 1500
"""Datagrams longer than this are no voice."""

_RTCP_FIRST, _RTCP_LAST = 64, 95
"""Payload types that a multiplexed RTCP packet would show (RFC 5761 section 4)."""


@dataclass(frozen=True, slots=True)
class RtpPacket:
    """One packet, header fields by their RFC names."""

    payload_type: int
    sequence: int
    timestamp: int
    ssrc: int
    payload: bytes
    marker: bool = False


Header = tuple[int, bool, int, int, int, int, int]
"""payload type, marker, sequence, timestamp, SSRC, start and end of the payload in the datagram."""


def read_header(datagram: bytes | bytearray | memoryview, size: int) -> Header | None:
    """Read the first ``size`` bytes as RTP. ``None`` for anything that is not a well-formed version 2 packet."""
    if size < HEADER_BYTES or size > LARGEST_PACKET:
        return None
    first, second, sequence, timestamp, ssrc = HEADER.unpack_from(datagram)
    payload_type = second & 0x7F
    if first & 0xC0 != VERSION_2 or _RTCP_FIRST <= payload_type <= _RTCP_LAST:
        return None
    start, end = HEADER_BYTES, size
    if first & 0x3F:
        bounds = _payload_bounds(datagram, size, first)
        if bounds is None:
            return None
        start, end = bounds
    return payload_type, second >= MARKER, sequence, timestamp, ssrc, start, end


def _payload_bounds(datagram: bytes | bytearray | memoryview, size: int, first: int) -> tuple[int, int] | None:
    """Where the payload lies when there are contributing sources, an extension or padding."""
    start, end = HEADER_BYTES + 4 * (first & 0x0F), size
    if first & 0x10:
        if start + 4 > size:
            return None
        start += 4 + 4 * (datagram[start + 2] << 8 | datagram[start + 3])
    if first & 0x20:
        padding = datagram[size - 1]
        if padding == 0:
            return None
        end -= padding
    return (start, end) if start <= end else None


def parse(datagram: bytes) -> RtpPacket | None:
    """Read a datagram; ``None`` when it is not RTP."""
    header = read_header(datagram, len(datagram))
    if header is None:
        return None
    payload_type, marker, sequence, timestamp, ssrc, start, end = header
    return RtpPacket(payload_type, sequence, timestamp, ssrc, bytes(datagram[start:end]), marker)


def pack(packet: RtpPacket) -> bytes:
    """The datagram of a packet, without contributing sources, extension or padding."""
    second = packet.payload_type | (MARKER if packet.marker else 0)
    return HEADER.pack(VERSION_2, second, packet.sequence, packet.timestamp, packet.ssrc) + packet.payload


def sequence_distance(later: int, earlier: int) -> int:
    """How far ``later`` is ahead of ``earlier`` in 16-bit arithmetic, -32768 to 32767."""
    return ((later - earlier + 0x8000) & 0xFFFF) - 0x8000


def timestamp_distance(later: int, earlier: int) -> int:
    """How far ``later`` is ahead of ``earlier`` in 32-bit arithmetic."""
    return ((later - earlier + 0x80000000) & 0xFFFFFFFF) - 0x80000000


class ReceptionCount:
    """Packets expected and received on one stream (RFC 3550 appendix A.3), over changes of the SSRC."""

    __slots__ = ("_base", "_highest", "_lost_before", "_received", "_ssrc", "received")

    def __init__(self, *, received: int = 0, lost: int = 0) -> None:
        self.received = received
        self._lost_before = lost
        self._ssrc: int | None = None
        self._base = self._highest = self._received = 0

    def count(self, ssrc: int, sequence: int) -> None:
        """Count one packet."""
        self.received += 1
        if ssrc != self._ssrc:
            self._lost_before = self.lost
            self._ssrc = ssrc
            self._base = self._highest = sequence
            self._received = 1
            return
        self._received += 1
        ahead = sequence_distance(sequence, self._highest & 0xFFFF)
        if ahead > 0:
            self._highest += ahead

    @property
    def lost(self) -> int:
        """Packets that never came; late and duplicate ones make up for lost ones, as the RFC has it."""
        if self._ssrc is None:
            return self._lost_before
        return self._lost_before + max(0, self._highest - self._base + 1 - self._received)
