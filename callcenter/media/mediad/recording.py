"""One recording under way in the recorder: its audio file, its sidecar, and what went wrong with them.

Everything blocks on the disk, and nothing raises ``OSError``: a disk that fails leaves the recording marked, and each
further chunk is another attempt. What could not be written becomes silence once the disk takes data again.
"""

import errno
import hashlib
import os
from collections.abc import Callable
from pathlib import Path

import msgspec

from callcenter.errors import MediaError
from callcenter.media.law import SAMPLE_RATE, Law
from callcenter.media.mediad.recorder_protocol import Chunk, Damage, OpenRecording, Written
from callcenter.media.mediad.recording_file import RecordingFile, open_file
from callcenter.media.recordings.keys import KeyRing, RecordingKeyError
from callcenter.media.recordings.naming import OPEN_FOLDER, PART, SIDECAR, audio_suffix, day_folder
from callcenter.media.recordings.sidecar import (
    Fact,
    Finished,
    Missing,
    Opened,
    Paused,
    Resumed,
    SidecarError,
    lines,
    parse_sidecar,
)
from callcenter.media.recordings.wav import interleave, silence

_FILL = 4 * SAMPLE_RATE
"""Samples of silence written at once."""


class Recording:
    """Appends by position: what is missing before a chunk is silence, what is there already is not written again.

    ``on_damage`` is told each time something goes wrong; ``make_room`` is asked for a little space on a full disk, so
    that what was recorded can at least be closed.
    """

    def __init__(
        self,
        root: Path,
        order: OpenRecording,
        keys: KeyRing | None,
        *,
        on_damage: Callable[[int, Damage], None],
        make_room: Callable[[], None],
    ) -> None:
        self.number = order.number
        self.is_ending = order.is_ending
        self.truncated: str | None = None
        self._root, self._stem, self._keys = root, order.stem, keys
        self._on_damage, self._make_room = on_damage, make_room
        self._adopt(order.opened if keys is None else msgspec.structs.replace(order.opened, key_name=keys.current))
        self._is_complete = False
        self._file: RecordingFile | None = None
        self._sidecar: int | None = None
        self._sidecar_size = 0
        self._facts: list[Fact] = []
        """Facts that are not in the sidecar yet."""
        self._is_paused = False
        self._blame: Damage | None = None
        """Why the next gap is there, when it is known."""
        self._is_dirty = False

    def write(self, chunk: Chunk) -> None:
        """Put a chunk at its place."""
        if chunk.after_loss:
            self._blame = Damage.OVERFLOW
        self._attempt(lambda: self._write(chunk))

    def switch(self, position: int, *, paused: bool) -> None:
        """Note a pause or its end."""
        self._attempt(self._begin)
        if paused == self._is_paused:
            return
        self._is_paused = paused
        self._facts.append(Paused(position) if paused else Resumed(position))
        self._attempt(self._note)

    def lose(self, reason: Damage) -> None:
        """Chunks before the next one were dropped."""
        self._blame = reason

    def sync(self) -> None:
        """Bring sizes up to date and everything to the disk, if there is something new."""
        if self._is_dirty and self._file is not None:
            self._attempt(self._sync)

    def finish(self, position: int | None) -> Written:
        """Close it at ``position``, or where it is when its end got lost, and give it its name; what became of it."""
        self._attempt(lambda: self._fill_up(position))
        if position is None:
            self.truncated = self.truncated or Damage.INTERRUPTED
        samples = 0 if self._file is None else self._file.samples
        digest = self._try_to_complete(samples) or self._try_to_complete(samples)
        folder = day_folder(self._root, self._stem) if digest else self._root / OPEN_FOLDER
        path = str(folder / self._audio_name) + ("" if digest else PART)
        has_file = self._file is not None
        self.close()
        return Written(
            self.number,
            self.opened.session_id,
            self.opened.recording_id,
            path if has_file else "",
            digest,
            samples,
            self.truncated,
        )

    def close(self) -> None:
        """Let go of the files as they are."""
        if self._file is not None:
            self._file.close()
            self._file = None
        if self._sidecar is not None:
            os.close(self._sidecar)
            self._sidecar = None

    def _attempt(self, act: Callable[[], None]) -> None:
        try:
            act()
        except OSError as error:
            self._damage(error)
        except MediaError:  # a key that is gone, a file that was changed under our hands
            self._damage(OSError(errno.EIO, "unusable"))

    def _damage(self, error: OSError) -> None:
        full = error.errno in {errno.ENOSPC, errno.EDQUOT}
        reason = Damage.DISK_FULL if full else Damage.DISK_ERROR
        self._blame = reason
        self.truncated = self.truncated or reason
        self._on_damage(self.number, reason)

    def _adopt(self, opened: Opened) -> None:
        self.opened = opened
        self._law = Law(opened.law)
        self._audio_name = self._stem + audio_suffix(sealed=bool(opened.key_name))

    def _begin(self) -> None:
        """Open the files if they are not open, and read what a former recorder has noted."""
        if self._file is not None:
            return
        if self._sidecar is None:
            flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
            self._sidecar = os.open(self._part(self._stem + SIDECAR), flags, 0o600)
            self._read_facts(self._sidecar)
        self._note()
        if self.opened.key_name and self._keys is None:
            raise RecordingKeyError("the recording is encrypted and there is no key")
        keys = self._keys if self.opened.key_name else None
        self._file = open_file(self._part(self._audio_name), self._law, keys)

    def _read_facts(self, descriptor: int) -> None:
        content = os.pread(descriptor, os.fstat(descriptor).st_size, 0)
        try:
            noted = parse_sidecar(content)
        except SidecarError:
            self._facts.insert(0, self.opened)
            return
        self._sidecar_size = content.rfind(b"\n") + 1
        self._adopt(noted.opened)
        self._is_paused = noted.is_paused
        self.truncated = self.truncated or noted.truncated

    def _note(self) -> None:
        """Append the facts that wait. A torn line of a failed attempt is written over."""
        if self._sidecar is None or not self._facts:
            return
        data = lines(self._facts)
        if os.pwrite(self._sidecar, data, self._sidecar_size) < len(data):
            raise OSError(errno.ENOSPC, "short write")
        self._sidecar_size += len(data)
        self._facts.clear()
        os.ftruncate(self._sidecar, self._sidecar_size)

    def _write(self, chunk: Chunk) -> None:
        self._begin()
        assert self._file is not None  # noqa: S101 - _begin opened it or raised
        self._close_gap(chunk.position)
        behind = self._file.samples - chunk.position
        if behind >= chunk.samples:
            return
        left, right = chunk.left[max(0, behind) :], chunk.right[max(0, behind) :]
        self._file.append(interleave(self._law, chunk.samples - max(0, behind), left, right))
        self._is_dirty = True

    def _close_gap(self, position: int) -> None:
        assert self._file is not None  # noqa: S101 - callers opened it
        missing = position - self._file.samples
        if missing <= 0:
            self._blame = None
            return
        reason = self._blame or Damage.INTERRUPTED
        self.truncated = self.truncated or reason
        first = self._file.samples
        while self._file.samples < position:
            self._file.append(silence(self._law, min(_FILL, position - self._file.samples)))
        self._on_damage(self.number, reason)
        self._facts.append(Missing(first, missing, reason))
        self._blame = None
        self._note()

    def _fill_up(self, position: int | None) -> None:
        self._begin()
        if position is not None:
            self._close_gap(position)

    def _sync(self) -> None:
        assert self._file is not None  # noqa: S101 - asked by sync()
        self._note()
        self._file.sync()
        if self._sidecar is not None:
            os.fdatasync(self._sidecar)
        self._is_dirty = False

    def _try_to_complete(self, samples: int) -> str:
        """The checksum of the completed file, empty when that failed; then there is a little more room."""
        if self._file is None or self._sidecar is None:
            return ""
        try:
            return self._complete(self._file, self._sidecar, samples)
        except OSError as error:
            self._damage(error)
            self._make_room()
            return ""

    def _complete(self, file: RecordingFile, sidecar: int, samples: int) -> str:
        """Finish both files and move them to their day; the sidecar last, because it says that all is there."""
        if not self._is_complete:
            file.finish()
            self._is_complete = True
        part = self._part(self._audio_name)
        with part.open("rb") as content:
            digest = hashlib.file_digest(content, "sha256").hexdigest()
        self._facts = [fact for fact in self._facts if not isinstance(fact, Finished)]
        self._facts.append(Finished(samples, digest, self.truncated))
        self._note()
        os.fsync(sidecar)
        move_to_day(self._root, self._stem, self._audio_name)
        return digest

    def _part(self, name: str) -> Path:
        return self._root / OPEN_FOLDER / (name + PART)


def move_to_day(root: Path, stem: str, audio_name: str) -> None:
    """Give the finished files their names, audio first; harmless where it was done before. Raises ``OSError``."""
    folder = day_folder(root, stem)
    for name in (audio_name, stem + SIDECAR):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        part = root / OPEN_FOLDER / (name + PART)
        if part.exists():
            part.replace(folder / name)
        _sync_folder(folder)
    _sync_folder(root / OPEN_FOLDER)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
