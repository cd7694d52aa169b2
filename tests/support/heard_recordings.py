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
_PIECE = SAMPLE_RATE // 50
_CLEAR = 0.9
"""Share of its energy from which a piece is a tone."""


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

    def clear(self, channel: bytes, frequency: float, *, first: float = 0.0, last: float | None = None) -> float:
        """How much of what was said between two instants is this tone, 0 to 1; 0 for nothing at all.

        Silence is left out here, for ``silent_samples`` to count; a phone that stalls is moved on the time line, which
        spoils no more than the fiftieth of a second around it.
        """
        end = None if last is None else round(last * SAMPLE_RATE)
        part = channel[round(first * SAMPLE_RATE) : end]
        pieces = [
            tone_share(decode(part[at : at + _PIECE], self.law), frequency) > _CLEAR
            for start, length in self._runs(part, silent=False)
            for at in range(start, start + length - _PIECE + 1, _PIECE)
        ]
        return sum(pieces) / len(pieces) if pieces else 0.0

    def is_silent(self, channel: bytes, *, first: float, last: float) -> bool:
        """Whether every byte between two instants is digital silence."""
        return set(channel[round(first * SAMPLE_RATE) : round(last * SAMPLE_RATE)]) <= {SILENCE[self.law]}

    def silent_samples(self, channel: bytes) -> int:
        """Bytes of digital silence in runs of 10 ms and more; a tone crosses zero for a sample or two only."""
        return sum(length for _, length in self._runs(channel, silent=True))

    def _runs(self, channel: bytes, *, silent: bool) -> list[tuple[int, int]]:
        """Start and length of each stretch that is silence of 10 ms and more, or of what is between those."""
        quiet = np.frombuffer(channel, dtype=np.uint8) == SILENCE[self.law]
        edges = np.flatnonzero(np.diff(np.concatenate(([0], quiet.astype(np.int8), [0]))))
        found = [(int(start), int(end)) for start, end in zip(edges[::2], edges[1::2], strict=True)]
        found = [(start, end) for start, end in found if end - start >= SAMPLE_RATE // 100]
        if not silent:
            bounds = [0, *(each for run in found for each in run), len(channel)]
            found = [*zip(bounds[::2], bounds[1::2], strict=True)]
        return [(start, end - start) for start, end in found if end > start]

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
