"""Messages that callers left, to be worked."""

from datetime import datetime

from sqlalchemy import Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from crm_bridge.models.base import BIG_INT, Base, CleanText, Identified, Stamped, TenantOwned, UtcDateTime


class Voicemail(Identified, TenantOwned, Stamped, Base):
    """One message: what is heard in it is its ``Recording``. A projection of the journal."""

    __tablename__ = "voicemail"
    __table_args__ = (UniqueConstraint("recording_id"), Index("ix_voicemail_worked_at_left_at", "worked_at", "left_at"))

    recording_id: Mapped[str] = mapped_column(CleanText)
    contact_id: Mapped[str] = mapped_column(CleanText)
    box: Mapped[str] = mapped_column(CleanText)
    """A queue's or an agent's id."""
    caller: Mapped[str] = mapped_column(CleanText)
    caller_name: Mapped[str] = mapped_column(CleanText)
    language: Mapped[str] = mapped_column(CleanText)
    left_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    worked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """When somebody dealt with it; ``None`` while it waits."""
    worked_by: Mapped[str | None] = mapped_column(CleanText)
    journal_seq: Mapped[int] = mapped_column(BIG_INT)
