"""Recordings on disk as the media plane leaves them, without a media plane."""

from pathlib import Path

import numpy as np

from callcenter.media.g711 import Samples, encode
from callcenter.media.law import SAMPLE_RATE, Law
from callcenter.media.mediad.recording_file import PlainFile, SealedFile
from callcenter.media.recordings import KeyRing
from callcenter.media.recordings.naming import audio_suffix, day_folder, new_stem, sidecar_of
from callcenter.media.recordings.sidecar import Finished, Opened, lines
from callcenter.media.recordings.wav import interleave


def recorded(root: Path, left: Samples, right: Samples, *, keys: KeyRing | None = None, started_at: int = 0) -> str:
    """Write a finished recording of two parties who were recorded for as long; its path below ``root``."""
    stem = new_stem(started_at)
    folder = day_folder(root, stem)
    folder.mkdir(parents=True, exist_ok=True)
    audio = folder / (stem + audio_suffix(sealed=keys is not None))
    file = PlainFile(audio, Law.PCMA) if keys is None else SealedFile(audio, Law.PCMA, keys)
    length = max(len(left), len(right))
    channels = [encode(np.pad(each, (0, length - len(each))), Law.PCMA) for each in (left, right)]
    file.append(interleave(Law.PCMA, length, *channels))
    file.finish()
    file.close()
    opened = Opened(stem, "s", "customer", "agent", started_at, Law.PCMA.value, "standard", 1)
    sidecar_of(audio).write_bytes(lines([opened, Finished(length, "", None)]))
    return str(audio.relative_to(root))


def said(*stretches: tuple[float, float], seconds: float, hertz: float = 400) -> Samples:
    """Silence of so many seconds in which somebody is heard from and to these."""
    samples = np.zeros(round(seconds * SAMPLE_RATE), np.int16)
    for start, end in stretches:
        a, b = round(start * SAMPLE_RATE), round(end * SAMPLE_RATE)
        samples[a:b] = 8000 * np.sin(2 * np.pi * hertz * np.arange(b - a) / SAMPLE_RATE)
    return samples
