"""What is on legal hold: asked by whoever would let something go."""

from collections.abc import Sequence

from sqlalchemy import Select, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from crm_bridge.models import Interaction, LegalHold, Recording


def held_customers() -> Select[int | None]:
    """The ids of customers who are on hold, as a subquery."""
    return select(LegalHold.customer_id).where(LegalHold.customer_id.is_not(None), LegalHold.lifted_at.is_(None))


async def is_held(session: AsyncSession, customer_ids: Sequence[int]) -> bool:
    """Whether any of these customers is on hold."""
    found = await session.scalar(held_customers().where(LegalHold.customer_id.in_(customer_ids)).limit(1))
    return found is not None


async def blank_reasons(session: AsyncSession, customer_ids: Sequence[int]) -> None:
    """Of erased people: why something of theirs was kept, where it no longer is. Reasons may name them."""
    contacts = select(Interaction.contact_id).where(Interaction.customer_id.in_(customer_ids))
    theirs = or_(LegalHold.customer_id.in_(customer_ids), LegalHold.contact_id.in_(contacts))
    await session.execute(update(LegalHold).where(theirs, LegalHold.lifted_at.is_not(None)).values(reason=""))


def recordings_of_held() -> Select[str]:
    """The recordings of customers who are on hold, as a query."""
    here = Interaction.contact_id == Recording.contact_id
    return select(Recording.recording_id).join(Interaction, here).where(Interaction.customer_id.in_(held_customers()))
