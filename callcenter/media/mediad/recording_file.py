"""The audio file of one recording while it is written: append-only, whole after every write that did not raise.

Both forms take stereo frames. A write that fails is cut off again, so that the file never ends in a torn frame or
record and the next attempt begins at the same place. All of it blocks on the disk and raises ``OSError``.
"""

import contextlib
import os
from pathlib import Path
from typing import Protocol

from callcenter.media.law import Law
from callcenter.media.recordings.keys import KeyRing
from callcenter.media.recordings.reading import scan_records
from callcenter.media.recordings.sealed import LONGEST_HEADER, OVERHEAD, Seal, SealError
from callcenter.media.recordings.wav import CHANNELS, HEADER_BYTES, wav_header

_MODE = 0o600


class RecordingFile(Protocol):
    """A file under way."""

    samples: int
    """In each channel, so far."""

    def append(self, frames: bytes) -> None:
        """Add stereo frames."""
        ...

    def sync(self) -> None:
        """Make what is there readable and safe against a power cut."""
        ...

    def finish(self) -> None:
        """Complete the file and sync it; nothing is appended any more."""
        ...

    def close(self) -> None:
        """Let go of it as it is."""
        ...


class _Appended:
    """A descriptor and how much of the file is good."""

    def __init__(self, path: Path) -> None:
        self.descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, _MODE)
        self.size = os.fstat(self.descriptor).st_size

    def append(self, data: bytes) -> None:
        view, at = memoryview(data), self.size
        try:
            while view:
                count = os.pwrite(self.descriptor, view, at)
                view, at = view[count:], at + count
        except OSError:
            self.cut(self.size)
            raise
        self.size = at

    def cut(self, size: int) -> None:
        with contextlib.suppress(OSError):
            os.ftruncate(self.descriptor, size)
        self.size = size

    def read(self, count: int, at: int) -> bytes:
        return os.pread(self.descriptor, count, at)

    def close(self) -> None:
        os.close(self.descriptor)


class PlainFile:
    """A WAV file; its sizes are brought up to date with every sync."""

    def __init__(self, path: Path, law: Law) -> None:
        self._law = law
        self._file = _Appended(path)
        try:
            if self._file.size < HEADER_BYTES:
                self._file.cut(0)
                self._file.append(wav_header(law, 0))
            self.samples = (self._file.size - HEADER_BYTES) // CHANNELS
            self._file.cut(HEADER_BYTES + self.samples * CHANNELS)
        except BaseException:
            self._file.close()
            raise

    def append(self, frames: bytes) -> None:
        """See ``RecordingFile``."""
        self._file.append(frames)
        self.samples += len(frames) // CHANNELS

    def sync(self) -> None:
        """See ``RecordingFile``."""
        os.pwrite(self._file.descriptor, wav_header(self._law, self.samples), 0)
        os.fdatasync(self._file.descriptor)

    def finish(self) -> None:
        """See ``RecordingFile``."""
        self.sync()

    def close(self) -> None:
        """See ``RecordingFile``."""
        self._file.close()


class SealedFile:
    """An encrypted file, see ``recordings.sealed``. Raises ``RecordingKeyError`` or ``SealError`` for one that exists
    and cannot be continued."""

    def __init__(self, path: Path, law: Law, keys: KeyRing) -> None:
        self._file = _Appended(path)
        try:
            self._continue(law, keys)
        except BaseException:
            self._file.close()
            raise

    def _continue(self, law: Law, keys: KeyRing) -> None:
        start = self._file.read(LONGEST_HEADER, 0)
        try:
            self._seal = Seal.read(start, keys)
        except SealError:
            if len(start) >= LONGEST_HEADER:
                raise
            self._file.cut(0)  # torn before anything was recorded
            self._seal = Seal.new(law, keys)
            self._file.append(self._seal.header)
        starts = scan_records(self._file.descriptor, len(self._seal.header))
        while len(starts) > 1 and not self._is_good_end(starts):
            starts.pop()
        self._records = len(starts) - 1
        self._file.cut(starts[-1])
        self.samples = (starts[-1] - starts[0] - self._records * OVERHEAD) // CHANNELS

    def _is_good_end(self, starts: list[int]) -> bool:
        """Whether the last record is whole and not the closing one, which is written anew."""
        record = self._file.read(starts[-1] - starts[-2] - 4, starts[-2] + 4)
        try:
            self._seal.open(len(starts) - 2, record)
        except SealError:
            return False
        return not record[0]

    def append(self, frames: bytes) -> None:
        """See ``RecordingFile``."""
        self._file.append(self._seal.seal(self._records, frames))
        self._records += 1
        self.samples += len(frames) // CHANNELS

    def sync(self) -> None:
        """See ``RecordingFile``."""
        os.fdatasync(self._file.descriptor)

    def finish(self) -> None:
        """See ``RecordingFile``."""
        self._file.append(self._seal.seal(self._records, b"", last=True))
        self._records += 1
        os.fdatasync(self._file.descriptor)

    def close(self) -> None:
        """See ``RecordingFile``."""
        self._file.close()


def open_file(path: Path, law: Law, keys: KeyRing | None) -> RecordingFile:
    """Begin a file or go on with one."""
    return PlainFile(path, law) if keys is None else SealedFile(path, law, keys)
