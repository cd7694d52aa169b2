"""The customers as a list, when nobody searches: who was in contact last comes first, then whoever never was.

Read from the interactions, newest first: an interaction stands for its customer when it is the customer's newest one,
which one look at an index tells. So the list needs no index of its own on a column that each call changes.
"""

from datetime import UTC, datetime

from sqlalchemy import ColumnElement, Select, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from crm_bridge.keyset import Cursor, Page, bounded, older_than
from crm_bridge.models import Customer, Interaction
from crm_bridge.models.base import DEFAULT_TENANT
from crm_bridge.visibility import hidden_from
from crm_bridge.vocabulary import CustomerStatus

_NEVER = datetime(1970, 1, 1, tzinfo=UTC)
"""In a cursor: the list has come to those who were never in contact."""


async def recently_contacted(session: AsyncSession, *, before: Cursor | None, limit: int) -> Page[Customer]:
    """Active customers, the last contacted first; those without any contact after them, the last created first."""
    limit = bounded(limit)
    found: list[tuple[Customer, Cursor]] = []
    if before is None or before.at > _NEVER:
        contacted = (await session.execute(_contacted(session, before).limit(limit + 1))).all()
        found = [(customer, Cursor(at, row_id)) for customer, at, row_id in contacted]
        before = None
    if len(found) <= limit:
        others = await session.scalars(_never_contacted(session, before).limit(limit + 1 - len(found)))
        found += [(customer, Cursor(_NEVER, customer.id)) for customer in others]
    items = tuple(customer for customer, _ in found[:limit])
    return Page(items, found[limit - 1][1] if len(found) > limit else None)


def _contacted(session: AsyncSession, before: Cursor | None) -> Select[Customer, datetime, int]:
    its = aliased(Interaction)
    newest = (
        select(its.id)
        .where(its.customer_id == Interaction.customer_id)
        .order_by(its.started_at.desc(), its.id.desc())
        .limit(1)
        .scalar_subquery()
    )
    query = (
        select(Customer, Interaction.started_at, Interaction.id)
        .join(Customer, Customer.id == Interaction.customer_id)
        .where(Interaction.tenant_id == DEFAULT_TENANT, Interaction.id == newest, *_shown(session))
        .order_by(Interaction.started_at.desc(), Interaction.id.desc())
    )
    return query if before is None else query.where(older_than(before, Interaction.started_at, Interaction.id))


def _never_contacted(session: AsyncSession, before: Cursor | None) -> Select[Customer]:
    any_contact = select(Interaction.id).where(Interaction.customer_id == Customer.id).exists()
    query = select(Customer).where(~any_contact, *_shown(session)).order_by(Customer.id.desc())
    return query if before is None else query.where(Customer.id < before.id)


def _shown(session: AsyncSession) -> list[ColumnElement[bool]]:
    hidden = hidden_from(session)
    shown = [Customer.tenant_id == DEFAULT_TENANT, Customer.status == CustomerStatus.ACTIVE]
    return shown if hidden is None else [*shown, ~hidden]
