"""Customers and how they can be reached."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import DDL, CheckConstraint, ForeignKey, Index, UniqueConstraint, event, text
from sqlalchemy.orm import Mapped, mapped_column

from crm_bridge.models.base import (
    BIG_INT,
    Base,
    CleanText,
    EnumText,
    Identified,
    Stamped,
    TenantOwned,
    UtcDateTime,
)
from crm_bridge.search_pieces import INDEX as POSTGRESQL_SEARCH_INDEX
from crm_bridge.vocabulary import ContactKind, ContactUsage, CustomerKind, CustomerStatus


def one_of(column: str, values: type[StrEnum]) -> CheckConstraint:
    """A check that holds a column to the values of an enum."""
    allowed = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} IN ({allowed})", name=f"{column}_known")


class Customer(Identified, TenantOwned, Stamped, Base):
    """A person or organisation. ``row_version`` counts edits, so that two people editing at once notice.

    ``last_contact_at`` is a projection of the interactions and does not count as an edit.
    """

    __tablename__ = "customer"
    __table_args__ = (one_of("kind", CustomerKind), one_of("status", CustomerStatus))

    kind: Mapped[CustomerKind] = mapped_column(EnumText(CustomerKind))
    display_name: Mapped[str] = mapped_column(CleanText)
    name_norm: Mapped[str] = mapped_column(CleanText)
    preferred_language: Mapped[str | None] = mapped_column(CleanText)
    level: Mapped[str | None] = mapped_column(CleanText)
    """Code of the customer level, as configured."""
    status: Mapped[CustomerStatus] = mapped_column(EnumText(CustomerStatus), default=CustomerStatus.ACTIVE)
    last_contact_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    row_version: Mapped[int] = mapped_column(BIG_INT, sort_order=92)

    __mapper_args__ = {"version_id_col": row_version}  # noqa: RUF012 - read by SQLAlchemy once, never written


_IS_PRIMARY = text("is_primary")


class ContactPoint(Identified, TenantOwned, Stamped, Base):
    """One number or address of one customer. Several may share one: families and offices do."""

    __tablename__ = "contact_point"
    __table_args__ = (
        one_of("kind", ContactKind),
        one_of("usage", ContactUsage),
        UniqueConstraint("tenant_id", "kind", "value_norm", "customer_id"),
        Index(
            "uq_contact_point_primary",
            "customer_id",
            "kind",
            unique=True,
            sqlite_where=_IS_PRIMARY,
            postgresql_where=_IS_PRIMARY,
        ),
        Index(None, "customer_id"),
    )

    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id", ondelete="CASCADE"))
    kind: Mapped[ContactKind] = mapped_column(EnumText(ContactKind))
    usage: Mapped[ContactUsage] = mapped_column(EnumText(ContactUsage))
    value_raw: Mapped[str] = mapped_column(CleanText)
    """As it was typed."""
    value_norm: Mapped[str] = mapped_column(CleanText)
    """As it is compared: ``+8613912345678``, a short code, or the address in lower case."""
    phone_e164_int: Mapped[int | None] = mapped_column(BIG_INT)
    ext: Mapped[str | None] = mapped_column(CleanText)
    is_primary: Mapped[bool] = mapped_column(default=False)


class PhoneLookup(Base):
    """From a number to its customers, in the one order that answers while a phone rings.

    Written in the transaction of the contact point. ``rank`` 0 is a primary number, 1 any other.
    """

    __tablename__ = "phone_lookup"
    __table_args__ = (Index(None, "customer_id"), {"sqlite_with_rowid": False})

    phone_e164_int: Mapped[int] = mapped_column(BIG_INT, primary_key=True, autoincrement=False)
    tenant_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id", ondelete="CASCADE"), primary_key=True)
    rank: Mapped[int]


class SearchText(Base):
    """The text under which a customer is found; see ``crm_bridge.search_texts``. Only active customers have one."""

    __tablename__ = "search_text"

    customer_id: Mapped[int] = mapped_column(
        BIG_INT, ForeignKey("customer.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    text: Mapped[str] = mapped_column(CleanText)


SQLITE_SEARCH_INDEX = (
    (
        "CREATE VIRTUAL TABLE search_index USING fts5(text, content='search_text', content_rowid='customer_id', "
        "tokenize='trigram', detail='none', columnsize=0)"
    ),
    (
        "CREATE TRIGGER search_text_inserted AFTER INSERT ON search_text BEGIN "
        "INSERT INTO search_index (rowid, text) VALUES (new.customer_id, new.text); END"
    ),
    (
        "CREATE TRIGGER search_text_deleted AFTER DELETE ON search_text BEGIN "
        "INSERT INTO search_index (search_index, rowid, text) VALUES ('delete', old.customer_id, old.text); END"
    ),
    (
        "CREATE TRIGGER search_text_updated AFTER UPDATE ON search_text BEGIN "
        "INSERT INTO search_index (search_index, rowid, text) VALUES ('delete', old.customer_id, old.text); "
        "INSERT INTO search_index (rowid, text) VALUES (new.customer_id, new.text); END"
    ),
)
"""Groups of three characters; the words themselves are in the table only."""
_ddl: Any = DDL  # it has no annotations
for _statement in SQLITE_SEARCH_INDEX:
    event.listen(SearchText.__table__, "after_create", _ddl(_statement).execute_if(dialect="sqlite"))
for _statement in POSTGRESQL_SEARCH_INDEX:
    event.listen(SearchText.__table__, "after_create", _ddl(_statement).execute_if(dialect="postgresql"))
