"""What happened with customers: interactions, their wrap-ups, and how far the journal has been projected."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from crm_bridge.models.base import (
    BIG_INT,
    Base,
    CleanText,
    EnumText,
    Identified,
    Stamped,
    TenantOwned,
    TextList,
    UtcDateTime,
)
from crm_bridge.models.customer import one_of
from crm_bridge.vocabulary import Direction, MatchState

_IS_UNMATCHED = text("customer_id IS NULL")
"""Only those are ever looked for by their number: when it becomes a customer's."""

_IS_LATER_PART = text("contact_id <> call_id")
"""The first part of a call has the call's own id."""


class Interaction(Identified, TenantOwned, Stamped, Base):
    """One contact from its arrival to its end. A projection of the journal: ``journal_seq`` is the entry it stands at.

    Durations are milliseconds. ``party_norm`` is the normal form of the customer's number, empty when there is none to
    match by (withheld, unparsable, one of our own).
    """

    __tablename__ = "interaction"
    __table_args__ = (
        one_of("direction", Direction),
        one_of("match_state", MatchState),
        UniqueConstraint("contact_id"),
        Index("ix_interaction_started_at_id", "tenant_id", "started_at", "id"),
        Index("ix_interaction_customer_id_started_at_id", "customer_id", "started_at", "id"),
        Index(
            "ix_interaction_unmatched",
            "tenant_id",
            "party_norm",
            "started_at",
            sqlite_where=_IS_UNMATCHED,
            postgresql_where=_IS_UNMATCHED,
        ),
        Index("ix_interaction_later_parts", "call_id", sqlite_where=_IS_LATER_PART, postgresql_where=_IS_LATER_PART),
    )

    contact_id: Mapped[str] = mapped_column(CleanText)
    call_id: Mapped[str] = mapped_column(CleanText)
    channel: Mapped[str] = mapped_column(CleanText)
    direction: Mapped[Direction] = mapped_column(EnumText(Direction))
    outcome: Mapped[str] = mapped_column(CleanText)
    started_at: Mapped[datetime] = mapped_column(UtcDateTime)
    answered_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime] = mapped_column(UtcDateTime)
    from_value: Mapped[str] = mapped_column(CleanText)
    from_name: Mapped[str] = mapped_column(CleanText)
    to_value: Mapped[str] = mapped_column(CleanText)
    diverted_from: Mapped[str | None] = mapped_column(CleanText)
    """The number that forwarded the call to us; ``None`` of one that was not forwarded."""
    party_norm: Mapped[str | None] = mapped_column(CleanText)
    customer_id: Mapped[int | None] = mapped_column(ForeignKey("customer.id", ondelete="RESTRICT"))
    match_state: Mapped[MatchState] = mapped_column(EnumText(MatchState))
    queue_id: Mapped[str | None] = mapped_column(CleanText)
    agent_id: Mapped[str | None] = mapped_column(CleanText)
    agent_name: Mapped[str | None] = mapped_column(CleanText)
    language: Mapped[str | None] = mapped_column(CleanText)
    flow_path: Mapped[list[str]] = mapped_column(TextList)
    waited_ms: Mapped[int] = mapped_column(BIG_INT)
    ring_ms: Mapped[int] = mapped_column(BIG_INT)
    talk_ms: Mapped[int] = mapped_column(BIG_INT)
    ended_by: Mapped[str] = mapped_column(CleanText)
    journal_seq: Mapped[int] = mapped_column(BIG_INT)


class ContactParent(TenantOwned, Base):
    """From a contact to the one it came from: the customer was handed on. The parent may have no interaction yet.

    A row of its own: few contacts have a parent, and it may be written before the parent is.
    """

    __tablename__ = "contact_parent"
    __table_args__ = (Index(None, "parent_contact_id"),)

    contact_id: Mapped[str] = mapped_column(CleanText, primary_key=True)
    parent_contact_id: Mapped[str] = mapped_column(CleanText)
    relation: Mapped[str] = mapped_column(CleanText)
    """``transfer``, ``consult``, ``recall`` or ``retrieved``."""


class WrapUp(TenantOwned, Stamped, Base):
    """What the agent said about a contact afterwards. A row of its own, so that it may arrive first."""

    __tablename__ = "wrap_up"

    contact_id: Mapped[str] = mapped_column(CleanText, primary_key=True)
    disposition: Mapped[str] = mapped_column(CleanText)
    notes: Mapped[str] = mapped_column(CleanText)
    wrapped_up_at: Mapped[datetime] = mapped_column(UtcDateTime)
    journal_seq: Mapped[int] = mapped_column(BIG_INT)


class ProjectionCursor(Stamped, Base):
    """How far a reader of the journal has come; committed together with what it wrote."""

    __tablename__ = "projection_cursor"

    name: Mapped[str] = mapped_column(CleanText, primary_key=True)
    seq: Mapped[int] = mapped_column(BIG_INT)
