"""Listening to recordings: what each party is heard saying, and when."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from callcenter.media.audio import tone_share
from callcenter.media.g711 import Samples, decode
from callcenter.media.law import SAMPLE_RATE, SILENCE, Law
from callcenter.media.recordings import KeyRing, Sidecar, open_recording, read_sidecar
from callcenter.media.recordings.naming import sidecar_of
from callcenter.media.recordings.wav import HEADER_BYTES
from callcenter.ports import RecordingFinished

_WINDOW = SAMPLE_RATE // 5


@dataclass(frozen=True, slots=True)
class HeardRecording:
    """A finished recording, taken apart."""

    left: bytes
    right: bytes
    law: Law
    sidecar: Sidecar
    path: Path
    """Where it is, links resolved."""
    file: bytes
    """The file as it is on disk."""

    @property
    def seconds(self) -> float:
        """Its length."""
        return len(self.left) / SAMPLE_RATE

    def tones(self, channel: bytes, frequency: float, *, first: float = 0.0, last: float | None = None) -> list[float]:
        """How much of each whole fifth of a second between two instants (seconds) is this tone, 0 to 1."""
        samples = self._samples(channel, first, last)
        return [
            tone_share(samples[at : at + _WINDOW], frequency) for at in range(0, len(samples) - _WINDOW + 1, _WINDOW)
        ]

    def is_silent(self, channel: bytes, *, first: float, last: float) -> bool:
        """Whether every byte between two instants is digital silence."""
        return set(channel[round(first * SAMPLE_RATE) : round(last * SAMPLE_RATE)]) <= {SILENCE[self.law]}

    def silent_samples(self, channel: bytes) -> int:
        """Bytes of digital silence in runs of 10 ms and more; a tone crosses zero for a sample or two only."""
        quiet = np.frombuffer(channel, dtype=np.uint8) == SILENCE[self.law]
        edges = np.flatnonzero(np.diff(np.concatenate(([0], quiet.astype(np.int8), [0]))))
        lengths = edges[1::2] - edges[::2]
        return int(lengths[lengths >= SAMPLE_RATE // 100].sum())

    def onset(self, channel: bytes, *, first: float = 0.0) -> int:
        """The first loud sample after an instant."""
        start = round(first * SAMPLE_RATE)
        loud = np.flatnonzero(np.abs(decode(channel[start:], self.law).astype(np.int32)) > 3000)
        return start + int(loud[0])

    def _samples(self, channel: bytes, first: float, last: float | None) -> Samples:
        end = None if last is None else round(last * SAMPLE_RATE)
        return decode(channel[round(first * SAMPLE_RATE) : end], self.law)


def listen(finished: RecordingFinished, keys: KeyRing | None = None) -> HeardRecording:
    """Read a finished recording and its sidecar."""
    path = Path(finished.path)
    with open_recording(path, keys) as content:
        data = content.read()
    sidecar = read_sidecar(sidecar_of(path))
    frames = data[HEADER_BYTES:]
    law = Law(sidecar.opened.law)
    return HeardRecording(frames[0::2], frames[1::2], law, sidecar, path.resolve(), path.read_bytes())
