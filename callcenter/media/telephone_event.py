"""Digits as RTP telephone events (RFC 4733): reading them once each, and making them.

A digit is a burst of packets with one timestamp, the last of them sent three times with the end bit. Any of them may be
lost, so a digit is told at the first packet that arrives and never again for the same (SSRC, timestamp).
"""

import struct
from collections import deque

DIGITS = "0123456789*#ABCD"
"""Event codes 0 to 15 (RFC 4733 section 3.2)."""

PAYLOAD = struct.Struct("!BBH")
END = 0x80
LONGEST = 0xFFFF
"""The longest duration one event segment can tell, in timestamp units (section 2.5.1.3)."""
END_PACKETS = 3
"""How often the last packet is sent (section 2.5.1.4)."""

_REMEMBERED = 16
"""Events remembered against late and repeated packets."""


class DigitReceiver:
    """Finds the digits in one leg's event packets."""

    __slots__ = ("_current", "_seen")

    def __init__(self) -> None:
        self._seen: deque[tuple[int, int]] = deque(maxlen=_REMEMBERED)
        self._current: tuple[int, int, int, int] | None = None

    def receive(self, ssrc: int, timestamp: int, payload: bytes) -> str | None:
        """Take one event packet; the digit if this is the first sign of it, else ``None``."""
        if len(payload) < PAYLOAD.size:
            return None
        code, _, duration = PAYLOAD.unpack_from(payload)
        if code >= len(DIGITS):
            return None
        key = (ssrc, timestamp)
        known = key in self._seen
        if known or self._continues(ssrc, timestamp, code):
            if not known:
                self._seen.append(key)
            self._current = (ssrc, timestamp, code, duration)
            return None
        self._seen.append(key)
        self._current = (ssrc, timestamp, code, duration)
        return DIGITS[code]

    def _continues(self, ssrc: int, timestamp: int, code: int) -> bool:
        """Whether this is the next segment of a digit held longer than one segment can tell (section 2.5.1.3)."""
        if self._current is None:
            return False
        last_ssrc, last_timestamp, last_code, last_duration = self._current
        return (
            ssrc == last_ssrc
            and code == last_code
            and last_duration == LONGEST
            and timestamp == (last_timestamp + LONGEST) & 0xFFFFFFFF
        )


def digit_payloads(digit: str, *, milliseconds: int = 100, volume: int = 10, frame_units: int = 160) -> list[bytes]:
    """The payloads of one digit, one per 20 ms, then the end packet three times.

    All carry the timestamp of the first; the first has the marker bit. ``volume`` is the level below full scale in dB,
    ``frame_units`` are the timestamp units of 20 ms.
    Raises ``ValueError`` for anything but one of ``0-9 * # A-D``.
    """
    code = DIGITS.index(digit)
    units = max(2, milliseconds // 20) * frame_units
    rising = [PAYLOAD.pack(code, volume, duration) for duration in range(frame_units, units, frame_units)]
    return rising + [PAYLOAD.pack(code, volume | END, units)] * END_PACKETS
