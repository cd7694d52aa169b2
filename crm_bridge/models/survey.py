"""What customers answered when they were asked how it was."""

from datetime import datetime

from sqlalchemy import UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from crm_bridge.models.base import BIG_INT, Base, CleanText, Identified, Stamped, TenantOwned, UtcDateTime


class SurveyResponse(Identified, TenantOwned, Stamped, Base):
    """One call or message whose customer was asked, once. A projection of the journal, not bound to an interaction,
    which may come later: it is that of the call's agent."""

    __tablename__ = "survey_response"
    __table_args__ = (UniqueConstraint("call_id"),)

    call_id: Mapped[str] = mapped_column(CleanText)
    agent_id: Mapped[str] = mapped_column(CleanText)
    """Of whom the customer had spoken with; empty for nobody."""
    kind: Mapped[str] = mapped_column(CleanText)
    """``csat`` or ``nps``."""
    asked_at: Mapped[datetime] = mapped_column(UtcDateTime)
    score: Mapped[int | None] = mapped_column(BIG_INT)
    """1 to 5, or 0 to 10; ``None`` while there is no answer."""
    answered_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    comment: Mapped[str | None] = mapped_column(CleanText, sort_order=95)
    """What the customer said beside the number."""
    journal_seq: Mapped[int] = mapped_column(BIG_INT)
