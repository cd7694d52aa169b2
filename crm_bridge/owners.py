"""Who looks after a customer, and which level the customer has."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from crm_bridge.catalogue import level_named, level_rules
from crm_bridge.changes import Editing, note_change
from crm_bridge.customers import get_customer
from crm_bridge.errors import OwnedByAnother
from crm_bridge.level_rules import level_for
from crm_bridge.models import Customer, CustomerProfile, CustomerTag, Interaction, Ownership
from crm_bridge.profiles import customer_as_seen, own_profile
from crm_bridge.vocabulary import PartyKind

GENERAL = "general"
"""The line of business whose owner is *the* owner."""
BY_RULE = "rule"
"""Why a level changed with something that its rule asks for."""

_YEAR = timedelta(days=365)


async def give_owner(
    session: AsyncSession,
    customer_id: int,
    user_id: str | None,
    *,
    line_of_business: str = GENERAL,
    take_over: bool = False,
    editing: Editing,
) -> None:
    """Give the customer an owner, or none. Without ``take_over`` a customer that somebody looks after stays theirs.

    Raises ``CustomerNotFound`` and ``OwnedByAnother``, which names both.
    """
    customer = await customer_as_seen(session, customer_id, None)
    present = await active_owner(session, customer_id, line_of_business)
    if present is not None and present.user_id == user_id:
        return
    if present is not None and user_id is not None and not take_over:
        raise OwnedByAnother(f"{present.user_id} looks after this customer, not {user_id}", where="body.user_id")
    reason = editing.reason or ("release" if user_id is None else "take-over" if present else "claim")
    if present is not None:
        present.until_at, present.end_reason = editing.now, reason
        await session.flush()
    if user_id is not None:
        session.add(
            Ownership(
                customer_id=customer_id,
                line_of_business=line_of_business,
                user_id=user_id,
                since_at=editing.now,
                reason=reason,
            )
        )
    if line_of_business == GENERAL:
        (await own_profile(session, customer_id)).owner_id = user_id
    name = "owner" if line_of_business == GENERAL else f"owner.{line_of_business}"
    note_change(session, customer, name, present.user_id if present else None, user_id, editing)
    await session.flush()


async def active_owner(session: AsyncSession, customer_id: int, line_of_business: str) -> Ownership | None:
    """Who looks after the customer now, and since when."""
    here = (Ownership.customer_id == customer_id, Ownership.line_of_business == line_of_business)
    found: Ownership | None = await session.scalar(select(Ownership).where(*here, Ownership.until_at.is_(None)))
    return found


async def owners_of(session: AsyncSession, customer_id: int, limit: int = 100) -> Sequence[Ownership]:
    """Who looks after the customer and who did, with reasons; the latest first. Raises ``CustomerNotFound``."""
    customer = await get_customer(session, customer_id)
    query = select(Ownership).where(Ownership.customer_id == customer.id)
    return (await session.scalars(query.order_by(Ownership.since_at.desc(), Ownership.id.desc()).limit(limit))).all()


async def give_level(session: AsyncSession, customer_id: int, code: str | None, editing: Editing) -> Customer:
    """Let a person choose the level; ``None`` leaves it to the rules again. Raises ``ItemNotFound``."""
    customer = await customer_as_seen(session, customer_id, None)
    profile = await own_profile(session, customer_id)
    if code is not None:
        await level_named(session, code)
    profile.level_is_manual = code is not None
    level = code
    if level is None:
        level = level_for(await level_facts(session, customer, editing.now), await level_rules(session))
    note_change(session, customer, "level", customer.level, level, editing)
    customer.level = level
    await session.flush()
    return customer


async def apply_level_rules(session: AsyncSession, customers: Sequence[Customer], editing: Editing) -> int:
    """Look at customers again by the rules, daily or when something happened; returns how many levels changed.

    A level that somebody chose stays, and so does one with which a customer was entered.
    """
    rules = [rule for rule in await level_rules(session) if rule.conditions]
    if not rules or not customers:
        return 0
    profiles = await _profiles(session, customers)
    by_rule = [each for each in customers if not _is_chosen(each, profiles.get(each.id))]
    facts = await _facts_of(session, by_rule, profiles, editing.now)
    changed = 0
    for customer in by_rule:
        level = level_for(facts[customer.id], rules)
        if note_change(session, customer, "level", customer.level, level, editing):
            customer.level = level
            await own_profile(session, customer.id)
            changed += 1
    await session.flush()
    return changed


async def level_facts(session: AsyncSession, customer: Customer, now: datetime) -> dict[str, Any]:
    """What the rules may ask about a customer."""
    return (await _facts_of(session, [customer], await _profiles(session, [customer]), now))[customer.id]


def _is_chosen(customer: Customer, profile: CustomerProfile | None) -> bool:
    return customer.level is not None if profile is None else profile.level_is_manual


async def _profiles(session: AsyncSession, customers: Sequence[Customer]) -> dict[int, CustomerProfile]:
    ids = [customer.id for customer in customers]
    rows = await session.scalars(select(CustomerProfile).where(CustomerProfile.customer_id.in_(ids)))
    return {row.customer_id: row for row in rows}


async def _facts_of(
    session: AsyncSession, customers: Sequence[Customer], profiles: Mapping[int, CustomerProfile], now: datetime
) -> dict[int, dict[str, Any]]:
    """By customer, in two queries for all of them."""
    ids = [customer.id for customer in customers]
    counted = (
        select(Interaction.customer_id, func.count())
        .where(Interaction.customer_id.in_(ids), Interaction.started_at >= now - _YEAR)
        .group_by(Interaction.customer_id)
    )
    contacts = {row[0]: row[1] for row in await session.execute(counted)}
    tagged = select(CustomerTag.customer_id, CustomerTag.tag).where(
        CustomerTag.customer_id.in_(ids), CustomerTag.expires_at.is_(None) | (CustomerTag.expires_at > now)
    )
    tags: dict[int, list[str]] = {}
    for customer_id, tag in await session.execute(tagged):
        tags.setdefault(customer_id, []).append(tag)
    return {
        customer.id: _facts(customer, profiles.get(customer.id), tags.get(customer.id, []), contacts, now)
        for customer in customers
    }


def _facts(
    customer: Customer,
    profile: CustomerProfile | None,
    tags: Sequence[str],
    contacts: Mapping[int | None, int],
    now: datetime,
) -> dict[str, Any]:
    last = customer.last_contact_at
    return {
        "kind": str(customer.kind),
        "party_kind": str(profile.party_kind if profile else PartyKind.EXTERNAL),
        "lifecycle_stage": profile.lifecycle_stage if profile else None,
        "tags": tags,
        "interactions_365d": contacts.get(customer.id, 0),
        "days_as_customer": (now - customer.created_at).days,
        "days_since_contact": (now - last).days if last else None,
    } | {f"custom.{code}": value for code, value in (profile.custom if profile else {}).items()}
