"""Consents, suppression and sensitive fields on the wire."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import AwareDatetime, BaseModel, Field

from crm_bridge.api.record_schemas import LongText, ShortText
from crm_bridge.api.schemas import Code, ContactValue, Id, In, OptionalId, Out
from crm_bridge.contact_rules import Against
from crm_bridge.vocabulary import ConsentStatus


class ConsentEntryIn(In):
    """Something a customer said. `*` as channel or purpose means all of them."""

    channel: Code
    purpose: Code
    status: ConsentStatus
    legal_basis: Code
    source: ShortText
    value: ContactValue | None = None
    until_at: AwareDatetime | None = None
    evidence: LongText | None = None


class ConsentOut(Out):
    """An entry of the ledger."""

    id: Id
    channel: str
    purpose: str
    status: ConsentStatus
    legal_basis: str
    source: str
    value_norm: str | None
    captured_at: datetime
    until_at: datetime | None
    evidence: str | None
    actor_id: str | None


class ContactabilityOut(Out):
    """The decision. `again_at` is set when waiting is all it takes; `local_times` are where the customer may be."""

    is_allowed: bool
    is_of_the_clock: bool
    reasons: list[Against]
    again_at: datetime | None
    local_times: list[datetime]


class SuppressionIn(In):
    """A number or address that is not to be contacted. Without channel or purpose: by none, for none."""

    value: ContactValue
    channel: Code | None = None
    purpose: Code | None = None
    reason: ShortText
    source: ShortText
    until_at: AwareDatetime | None = None


class SuppressionOut(Out):
    """An entry of the list. The number itself is not kept, only its digest."""

    id: Id
    channel: str | None
    purpose: str | None
    reason: str
    source: str
    until_at: datetime | None


class SensitiveIn(In):
    """Which fields, what for, on which legal ground."""

    fields: Annotated[list[Code], Field(min_length=1, max_length=50)]
    purpose: ShortText
    legal_basis: Code


class SensitiveOut(BaseModel):
    """The values by field."""

    values: dict[str, Any]


class OverrideOut(Out):
    """Somebody called a customer in quiet hours. The number is not kept, only its digest."""

    id: Id
    at: datetime
    actor_id: str
    customer_id: OptionalId
    against: list[str]
    reason: str


class AccessOut(Out):
    """One look."""

    id: Id
    customer_id: Id
    at: datetime
    actor_id: str
    fields: list[str]
    purpose: str
    legal_basis: str
