"""Customers that may be one, merges that can be taken back, and customers whom two people claim."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, UniqueConstraint, text
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
    TextList,
    UtcDateTime,
)
from crm_bridge.models.customer import one_of
from crm_bridge.vocabulary import ClaimState, DuplicateState

_IS_OPEN = text("state = 'open'")


class DuplicateCandidate(Identified, TenantOwned, Stamped, Base):
    """Two customers that may be one; ``a_id`` is the smaller id. ``score`` is in bits, ``signals`` say why."""

    __tablename__ = "duplicate_candidate"
    __table_args__ = (one_of("state", DuplicateState), UniqueConstraint("a_id", "b_id"), Index(None, "state", "score"))

    a_id: Mapped[int] = mapped_column(BIG_INT, ForeignKey("customer.id", ondelete="CASCADE"))
    b_id: Mapped[int] = mapped_column(BIG_INT, ForeignKey("customer.id", ondelete="CASCADE"))
    score: Mapped[float]
    signals: Mapped[dict[str, Any]] = mapped_column(JsonValue)
    state: Mapped[DuplicateState] = mapped_column(EnumText(DuplicateState))
    decided_by: Mapped[str | None] = mapped_column(CleanText)


class Collision(Identified, TenantOwned, Base):
    """Somebody entered a customer who seemed to be there already: who, whose, and what was done about it."""

    __tablename__ = "collision"
    __table_args__ = (Index(None, "existing_id"),)

    at: Mapped[datetime] = mapped_column(UtcDateTime)
    existing_id: Mapped[int] = mapped_column(BIG_INT, ForeignKey("customer.id", ondelete="CASCADE"))
    existing_owner: Mapped[str | None] = mapped_column(CleanText)
    entered_by: Mapped[str | None] = mapped_column(CleanText)
    created_id: Mapped[int | None] = mapped_column(BIG_INT)
    signals: Mapped[list[str]] = mapped_column(TextList)
    outcome: Mapped[str] = mapped_column(CleanText)


class OwnerClaim(Identified, TenantOwned, Base):
    """Somebody claimed a customer whom somebody else looks after: what a team lead is to decide. One open claim of one
    person for one customer and line of business."""

    __tablename__ = "owner_claim"
    __table_args__ = (
        one_of("state", ClaimState),
        Index(
            "uq_owner_claim_open",
            "customer_id",
            "line_of_business",
            "claimant_id",
            unique=True,
            sqlite_where=_IS_OPEN,
            postgresql_where=_IS_OPEN,
        ),
        Index("ix_owner_claim_open_id", "id", sqlite_where=_IS_OPEN, postgresql_where=_IS_OPEN),
    )

    customer_id: Mapped[int] = mapped_column(BIG_INT, ForeignKey("customer.id", ondelete="CASCADE"))
    line_of_business: Mapped[str] = mapped_column(CleanText)
    owner_id: Mapped[str] = mapped_column(CleanText)
    """Who looked after the customer when the claim was made."""
    claimant_id: Mapped[str] = mapped_column(CleanText)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    reason: Mapped[str | None] = mapped_column(CleanText)
    state: Mapped[ClaimState] = mapped_column(EnumText(ClaimState), default=ClaimState.OPEN)
    decided_by: Mapped[str | None] = mapped_column(CleanText)
    decided_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class MergeEvent(Identified, TenantOwned, Base):
    """One customer became part of another."""

    __tablename__ = "merge_event"
    __table_args__ = (Index(None, "merged_id"), Index(None, "survivor_id"))

    survivor_id: Mapped[int] = mapped_column(BIG_INT, ForeignKey("customer.id", ondelete="RESTRICT"))
    merged_id: Mapped[int] = mapped_column(BIG_INT, ForeignKey("customer.id", ondelete="RESTRICT"))
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    actor_id: Mapped[str | None] = mapped_column(CleanText)
    undone_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    undone_by: Mapped[str | None] = mapped_column(CleanText)


class MergeItem(Identified, Base):
    """One value that a merge changed: where, from what, to what. Undoing goes through them backwards."""

    __tablename__ = "merge_item"
    __table_args__ = (Index(None, "merge_id", "id"),)

    merge_id: Mapped[int] = mapped_column(BIG_INT, ForeignKey("merge_event.id", ondelete="CASCADE"))
    table_name: Mapped[str] = mapped_column(CleanText)
    row_key: Mapped[dict[str, Any]] = mapped_column(JsonValue)
    """The row's primary key after the change."""
    column_name: Mapped[str] = mapped_column(CleanText)
    old_value: Mapped[Any] = mapped_column(JsonValue, nullable=True)
    new_value: Mapped[Any] = mapped_column(JsonValue, nullable=True)
