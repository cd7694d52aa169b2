"""What has become of merged customers."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from crm_bridge.models import Customer, MergeEvent
from crm_bridge.vocabulary import CustomerStatus

_MAX_CHAIN = 20


async def survivor_of(session: AsyncSession, customer_id: int) -> int | None:
    """The active customer that this merged one is part of now; ``None`` when it is not merged."""
    found = (await survivors_of(session, [customer_id])).get(customer_id)
    return None if found == customer_id else found


async def survivors_of(session: AsyncSession, customer_ids: Sequence[int]) -> dict[int, int]:
    """For each customer that there is: itself, or the one it has become part of."""
    now = {
        row.id: row.id if row.status is not CustomerStatus.MERGED else None
        for row in await session.execute(select(Customer.id, Customer.status).where(Customer.id.in_(customer_ids)))
    }
    found = {customer_id: living for customer_id, living in now.items() if living is not None}
    for customer_id in now.keys() - found.keys():
        living = await _follow(session, customer_id)
        if living is not None:
            found[customer_id] = living
    return found


async def merges_of(session: AsyncSession, customer_id: int) -> Sequence[MergeEvent]:
    """The merges a customer took part in, the latest first."""
    took_part = (MergeEvent.survivor_id == customer_id) | (MergeEvent.merged_id == customer_id)
    return (await session.scalars(select(MergeEvent).where(took_part).order_by(MergeEvent.id.desc()).limit(100))).all()


async def _follow(session: AsyncSession, customer_id: int) -> int | None:
    """The end of a chain of merges."""
    here = customer_id
    for _ in range(_MAX_CHAIN):
        onward = await session.scalar(
            select(MergeEvent.survivor_id).where(MergeEvent.merged_id == here, MergeEvent.undone_at.is_(None)).limit(1)
        )
        if onward is None:
            return None if here == customer_id else here
        here = onward
    return None
