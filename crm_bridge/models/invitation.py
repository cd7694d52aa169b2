"""Surveys that the house sends by message: planned with the end of the contact, and how far each has come."""

from datetime import datetime

from sqlalchemy import Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from crm_bridge.models.base import Base, CleanText, EnumText, Identified, Stamped, TenantOwned, UtcDateTime
from crm_bridge.models.customer import one_of
from crm_bridge.vocabulary import InvitationState


class SurveyInvitation(Identified, TenantOwned, Stamped, Base):
    """One contact about which a customer is to be asked. It holds nobody's number: whom it goes to is looked up when it
    is sent, and known afterwards by keyed digests."""

    __tablename__ = "survey_invitation"
    __table_args__ = (
        one_of("state", InvitationState),
        UniqueConstraint("call_id"),
        Index(None, "state", "due_at"),
        Index(None, "person_digest", "asked_at"),
        Index(None, "address_digest", "asked_at"),
    )

    call_id: Mapped[str] = mapped_column(CleanText)
    queue_id: Mapped[str] = mapped_column(CleanText)
    agent_id: Mapped[str] = mapped_column(CleanText)
    kind: Mapped[str] = mapped_column(CleanText)
    state: Mapped[InvitationState] = mapped_column(EnumText(InvitationState))
    due_at: Mapped[datetime] = mapped_column(UtcDateTime)
    give_up_at: Mapped[datetime] = mapped_column(UtcDateTime)
    """Until when it may still be sent."""
    tries: Mapped[int]
    channel: Mapped[str | None] = mapped_column(CleanText)
    reason: Mapped[str | None] = mapped_column(CleanText)
    """Why it was not sent, or not yet."""
    person_digest: Mapped[str | None] = mapped_column(CleanText)
    address_digest: Mapped[str | None] = mapped_column(CleanText)
    asked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """Until when it may be answered."""
