"""Digits heard as tones in the speech itself (ITU-T Q.23, Q.24), for far ends that have no telephone events. Pure.

Goertzel's eight bins are taken over short windows. A digit must stand clearly above everything else in two windows
running, its two tones near the same level, so that speech, which has energy everywhere, is not taken for it.
"""

import numpy as np

from callcenter.media.g711 import Samples
from callcenter.media.law import SAMPLE_RATE

_ROWS = (697.0, 770.0, 852.0, 941.0)
_COLUMNS = (1209.0, 1336.0, 1477.0, 1633.0)
_KEYS = ("123A", "456B", "789C", "*0#D")
_WINDOW = 205
"""Samples (25.6 ms): the length at which all eight tones lie near whole bins."""
_HOP = 80
"""Samples (10 ms) between windows."""
_ENOUGH = 2
"""Windows running that make a digit: with tones of 40 ms and more there are two."""
_GONE = 4
"""Windows running without it that end a digit, so that a drop-out does not make two of one."""
_QUIETEST = 200.0
"""Amplitude of each tone, about -44 dB below full scale."""
_SHARE = 0.75
"""Of the window's energy that the two tones must hold."""
_TWIST, _REVERSE_TWIST = 10**0.8, 10**0.8
"""Power by which the lower or the higher tone may be the stronger: 8 dB."""
_ALONE = 5.0
"""Power by which each tone must exceed the other three of its group."""

_TIME = np.arange(_WINDOW) / SAMPLE_RATE
_BINS = np.exp(-2j * np.pi * np.outer((*_ROWS, *_COLUMNS), _TIME)) / (_WINDOW / 2)


class ToneDigits:
    """Hears the digits in one leg's 8 kHz speech."""

    __slots__ = ("_absent", "_candidate", "_kept", "_pressed", "_seen")

    def __init__(self) -> None:
        self._kept: Samples = np.empty(0, dtype=np.int16)
        self._candidate = ""
        self._seen = 0
        self._pressed = ""
        self._absent = 0

    def hear(self, samples: Samples) -> str:
        """Take the next samples; the digits that have become certain with them, mostly none."""
        self._kept = np.concatenate((self._kept, samples))
        digits = ""
        start = 0
        while start + _WINDOW <= len(self._kept):
            digits += self._weigh(key_of(self._kept[start : start + _WINDOW]))
            start += _HOP
        self._kept = self._kept[start:]
        return digits

    def _weigh(self, key: str) -> str:
        if self._pressed:
            self._absent = 0 if key == self._pressed else self._absent + 1
            if self._absent >= _GONE:
                self._pressed = ""
        self._seen = self._seen + 1 if key and key == self._candidate else 1
        self._candidate = key
        if not key or key == self._pressed or self._seen < _ENOUGH:
            return ""
        self._pressed, self._absent = key, 0
        return key


def key_of(window: Samples) -> str:
    """The key whose two tones make up 205 samples, empty if there is none."""
    values = window.astype(np.float64)
    energy = float(np.dot(values, values)) / _WINDOW
    if energy < _QUIETEST**2 / 2:
        return ""
    power = np.abs(_BINS @ values) ** 2
    rows, columns = power[:4], power[4:]
    row, column = int(rows.argmax()), int(columns.argmax())
    low, high = float(rows[row]), float(columns[column])
    if min(low, high) < _QUIETEST**2 or (low + high) / 2 < _SHARE * energy:
        return ""
    if low > high * _TWIST or high > low * _REVERSE_TWIST:
        return ""
    if low < _ALONE * float(np.delete(rows, row).max()) or high < _ALONE * float(np.delete(columns, column).max()):
        return ""
    return _KEYS[row][column]


def tones_of(digit: str, *, milliseconds: int = 100, level: float = 0.2) -> Samples:
    """A digit as its two tones; ``level`` is the amplitude of each, relative to full scale.

    Raises ``ValueError`` for anything but one of ``0-9 * # A-D``.
    """
    place = next(((row, keys.index(digit)) for row, keys in enumerate(_KEYS) if digit and digit in keys), None)
    if place is None:
        raise ValueError("not a digit")
    time = np.arange(SAMPLE_RATE * milliseconds // 1000) / SAMPLE_RATE
    both = np.sin(2 * np.pi * _ROWS[place[0]] * time) + np.sin(2 * np.pi * _COLUMNS[place[1]] * time)
    return np.asarray(np.rint(both * level * 32767), dtype=np.int16)
