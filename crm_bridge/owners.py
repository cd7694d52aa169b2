"""Who looks after a customer, and which level the customer has."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from crm_bridge.catalogue import level_named, level_rules
from crm_bridge.changes import Editing, note_change
from crm_bridge.errors import OwnedByAnother
from crm_bridge.level_rules import level_for
from crm_bridge.models import Customer, CustomerTag, Interaction, Ownership
from crm_bridge.profiles import customer_as_seen, own_profile, profile_of
from crm_bridge.visibility import hidden_from

GENERAL = "general"
"""The line of business whose owner is *the* owner."""

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
    present = await session.scalar(
        select(Ownership).where(
            Ownership.customer_id == customer_id,
            Ownership.line_of_business == line_of_business,
            Ownership.until_at.is_(None),
        )
    )
    if present is not None and present.user_id == user_id:
        return
    if present is not None and user_id is not None and not take_over:
        raise OwnedByAnother(f"{present.user_id} looks after this customer, not {user_id}", where="body.user_id")
    if present is not None:
        present.until_at = editing.now
        await session.flush()
    reason = editing.reason or ("release" if user_id is None else "take-over" if present else "claim")
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


async def hand_over(session: AsyncSession, from_user: str, to_user: str, *, limit: int, editing: Editing) -> int:
    """Move customers of somebody who leaves to somebody else; returns how many. Call until it returns 0.

    Customers of other teams than those of the person asking stay where they are."""
    theirs = select(Ownership).where(Ownership.user_id == from_user, Ownership.until_at.is_(None))
    hidden = hidden_from(session, Ownership.customer_id)
    theirs = theirs if hidden is None else theirs.where(~hidden)
    rows = (await session.scalars(theirs.order_by(Ownership.id).limit(limit))).all()
    for row in rows:
        await give_owner(
            session,
            row.customer_id,
            to_user,
            line_of_business=row.line_of_business,
            take_over=True,
            editing=editing,
        )
    return len(rows)


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
    """Look at customers again by the rules, daily or when something happened; returns how many levels changed."""
    rules = [rule for rule in await level_rules(session) if rule.conditions]
    changed = 0
    for customer in customers:
        if (await profile_of(session, customer.id)).level_is_manual or not rules:
            continue
        level = level_for(await level_facts(session, customer, editing.now), rules)
        if note_change(session, customer, "level", customer.level, level, editing):
            customer.level = level
            changed += 1
    await session.flush()
    return changed


async def level_facts(session: AsyncSession, customer: Customer, now: datetime) -> dict[str, Any]:
    """What the rules may ask about a customer."""
    profile = await profile_of(session, customer.id)
    contacts = await session.scalar(
        select(func.count()).where(Interaction.customer_id == customer.id, Interaction.started_at >= now - _YEAR)
    )
    tags = await session.scalars(
        select(CustomerTag.tag).where(
            CustomerTag.customer_id == customer.id, CustomerTag.expires_at.is_(None) | (CustomerTag.expires_at > now)
        )
    )
    last = customer.last_contact_at
    return {
        "kind": str(customer.kind),
        "party_kind": str(profile.party_kind),
        "lifecycle_stage": profile.lifecycle_stage,
        "tags": tags.all(),
        "interactions_365d": contacts or 0,
        "days_as_customer": (now - customer.created_at).days,
        "days_since_contact": (now - last).days if last else None,
    } | {f"custom.{code}": value for code, value in profile.custom.items()}
