"""Messages in the store: written from the journal, read as work that waits, the oldest first."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Table, case, func, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession

from crm_bridge.ids import new_id
from crm_bridge.keyset import bounded
from crm_bridge.models import Interaction, Recording, Voicemail
from crm_bridge.models.base import DEFAULT_TENANT, utc_now
from crm_bridge.records import VoicemailMovedRecord, VoicemailRecord, VoicemailWorkedRecord

_BEGUN = ("contact_id", "box", "caller", "caller_name", "language", "left_at")
_WORKED = ("worked_at", "worked_by")


@dataclass(frozen=True, slots=True)
class VoicemailView:
    """A message as people work it. ``duration_ms`` is unknown while it is being left."""

    recording_id: str
    contact_id: str
    box: str
    caller: str
    caller_name: str
    language: str
    left_at: datetime
    worked_at: datetime | None
    worked_by: str | None
    duration_ms: int | None
    is_playable: bool
    customer_id: int | None


async def write_voicemails(
    session: AsyncSession, records: Sequence[VoicemailRecord | VoicemailWorkedRecord | VoicemailMovedRecord]
) -> None:
    """Write what the journal tells of messages; in any order, any number of times. Only who works the box in which a
    message lies may hear it, so its recording goes along."""
    begun = [each for each in records if isinstance(each, VoicemailRecord)]
    worked = [each for each in records if isinstance(each, VoicemailWorkedRecord)]
    await _upsert(session, [_begun(each) for each in begun], _BEGUN)
    for each in records:
        if isinstance(each, VoicemailMovedRecord):
            await _move(session, each)
    await _upsert(session, [_worked(each) for each in worked], _WORKED)


async def page_voicemails(
    session: AsyncSession, *, boxes: Collection[str] | None, is_open: bool, limit: int
) -> Sequence[VoicemailView]:
    """Messages of these boxes (``None``: of all): those that wait, the oldest first, else those dealt with last."""
    query = (
        select(Voicemail, Recording.duration_ms, Recording.path, Interaction.customer_id)
        .outerjoin(Recording, Recording.recording_id == Voicemail.recording_id)
        .outerjoin(Interaction, Interaction.contact_id == Voicemail.contact_id)
        .where(Voicemail.tenant_id == DEFAULT_TENANT, Voicemail.left_at.is_not(None))
    )
    if boxes is not None:
        query = query.where(Voicemail.box.in_(sorted(boxes)))
    if is_open:
        query = query.where(Voicemail.worked_at.is_(None)).order_by(Voicemail.left_at, Voicemail.id)
    else:
        query = query.where(Voicemail.worked_at.is_not(None)).order_by(Voicemail.worked_at.desc(), Voicemail.id.desc())
    rows = (await session.execute(query.limit(bounded(limit)))).all()
    return [_view(*row) for row in rows]


async def blank_voicemails(session: AsyncSession, customer_ids: Sequence[int]) -> None:
    """Who it was goes; that a message was left, and when it was dealt with, stays."""
    contacts = select(Interaction.contact_id).where(Interaction.customer_id.in_(customer_ids))
    theirs = update(Voicemail).where(Voicemail.contact_id.in_(contacts))
    await session.execute(theirs.values(caller="", caller_name=""))


async def _move(session: AsyncSession, moved: VoicemailMovedRecord) -> None:
    older = (Voicemail.recording_id == moved.recording_id, Voicemail.journal_seq < moved.journal_seq)
    here = await session.scalar(select(Voicemail.id).where(*older))
    if here is not None:
        later = {"box": moved.box, "journal_seq": moved.journal_seq}
        await session.execute(update(Voicemail).where(Voicemail.id == here).values(later))
        its = update(Recording).where(Recording.recording_id == moved.recording_id)
        await session.execute(its.values(queue_id=moved.box))


def _view(row: Voicemail, duration_ms: int | None, path: str | None, customer_id: int | None) -> VoicemailView:
    return VoicemailView(
        recording_id=row.recording_id,
        contact_id=row.contact_id,
        box=row.box,
        caller=row.caller,
        caller_name=row.caller_name,
        language=row.language,
        left_at=row.left_at or row.created_at,
        worked_at=row.worked_at,
        worked_by=row.worked_by,
        duration_ms=duration_ms,
        is_playable=path is not None,
        customer_id=customer_id,
    )


def _begun(record: VoicemailRecord) -> dict[str, Any]:
    return {
        "recording_id": record.recording_id,
        "contact_id": record.contact_id,
        "box": record.box,
        "caller": record.caller,
        "caller_name": record.caller_name,
        "language": record.language,
        "left_at": record.left_at,
        "journal_seq": record.journal_seq,
    }


def _worked(record: VoicemailWorkedRecord) -> dict[str, Any]:
    return {
        "recording_id": record.recording_id,
        "box": record.box,
        "worked_at": record.worked_at,
        "worked_by": record.worked_by,
        "journal_seq": record.journal_seq,
    }


async def _upsert(session: AsyncSession, told: Sequence[dict[str, Any]], names: Sequence[str]) -> None:
    if not told:
        return
    table: Table = Voicemail.__table__  # type: ignore[assignment]
    is_sqlite = (await session.connection()).dialect.name == "sqlite"
    now = utc_now()
    rest = {
        "tenant_id": DEFAULT_TENANT, "contact_id": "", "caller": "", "caller_name": "", "language": "",
        "created_at": now, "updated_at": now,
    }  # fmt: skip
    upsert = (sqlite if is_sqlite else postgresql).insert(table)
    changes: dict[str, Any] = {name: upsert.excluded[name] for name in (*names, "updated_at")}
    if "box" in changes:  # what is told again must not bring back a message that was moved
        was_moved = (table.c.journal_seq > upsert.excluded.journal_seq) & table.c.left_at.is_not(None)
        changes["box"] = case((was_moved, table.c.box), else_=upsert.excluded.box)
    later = func.max if is_sqlite else func.greatest
    changes["journal_seq"] = later(table.c.journal_seq, upsert.excluded.journal_seq)
    statement = upsert.on_conflict_do_update(index_elements=["recording_id"], set_=changes)
    await session.execute(statement, [{"id": new_id(), **rest, **each} for each in told])
