"""The audit log, append-only and chained, and the keys of requests that must not be done twice."""

from datetime import datetime
from typing import Any

from sqlalchemy import DDL, Index, Integer, UniqueConstraint, event
from sqlalchemy.orm import Mapped, mapped_column

from crm_bridge.models.base import BIG_INT, Base, CleanText, Identified, JsonValue, TenantOwned, TextList, UtcDateTime


class AuditEntry(TenantOwned, Base):
    """One change: who, when, which row, which fields. The values are not in it, so that erasing a person leaves the
    chain whole. ``hash`` covers the entry and the hash of the one before."""

    __tablename__ = "audit_entry"
    __table_args__ = (Index(None, "table_name", "row_key", "seq"),)

    seq: Mapped[int] = mapped_column(BIG_INT, primary_key=True, autoincrement=False)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    actor_id: Mapped[str] = mapped_column(CleanText)
    action: Mapped[str] = mapped_column(CleanText)
    table_name: Mapped[str] = mapped_column(CleanText)
    row_key: Mapped[str] = mapped_column(CleanText)
    fields: Mapped[list[str]] = mapped_column(TextList)
    prev_hash: Mapped[str] = mapped_column(CleanText)
    hash: Mapped[str] = mapped_column(CleanText)


class AuditHead(Base):
    """The end of the chain. Whoever appends holds its row until the commit, so that the chain never forks."""

    __tablename__ = "audit_head"

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    seq: Mapped[int] = mapped_column(BIG_INT)
    hash: Mapped[str] = mapped_column(CleanText)


class IdempotencyKey(Identified, TenantOwned, Base):
    """A request that was carried out, and its answer, which is given again when the request comes again."""

    __tablename__ = "idempotency_key"
    __table_args__ = (UniqueConstraint("actor_id", "key"), Index(None, "at"))

    actor_id: Mapped[str] = mapped_column(CleanText)
    key: Mapped[str] = mapped_column(CleanText)
    fingerprint: Mapped[str] = mapped_column(CleanText)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    status: Mapped[int | None] = mapped_column(Integer)
    answer: Mapped[Any] = mapped_column(JsonValue, nullable=True)


SQLITE_GUARDS = tuple(
    f"CREATE TRIGGER audit_entry_no_{action} BEFORE {action.upper()} ON audit_entry "
    "BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END"
    for action in ("update", "delete")
)
POSTGRESQL_GUARDS = (
    (
        "CREATE FUNCTION refuse_audit_change() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'the audit log is append-only'; END $$"
    ),
    (
        "CREATE TRIGGER audit_entry_append_only BEFORE UPDATE OR DELETE ON audit_entry "
        "FOR EACH ROW EXECUTE FUNCTION refuse_audit_change()"
    ),
)

_ddl: Any = DDL  # it has no annotations
for _statement in SQLITE_GUARDS:
    event.listen(AuditEntry.__table__, "after_create", _ddl(_statement).execute_if(dialect="sqlite"))
for _statement in POSTGRESQL_GUARDS:
    event.listen(AuditEntry.__table__, "after_create", _ddl(_statement).execute_if(dialect="postgresql"))
