"""Earlier interactions of nobody become a customer's own once their number is known to be this customer's alone."""

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from crm_bridge.batches import enter_in_timelines
from crm_bridge.models import Interaction
from crm_bridge.models.base import DEFAULT_TENANT, storable, utc_now
from crm_bridge.row_writing import move_last_contacts
from crm_bridge.vocabulary import MatchState

MAX_BACKFILL = 500


async def backfill(session: AsyncSession, customer_id: int, party_norm: str, *, limit: int = MAX_BACKFILL) -> int:
    """Give the customer the newest ``limit`` interactions that show this number and belong to nobody.

    For the caller to make sure of: the customer is the only one with the number. Returns how many there were; as many
    as ``limit`` means that there may be more, and the same call again takes them.
    """
    unmatched = (
        select(Interaction.id, Interaction.started_at, Interaction.agent_id, Interaction.agent_name)
        .where(
            Interaction.tenant_id == DEFAULT_TENANT,
            Interaction.party_norm == storable(party_norm),
            Interaction.customer_id.is_(None),
        )
        .order_by(Interaction.started_at.desc())
        .limit(limit)
    )
    rows = (await session.execute(unmatched)).all()
    if not rows:
        return 0
    found = [row.id for row in rows]
    await session.execute(
        update(Interaction)
        .where(Interaction.id.in_(found))
        .values(customer_id=customer_id, match_state=MatchState.ONE, updated_at=utc_now())
    )
    entries = [(row.id, customer_id, row.started_at, row.agent_id, row.agent_name) for row in rows]
    await enter_in_timelines(session, entries)
    await move_last_contacts(session, {customer_id: rows[0].started_at})
    return len(rows)
