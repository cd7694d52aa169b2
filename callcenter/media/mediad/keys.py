"""Digits that are pressed towards a leg, one packet or frame per tick."""

from collections import deque
from collections.abc import Sequence

from callcenter.media.g711 import Samples
from callcenter.media.inband import tones_of
from callcenter.media.law import FRAME_SAMPLES
from callcenter.media.protocol import PlaySpec
from callcenter.media.telephone_event import digit_payloads

_PAUSE_FRAMES = 3
"""Silent frames after each digit (60 ms)."""


class KeyPresses:
    """One order of digits under way. Each step is an event's payload, a frame of tones, or ``None`` for silence."""

    __slots__ = ("_steps", "is_first", "now", "spec")

    def __init__(self, spec: PlaySpec, *, frame_units: int | None) -> None:
        """Events counted in ``frame_units`` per 20 ms; tones for ``None``."""
        self.spec = spec
        self.now: bytes | Samples | None = None
        """What is sent in this tick."""
        self.is_first = False
        """Whether it begins a digit."""
        self._steps: deque[tuple[bytes | Samples | None, bool]] = deque()
        for digit in spec.digits:
            for number, frame in enumerate(_frames(digit, frame_units)):
                self._steps.append((frame, number == 0))
            self._steps.extend([(None, False)] * _PAUSE_FRAMES)

    def advance(self) -> str | None:
        """Go to the next step; ``end`` when there is none."""
        if not self._steps:
            return "end"
        self.now, self.is_first = self._steps.popleft()
        return None


def _frames(digit: str, frame_units: int | None) -> Sequence[bytes | Samples]:
    if frame_units is not None:
        return digit_payloads(digit, frame_units=frame_units)
    tones = tones_of(digit)
    return [tones[start : start + FRAME_SAMPLES] for start in range(0, len(tones), FRAME_SAMPLES)]
