"""Which customers a person sees: those of no team, of their own teams, or all."""

from typing import Any

from sqlalchemy import ColumnElement, exists, select
from sqlalchemy.ext.asyncio import AsyncSession

from crm_bridge.audit import ASKING
from crm_bridge.models import Customer, CustomerProfile
from crm_bridge.permissions import Permission, permissions_of


def teams_of(session: AsyncSession) -> frozenset[str] | None:
    """The teams of the person in whose name the session works; ``None`` when everything may be seen.

    The product itself (matching a call, the projection) works in nobody's name and sees everything; so does a person
    whose sign-in knows of no teams.
    """
    asking = session.info.get(ASKING)
    teams = getattr(asking, "teams", None)
    if teams is None or Permission.ALL_TEAMS in permissions_of(str(role) for role in getattr(asking, "roles", ())):
        return None
    return frozenset(teams)


async def may_see(session: AsyncSession, customer_id: int) -> bool:
    """Whether the person asking sees this customer."""
    teams = teams_of(session)
    if teams is None:
        return True
    team_id = await session.scalar(select(CustomerProfile.team_id).where(CustomerProfile.customer_id == customer_id))
    return team_id is None or team_id in teams


def hidden_from(session: AsyncSession, customer_id: Any = Customer.id) -> ColumnElement[bool] | None:
    """The condition that the customer in a column is hidden from the person asking; ``None`` when none is.

    A row without a customer is hidden from nobody.
    """
    teams = teams_of(session)
    if teams is None:
        return None
    return exists().where(
        CustomerProfile.customer_id == customer_id,
        CustomerProfile.team_id.is_not(None),
        CustomerProfile.team_id.not_in(teams),
    )
