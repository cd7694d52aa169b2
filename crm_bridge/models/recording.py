"""Recordings of conversations, as people find them: the audio itself lies elsewhere."""

from datetime import datetime
from typing import Any

from sqlalchemy import Boolean, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from crm_bridge.models.base import (
    BIG_INT,
    Base,
    CleanText,
    Identified,
    JsonValue,
    Stamped,
    TenantOwned,
    UtcDateTime,
)


class Recording(Identified, TenantOwned, Stamped, Base):
    """One recording: made, on disk, and some day deleted. A projection of the journal but for the last five columns.

    Not bound to its interaction by the database, because it may be known before. ``pauses`` are pairs of milliseconds
    from the start.
    """

    __tablename__ = "recording"
    __table_args__ = (
        UniqueConstraint("recording_id"),
        Index("ix_recording_contact_id", "contact_id", "started_at"),
        Index("ix_recording_started_at_id", "started_at", "id"),
        Index("ix_recording_stored_at_id", "stored_at", "id"),
    )

    recording_id: Mapped[str] = mapped_column(CleanText)
    contact_id: Mapped[str] = mapped_column(CleanText)
    started_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    agent_id: Mapped[str | None] = mapped_column(CleanText)
    agent_name: Mapped[str | None] = mapped_column(CleanText)
    queue_id: Mapped[str | None] = mapped_column(CleanText)
    retention: Mapped[str | None] = mapped_column(CleanText)
    announced: Mapped[bool | None] = mapped_column(Boolean)
    """Whether the customer was told before."""
    stored_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """When the file was closed; ``None`` while it is being made."""
    path: Mapped[str | None] = mapped_column(CleanText)
    sha256: Mapped[str | None] = mapped_column(CleanText)
    duration_ms: Mapped[int | None] = mapped_column(BIG_INT)
    truncated: Mapped[str | None] = mapped_column(CleanText)
    pauses: Mapped[Any] = mapped_column(JsonValue)
    journal_seq: Mapped[int] = mapped_column(BIG_INT)
    legal_hold: Mapped[bool] = mapped_column(Boolean, default=False)
    hold_reason: Mapped[str | None] = mapped_column(CleanText)
    erase_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """Since when it is to be deleted because its person is erased, whatever its class says."""
    deleted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """When the file was deleted; the row stays, to tell that there was one."""
