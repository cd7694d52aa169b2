"""Music for those who wait, of our own making: slow soft chords that loop without a seam."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from callcenter.media.audio import clip, tone, write_wav
from callcenter.media.g711 import Samples
from callcenter.media.law import SAMPLE_RATE

_SEED = 8
_CHORD_SECONDS = 2.5
_PROGRESSION = ((0, 4, 7, 11), (9, 12, 16, 19), (5, 9, 12, 16), (7, 11, 14, 17)) * 2
"""Semitones above the key note; two rounds are the twenty seconds of the loop."""
_KEY = 220.0
_PEAK = 0.22
"""Of full scale, so that an announcement over it stays clear."""


def compose() -> Samples:
    """Twenty seconds of music at 8 kHz, the same every time."""
    random = np.random.default_rng(_SEED)
    length = round(_CHORD_SECONDS * SAMPLE_RATE)
    total = length * len(_PROGRESSION)
    music = np.zeros(total)
    for number, chord in enumerate(_PROGRESSION):
        for note in chord:
            _add(music, number * length, _note(_KEY * 2 ** (note / 12), 2 * length, attack=0.35) * 0.5)
        for beat in range(4):
            note = int(random.choice(chord)) + 12
            _add(
                music, number * length + beat * length // 4, _note(_KEY * 2 ** (note / 12), length, attack=0.02) * 0.35
            )
    return clip(music / np.abs(music).max() * _PEAK * 32767)


def music_path(cache_dir: str | Path) -> str:
    """The path of the music as a WAV file, composed when it is not there yet."""
    return kept_wav(Path(cache_dir) / f"music-{_SEED}.wav", compose)


def beep_path(cache_dir: str | Path) -> str:
    """The path of the tone after which a caller's message is recorded: 1 kHz, 0.4 s."""
    return kept_wav(Path(cache_dir) / "beep-1000.wav", lambda: tone(1000.0, 0.4))


def kept_wav(path: Path, make: Callable[[], Samples]) -> str:
    """The path of a WAV file, which is made when it is not there yet."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(".part")
        partial.write_bytes(write_wav(make()))
        partial.replace(path)
    return str(path)


def _note(frequency: float, length: int, *, attack: float) -> NDArray[np.float64]:
    """A soft note with two overtones that fades away."""
    time = np.arange(length) / SAMPLE_RATE
    wave = sum(np.sin(2 * np.pi * frequency * overtone * time) / overtone**2.2 for overtone in (1, 2, 3))
    envelope = np.minimum(time / attack, 1.0) * np.exp(-1.6 * time) * np.minimum((time[-1] - time) * 20, 1.0)
    return np.asarray(wave * envelope)


def _add(music: NDArray[np.float64], start: int, note: NDArray[np.float64]) -> None:
    """Add a note; what rings beyond the end goes to the beginning, so that the loop has no seam."""
    music[(start + np.arange(len(note))) % len(music)] += note
