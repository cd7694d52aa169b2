"""The projection of the journal into the store: interactions and wrap-ups, written in any order, any number of times.

``journal_seq`` decides: an entry that is not newer than what the row stands at changes nothing. A batch of entries and
the cursor that says how far the batch reached are written in one transaction by the caller.
"""

from datetime import datetime

from sqlalchemy import bindparam, select
from sqlalchemy.ext.asyncio import AsyncSession

from crm_bridge.backfill import MAX_BACKFILL, backfill
from crm_bridge.batches import record_batch
from crm_bridge.models import ProjectionCursor
from crm_bridge.models.base import utc_now
from crm_bridge.ready_queries import Asked, ReadyQuery
from crm_bridge.records import (
    InteractionRecord,
    LineQualityRecord,
    Record,
    RecordingStartRecord,
    RecordingStoredRecord,
    SurveyRecord,
    VoicemailMovedRecord,
    VoicemailRecord,
    VoicemailWorkedRecord,
    WrapUpRecord,
)
from crm_bridge.row_writing import Upsert

__all__ = [
    "MAX_BACKFILL",
    "InteractionRecord",
    "LineQualityRecord",
    "Record",
    "RecordingStartRecord",
    "RecordingStoredRecord",
    "SurveyRecord",
    "VoicemailMovedRecord",
    "VoicemailRecord",
    "VoicemailWorkedRecord",
    "WrapUpRecord",
    "backfill",
    "complete_wrap_up",
    "get_cursor",
    "record",
    "record_batch",
    "set_cursor",
]


async def record(
    session: AsyncSession,
    record: InteractionRecord,
    *,
    region: str | None,
    own_numbers: frozenset[str] = frozenset(),
) -> int:
    """Write one interaction; ``record_batch`` of one. Returns the interaction's id."""
    ids = await record_batch(session, [record], region=region, own_numbers=own_numbers)
    return ids[record.contact_id]


async def complete_wrap_up(
    session: AsyncSession, contact_id: str, disposition: str, notes: str, wrapped_up_at: datetime, journal_seq: int
) -> None:
    """Write what the agent said afterwards. May come before the interaction itself."""
    wrap_up = WrapUpRecord(
        contact_id=contact_id,
        disposition=disposition,
        notes=notes,
        wrapped_up_at=wrapped_up_at,
        journal_seq=journal_seq,
    )
    await record_batch(session, [wrap_up], region=None)


async def get_cursor(session: Asked, name: str) -> int:
    """The last journal entry this reader has written; 0 when it has not begun."""
    rows = await _CURSOR.rows(session, name=name)
    return int(rows[0][0]) if rows else 0


async def set_cursor(session: AsyncSession, name: str, seq: int) -> None:
    """Remember how far this reader has come. Never goes back."""
    now = utc_now()
    await _CURSORS.write(session, [{"name": name, "seq": seq, "created_at": now, "updated_at": now}])


_CURSOR = ReadyQuery(select(ProjectionCursor.seq).where(ProjectionCursor.name == bindparam("name")))
_CURSORS = Upsert(
    ProjectionCursor,
    ("name", "seq", "created_at", "updated_at"),
    key=("name",),
    changes=("seq", "updated_at"),
    newer="seq",
)
