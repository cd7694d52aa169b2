"""A customer's history in one order, and the notes people write into it."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from crm_bridge.models.base import BIG_INT, Base, CleanText, Identified, Stamped, TenantOwned, UtcDateTime


class TimelineEvent(Identified, TenantOwned, Base):
    """One entry. Append-only; what it points at (``ref_id``) holds the details.

    The only change an entry may see is its customer, when the interaction it points at turns out to be somebody else's.
    """

    __tablename__ = "timeline_event"
    __table_args__ = (
        UniqueConstraint("kind", "ref_id"),
        Index("ix_timeline_event_customer_id_at_id", "customer_id", "at", "id"),
    )

    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id", ondelete="RESTRICT"))
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    kind: Mapped[str] = mapped_column(CleanText)
    ref_id: Mapped[int] = mapped_column(BIG_INT)
    actor_id: Mapped[str | None] = mapped_column(CleanText)
    actor_name: Mapped[str | None] = mapped_column(CleanText)


class Note(Identified, TenantOwned, Stamped, Base):
    """Free text about a customer, by a person."""

    __tablename__ = "note"
    __table_args__ = (Index(None, "customer_id"),)

    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id", ondelete="RESTRICT"))
    body: Mapped[str] = mapped_column(CleanText)
    author_id: Mapped[str] = mapped_column(CleanText)
    author_name: Mapped[str] = mapped_column(CleanText)
