"""What customers have agreed to, who must not be contacted, and who has looked at what is sensitive."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index
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
from crm_bridge.vocabulary import ConsentStatus


class Consent(Identified, TenantOwned, Base):
    """One thing a customer said about being contacted. Append-only: the newest that applies counts.

    ``value_norm`` names one number or address; without it, all of the channel are meant.
    """

    __tablename__ = "consent"
    __table_args__ = (one_of("status", ConsentStatus), Index(None, "customer_id", "id"))

    customer_id: Mapped[int] = mapped_column(BIG_INT, ForeignKey("customer.id", ondelete="CASCADE"))
    value_norm: Mapped[str | None] = mapped_column(CleanText)
    channel: Mapped[str] = mapped_column(CleanText)
    purpose: Mapped[str] = mapped_column(CleanText)
    status: Mapped[ConsentStatus] = mapped_column(EnumText(ConsentStatus))
    legal_basis: Mapped[str] = mapped_column(CleanText)
    captured_at: Mapped[datetime] = mapped_column(UtcDateTime)
    until_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    source: Mapped[str] = mapped_column(CleanText)
    evidence: Mapped[str | None] = mapped_column(CleanText)
    actor_id: Mapped[str | None] = mapped_column(CleanText)


class Suppression(Identified, TenantOwned, Stamped, Base):
    """A number or address that is not contacted, whoever it belongs to. It is kept as a keyed digest only, so that it
    outlives the erasure of the person. Without channel or purpose it holds for all of them."""

    __tablename__ = "suppression"
    __table_args__ = (Index(None, "tenant_id", "value_digest"),)

    value_digest: Mapped[str] = mapped_column(CleanText)
    channel: Mapped[str | None] = mapped_column(CleanText)
    purpose: Mapped[str | None] = mapped_column(CleanText)
    reason: Mapped[str] = mapped_column(CleanText)
    source: Mapped[str] = mapped_column(CleanText)
    until_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    actor_id: Mapped[str | None] = mapped_column(CleanText)


class AccessEntry(Identified, TenantOwned, Base):
    """One look at sensitive fields: who, which, what for, on which legal ground. The values are not in it."""

    __tablename__ = "access_entry"
    __table_args__ = (Index(None, "customer_id", "id"),)

    customer_id: Mapped[int] = mapped_column(BIG_INT)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    actor_id: Mapped[str] = mapped_column(CleanText)
    fields: Mapped[list[str]] = mapped_column(TextList)
    purpose: Mapped[str] = mapped_column(CleanText)
    legal_basis: Mapped[str] = mapped_column(CleanText)


class FieldBasis(TenantOwned, Stamped, Base):
    """On which legal ground, and what for, an installation keeps a field of its customers: one of the record's own, or
    ``custom.CODE``."""

    __tablename__ = "field_basis"

    field: Mapped[str] = mapped_column(CleanText, primary_key=True)
    legal_basis: Mapped[str] = mapped_column(CleanText)
    purpose: Mapped[str | None] = mapped_column(CleanText)


class StoreSecret(Stamped, Base):
    """Random keys that this store has made for itself: for digests and for signed receipts."""

    __tablename__ = "store_secret"

    name: Mapped[str] = mapped_column(CleanText, primary_key=True)
    value: Mapped[str] = mapped_column(CleanText)


class LegalHold(Identified, TenantOwned, Base):
    """Somebody ordered that a customer, or one recording, is kept: why, who, since when, and who lifted it when."""

    __tablename__ = "legal_hold"
    __table_args__ = (Index(None, "customer_id"), Index(None, "recording_id"))

    customer_id: Mapped[int | None] = mapped_column(BIG_INT)
    contact_id: Mapped[str | None] = mapped_column(CleanText)
    recording_id: Mapped[str | None] = mapped_column(CleanText)
    reason: Mapped[str] = mapped_column(CleanText)
    held_by: Mapped[str] = mapped_column(CleanText)
    held_at: Mapped[datetime] = mapped_column(UtcDateTime)
    lifted_by: Mapped[str | None] = mapped_column(CleanText)
    lifted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class HoursOverride(Identified, TenantOwned, Base):
    """Somebody took it upon themselves to call a customer in quiet hours. The number is kept as a keyed digest."""

    __tablename__ = "hours_override"
    __table_args__ = (Index(None, "customer_id"),)

    at: Mapped[datetime] = mapped_column(UtcDateTime)
    actor_id: Mapped[str] = mapped_column(CleanText)
    customer_id: Mapped[int | None] = mapped_column(BIG_INT)
    value_digest: Mapped[str] = mapped_column(CleanText)
    against: Mapped[list[str]] = mapped_column(TextList)
    reason: Mapped[str] = mapped_column(CleanText)
