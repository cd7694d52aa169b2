"""One channel of a recording: RTP packets put at their places on the recording's own time line.

A stream tells by its timestamps how far its packets are apart, and by their arrival where it lies as a whole. The
packet that was delayed least tells that best, so packets are kept for a moment and placed together: a burst after a
stall comes out evenly, and both channels of a conversation stay aligned. Pure; positions are samples from the start of
the recording, and may be told apart from timestamps, which start anywhere and wrap.
"""

from callcenter.media.g711 import TRANSCODE
from callcenter.media.law import SAMPLE_RATE, SILENCE, Law
from callcenter.media.rtp import timestamp_distance

_EARLY = 40
"""Samples by which a packet may come before its place without moving the stream."""
_LATE = 160
"""Samples by which all packets to come may be late without moving the stream."""
_JUMP = SAMPLE_RATE
"""A step of the timestamp that exceeds the time passed by so much is a new stream, not jitter."""
_MOST_PACKETS = 500
"""Packets kept between two cuts; more are a flood."""

_Packet = tuple[int, int, int, bytes | None, Law]
"""SSRC, timestamp, arrival as a position, payload (``None`` while paused) and its law."""


class Track:
    """Keeps the last moments of one leg's speech for one recording."""

    __slots__ = ("_correction", "_law", "_packets", "_position", "_ssrc", "_timestamp", "earliest")

    def __init__(self, law: Law) -> None:
        self._law = law
        self._packets: list[_Packet] = []
        self._ssrc: int | None = None
        self._timestamp = 0
        self._position = 0
        self._correction = 0
        self.earliest: int | None = None
        """Where the first sound of the last cut lies, ``None`` if there was none."""

    def add(self, ssrc: int, timestamp: int, arrival: int, size: int, payload: bytes | None, law: Law) -> None:
        """Take a packet of ``size`` samples that arrived at the position ``arrival``.

        Without a payload it only helps to place the others.
        """
        if len(self._packets) < _MOST_PACKETS:
            self._packets.append((ssrc, timestamp, arrival - size, payload, law))

    def cut(self, start: int, end: int) -> bytearray | None:
        """What was said from ``start`` to ``end``, silence where nothing came; ``None`` when nothing came at all.

        Packets that reach beyond ``end`` are kept for the next cut; cuts follow each other.
        """
        self.earliest = None
        if not self._packets:
            return None
        placed = self._place()
        samples: bytearray | None = None
        kept: list[_Packet] = []
        for packet, position in zip(self._packets, placed, strict=True):
            payload = packet[3]
            if payload is None:
                continue
            if position + len(payload) > end:
                kept.append(packet)
                if position >= end:
                    continue
                payload = payload[: end - position]
            if position < start:
                payload = payload[start - position :]
                position = start
            if not payload:
                continue
            if self.earliest is None or position < self.earliest:
                self.earliest = position
            if samples is None:
                samples = bytearray([SILENCE[self._law]]) * (end - start)
            if packet[4] is not self._law:
                payload = payload.translate(TRANSCODE[packet[4], self._law])
            samples[position - start : position - start + len(payload)] = payload
        self._packets = kept
        return samples

    def _place(self) -> list[int]:
        """The position of each packet."""
        positions, lateness, breaks = self._follow_timestamps()
        least = 1 << 62
        for index in range(len(lateness) - 1, -1, -1):  # the least delay of this packet and of all that follow it
            least = min(least, lateness[index])
            lateness[index] = least
            if index in breaks:
                least = 1 << 62
        correction = self._correction
        for index, late in enumerate(lateness):
            if index in breaks or not correction - _EARLY <= late <= correction + _LATE:
                correction = late
            positions[index] += correction
        self._correction = correction
        return positions

    def _follow_timestamps(self) -> tuple[list[int], list[int], set[int]]:
        """Positions as the timestamps tell them, how late each packet was, and where streams begin."""
        positions: list[int] = []
        lateness: list[int] = []
        breaks: set[int] = set()
        ssrc, last, position, correction = self._ssrc, self._timestamp, self._position, self._correction
        for index, packet in enumerate(self._packets):
            arrival = packet[2]
            step = timestamp_distance(packet[1], last)
            if packet[0] != ssrc or not -_JUMP < step < _JUMP + max(0, arrival - position - correction):
                breaks.add(index)
                ssrc, position, correction = packet[0], arrival, 0
            else:
                position += step
            last = packet[1]
            positions.append(position)
            lateness.append(arrival - position)
        self._ssrc, self._timestamp, self._position = ssrc, last, position
        return positions, lateness, breaks
