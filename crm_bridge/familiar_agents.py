"""Who knows a customer: whoever owns the record, and the agent who talked with the customer last."""

from dataclasses import dataclass

from sqlalchemy import bindparam, select

from crm_bridge.models import Customer, CustomerProfile, Interaction
from crm_bridge.ready_queries import Asked, ReadyQuery


@dataclass(frozen=True, slots=True)
class FamiliarAgents:
    """Agents by id; ``None`` where there is nobody."""

    owner: str | None = None
    last: str | None = None
    """Of the newest conversation."""


_LAST = (
    select(Interaction.agent_id)
    .where(
        Interaction.customer_id == Customer.id, Interaction.agent_id.is_not(None), Interaction.answered_at.is_not(None)
    )
    .order_by(Interaction.started_at.desc(), Interaction.id.desc())
    .limit(1)
    .correlate(Customer)
    .scalar_subquery()
)
_FAMILIAR = ReadyQuery(
    select(CustomerProfile.owner_id, _LAST)
    .select_from(Customer)
    .outerjoin(CustomerProfile, CustomerProfile.customer_id == Customer.id)
    .where(Customer.id == bindparam("key"))
)


async def familiar_agents(session: Asked, customer_id: int) -> FamiliarAgents:
    """Who knows this customer; nobody for one that is not there."""
    rows = await _FAMILIAR.rows(session, key=customer_id)
    return FamiliarAgents(*rows[0]) if rows else FamiliarAgents()
