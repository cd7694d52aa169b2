"""The jitter buffer of one incoming stream, for legs whose speech is mixed.

A ring addressed by RTP timestamp (of an 8 kHz clock): any packet duration fits, a gap is silence, what comes too late
is dropped. It holds G.711 bytes, or 16 kHz linear samples of a wideband codec, four bytes for each timestamp unit.

The depth is decided by the margin: how long before it is needed a packet comes. A stream is begun so that each packet
may be half a frame late, an underrun asks for a frame more, and a frame is left out when the least margin of a second
allows it, so that a stall does not leave a call with delay for the rest of its life. ``now`` is in milliseconds.
"""

import numpy as np

from callcenter.media.g711 import AUDIBLE, is_audible, loudness
from callcenter.media.law import FRAME_MILLISECONDS, FRAME_SAMPLES, SAMPLE_RATE, SILENCE, Law
from callcenter.media.rtp import timestamp_distance

LEAST_MARGIN, LARGEST_MARGIN = 10, 90
"""Margins that are aimed at, in milliseconds."""
LARGEST_DEPTH = 5
"""Frames of 20 ms that may wait."""

_CAPACITY = 4096
"""Timestamp units in the ring; divides 2**32, so that timestamps wrap without a seam."""
_WINDOW = 50
"""Frames over which the least margin is observed before one is dropped."""
_CALM = 250
"""Frames without an underrun after which less margin is wanted."""
_PER_MILLISECOND = SAMPLE_RATE // 1000
_AMPLE = 1 << 20


class JitterBuffer:
    """Holds the last moments of a stream; ``push`` when a packet comes, ``take`` every 20 ms."""

    __slots__ = (
        "_calm",
        "_data",
        "_end",
        "_filling",
        "_least",
        "_newest_at",
        "_play",
        "_silence",
        "_since",
        "_taken_at",
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
        self._newest_at = self._taken_at = 0
        self._least = _AMPLE
        self._since = 0
        self._calm = 0
        self.wanted = LEAST_MARGIN
        """The margin aimed at."""
        self.dropped = 0
        """Packets that came too late."""

    @property
    def depth(self) -> int:
        """Samples waiting."""
        return 0 if self._play is None else timestamp_distance(self._end, self._play)

    def push(self, timestamp: int, payload: bytes, *, now: int) -> None:
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
            needed_in = self._taken_at + FRAME_MILLISECONDS + self.depth // _PER_MILLISECOND - now
            self._least = min(self._least, needed_in)
            self._end, self._newest_at = end, now

    def take(self, *, now: int) -> bytes | None:
        """The next 20 ms, or ``None`` while the ring fills."""
        self._taken_at = now
        depth = self.depth
        if self._filling:
            left = (depth - FRAME_SAMPLES) // _PER_MILLISECOND + now - self._newest_at
            if depth < FRAME_SAMPLES or left < self.wanted:
                return None
            self._filling = False
            self._since, self._least = 0, _AMPLE
        if depth < FRAME_SAMPLES:
            self._underrun()
            return None
        if depth > LARGEST_DEPTH * FRAME_SAMPLES:
            self._advance(depth - (self.wanted // FRAME_MILLISECONDS + 1) * FRAME_SAMPLES)
        frame = self._advance(FRAME_SAMPLES)
        if self._may_shrink(frame):
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
        self.wanted = min(self.wanted + FRAME_MILLISECONDS, LARGEST_MARGIN)

    def _may_shrink(self, frame: bytes) -> bool:
        """Whether the frame just taken may be dropped: all came early enough without it, preferably it is quiet."""
        self._calm += 1
        if self._calm >= _CALM and self.wanted > LEAST_MARGIN:
            self.wanted -= FRAME_MILLISECONDS
            self._calm = 0
        self._since += 1
        if self._since < _WINDOW:
            return False
        may = self._least - self.wanted >= FRAME_MILLISECONDS and self.depth >= FRAME_SAMPLES
        if may and self._since < 2 * _WINDOW and self._is_audible(frame):
            return False
        self._since, self._least = 0, _AMPLE
        return may

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
