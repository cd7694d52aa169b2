"""Reading a recording back, encrypted or not, as a WAV stream that can be sought in."""

import io
import os
from bisect import bisect_right
from pathlib import Path
from typing import BinaryIO

from callcenter.errors import MediaError
from callcenter.media.recordings.keys import KeyRing
from callcenter.media.recordings.naming import SEALED
from callcenter.media.recordings.sealed import LONGEST_HEADER, OVERHEAD, Seal, SealError, record_length
from callcenter.media.recordings.wav import CHANNELS, HEADER_BYTES, wav_header


class RecordingError(MediaError):
    """A recording cannot be read; the text says why."""

    code = "recording-error"


def open_recording(path: Path, key: KeyRing | None = None) -> BinaryIO:
    """The WAV file (stereo G.711) at ``path``, to be read, sought in and closed by the caller.

    Each part of an encrypted recording is checked when it is read; a read raises ``RecordingError`` where it was
    changed. One that is cut off, or has no end yet, raises here; so does a missing file or key. Blocks on the disk.
    """
    try:
        if not path.name.endswith(SEALED):
            return path.open("rb")
        if key is None:
            raise RecordingError("the recording is encrypted and no key was given")
        return io.BufferedReader(_SealedReader(path, key), 1 << 16)
    except OSError as error:
        raise RecordingError(f"the recording cannot be opened: {error.strerror}") from error


def scan_records(descriptor: int, first: int) -> list[int]:
    """Where the whole records of an encrypted file begin, and after the last one where it ends."""
    size = os.fstat(descriptor).st_size
    starts = [first]
    while (length := record_length(os.pread(descriptor, 4, starts[-1]))) is not None:
        end = starts[-1] + 4 + length
        if end > size:
            break
        starts.append(end)
    return starts


class _SealedReader(io.RawIOBase):
    """Deciphers one record at a time."""

    def __init__(self, path: Path, keys: KeyRing) -> None:
        super().__init__()
        self._file = path.open("rb", buffering=0)
        try:
            descriptor = self._file.fileno()
            self._seal = Seal.read(os.pread(descriptor, LONGEST_HEADER, 0), keys)
            self._records = scan_records(descriptor, len(self._seal.header))
            self._check_end(os.fstat(descriptor).st_size)
        except SealError as error:
            self._file.close()
            raise RecordingError(str(error)) from error
        except BaseException:
            self._file.close()
            raise
        self._offsets = [0]
        for start, end in zip(self._records, self._records[1:], strict=False):
            self._offsets.append(self._offsets[-1] + end - start - OVERHEAD)
        self._header = wav_header(self._seal.law, self._offsets[-1] // CHANNELS)
        self._position = 0
        self._opened: tuple[int, bytes] = (-1, b"")

    def _check_end(self, size: int) -> None:
        count = len(self._records) - 1
        if not count or self._records[-1] != size or not self._read_record(count - 1)[0]:
            raise SealError("the recording is cut off")
        self._seal.open(count - 1, self._read_record(count - 1))

    def _read_record(self, number: int) -> bytes:
        start, end = self._records[number : number + 2]
        return os.pread(self._file.fileno(), end - start - 4, start + 4)

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def close(self) -> None:
        self._file.close()
        super().close()

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: HEADER_BYTES + self._offsets[-1]}[whence]
        self._position = max(0, base + offset)
        return self._position

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        wanted = len(buffer)
        if self._position < HEADER_BYTES:
            content = self._header[self._position : self._position + wanted]
        else:
            content = self._content(self._position - HEADER_BYTES, wanted)
        buffer[: len(content)] = content
        self._position += len(content)
        return len(content)

    def _content(self, offset: int, wanted: int) -> bytes:
        if offset >= self._offsets[-1]:
            return b""
        number = bisect_right(self._offsets, offset) - 1
        if self._opened[0] != number:
            try:
                self._opened = (number, self._seal.open(number, self._read_record(number)))
            except SealError as error:
                raise RecordingError(str(error)) from error
        start = offset - self._offsets[number]
        return self._opened[1][start : start + wanted]
