"""What was promised to customers, and the bytes of the files that are kept about them."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, LargeBinary, text
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
from crm_bridge.models.customer import one_of
from crm_bridge.vocabulary import PromiseState

_IS_OPEN = text("state = 'open'")


class Promise(Identified, TenantOwned, Stamped, Base):
    """Something a customer was promised: what, until when, and who is to keep it. A person says whether it was kept."""

    __tablename__ = "promise"
    __table_args__ = (
        one_of("state", PromiseState),
        Index(None, "customer_id", "due_at"),
        Index(
            "ix_promise_open_due_at_id",
            "tenant_id",
            "due_at",
            "id",
            sqlite_where=_IS_OPEN,
            postgresql_where=_IS_OPEN,
        ),
    )

    customer_id: Mapped[int] = mapped_column(BIG_INT, ForeignKey("customer.id", ondelete="RESTRICT"))
    what: Mapped[str] = mapped_column(CleanText)
    due_at: Mapped[datetime] = mapped_column(UtcDateTime)
    assignee_id: Mapped[str] = mapped_column(CleanText)
    """Who is to keep it."""
    state: Mapped[PromiseState] = mapped_column(EnumText(PromiseState), default=PromiseState.OPEN)
    promised_at: Mapped[datetime] = mapped_column(UtcDateTime)
    promised_by: Mapped[str] = mapped_column(CleanText)
    contact_id: Mapped[str | None] = mapped_column(CleanText)
    """The contact in which it was promised."""
    settled_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    settled_by: Mapped[str | None] = mapped_column(CleanText)
    outcome: Mapped[str | None] = mapped_column(CleanText)
    """A word about how it was kept, or why not."""


class AttachmentContent(Base):
    """The bytes of an attachment that the store keeps itself, so that a backup and an erasure have them too."""

    __tablename__ = "attachment_content"

    attachment_id: Mapped[int] = mapped_column(
        BIG_INT, ForeignKey("attachment.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    content: Mapped[bytes] = mapped_column(LargeBinary)
