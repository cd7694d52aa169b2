"""Audio files in memory, and one play order's way through them.

Files are read and compressed by a thread of their own: a slow disk must not hold up anybody's speech.
"""

from collections import OrderedDict
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from callcenter.media.audio import AudioError, read_wav
from callcenter.media.codecs import NARROWBAND, Codec
from callcenter.media.g711 import Samples, encode
from callcenter.media.law import FRAME_SAMPLES, SAMPLE_RATE, Law
from callcenter.media.protocol import PlaySpec
from callcenter.media.resampling import DoubleRate
from callcenter.media.wideband import make_encoder

_LARGEST_CACHE = 128 << 20
_LARGEST_FILE = 32 << 20


@dataclass(frozen=True, slots=True)
class Clip:
    """One file in whole frames, linear and in the codecs in which it was wanted; each has 160 bytes a frame."""

    samples: Samples
    encoded: dict[Codec, bytes]
    frames: int

    @property
    def size(self) -> int:
        """Bytes in memory."""
        return (2 + len(self.encoded)) * FRAME_SAMPLES * self.frames


def make_clip(samples: Samples, *, wide: bool = False) -> Clip:
    """Pad samples to whole frames and compress them, in G.722 too if ``wide``."""
    padded = np.pad(samples, (0, -len(samples) % FRAME_SAMPLES))
    encoded = {codec: encode(padded, Law(codec.value)) for codec in NARROWBAND}
    if wide and len(padded):
        encoded[Codec.G722] = make_encoder(Codec.G722).encode(DoubleRate().next(padded))
    return Clip(padded, encoded, len(padded) // FRAME_SAMPLES)


class ClipStore:
    """Reads files and keeps the recently used ones; a changed file is read again."""

    def __init__(self) -> None:
        self._reader = ThreadPoolExecutor(1, thread_name_prefix="clips")
        self._cache: OrderedDict[tuple[str, int, int, bool], Clip] = OrderedDict()
        self._size = 0

    def load(self, paths: tuple[str, ...], *, wide: bool = False) -> Future[list[Clip]]:
        """Read files, for a G.722 leg if ``wide``; the future raises ``OSError`` or ``AudioError``."""
        return self._reader.submit(lambda: [self._clip(Path(path), wide=wide) for path in paths])

    def close(self) -> None:
        """Stop reading."""
        self._reader.shutdown(wait=False, cancel_futures=True)

    def _clip(self, path: Path, *, wide: bool) -> Clip:
        status = path.stat()
        if status.st_size > _LARGEST_FILE:
            raise AudioError("the file is too large to be a prompt")
        key = (str(path), status.st_mtime_ns, status.st_size, wide)
        clip = self._cache.get(key)
        if clip is None:
            samples, rate = read_wav(path.read_bytes())
            if rate != SAMPLE_RATE:
                raise AudioError("not recorded at 8 kHz")
            clip = self._cache[key] = make_clip(samples, wide=wide)
            self._size += clip.size
            while self._size > _LARGEST_CACHE and len(self._cache) > 1:
                self._size -= self._cache.popitem(last=False)[1].size
        self._cache.move_to_end(key)
        return clip


class Playback:
    """One play order under way: at most one frame per tick."""

    __slots__ = ("_clips", "_doubler", "_file", "_frame", "_future", "current", "spec")

    def __init__(self, spec: PlaySpec, future: Future[list[Clip]]) -> None:
        self.spec = spec
        self._future = future
        self._clips: list[Clip] | None = None
        self._file = 0
        self._frame = -1
        self._doubler = DoubleRate()
        self.current: Clip | None = None
        """The clip of which a frame sounds in this tick, ``None`` while the files are read."""

    def advance(self) -> str | None:
        """Go to the next frame. ``end`` or ``failed`` when there is none."""
        if self._clips is None:
            if not self._future.done():
                return None
            if self._future.cancelled() or self._future.exception() is not None:
                return "failed"
            self._clips = [clip for clip in self._future.result() if clip.frames]
        self._frame += 1
        while self._file < len(self._clips) and self._frame >= self._clips[self._file].frames:
            self._file, self._frame = self._file + 1, 0
        if self._file >= len(self._clips):
            if not (self.spec.loop and self._clips):
                self.current = None
                return "end"
            self._file = self._frame = 0
        self.current = self._clips[self._file]
        return None

    def encoded(self, codec: Codec) -> bytes | None:
        """This tick's frame, compressed; ``None`` if it is not there in this codec. Only while ``current`` is set."""
        assert self.current is not None  # noqa: S101 - see the docstring
        start = self._frame * FRAME_SAMPLES
        encoded = self.current.encoded.get(codec)
        return None if encoded is None else encoded[start : start + FRAME_SAMPLES]

    def samples(self, *, wide: bool = False) -> Samples:
        """This tick's frame, linear, at 16 kHz if ``wide``. Once a tick, and only while ``current`` is set."""
        assert self.current is not None  # noqa: S101 - see the docstring
        start = self._frame * FRAME_SAMPLES
        frame = self.current.samples[start : start + FRAME_SAMPLES]
        return self._doubler.next(frame) if wide else frame
