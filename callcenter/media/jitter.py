"""The jitter buffer of one incoming stream, for legs whose speech is mixed.

A ring addressed by RTP timestamp (of an 8 kHz clock): any packet duration fits, a gap is silence, what comes too late
is dropped. It holds G.711 bytes, or 16 kHz linear samples of a wideband codec, four bytes for each timestamp unit. The
depth starts at two frames, grows by a frame after each underrun up to five, and shrinks again when the stream is calm,
so that a stall does not leave a call with delay for the rest of its life.
"""

import numpy as np

from callcenter.media.g711 import AUDIBLE, FRAME_SAMPLES, SILENCE, Law, is_audible, loudness
from callcenter.media.rtp import timestamp_distance

SMALLEST_DEPTH = 2
LARGEST_DEPTH = 5
"""Depth in frames of 20 ms."""

_CAPACITY = 4096
"""Timestamp units in the ring; divides 2**32, so that timestamps wrap without a seam."""
_WINDOW = 50
"""Frames over which the least depth is observed before one is dropped."""
_CALM = 250
"""Frames without an underrun after which the wanted depth goes back by one."""


class JitterBuffer:
    """Holds the last moments of a stream; ``push`` when a packet comes, ``take`` every 20 ms."""

    __slots__ = (
        "_calm",
        "_data",
        "_end",
        "_filling",
        "_play",
        "_shallowest",
        "_silence",
        "_since",
        "_width",
        "dropped",
        "law",
        "wanted",
    )

    def __init__(self, law: Law | None) -> None:
        self.law = law
        """Of the bytes in the ring; ``None`` for linear samples at 16 kHz."""
        self._width = 4 if law is None else 1
        self._silence = b"\0" if law is None else bytes([SILENCE[law]])
        self._data = bytearray(self._silence) * (_CAPACITY * self._width)
        self._play: int | None = None
        self._end = 0
        self._filling = True
        self._shallowest = _CAPACITY
        self._since = 0
        self._calm = 0
        self.wanted = SMALLEST_DEPTH
        """Depth aimed at, in frames."""
        self.dropped = 0
        """Packets that came too late."""

    @property
    def depth(self) -> int:
        """Samples waiting."""
        return 0 if self._play is None else timestamp_distance(self._end, self._play)

    def push(self, timestamp: int, payload: bytes) -> None:
        """Take a packet's payload."""
        if self._play is None or (self._filling and self._is_after_a_pause(timestamp)):
            self._restart(timestamp)
        assert self._play is not None  # noqa: S101 - set by _restart
        offset = timestamp_distance(timestamp, self._play)
        units = len(payload) // self._width
        if offset + units <= 0:
            self.dropped += 1
            return
        if offset + units > _CAPACITY:
            self._restart(timestamp)
            offset = 0
        if offset < 0:
            payload, units, offset = payload[-offset * self._width :], units + offset, 0
        self._write(self._play + offset, payload)
        end = (self._play + offset + units) & 0xFFFFFFFF
        if timestamp_distance(end, self._end) > 0:
            self._end = end

    def take(self) -> bytes | None:
        """The next 20 ms, or ``None`` while the ring fills."""
        depth = self.depth
        if self._filling:
            if depth < self.wanted * FRAME_SAMPLES:
                return None
            self._filling = False
        if depth < FRAME_SAMPLES:
            self._underrun()
            return None
        if depth > LARGEST_DEPTH * FRAME_SAMPLES:
            self._advance(depth - self.wanted * FRAME_SAMPLES)
        frame = self._advance(FRAME_SAMPLES)
        if self._may_shrink(depth, frame):
            frame = self._advance(FRAME_SAMPLES)
        return frame

    def _is_after_a_pause(self, timestamp: int) -> bool:
        return self.depth < FRAME_SAMPLES and timestamp_distance(timestamp, self._end) > 0

    def _restart(self, timestamp: int) -> None:
        self._data[:] = self._silence * len(self._data)
        self._play = self._end = timestamp
        self._filling = True

    def _underrun(self) -> None:
        self._filling = True
        self._calm = 0
        self.wanted = min(self.wanted + 1, LARGEST_DEPTH)

    def _may_shrink(self, depth: int, frame: bytes) -> bool:
        """Whether the frame just taken may be dropped: depth stayed above the wanted one, preferably it is quiet."""
        self._calm += 1
        if self._calm >= _CALM and self.wanted > SMALLEST_DEPTH:
            self.wanted -= 1
            self._calm = 0
        self._since += 1
        self._shallowest = min(self._shallowest, depth)
        if self._since < _WINDOW:
            return False
        excess = self._shallowest - self.wanted * FRAME_SAMPLES
        if excess >= FRAME_SAMPLES and self._since < 2 * _WINDOW and self._is_audible(frame):
            return False
        self._since, self._shallowest = 0, _CAPACITY
        return excess >= FRAME_SAMPLES

    def _is_audible(self, frame: bytes) -> bool:
        if self.law is not None:
            return loudness(frame, self.law) >= AUDIBLE
        return is_audible(np.frombuffer(frame, dtype=np.int16))

    def _advance(self, units: int) -> bytes:
        """Cut the oldest units out of the ring and leave silence there."""
        assert self._play is not None  # noqa: S101 - only called with samples waiting
        start, size = self._play % _CAPACITY * self._width, units * self._width
        head = min(size, len(self._data) - start)
        cut = bytes(self._data[start : start + head]) + bytes(self._data[: size - head])
        self._write(self._play, self._silence * size)
        self._play = (self._play + units) & 0xFFFFFFFF
        return cut

    def _write(self, timestamp: int, payload: bytes) -> None:
        start = timestamp % _CAPACITY * self._width
        head = min(len(payload), len(self._data) - start)
        self._data[start : start + head] = payload[:head]
        if head < len(payload):
            self._data[: len(payload) - head] = payload[head:]
