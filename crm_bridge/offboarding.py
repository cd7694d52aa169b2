"""Somebody leaves: what they have is counted, and goes to somebody else until nothing is left."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVarTuple

from sqlalchemy import Select, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from crm_bridge.changes import Editing
from crm_bridge.errors import InvalidField
from crm_bridge.models import Customer, CustomerProfile, OwnerClaim, Ownership, Promise
from crm_bridge.owners import GENERAL, give_owner
from crm_bridge.visibility import hidden_from
from crm_bridge.vocabulary import ClaimState, CustomerStatus, PromiseState

_Columns = TypeVarTuple("_Columns")


@dataclass(frozen=True, slots=True)
class Holdings:
    """What one person has: customers by line of business, open promises, and open claims to customers of others."""

    user_id: str
    customers: Mapping[str, int]
    promises: int
    claims: int

    @property
    def total(self) -> int:
        """All of it; 0 when the person may go."""
        return sum(self.customers.values()) + self.promises + self.claims


async def holdings_of(session: AsyncSession, user_id: str) -> Holdings:
    """What somebody has, as far as the person asking sees it."""
    line = Ownership.line_of_business
    by_line = _seen(
        session,
        select(line, func.count()).where(*_owned(user_id)).group_by(line).order_by(line),
        Ownership.customer_id,
    )
    return Holdings(
        user_id=user_id,
        customers={row[0]: row[1] for row in await session.execute(by_line)},
        promises=await _count(session, select(func.count()).where(*_promised(user_id)), Promise.customer_id),
        claims=await _count(session, select(func.count()).where(*_claimed(user_id)), OwnerClaim.customer_id),
    )


async def all_holders(session: AsyncSession, limit: int) -> Sequence[str]:
    """Everybody who looks after customers or has promised something; those who have left without handing over, too."""
    owners = _seen(session, select(Ownership.user_id).where(Ownership.until_at.is_(None)), Ownership.customer_id)
    assignees = _seen(
        session, select(Promise.assignee_id).where(Promise.state == PromiseState.OPEN), Promise.customer_id
    )
    everybody = owners.union(assignees).subquery()
    return (await session.scalars(select(everybody.c.user_id).order_by(everybody.c.user_id).limit(limit))).all()


async def hand_over(session: AsyncSession, from_user: str, to_user: str, *, limit: int, editing: Editing) -> int:
    """Move customers and open promises of somebody who leaves to somebody else, and end their claims; returns how many
    it were. Call until it returns 0, and nothing is left with a person who is not there.

    Those of other teams than the person asking is in stay where they are. Raises ``InvalidField`` for one and the same
    person.
    """
    if from_user == to_user:
        raise InvalidField("somebody who leaves hands over to somebody else", where="body.to_user")
    theirs = _seen(session, select(Ownership).where(*_owned(from_user)), Ownership.customer_id)
    rows = (await session.scalars(theirs.order_by(Ownership.id).limit(limit))).all()
    for row in rows:
        await _hand_over_customer(session, row, to_user, editing)
    promises = _seen(session, select(Promise).where(*_promised(from_user)), Promise.customer_id)
    promised = (await session.scalars(promises.order_by(Promise.id).limit(limit))).all()
    for promise in promised:
        promise.assignee_id = to_user
    claims = _seen(session, select(OwnerClaim).where(*_claimed(from_user)), OwnerClaim.customer_id)
    claimed = (await session.scalars(claims.order_by(OwnerClaim.id).limit(limit))).all()
    for claim in claimed:
        claim.state, claim.decided_by, claim.decided_at = ClaimState.REFUSED, editing.actor_id, editing.now
    await session.flush()
    return len(rows) + len(promised) + len(claimed)


async def _hand_over_customer(session: AsyncSession, row: Ownership, to_user: str, editing: Editing) -> None:
    status = await session.scalar(select(Customer.status).where(Customer.id == row.customer_id))
    if status is CustomerStatus.ACTIVE:
        await give_owner(
            session,
            row.customer_id,
            to_user,
            line_of_business=row.line_of_business,
            take_over=True,
            editing=editing,
        )
        return
    row.until_at, row.end_reason = editing.now, editing.reason
    await session.flush()
    if status is CustomerStatus.MERGED:  # an undone merge must not bring it back to somebody who has left
        told: dict[str, Any] = {"customer_id": row.customer_id, "line_of_business": row.line_of_business}
        session.add(Ownership(**told, user_id=to_user, since_at=editing.now, reason=editing.reason or "take-over"))
        if row.line_of_business == GENERAL:
            here = CustomerProfile.customer_id == row.customer_id
            await session.execute(update(CustomerProfile).where(here).values(owner_id=to_user))


def _owned(user_id: str) -> tuple[Any, ...]:
    return Ownership.user_id == user_id, Ownership.until_at.is_(None)


def _promised(user_id: str) -> tuple[Any, ...]:
    return Promise.assignee_id == user_id, Promise.state == PromiseState.OPEN


def _claimed(user_id: str) -> tuple[Any, ...]:
    return OwnerClaim.claimant_id == user_id, OwnerClaim.state == ClaimState.OPEN


def _seen(session: AsyncSession, query: Select[*_Columns], customer_id: Any) -> Select[*_Columns]:
    hidden = hidden_from(session, customer_id)
    return query if hidden is None else query.where(~hidden)


async def _count(session: AsyncSession, query: Select[Any], customer_id: Any) -> int:
    return await session.scalar(_seen(session, query, customer_id)) or 0
