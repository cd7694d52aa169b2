"""The ringing tone that who dialled hears while it rings elsewhere, as the site's country sounds (ITU-T E.180)."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from callcenter.media.audio import clip
from callcenter.media.g711 import Samples
from callcenter.media.law import SAMPLE_RATE
from callcenter.media.music import kept_wav


@dataclass(frozen=True, slots=True)
class RingingTone:
    """Frequencies in hertz, sounded together, and seconds of tone and pause in turns."""

    frequencies: tuple[int, ...]
    cadence: tuple[float, ...]


COMMON = RingingTone((425,), (1.0, 4.0))
BRITISH = RingingTone((400, 450), (0.4, 0.2, 0.4, 2.0))
AMERICAN = RingingTone((440, 480), (2.0, 4.0))
TONES: Mapping[str, RingingTone] = {
    **dict.fromkeys(("AU", "GB", "HK", "IE", "IN", "MY", "NZ", "SG", "ZA"), BRITISH),
    **dict.fromkeys(("CA", "US"), AMERICAN),
    "CN": RingingTone((450,), (1.0, 4.0)),
    "FR": RingingTone((440,), (1.5, 3.5)),
    "JP": RingingTone((400,), (1.0, 2.0)),
}
"""By ISO 3166 code; other countries have the tone that E.180 recommends."""
_LEVEL = 0.16
"""Of full scale for all frequencies together: about -16 dBm0."""


def ringing(tone: RingingTone) -> Samples:
    """One round of tone and pause at 8 kHz, to be looped."""
    parts = []
    for number, seconds in enumerate(tone.cadence):
        time = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
        waves = sum(np.sin(2 * np.pi * frequency * time) for frequency in tone.frequencies)
        parts.append(waves / len(tone.frequencies) * (0.0 if number % 2 else _LEVEL))
    return clip(np.concatenate(parts) * 32767)


def ringing_path(cache_dir: str | Path, region: str) -> str:
    """The path of a country's tone as a WAV file, made when it is not there yet."""
    tone = TONES.get(region, COMMON)
    name = "-".join(map(str, (*tone.frequencies, *(round(each * 1000) for each in tone.cadence))))
    return kept_wav(Path(cache_dir) / f"ringing-{name}.wav", lambda: ringing(tone))
