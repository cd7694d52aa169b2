"""The customer record: reading all of it, and editing its fields."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from zoneinfo import available_timezones

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from crm_bridge.catalogue import field_definitions, levels
from crm_bridge.changes import Editing, note_change
from crm_bridge.completeness import Completeness, completeness
from crm_bridge.custom_fields import checked_custom
from crm_bridge.customers import contact_points_of, get_customer, write_search_text
from crm_bridge.errors import CustomerNotFound, EtagMismatch, HierarchyLoop, InvalidField
from crm_bridge.mergers import survivor_of
from crm_bridge.models import (
    ContactPoint,
    ContactPreference,
    Customer,
    CustomerLevel,
    CustomerProfile,
    CustomerTag,
    ExternalIdentity,
    Ownership,
    PersonalPreference,
    Relation,
)
from crm_bridge.personal_preferences import preferences_of
from crm_bridge.privacy_rules import SENSITIVE
from crm_bridge.search_texts import normalise_name
from crm_bridge.vocabulary import CustomerKind, CustomerStatus, FieldGroup

OF_CUSTOMER = ("display_name", "kind", "preferred_language")
OF_PROFILE = (
    "party_kind", "lifecycle_stage", "family_name", "given_name", "gender", "birth_date", "occupation", "timezone",
    "region_code", "address", "legal_name", "tax_number", "industry", "parent_id", "team_id",
)  # fmt: skip
MAX_HIERARCHY = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerRecord:
    """Everything that is written about a customer, but for the timeline."""

    customer: Customer
    profile: CustomerProfile
    contact_points: Sequence[ContactPoint]
    identities: Sequence[ExternalIdentity]
    preferences: Sequence[ContactPreference]
    personal_preferences: Sequence[PersonalPreference]
    relations: Sequence[Relation]
    owners: Sequence[Ownership]
    tags: Sequence[CustomerTag]
    level: CustomerLevel | None
    completeness: Mapping[FieldGroup, Completeness]
    merged_into: int | None = None


async def load_record(session: AsyncSession, customer_id: int) -> CustomerRecord:
    """The record. Raises ``CustomerNotFound``."""
    customer = await get_customer(session, customer_id)
    profile = await profile_of(session, customer_id)
    points = await contact_points_of(session, customer_id)
    preferences = await _all(session, ContactPreference, customer_id, ContactPreference.purpose, ContactPreference.rank)
    tags = await _all(session, CustomerTag, customer_id, CustomerTag.tag)
    related = (Relation.from_id == customer_id) | (Relation.to_id == customer_id)
    relations = (await session.scalars(select(Relation).where(related).order_by(Relation.id))).all()
    owners = await session.scalars(
        select(Ownership)
        .where(Ownership.customer_id == customer_id, Ownership.until_at.is_(None))
        .order_by(Ownership.line_of_business)
    )
    known = {name for name in OF_PROFILE if getattr(profile, name, None) not in (None, "")}
    known |= {str(point.kind) for point in points}
    for name, value in (("level", customer.level), ("owner_id", profile.owner_id)):
        known |= {name} if value else set()
    for name, rows in (("relations", relations), ("preferences", preferences), ("tags", tags)):
        known |= {name} if rows else set()
    definitions = (await field_definitions(session)).values()
    everybodys = [each for each in definitions if each.data_class not in SENSITIVE]
    return CustomerRecord(
        customer=customer,
        profile=profile,
        contact_points=points,
        identities=await _all(session, ExternalIdentity, customer_id, ExternalIdentity.id),
        preferences=preferences,
        personal_preferences=await preferences_of(session, customer_id),
        relations=relations,
        owners=owners.all(),
        tags=tags,
        level=next((level for level in await levels(session) if level.code == customer.level), None),
        completeness=completeness(customer.kind, known, profile.custom, everybodys),
        merged_into=await survivor_of(session, customer_id) if customer.status is CustomerStatus.MERGED else None,
    )


async def edit_customer(
    session: AsyncSession, customer_id: int, given: Mapping[str, Any], *, expected: int | None, editing: Editing
) -> Customer:
    """Change the named fields; ``custom`` holds custom fields, of which those not named stay.

    ``expected`` is the version that the editor saw. Raises ``CustomerNotFound``, ``EtagMismatch``, ``InvalidField``
    and ``HierarchyLoop``.
    """
    customer = await customer_as_seen(session, customer_id, expected)
    profile = await own_profile(session, customer_id)
    await _check(session, customer_id, given)
    for name in OF_CUSTOMER:
        if name in given:
            note_change(session, customer, name, getattr(customer, name), given[name], editing)
            setattr(customer, name, given[name])
    for name in OF_PROFILE:
        if name in given:
            note_change(session, customer, name, getattr(profile, name), given[name], editing)
            setattr(profile, name, given[name])
    if given.get("custom"):
        await _edit_custom(session, customer, profile, given["custom"], editing)
    if "display_name" in given:
        customer.name_norm = normalise_name(customer.display_name)
        await write_search_text(session, customer)
    await session.flush()
    return customer


async def customer_as_seen(session: AsyncSession, customer_id: int, expected: int | None) -> Customer:
    """The active customer, when it still is at the version the editor saw; ``None`` waives the check.

    Raises ``CustomerNotFound`` and ``EtagMismatch``.
    """
    customer = await get_customer(session, customer_id)
    if customer.status is not CustomerStatus.ACTIVE:
        raise CustomerNotFound("this customer has become part of another one", where="path.customer_id")
    if expected is not None and customer.row_version != expected:
        raise EtagMismatch("somebody else changed this meanwhile", where="header.if-match")
    return customer


async def profile_of(session: AsyncSession, customer_id: int) -> CustomerProfile:
    """The profile for reading; an empty one for a customer nobody has edited."""
    found = await session.get(CustomerProfile, customer_id)
    return found or CustomerProfile(customer_id=customer_id, party_kind="external", level_is_manual=False, custom={})


async def own_profile(session: AsyncSession, customer_id: int) -> CustomerProfile:
    """The profile for writing."""
    found = await session.get(CustomerProfile, customer_id)
    if found is None:
        found = CustomerProfile(customer_id=customer_id, custom={})
        session.add(found)
        await session.flush()
    return found


async def subsidiaries(session: AsyncSession, customer_id: int, limit: int) -> Sequence[Customer]:
    """The organisations directly below this one."""
    query = select(Customer).join(CustomerProfile, CustomerProfile.customer_id == Customer.id)
    below = query.where(CustomerProfile.parent_id == customer_id, Customer.status == CustomerStatus.ACTIVE)
    return (await session.scalars(below.order_by(Customer.id).limit(limit))).all()


async def _all(session: AsyncSession, model: Any, customer_id: int, *order: Any) -> Sequence[Any]:
    return (await session.scalars(select(model).where(model.customer_id == customer_id).order_by(*order))).all()


async def _check(session: AsyncSession, customer_id: int, given: Mapping[str, Any]) -> None:
    zone, birth_date = given.get("timezone"), given.get("birth_date")
    if zone is not None and zone not in available_timezones():
        raise InvalidField("this is not a time zone such as Asia/Shanghai", where="body.timezone")
    if birth_date is not None and birth_date < date(1850, 1, 1):
        raise InvalidField("nobody is that old", where="body.birth_date")
    parent_id = given.get("parent_id")
    if parent_id is not None:
        await _check_parent(session, customer_id, parent_id)


async def _check_parent(session: AsyncSession, customer_id: int, parent_id: int) -> None:
    parent = await session.get(Customer, parent_id)
    if parent is None or parent.kind is not CustomerKind.ORG or parent.status is not CustomerStatus.ACTIVE:
        raise InvalidField("the parent is no organisation", where="body.parent_id")
    above: int | None = parent_id
    for _ in range(MAX_HIERARCHY):
        if above is None:
            return
        if above == customer_id:
            break
        above = await session.scalar(select(CustomerProfile.parent_id).where(CustomerProfile.customer_id == above))
    raise HierarchyLoop("this would put an organisation above itself", where="body.parent_id")


async def _edit_custom(
    session: AsyncSession, customer: Customer, profile: CustomerProfile, given: Mapping[str, Any], editing: Editing
) -> None:
    values = dict(profile.custom)
    fields = await field_definitions(session)
    for code, value in checked_custom(fields, given).items():
        hidden = fields[code].data_class in SENSITIVE
        note_change(session, customer, f"custom.{code}", values.get(code), value, editing, hidden=hidden)
        values.pop(code, None)
        if value is not None:
            values[code] = value
    profile.custom = values
