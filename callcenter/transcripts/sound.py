"""From a recording to what an engine gets: one WAV file (16 kHz, mono, 16-bit) for each party, pauses silent.

Written piece by piece, so that an hour takes no more memory than a minute. All of it blocks on the disk.
"""

import wave
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from callcenter.errors import MediaError
from callcenter.media.g711 import Samples, decode
from callcenter.media.law import SAMPLE_RATE, Law
from callcenter.media.recordings import KeyRing, open_recording, read_sidecar
from callcenter.media.recordings.naming import sidecar_of
from callcenter.media.recordings.wav import CHANNELS, HEADER_BYTES
from callcenter.media.resampling import DoubleRate

RATE = 2 * SAMPLE_RATE
PARTIES = ("customer", "agent")
"""Left and right."""
_PIECE = 10 * SAMPLE_RATE
_AUDIBLE = 200
"""A sample louder than that is something: the noise of a line stays below."""


@dataclass(frozen=True, slots=True)
class PartySound:
    """The sound of one party. ``is_silent``: there is nothing to listen to."""

    party: str
    path: Path
    is_silent: bool


def take_apart(
    recording: Path, keys: KeyRing | None, pauses: Sequence[tuple[int, int]], folder: Path
) -> tuple[PartySound, ...]:
    """Write the sound of each party into ``folder``. ``pauses`` are milliseconds from and to, and silent whatever the
    file has there. Raises ``MediaError``, ``OSError``.
    """
    law = Law(read_sidecar(sidecar_of(recording)).opened.law)
    sounds = [_Writer(folder / f"{party}.wav", party) for party in PARTIES]
    at = 0
    try:
        with open_recording(recording, keys) as content:
            content.seek(HEADER_BYTES)
            while piece := content.read(CHANNELS * _PIECE):
                whole = len(piece) // CHANNELS * CHANNELS
                for channel, sound in enumerate(sounds):
                    samples = decode(piece[channel:whole:CHANNELS], law)
                    sound.add(_without(samples, at, pauses))
                at += whole // CHANNELS
    finally:
        for sound in sounds:
            sound.close()
    if not at:
        raise MediaError("the recording is empty")
    return tuple(PartySound(each.party, each.path, each.is_silent) for each in sounds)


def duration_of(sound: Path) -> int:
    """Milliseconds of a WAV file. Raises ``OSError``, ``wave.Error``."""
    with wave.open(str(sound), "rb") as content:
        return content.getnframes() * 1000 // content.getframerate()


def _without(samples: Samples, first: int, pauses: Sequence[tuple[int, int]]) -> Samples:
    """The samples, of which the first is at this place of the recording, with silence in the pauses."""
    quiet = samples.copy()
    for start, end in pauses:
        a, b = (ms * SAMPLE_RATE // 1000 - first for ms in (start, end))
        quiet[max(a, 0) : max(b, 0)] = 0
    return quiet


class _Writer:
    def __init__(self, path: Path, party: str) -> None:
        self.path, self.party, self.is_silent = path, party, True
        self._doubling = DoubleRate()
        self._file = wave.open(str(path), "wb")  # noqa: SIM115 - closed by its owner
        self._file.setnchannels(1)
        self._file.setsampwidth(2)
        self._file.setframerate(RATE)

    def add(self, samples: Samples) -> None:
        self.is_silent = self.is_silent and not bool(np.any(np.abs(samples.astype(np.int32)) > _AUDIBLE))
        self._file.writeframes(self._doubling.next(samples).astype("<i2").tobytes())

    def close(self) -> None:
        self._file.close()
