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
_TRUSTED = 1_000
"""Milliseconds for which nobody looks whether a file has changed."""


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


@dataclass(slots=True)
class _Kept:
    """A file as it was read."""

    clip: Clip
    written: tuple[int, int]
    """When the file was changed last, and its size."""
    checked_at: int
    """When it was still so."""


class ClipStore:
    """Reads files and keeps the recently used ones; a changed file is read again, after a second at the latest.

    ``now`` is in milliseconds of the monotonic clock.
    """

    def __init__(self) -> None:
        self._reader = ThreadPoolExecutor(1, thread_name_prefix="clips")
        self._cache: OrderedDict[tuple[str, bool], _Kept] = OrderedDict()
        """Changed by the reader's thread alone."""
        self._size = 0

    def load(self, paths: tuple[str, ...], *, wide: bool = False, now: int) -> "Future[list[Clip]] | list[Clip]":
        """Files, for a G.722 leg if ``wide``: at once where they were looked at a moment ago, else they are read; the
        future raises ``OSError`` or ``AudioError``."""
        kept = [self._cache.get((path, wide)) for path in paths]
        known = [each.clip for each in kept if each is not None and now - each.checked_at < _TRUSTED]
        if len(known) == len(paths):
            return known
        return self._reader.submit(lambda: [self._clip(path, wide=wide, now=now) for path in paths])

    def close(self) -> None:
        """Stop reading."""
        self._reader.shutdown(wait=False, cancel_futures=True)

    def _clip(self, path: str, *, wide: bool, now: int) -> Clip:
        status = Path(path).stat()
        written = status.st_mtime_ns, status.st_size
        kept = self._cache.get((path, wide))
        if kept is None or kept.written != written:
            if kept is not None:
                self._drop((path, wide))
            kept = _Kept(_read(path, wide=wide, size=status.st_size), written, now)
            self._cache[path, wide] = kept
            self._size += kept.clip.size
            while self._size > _LARGEST_CACHE and len(self._cache) > 1:
                self._drop(next(iter(self._cache)))
        kept.checked_at = now
        self._cache.move_to_end((path, wide))
        return kept.clip

    def _drop(self, key: tuple[str, bool]) -> None:
        self._size -= self._cache.pop(key).clip.size


def _read(path: str, *, wide: bool, size: int) -> Clip:
    if size > _LARGEST_FILE:
        raise AudioError("the file is too large to be a prompt")
    samples, rate = read_wav(Path(path).read_bytes())
    if rate != SAMPLE_RATE:
        raise AudioError("not recorded at 8 kHz")
    return make_clip(samples, wide=wide)


class Playback:
    """One play order under way: at most one frame per tick."""

    __slots__ = ("_clips", "_doubler", "_file", "_frame", "current", "spec")

    def __init__(self, spec: PlaySpec, clips: "Future[list[Clip]] | list[Clip]") -> None:
        self.spec = spec
        self._clips = clips if isinstance(clips, Future) else _sounding(clips)
        self._file = 0
        self._frame = -1
        self._doubler = DoubleRate()
        self.current: Clip | None = None
        """The clip of which a frame sounds in this tick, ``None`` while the files are read."""

    def advance(self) -> str | None:
        """Go to the next frame. ``end`` or ``failed`` when there is none."""
        clips = self._clips
        if isinstance(clips, Future):
            if not clips.done():
                return None
            if clips.cancelled() or clips.exception() is not None:
                return "failed"
            self._clips = clips = _sounding(clips.result())
        self._frame += 1
        while self._file < len(clips) and self._frame >= clips[self._file].frames:
            self._file, self._frame = self._file + 1, 0
        if self._file >= len(clips):
            if not (self.spec.loop and clips):
                self.current = None
                return "end"
            self._file = self._frame = 0
        self.current = clips[self._file]
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


def _sounding(clips: list[Clip]) -> list[Clip]:
    return [clip for clip in clips if clip.frames]
