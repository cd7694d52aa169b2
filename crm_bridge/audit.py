"""The audit log: every change of a record, who made it, chained by hashes.

Nobody has to remember to write it. The session collects what it inserts, changes and deletes, and appends it to the
chain in the same transaction, just before the commit. The projection of the journal writes past the session and is not
audited: its audit log is the journal.
"""

import hashlib
import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import event, insert, inspect, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session

from crm_bridge.models import AuditEntry, AuditHead
from crm_bridge.models.base import DEFAULT_TENANT, Base, to_micros, utc_now

ASKING = "asking"
"""Where a session holds the person in whose name it works."""
NOBODY = "system"
GENESIS = "0" * 64

_CHANGES = "changes_to_audit"
_NOT_AUDITED = frozenset(
    {
        "audit_entry", "audit_head", "contact_parent", "ended_session", "idempotency_key", "interaction",
        "journal_erasure", "phone_lookup", "projection_cursor", "search_text", "store_secret", "timeline_event",
        "voicemail", "wrap_up",
    }
)  # fmt: skip
_BOOKKEEPING = frozenset({"created_at", "updated_at", "row_version", "tenant_id"})
_PORTION = 1000


class AuditedSession(Session):
    """A session whose changes are in the audit log when they are in the store."""


def note(session: AsyncSession, action: str, table_name: str, row_key: str, fields: Sequence[str] = ()) -> None:
    """Audit something that is no change of a row this session makes: an import, an export, a bulk change."""
    session.info.setdefault(_CHANGES, []).append((action, table_name, row_key, sorted(fields)))


async def entries(
    session: AsyncSession,
    *,
    before: int | None,
    limit: int,
    table_name: str | None = None,
    row_key: str | None = None,
    actor_id: str | None = None,
) -> Sequence[AuditEntry]:
    """The log, the latest first, from before a sequence number; of one table, one row or one person where asked."""
    query = select(AuditEntry).order_by(AuditEntry.seq.desc()).limit(limit)
    for column, value in (
        (AuditEntry.table_name, table_name),
        (AuditEntry.row_key, row_key),
        (AuditEntry.actor_id, actor_id),
    ):
        query = query if value is None else query.where(column == value)
    if before is not None:
        query = query.where(AuditEntry.seq < before)
    return (await session.scalars(query)).all()


async def first_broken(session: AsyncSession) -> int | None:
    """Walk along the whole chain; the sequence number at which it does not fit, ``None`` when all of it does."""
    expected, prev_hash = 1, GENESIS
    while True:
        rows = (
            await session.scalars(
                select(AuditEntry).where(AuditEntry.seq >= expected).order_by(AuditEntry.seq).limit(_PORTION)
            )
        ).all()
        for row in rows:
            change = (row.action, row.table_name, row.row_key, list(row.fields))
            told = _hash(prev_hash, row.seq, row.at, row.actor_id, change)
            if row.seq != expected or row.prev_hash != prev_hash or row.hash != told:
                return expected
            expected, prev_hash = row.seq + 1, row.hash
        session.expunge_all()
        if len(rows) < _PORTION:
            break
    head = await session.get(AuditHead, 1)
    return None if head is None or (head.seq, head.hash) == (expected - 1, prev_hash) else expected


@event.listens_for(AuditedSession, "after_flush")
def _collect(session: Session, _context: object) -> None:
    changes = session.info.setdefault(_CHANGES, [])
    for action, rows in (("insert", session.new), ("update", session.dirty), ("delete", session.deleted)):
        for row in rows:
            if isinstance(row, Base) and row.__tablename__ not in _NOT_AUDITED:
                fields = _changed(row) if action == "update" else []
                if fields or action != "update":
                    changes.append((action, row.__tablename__, _key(row), fields))


@event.listens_for(AuditedSession, "before_commit")
def _append(session: Session) -> None:
    session.flush()
    changes = session.info.pop(_CHANGES, [])
    if not changes:
        return
    actor_id = str(getattr(session.info.get(ASKING), "user_id", NOBODY))
    head = _hold_head(session)
    seq, prev_hash, now = head.seq, head.hash, utc_now()
    rows = []
    for change in changes:
        seq += 1
        told = _hash(prev_hash, seq, now, actor_id, change)
        action, table_name, row_key, fields = change
        rows.append(
            {
                "seq": seq,
                "tenant_id": DEFAULT_TENANT,
                "at": now,
                "actor_id": actor_id,
                "action": action,
                "table_name": table_name,
                "row_key": row_key,
                "fields": fields,
                "prev_hash": prev_hash,
                "hash": told,
            }
        )
        prev_hash = told
    session.execute(insert(Base.metadata.tables["audit_entry"]), rows)
    session.execute(update(AuditHead).where(AuditHead.id == 1).values(seq=seq, hash=prev_hash))


@event.listens_for(AuditedSession, "after_rollback")
def _forget(session: Session) -> None:
    session.info.pop(_CHANGES, None)


def _hold_head(session: Session) -> Any:
    """The end of the chain, locked until the commit; made when the chain begins."""
    query = select(AuditHead.seq, AuditHead.hash).where(AuditHead.id == 1).with_for_update()
    head = session.execute(query).one_or_none()
    if head is None:
        dialect = session.get_bind().dialect.name
        begin = (sqlite if dialect == "sqlite" else postgresql).insert(AuditHead)
        session.execute(begin.values(id=1, seq=0, hash=GENESIS).on_conflict_do_nothing())
        head = session.execute(query).one()
    return head


def _changed(row: Base) -> list[str]:
    state = inspect(row)
    return sorted(
        attribute.key
        for attribute in state.mapper.column_attrs
        if attribute.key not in _BOOKKEEPING and state.attrs[attribute.key].history.has_changes()
    )


def _key(row: Base) -> str:
    """The row's id; of a row with several keys the customer's alone, for the others may be personal (a tag)."""
    return str(inspect(type(row)).primary_key_from_instance(row)[0])


def _hash(prev_hash: str, seq: int, at: datetime, actor_id: str, change: Any) -> str:
    told = json.dumps([prev_hash, seq, to_micros(at), actor_id, *change], ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(told.encode()).hexdigest()
