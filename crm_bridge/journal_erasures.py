"""Which calls are still to be blanked in the exchange's journal.

The journal is the exchange's, and nobody else writes it. So an erasure leaves, in its own transaction, the calls that
it concerns; whoever can reach the exchange has them blanked there and takes them off the list.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, delete, func, literal, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession

from crm_bridge.models import Interaction, JournalErasure


async def ask_for(
    session: AsyncSession, interactions: ColumnElement[bool], customer_id: int | None, now: datetime
) -> None:
    """Put the calls of these interactions on the list; one that is on it already stays as it is."""
    table: Any = JournalErasure.__table__
    calls = select(
        Interaction.call_id,
        literal(customer_id, table.c.customer_id.type),
        literal(now, table.c.requested_at.type),
    )
    dialect = (await session.connection()).dialect.name
    upsert = (sqlite if dialect == "sqlite" else postgresql).insert(table)
    told = upsert.from_select(["call_id", "customer_id", "requested_at"], calls.where(interactions).distinct())
    await session.execute(told.on_conflict_do_nothing())


async def waiting(session: AsyncSession, limit: int) -> Sequence[str]:
    """Calls that are still to be blanked, the oldest requests first."""
    query = select(JournalErasure.call_id).order_by(JournalErasure.requested_at, JournalErasure.call_id)
    return (await session.scalars(query.limit(limit))).all()


async def done(session: AsyncSession, call_ids: Iterable[str]) -> None:
    """These are blank now."""
    await session.execute(delete(JournalErasure).where(JournalErasure.call_id.in_(list(call_ids))))


async def count_waiting(session: AsyncSession, customer_id: int) -> int:
    """How many calls of an erased customer are still to be blanked."""
    return await session.scalar(select(func.count()).where(JournalErasure.customer_id == customer_id)) or 0
