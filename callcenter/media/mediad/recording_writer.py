"""All recordings of the recorder on their way to the disk: one thread, which alone touches the files.

It may take as long as the disk takes; what comes meanwhile waits in the recorder's queue.
"""

import contextlib
import fcntl
import os
from collections.abc import Callable, Iterable
from pathlib import Path

import structlog

from callcenter.media.mediad.recorder_protocol import (
    Begin,
    Chunk,
    CloseRecording,
    Damage,
    OpenRecording,
    TapEnded,
    TapMessage,
    TapSwitched,
    Written,
)
from callcenter.media.mediad.recording import Recording, move_to_day
from callcenter.media.recordings.keys import KeyRing
from callcenter.media.recordings.naming import OPEN_FOLDER, PART, SIDECAR, audio_suffix, day_folder, is_stem
from callcenter.media.recordings.sidecar import SidecarError, read_sidecar

log = structlog.get_logger(__name__)

SYNC_EVERY = 5_000
"""Milliseconds after which a recording is brought to the disk, power cut or not."""
ORPHANED_AFTER = 3_000
"""Milliseconds without a chunk after which a recording that nobody ends is closed."""
_RESERVE = ".reserve"
_RESERVE_BYTES = 256 << 10
"""Kept aside so that recordings can be closed on a full disk."""

WriterOrder = Begin | OpenRecording | CloseRecording | TapMessage


class RecordingWriter:
    """Follows orders one after the other; ``now`` is in milliseconds of the monotonic clock.

    ``on_written`` and ``on_damage`` are told what became of recordings.
    """

    def __init__(
        self,
        root: Path,
        keys: KeyRing | None,
        *,
        on_written: Callable[[Written], None],
        on_damage: Callable[[int, Damage], None],
    ) -> None:
        self._root, self._keys = root, keys
        self._on_written, self._on_damage = on_written, on_damage
        self._recordings: dict[int, Recording] = {}
        self._touched: dict[int, int] = {}
        """When each recording that is ending was last heard of."""
        self._sync_due: dict[int, int] = {}
        """When each recording is to be synced, the next one first."""
        self._lock: int | None = None
        self._has_reserve = False
        self._reserve_due = 0

    def follow(self, order: WriterOrder, *, now: int) -> None:
        """Carry out one order. Orders for recordings that are closed are ignored."""
        match order:
            case Begin(recordings):
                self._begin(recordings, now=now)
            case OpenRecording():
                self._open(order, now=now)
            case CloseRecording(number) if number in self._recordings:
                self._close(number, None)
            case TapEnded(number, position, after_loss) if number in self._recordings:
                if after_loss:
                    self._recordings[number].lose(Damage.OVERFLOW)
                self._close(number, position)
            case TapSwitched(number, position, paused) if number in self._recordings:
                self._recordings[number].switch(position, paused=paused)
            case Chunk(number) if number in self._recordings:
                self._recordings[number].write(order)
                if number in self._touched:
                    self._touched[number] = now
            case _:
                pass

    def lose(self, number: int) -> None:
        """The queue was full before what comes next for this recording."""
        if number in self._recordings:
            self._recordings[number].lose(Damage.OVERFLOW)

    def tick(self, *, now: int) -> None:
        """Sync the recording that waits longest, close those that nobody ends, and keep the reserve."""
        for number, due in self._sync_due.items():
            if due <= now:
                del self._sync_due[number]
                self._sync_due[number] = now + SYNC_EVERY
                self._recordings[number].sync()
            break
        for number, touched in [*self._touched.items()]:
            if now - touched >= ORPHANED_AFTER:
                self._close(number, None)
        if not self._has_reserve and now >= self._reserve_due:
            self._make_reserve()
            self._reserve_due = now + SYNC_EVERY

    def stop(self) -> None:
        """Bring everything to the disk and let go of it; the next recorder closes it."""
        for recording in self._recordings.values():
            recording.sync()
            recording.close()
        self._recordings.clear()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def _begin(self, recordings: Iterable[OpenRecording], *, now: int) -> None:
        """Take the folder, waiting for a former recorder to leave it; close what was left, go on with the rest."""
        try:
            (self._root / OPEN_FOLDER).mkdir(parents=True, exist_ok=True, mode=0o700)
            self._lock = os.open(self._root / OPEN_FOLDER / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            fcntl.flock(self._lock, fcntl.LOCK_EX)
            left = {path.name.removesuffix(SIDECAR + PART) for path in (self._root / OPEN_FOLDER).glob("*" + PART)}
        except OSError as error:
            log.error("recorder.folder_unusable", error=error.strerror)
            left = set()
        known = {order.stem for order in recordings}
        for stem in sorted(stem for stem in left - known if is_stem(stem)):
            self._repair(stem)
        for order in recordings:
            self._open(order, now=now)

    def _open(self, order: OpenRecording, *, now: int) -> None:
        self._recordings[order.number] = Recording(
            self._root, order, self._keys, on_damage=self._on_damage, make_room=self._free_reserve
        )
        self._sync_due[order.number] = now + SYNC_EVERY
        if order.is_ending:
            self._touched[order.number] = now

    def _close(self, number: int, position: int | None) -> None:
        self._touched.pop(number, None)
        self._sync_due.pop(number, None)
        self._on_written(self._recordings.pop(number).finish(position))

    def _repair(self, stem: str) -> None:
        """Close a recording that a crash left, as far as it goes."""
        try:
            sidecar = read_sidecar(self._root / OPEN_FOLDER / (stem + SIDECAR + PART))
            opened, finished = sidecar.opened, sidecar.finished
            if finished is None:
                left = Recording(
                    self._root,
                    OpenRecording(0, stem, opened),
                    self._keys,
                    on_damage=lambda *_: None,
                    make_room=self._free_reserve,
                )
                self._on_written(left.finish(None))
                return
            name = stem + audio_suffix(sealed=bool(opened.key_name))
            move_to_day(self._root, stem, name)
        except (OSError, SidecarError) as error:
            log.error("recorder.not_repaired", stem=stem, error=type(error).__name__)
            return
        path = str(day_folder(self._root, stem) / name)
        self._on_written(
            Written(
                0, opened.session_id, opened.recording_id, path, finished.sha256, finished.samples, finished.truncated
            )
        )

    def _make_reserve(self) -> None:
        try:
            descriptor = os.open(self._root / OPEN_FOLDER / _RESERVE, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError:
            return
        try:
            os.posix_fallocate(descriptor, 0, _RESERVE_BYTES)
            self._has_reserve = True
        except OSError:
            self._free_reserve()
        finally:
            os.close(descriptor)

    def _free_reserve(self) -> None:
        with contextlib.suppress(OSError):
            (self._root / OPEN_FOLDER / _RESERVE).unlink()
        self._has_reserve = False
