"""Between 8 and 16 kHz, frame by frame: half-band filters that remember the last frame's end. Pure."""

import numpy as np
from numpy.typing import NDArray

from callcenter.media.g711 import Samples

_TAPS = 47
"""Odd; 3 ms of filter at 16 kHz, down 40 dB from 4.6 kHz on."""
_CUT_OFF = 0.235
"""Of the 16 kHz rate: a little below half of the lower rate."""


def _half_band() -> NDArray[np.float32]:
    """A windowed sinc (Hamming), unity at 0 Hz."""
    offsets = np.arange(_TAPS) - _TAPS // 2
    taps = 2 * _CUT_OFF * np.sinc(2 * _CUT_OFF * offsets) * np.hamming(_TAPS)
    return np.asarray(taps / taps.sum(), dtype=np.float32)


_FILTER = _half_band()
_EVEN = np.ascontiguousarray(_FILTER[::2] * 2)
_ODD = np.ascontiguousarray(_FILTER[1::2] * 2)
_NOTHING_BEFORE = np.zeros(_TAPS - 1, dtype=np.float32)
"""How every stream begins; never written to."""


class HalveRate:
    """16 kHz to 8 kHz for one stream."""

    __slots__ = ("_history",)

    def __init__(self) -> None:
        self._history = _NOTHING_BEFORE

    def next(self, samples: Samples) -> Samples:
        """Every second sample of the filtered stream; ``samples`` has an even length."""
        joined = np.concatenate((self._history, samples.astype(np.float32)))
        self._history = joined[-(_TAPS - 1) :]
        return _clip(np.convolve(joined, _FILTER, "valid")[::2])


class DoubleRate:
    """8 kHz to 16 kHz for one stream."""

    __slots__ = ("_history",)

    def __init__(self) -> None:
        self._history = _NOTHING_BEFORE[: len(_EVEN) - 1]

    def next(self, samples: Samples) -> Samples:
        """Twice as many samples, the same speech."""
        joined = np.concatenate((self._history, samples.astype(np.float32)))
        self._history = joined[-(len(_EVEN) - 1) :]
        doubled = np.empty(2 * len(samples), dtype=np.float32)
        doubled[0::2] = np.convolve(joined, _EVEN, "valid")
        doubled[1::2] = np.convolve(joined[1:], _ODD, "valid")
        return _clip(doubled)


def _clip(samples: NDArray[np.float32]) -> Samples:
    return np.clip(np.rint(samples), -32768, 32767).astype(np.int16)
