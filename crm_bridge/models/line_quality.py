"""How the lines of calls sounded."""

from datetime import datetime

from sqlalchemy import Boolean, Float, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from crm_bridge.models.base import BIG_INT, Base, CleanText, Identified, Stamped, TenantOwned, UtcDateTime


class LineQuality(Identified, TenantOwned, Stamped, Base):
    """One party's line in a call. A projection of the journal, not bound to an interaction, which may come later.

    ``contact_id`` is the segment the party was in last; a customer's line is that of the whole call.
    """

    __tablename__ = "line_quality"
    __table_args__ = (UniqueConstraint("call_id", "leg"), Index("ix_line_quality_contact_id", "contact_id"))

    call_id: Mapped[str] = mapped_column(CleanText)
    contact_id: Mapped[str] = mapped_column(CleanText)
    leg: Mapped[str] = mapped_column(CleanText)
    role: Mapped[str] = mapped_column(CleanText)
    agent_id: Mapped[str | None] = mapped_column(CleanText)
    agent_name: Mapped[str | None] = mapped_column(CleanText)
    measured_at: Mapped[datetime] = mapped_column(UtcDateTime)
    codec: Mapped[str] = mapped_column(CleanText)
    packets_in: Mapped[int] = mapped_column(BIG_INT)
    packets_lost: Mapped[int] = mapped_column(BIG_INT)
    is_heard: Mapped[bool] = mapped_column(Boolean)
    """Whether anything audible came: one-way audio shows here."""
    jitter_ms: Mapped[float] = mapped_column(Float)
    round_trip_ms: Mapped[float | None] = mapped_column(Float)
    far_loss_percent: Mapped[float | None] = mapped_column(Float)
    mos: Mapped[float | None] = mapped_column(Float)
    worst_mos: Mapped[float | None] = mapped_column(Float)
    worst_loss_percent: Mapped[float | None] = mapped_column(Float)
    journal_seq: Mapped[int] = mapped_column(BIG_INT)
