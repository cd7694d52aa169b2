"""What was said in a conversation, written down."""

from datetime import datetime
from typing import Any

from sqlalchemy import Text, UniqueConstraint
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
from crm_bridge.vocabulary import TranscriptState


class Transcript(Identified, TenantOwned, Stamped, Base):
    """The words of one recording, or (``recording_id`` is empty) of a whole contact; or why there are none yet.

    Goes with its recording. Not bound to its interaction by the database, which may come later.
    """

    __tablename__ = "transcript"
    __table_args__ = (one_of("state", TranscriptState), UniqueConstraint("contact_id", "recording_id"))

    contact_id: Mapped[str] = mapped_column(CleanText)
    recording_id: Mapped[str] = mapped_column(Text, index=True)
    state: Mapped[TranscriptState] = mapped_column(EnumText(TranscriptState))
    language: Mapped[str | None] = mapped_column(CleanText)
    source: Mapped[str] = mapped_column(CleanText)
    """The engine and its version, or who brought it."""
    segments: Mapped[Any] = mapped_column(JsonValue)
    """``{"start_ms", "end_ms", "party", "text"}`` in the order they were said."""
    words: Mapped[str] = mapped_column(CleanText)
    """All of the text as it is searched: one width, no case, single spaces."""
    made_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    attempts: Mapped[int] = mapped_column(BIG_INT, default=0)
    retry_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    error: Mapped[str | None] = mapped_column(CleanText)
    version: Mapped[int] = mapped_column(BIG_INT, default=1)
