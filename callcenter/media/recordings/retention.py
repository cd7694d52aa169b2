"""How long recordings are kept: a pure decision by retention class, and the sweep that carries it out."""

import contextlib
from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import structlog

from callcenter.media.recordings.naming import PLAIN, SEALED, SIDECAR
from callcenter.media.recordings.sidecar import SidecarError, milliseconds, read_sidecar

log = structlog.get_logger(__name__)

_DAY = 86_400_000


@dataclass(frozen=True, slots=True)
class StoredRecording:
    """A finished recording as its sidecar describes it."""

    audio: Path
    sidecar: Path
    recording_id: str
    session_id: str
    started_at: int
    """Milliseconds since the epoch."""
    duration_ms: int
    retention: str
    truncated: str | None


def overdue(
    recordings: Iterable[StoredRecording],
    keep_days: Mapping[str, int | None],
    *,
    now: int,
    held: Container[str] = frozenset(),
    at_once: Container[str] = frozenset(),
) -> list[StoredRecording]:
    """The recordings whose time is over at ``now``. ``keep_days`` is by retention class, ``None`` keeps for ever.

    A class that is not in ``keep_days`` is kept: nothing is deleted by a slip of the pen. Recordings in ``held`` (by
    id) are on legal hold and kept; those in ``at_once`` go whatever their class says, unless held. Pure.
    """
    found = []
    for recording in recordings:
        if recording.recording_id in held:
            continue
        if recording.recording_id in at_once:
            found.append(recording)
            continue
        days = keep_days.get(recording.retention)
        if days is not None and now - (recording.started_at + recording.duration_ms) >= days * _DAY:
            found.append(recording)
    return found


def catalogue(root: Path) -> Iterator[StoredRecording]:
    """All finished recordings under ``root``, by day. Blocks on the disk; damaged sidecars are logged and left out."""
    for path in sorted(root.glob(f"[0-9]*/[0-9]*/[0-9]*/*{SIDECAR}")):
        try:
            sidecar = read_sidecar(path)
        except (OSError, SidecarError) as error:
            log.warning("recording.sidecar_unreadable", error=type(error).__name__)
            continue
        if sidecar.finished is None:
            continue
        suffix = SEALED if sidecar.opened.key_name else PLAIN
        yield StoredRecording(
            audio=path.with_name(path.name.removesuffix(SIDECAR) + suffix),
            sidecar=path,
            recording_id=sidecar.opened.recording_id,
            session_id=sidecar.opened.session_id,
            started_at=sidecar.opened.started_at,
            duration_ms=milliseconds(sidecar.finished.samples),
            retention=sidecar.opened.retention,
            truncated=sidecar.finished.truncated,
        )


def sweep(
    root: Path,
    keep_days: Mapping[str, int | None],
    *,
    now: int,
    held: Container[str] = frozenset(),
    at_once: Container[str] = frozenset(),
) -> list[StoredRecording]:
    """Delete what is ``overdue``, audio first, and empty day folders; returns what was deleted. Blocks on the disk.

    A file that cannot be deleted is logged and tried again at the next sweep.
    """
    deleted = []
    for recording in overdue(catalogue(root), keep_days, now=now, held=held, at_once=at_once):
        try:
            recording.audio.unlink(missing_ok=True)
            recording.sidecar.unlink(missing_ok=True)
        except OSError as error:
            log.warning("recording.not_deleted", recording_id=recording.recording_id, error=type(error).__name__)
            continue
        deleted.append(recording)
        with contextlib.suppress(OSError):  # not empty
            for folder in [*recording.audio.parents][:3]:
                folder.rmdir()
    return deleted
