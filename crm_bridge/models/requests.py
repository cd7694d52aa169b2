"""Erasures that were carried out, how long things are kept, and imports that can be taken back."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, Integer
from sqlalchemy.orm import Mapped, mapped_column

from crm_bridge.models.base import (
    BIG_INT,
    Base,
    CleanText,
    EnumText,
    Identified,
    JsonValue,
    Stamped,
    TenantOwned,
    UtcDateTime,
)
from crm_bridge.models.customer import one_of
from crm_bridge.vocabulary import ImportState


class ErasureReceipt(Identified, TenantOwned, Base):
    """What was erased, counted by table, and the store's signature over it. Nothing in it is personal."""

    __tablename__ = "erasure_receipt"
    __table_args__ = (Index(None, "customer_id"),)

    customer_id: Mapped[int] = mapped_column(BIG_INT)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    actor_id: Mapped[str | None] = mapped_column(CleanText)
    legal_basis: Mapped[str] = mapped_column(CleanText)
    erased: Mapped[dict[str, Any]] = mapped_column(JsonValue)
    signature: Mapped[str] = mapped_column(CleanText)


class HeldErasure(Base):
    """A recording that an erasure had to leave because of a legal hold; signed once it is gone, too."""

    __tablename__ = "held_erasure"
    __table_args__ = (Index(None, "receipt_id"),)

    recording_id: Mapped[str] = mapped_column(CleanText, primary_key=True)
    receipt_id: Mapped[int] = mapped_column(BIG_INT)
    erased_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    signature: Mapped[str | None] = mapped_column(CleanText)


class JournalErasure(Base):
    """A call whose entries in the exchange's journal are still to be blanked. Gone when they are."""

    __tablename__ = "journal_erasure"
    __table_args__ = (Index(None, "customer_id"),)

    call_id: Mapped[str] = mapped_column(CleanText, primary_key=True)
    customer_id: Mapped[int | None] = mapped_column(BIG_INT)
    """Who was erased; nobody when only the number of an unknown caller has come to its time."""
    requested_at: Mapped[datetime] = mapped_column(UtcDateTime)


class RetentionRule(TenantOwned, Stamped, Base):
    """How many days things of a class are kept; without a rule, for ever."""

    __tablename__ = "retention_rule"

    data_class: Mapped[str] = mapped_column(CleanText, primary_key=True)
    days: Mapped[int] = mapped_column(Integer)


class MaintenanceRun(Identified, TenantOwned, Base):
    """One daily run that came to its end, and what it did."""

    __tablename__ = "maintenance_run"
    __table_args__ = (Index(None, "at"),)

    at: Mapped[datetime] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime] = mapped_column(UtcDateTime)
    report: Mapped[dict[str, Any]] = mapped_column(JsonValue)


class ImportJob(Identified, TenantOwned, Stamped, Base):
    """One file that was imported."""

    __tablename__ = "import_job"
    __table_args__ = (one_of("state", ImportState),)

    file_name: Mapped[str] = mapped_column(CleanText)
    state: Mapped[ImportState] = mapped_column(EnumText(ImportState))
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    actor_id: Mapped[str | None] = mapped_column(CleanText)
    report: Mapped[dict[str, Any]] = mapped_column(JsonValue)


class ImportedCustomer(Base):
    """A customer that an import has made, and at which version: one that was edited since is not taken back."""

    __tablename__ = "imported_customer"
    __table_args__ = (Index(None, "customer_id"), {"sqlite_with_rowid": False})

    job_id: Mapped[int] = mapped_column(
        BIG_INT, ForeignKey("import_job.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    customer_id: Mapped[int] = mapped_column(
        BIG_INT, ForeignKey("customer.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
