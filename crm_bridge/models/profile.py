"""What a customer record knows beside name and numbers. Kept off the ``customer`` row, which must stay small: it is
read for every ringing phone, and millions of them are never edited."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import Date, ForeignKey, Index, Integer, UniqueConstraint, text
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
    TextList,
    UtcDateTime,
)
from crm_bridge.models.customer import one_of
from crm_bridge.vocabulary import DataClass, FieldGroup, FieldType, PartyKind, PreferenceKind, PreferenceSource


class CustomerProfile(Stamped, Base):
    """The rest of the record, one row for each customer that somebody has edited. ``custom`` holds custom fields."""

    __tablename__ = "customer_profile"
    __table_args__ = (one_of("party_kind", PartyKind), Index(None, "owner_id"), Index(None, "parent_id"))

    customer_id: Mapped[int] = mapped_column(
        BIG_INT, ForeignKey("customer.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    party_kind: Mapped[PartyKind] = mapped_column(EnumText(PartyKind), default=PartyKind.EXTERNAL)
    lifecycle_stage: Mapped[str | None] = mapped_column(CleanText)
    family_name: Mapped[str | None] = mapped_column(CleanText)
    given_name: Mapped[str | None] = mapped_column(CleanText)
    gender: Mapped[str | None] = mapped_column(CleanText)
    birth_date: Mapped[date | None] = mapped_column(Date)
    occupation: Mapped[str | None] = mapped_column(CleanText)
    timezone: Mapped[str | None] = mapped_column(CleanText)
    """IANA name, such as ``Asia/Shanghai``."""
    region_code: Mapped[str | None] = mapped_column(CleanText)
    address: Mapped[str | None] = mapped_column(CleanText)
    legal_name: Mapped[str | None] = mapped_column(CleanText)
    tax_number: Mapped[str | None] = mapped_column(CleanText)
    industry: Mapped[str | None] = mapped_column(CleanText)
    parent_id: Mapped[int | None] = mapped_column(BIG_INT, ForeignKey("customer.id", ondelete="SET NULL"))
    """The organisation above this one."""
    owner_id: Mapped[str | None] = mapped_column(CleanText)
    team_id: Mapped[str | None] = mapped_column(CleanText)
    level_is_manual: Mapped[bool] = mapped_column(default=False)
    """Whether a person chose the level, so that rules leave it alone."""
    custom: Mapped[dict[str, Any]] = mapped_column(JsonValue, default=dict)


class CustomerChange(Identified, TenantOwned, Base):
    """One field of one customer, before and after. Values are JSON texts; erased with the customer."""

    __tablename__ = "customer_change"
    __table_args__ = (Index(None, "customer_id", "field", "id"),)

    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id", ondelete="CASCADE"))
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    actor_id: Mapped[str | None] = mapped_column(CleanText)
    field: Mapped[str] = mapped_column(CleanText)
    old_value: Mapped[str | None] = mapped_column(CleanText)
    new_value: Mapped[str | None] = mapped_column(CleanText)
    reason: Mapped[str | None] = mapped_column(CleanText)
    source: Mapped[str | None] = mapped_column(CleanText)
    """``self`` where the customer entered it; of everything else the actor and the instant tell."""


class Ownership(Identified, TenantOwned, Stamped, Base):
    """Who looks after the customer in one line of business; at most one at a time."""

    __tablename__ = "ownership"
    __table_args__ = (
        Index(
            "uq_ownership_active",
            "customer_id",
            "line_of_business",
            unique=True,
            sqlite_where=text("until_at IS NULL"),
            postgresql_where=text("until_at IS NULL"),
        ),
        Index(None, "user_id"),
    )

    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id", ondelete="CASCADE"))
    line_of_business: Mapped[str] = mapped_column(CleanText)
    user_id: Mapped[str] = mapped_column(CleanText)
    since_at: Mapped[datetime] = mapped_column(UtcDateTime)
    until_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    reason: Mapped[str] = mapped_column(CleanText)
    """Why it began: ``claim``, ``take-over``, ``offboarding``, or somebody's own words."""
    end_reason: Mapped[str | None] = mapped_column(CleanText, sort_order=95)
    """Why it ended: ``release``, ``take-over``, ``offboarding``, or somebody's own words."""


class ContactPreference(Identified, TenantOwned, Stamped, Base):
    """How the customer likes to be reached for a purpose: rank 1 first. Minutes count from local midnight."""

    __tablename__ = "contact_preference"
    __table_args__ = (UniqueConstraint("customer_id", "purpose", "channel"),)

    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id", ondelete="CASCADE"))
    purpose: Mapped[str] = mapped_column(CleanText)
    channel: Mapped[str] = mapped_column(CleanText)
    rank: Mapped[int] = mapped_column(Integer)
    language: Mapped[str | None] = mapped_column(CleanText)
    from_minute: Mapped[int | None] = mapped_column(Integer)
    to_minute: Mapped[int | None] = mapped_column(Integer)
    weekdays: Mapped[list[str]] = mapped_column(TextList, default=list)
    """``mon`` to ``sun``; empty means every day."""
    source: Mapped[str | None] = mapped_column(CleanText, sort_order=95)
    """Where it is known from; nothing for what was entered before that was asked."""
    noted_at: Mapped[datetime | None] = mapped_column(UtcDateTime, sort_order=96)


