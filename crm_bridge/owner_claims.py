"""Claims to customers whom somebody else looks after.

A customer has one owner in each line of business. Who claims one that is somebody's is refused, and the claim waits for
whoever may assign customers: both are named, and the decision is theirs. So nobody follows up what a colleague does.
"""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from crm_bridge.changes import Editing
from crm_bridge.errors import AlreadySettled, ItemNotFound
from crm_bridge.ids import new_id
from crm_bridge.models import OwnerClaim
from crm_bridge.owners import active_owner, give_owner
from crm_bridge.profiles import customer_as_seen
from crm_bridge.visibility import hidden_from, may_see
from crm_bridge.vocabulary import ClaimState


async def note_claim(
    session: AsyncSession, customer_id: int, claimant_id: str, *, line_of_business: str, editing: Editing
) -> OwnerClaim | None:
    """Write down that somebody wants a customer who is a colleague's; for a unit of work of its own, since the claim
    itself was refused. ``None`` when the customer has become free, or theirs, meanwhile. A claim that waits already is
    the same one. Raises ``CustomerNotFound``."""
    customer = await customer_as_seen(session, customer_id, None)
    present = await active_owner(session, customer.id, line_of_business)
    if present is None or present.user_id == claimant_id:
        return None
    query = select(OwnerClaim).where(
        OwnerClaim.customer_id == customer.id,
        OwnerClaim.line_of_business == line_of_business,
        OwnerClaim.claimant_id == claimant_id,
        OwnerClaim.state == ClaimState.OPEN,
    )
    row: OwnerClaim | None = await session.scalar(query)
    if row is None:
        row = OwnerClaim(
            id=new_id(),
            customer_id=customer.id,
            line_of_business=line_of_business,
            claimant_id=claimant_id,
            at=editing.now,
            state=ClaimState.OPEN,
        )
        session.add(row)
    row.owner_id, row.reason = present.user_id, editing.reason
    await session.flush()
    return row


async def claims(session: AsyncSession, *, is_open: bool, limit: int) -> Sequence[OwnerClaim]:
    """What is to be decided, the oldest first; or what was decided, the latest first."""
    query = select(OwnerClaim)
    if is_open:
        query = query.where(OwnerClaim.state == ClaimState.OPEN).order_by(OwnerClaim.id)
    else:
        query = query.where(OwnerClaim.state != ClaimState.OPEN).order_by(OwnerClaim.id.desc())
    hidden = hidden_from(session, OwnerClaim.customer_id)
    query = query if hidden is None else query.where(~hidden)
    return (await session.scalars(query.limit(limit))).all()


async def decide_claim(session: AsyncSession, claim_id: int, *, grant: bool, editing: Editing) -> OwnerClaim:
    """Give the customer to whoever claims it, or leave it where it is. Raises ``ItemNotFound``, ``AlreadySettled``."""
    row = await session.get(OwnerClaim, claim_id)
    if row is None or not await may_see(session, row.customer_id):
        raise ItemNotFound("there is no such claim", where="path.claim_id")
    if row.state is not ClaimState.OPEN:
        raise AlreadySettled(f"this claim is {row.state} already", where="path.claim_id")
    row.state, row.decided_by, row.decided_at = ClaimState.REFUSED, editing.actor_id, editing.now
    if grant:
        row.state = ClaimState.GRANTED
        await give_owner(
            session,
            row.customer_id,
            row.claimant_id,
            line_of_business=row.line_of_business,
            take_over=True,
            editing=editing,
        )
    await session.flush()
    return row
