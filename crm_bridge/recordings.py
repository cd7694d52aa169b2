"""Recordings in the store: written from the journal, read with their interaction, held, erased and marked as deleted.

The two halves of a recording (it was started, it is on disk) may come in any order and any number of times; each
fills in what it knows.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Table, func, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession

from crm_bridge.audit import note
from crm_bridge.errors import RecordingNotFound
from crm_bridge.held import recordings_of_held
from crm_bridge.held_erasures import settle
from crm_bridge.ids import new_id
from crm_bridge.models import Interaction, Recording
from crm_bridge.models.base import DEFAULT_TENANT, utc_now
from crm_bridge.records import RecordingStartRecord, RecordingStoredRecord
from crm_bridge.transcripts import delete_with_recordings

_KEYS_IN_A_QUERY = 500
_STARTED = ("contact_id", "started_at", "agent_id", "agent_name", "queue_id", "retention", "announced")
_STORED = ("stored_at", "path", "sha256", "duration_ms", "truncated", "pauses")
RecordingRecord = RecordingStartRecord | RecordingStoredRecord


@dataclass(frozen=True, slots=True)
class RecordingView:
    """A recording as people read it; ``state`` is ``recording``, ``stored``, ``lost`` (nothing could be written) or
    ``deleted``. ``pauses`` are pairs of milliseconds from the start."""

    recording_id: str
    contact_id: str
    state: str
    started_at: datetime | None
    agent_id: str | None
    agent_name: str | None
    queue_id: str | None
    retention: str | None
    announced: bool | None
    duration_ms: int | None
    truncated: str | None
    pauses: tuple[tuple[int, int], ...]
    sha256: str | None
    path: str | None
    legal_hold: bool
    hold_reason: str | None
    deleted_at: datetime | None


async def write_recordings(session: AsyncSession, records: Sequence[RecordingRecord]) -> None:
    """Write what the journal tells of recordings; writing it again changes nothing."""
    for kind, names in ((RecordingStartRecord, _STARTED), (RecordingStoredRecord, _STORED)):
        await _upsert(session, [_told(each) for each in records if isinstance(each, kind)], names)


async def _upsert(session: AsyncSession, told: Sequence[dict[str, Any]], names: Sequence[str]) -> None:
    """Insert what is new; of what is there, change these columns."""
    if not told:
        return
    table: Table = Recording.__table__  # type: ignore[assignment]
    is_sqlite = (await session.connection()).dialect.name == "sqlite"
    now = utc_now()
    rest = {"tenant_id": DEFAULT_TENANT, "pauses": [], "legal_hold": False, "created_at": now, "updated_at": now}
    upsert = (sqlite if is_sqlite else postgresql).insert(table)
    changes: dict[str, Any] = {name: upsert.excluded[name] for name in (*names, "updated_at")}
    later = func.max if is_sqlite else func.greatest
    changes["journal_seq"] = later(table.c.journal_seq, upsert.excluded.journal_seq)
    statement = upsert.on_conflict_do_update(index_elements=["recording_id"], set_=changes)
    await session.execute(statement, [{"id": new_id(), **rest, **each} for each in told])


async def recordings_of(session: AsyncSession, contact_ids: Iterable[str]) -> dict[str, tuple[RecordingView, ...]]:
    """The recordings of contacts, the oldest first."""
    wanted = sorted(set(contact_ids))
    found: dict[str, tuple[RecordingView, ...]] = {}
    for start in range(0, len(wanted), _KEYS_IN_A_QUERY):
        portion = wanted[start : start + _KEYS_IN_A_QUERY]
        query = select(Recording).where(Recording.contact_id.in_(portion)).order_by(Recording.started_at, Recording.id)
        for row in await session.scalars(query):
            found[row.contact_id] = (*found.get(row.contact_id, ()), _view(row))
    return found


async def find_recording(session: AsyncSession, contact_id: str, recording_id: str) -> RecordingView:
    """One recording of a contact. Raises ``RecordingNotFound``."""
    return _view(await _row(session, contact_id, recording_id))


async def hold(session: AsyncSession, contact_id: str, recording_id: str, *, reason: str | None) -> RecordingView:
    """Keep a recording whatever its class says, or (without a reason) let its class decide again; that of an erased
    person is deleted then.

    Raises ``RecordingNotFound``.
    """
    row = await _row(session, contact_id, recording_id)
    row.legal_hold, row.hold_reason = reason is not None, reason
    await session.flush()
    return _view(row)


async def held_ids(session: AsyncSession) -> frozenset[str]:
    """The recordings that nobody may delete: on hold themselves, or of a customer who is."""
    own = select(Recording.recording_id).where(Recording.legal_hold.is_(True))
    return frozenset([*await session.scalars(own), *await session.scalars(recordings_of_held())])


async def ids_to_erase(session: AsyncSession) -> frozenset[str]:
    """Recordings of erased people that still have a file."""
    query = select(Recording.recording_id).where(Recording.erase_at.is_not(None), Recording.deleted_at.is_(None))
    return frozenset(await session.scalars(query))


async def files_to_erase(session: AsyncSession, limit: int) -> dict[str, str]:
    """Files of erased people by recording id, as paths below the folder of the recordings; the oldest requests first.

    What is still being made follows once it is on disk.
    """
    query = (
        select(Recording.recording_id, Recording.path)
        .where(Recording.erase_at.is_not(None), Recording.deleted_at.is_(None), Recording.path.is_not(None))
        .where(Recording.legal_hold.is_(False))
        .order_by(Recording.erase_at, Recording.id)
    )
    return {row.recording_id: row.path for row in await session.execute(query.limit(limit))}


async def count_to_erase(session: AsyncSession, customer_id: int) -> int:
    """How many files of an erased customer are still to be deleted, and are not held."""
    contacts = select(Interaction.contact_id).where(Interaction.customer_id == customer_id)
    there = (Recording.deleted_at.is_(None), Recording.path.is_not(None), Recording.legal_hold.is_(False))
    waiting = (Recording.erase_at.is_not(None), *there)
    return await session.scalar(select(func.count()).where(Recording.contact_id.in_(contacts), *waiting)) or 0


async def mark_deleted(session: AsyncSession, recording_ids: Collection[str], *, now: datetime) -> None:
    """The files are gone, and what was written down of them; the rows tell so, and the receipts of erasures that had to
    leave one."""
    ids = sorted(recording_ids)
    await settle(session, ids, now=now)
    await delete_with_recordings(session, ids)
    for start in range(0, len(ids), _KEYS_IN_A_QUERY):
        portion = ids[start : start + _KEYS_IN_A_QUERY]
        gone = update(Recording).where(Recording.recording_id.in_(portion))
        await session.execute(gone.values(deleted_at=now, path=None, sha256=None))
    if ids:
        note(session, "expire", "recording", str(len(ids)))


async def release_of(session: AsyncSession, customer_ids: Sequence[int], *, now: datetime) -> tuple[int, list[str]]:
    """The recordings of erased people are to be deleted, those on legal hold once it is lifted; how many can go now,
    and the ids of those that are held."""
    contacts = select(Interaction.contact_id).where(Interaction.customer_id.in_(customer_ids))
    theirs = (Recording.contact_id.in_(contacts), Recording.deleted_at.is_(None))
    found = (await session.execute(select(Recording.recording_id, Recording.legal_hold).where(*theirs))).all()
    await session.execute(update(Recording).where(*theirs, Recording.erase_at.is_(None)).values(erase_at=now))
    held = sorted(row.recording_id for row in found if row.legal_hold)
    return len(found) - len(held), held


def log_listening(session: AsyncSession, recording_id: str) -> None:
    """Put into the audit log that the person of this session listens to a recording."""
    note(session, "listen", "recording", recording_id)


async def _row(session: AsyncSession, contact_id: str, recording_id: str) -> Recording:
    query = select(Recording).where(Recording.recording_id == recording_id, Recording.contact_id == contact_id)
    row = await session.scalar(query)
    if row is None:
        raise RecordingNotFound("this contact has no such recording", where="path.recording_id")
    return row


def _told(record: RecordingRecord) -> dict[str, Any]:
    if isinstance(record, RecordingStartRecord):
        return {
            "recording_id": record.recording_id,
            "contact_id": record.contact_id,
            "started_at": record.started_at,
            "agent_id": record.agent_id,
            "agent_name": record.agent_name,
            "queue_id": record.queue_id,
            "retention": record.retention,
            "announced": record.announced,
            "journal_seq": record.journal_seq,
        }
    return {
        "recording_id": record.recording_id,
        "contact_id": record.contact_id,
        "stored_at": record.stored_at,
        "path": record.path or None,
        "sha256": record.sha256 or None,
        "duration_ms": record.duration_ms,
        "truncated": record.truncated,
        "pauses": [list(pause) for pause in record.pauses],
        "journal_seq": record.journal_seq,
    }


def _view(row: Recording) -> RecordingView:
    if row.deleted_at is not None:
        state = "deleted"
    elif row.stored_at is None:
        state = "recording"
    else:
        state = "stored" if row.path else "lost"
    return RecordingView(
        recording_id=row.recording_id,
        contact_id=row.contact_id,
        state=state,
        started_at=row.started_at,
        agent_id=row.agent_id,
        agent_name=row.agent_name,
        queue_id=row.queue_id,
        retention=row.retention,
        announced=row.announced,
        duration_ms=row.duration_ms,
        truncated=row.truncated,
        pauses=tuple((start, end) for start, end in row.pauses),
        sha256=row.sha256,
        path=row.path,
        legal_hold=row.legal_hold,
        hold_reason=row.hold_reason,
        deleted_at=row.deleted_at,
    )