class PersonalPreference(Identified, TenantOwned, Stamped, Base):
    """Something to remember about a customer's taste: a hobby, a present that pleased, how and when they like to be
    spoken to. With where it is known from, and since when."""

    __tablename__ = "personal_preference"
    __table_args__ = (
        one_of("kind", PreferenceKind),
        one_of("source", PreferenceSource),
        UniqueConstraint("customer_id", "kind", "value"),
    )

    customer_id: Mapped[int] = mapped_column(BIG_INT, ForeignKey("customer.id", ondelete="CASCADE"))
    kind: Mapped[PreferenceKind] = mapped_column(EnumText(PreferenceKind))
    value: Mapped[str] = mapped_column(CleanText)
    source: Mapped[PreferenceSource] = mapped_column(EnumText(PreferenceSource))
    noted_at: Mapped[datetime] = mapped_column(UtcDateTime)
    noted_by: Mapped[str | None] = mapped_column(CleanText)


class Relation(Identified, TenantOwned, Stamped, Base):
    """Two customers who have to do with each other: ``from_id`` works for, is married to, has referred … ``to_id``."""

    __tablename__ = "party_relationship"
    __table_args__ = (UniqueConstraint("from_id", "to_id", "type"), Index(None, "to_id"))

    from_id: Mapped[int] = mapped_column(ForeignKey("customer.id", ondelete="CASCADE"))
    to_id: Mapped[int] = mapped_column(ForeignKey("customer.id", ondelete="CASCADE"))
    type: Mapped[str] = mapped_column(CleanText)
    note: Mapped[str | None] = mapped_column(CleanText)


class CustomerTag(TenantOwned, Base):
    """A word on a customer; with an expiry when it must not stay for ever."""

    __tablename__ = "customer_tag"
    __table_args__ = (Index(None, "tenant_id", "tag", "customer_id"),)

    customer_id: Mapped[int] = mapped_column(
        BIG_INT, ForeignKey("customer.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    tag: Mapped[str] = mapped_column(CleanText, primary_key=True)
    added_at: Mapped[datetime] = mapped_column(UtcDateTime)
    added_by: Mapped[str | None] = mapped_column(CleanText)
    expires_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class ExternalIdentity(Identified, TenantOwned, Stamped, Base):
    """The customer's name elsewhere: a member number, a messaging id, the key in another system."""

    __tablename__ = "external_identity"
    __table_args__ = (UniqueConstraint("tenant_id", "provider", "external_id"), Index(None, "customer_id"))

    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id", ondelete="CASCADE"))
    provider: Mapped[str] = mapped_column(CleanText)
    external_id: Mapped[str] = mapped_column(CleanText)


class Attachment(Identified, TenantOwned, Stamped, Base):
    """A file about a customer. The bytes lie elsewhere, under ``storage_key``, which is made by us and never typed."""

    __tablename__ = "attachment"
    __table_args__ = (Index(None, "customer_id"),)

    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id", ondelete="RESTRICT"))
    file_name: Mapped[str] = mapped_column(CleanText)
    media_type: Mapped[str] = mapped_column(CleanText)
    size_bytes: Mapped[int] = mapped_column(BIG_INT)
    sha256: Mapped[str] = mapped_column(CleanText)
    storage_key: Mapped[str] = mapped_column(CleanText)
    author_id: Mapped[str | None] = mapped_column(CleanText)


class CustomField(TenantOwned, Stamped, Base):
    """A field that this installation has added to its customers."""

    __tablename__ = "custom_field"
    __table_args__ = (
        one_of("type", FieldType),
        one_of("field_group", FieldGroup),
        one_of("data_class", DataClass),
    )

    code: Mapped[str] = mapped_column(CleanText, primary_key=True)
    label: Mapped[str] = mapped_column(CleanText)
    type: Mapped[FieldType] = mapped_column(EnumText(FieldType))
    field_group: Mapped[FieldGroup] = mapped_column(EnumText(FieldGroup))
    data_class: Mapped[DataClass] = mapped_column(EnumText(DataClass))
    is_required: Mapped[bool] = mapped_column(default=False)
    options: Mapped[list[str]] = mapped_column(TextList, default=list)
    minimum: Mapped[str | None] = mapped_column(CleanText)
    maximum: Mapped[str | None] = mapped_column(CleanText)
    purpose: Mapped[str | None] = mapped_column(CleanText)


class CustomerLevel(TenantOwned, Stamped, Base):
    """A level with its badge, and the rule by which customers get it; without a rule only people give it."""

    __tablename__ = "customer_level"

    code: Mapped[str] = mapped_column(CleanText, primary_key=True)
    name: Mapped[str] = mapped_column(CleanText)
    rank: Mapped[int] = mapped_column(Integer)
    colour: Mapped[str] = mapped_column(CleanText)
    rule: Mapped[list[dict[str, Any]] | None] = mapped_column(JsonValue)
