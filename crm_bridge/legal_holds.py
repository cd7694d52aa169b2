"""Legal holds: what must be kept though a person asks for erasure or its time is over, why, and by whose order."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from crm_bridge.customers import get_customer
from crm_bridge.errors import ItemNotFound
from crm_bridge.models import LegalHold, Recording

MOST_LISTED = 500


async def hold_customer(
    session: AsyncSession, customer_id: int, reason: str, *, actor_id: str, now: datetime
) -> LegalHold:
    """Keep everything about a customer; on hold already, only the reason changes. Raises ``CustomerNotFound``."""
    customer = await get_customer(session, customer_id)
    return await _hold(session, LegalHold(customer_id=customer.id), reason, actor_id, now)


async def lift_from_customer(session: AsyncSession, customer_id: int, *, actor_id: str, now: datetime) -> LegalHold:
    """Let erasure and retention decide again. Raises ``ItemNotFound`` when there is no hold."""
    return _lift(await _active(session, LegalHold(customer_id=customer_id)), actor_id, now)


async def note_hold(
    session: AsyncSession, contact_id: str, recording_id: str, reason: str, *, actor_id: str, now: datetime
) -> LegalHold:
    """Write down by whose order a recording is kept."""
    wanted = LegalHold(contact_id=contact_id, recording_id=recording_id)
    return await _hold(session, wanted, reason, actor_id, now)


async def note_lift(session: AsyncSession, recording_id: str, *, actor_id: str, now: datetime) -> None:
    """Write down who lifted the hold of a recording; nothing to do for one that was never written down.

    Where the person was erased meanwhile, the reason goes: it may name them.
    """
    row = await _active(session, LegalHold(recording_id=recording_id))
    if row is None:
        return
    _lift(row, actor_id, now)
    erase_at = select(Recording.erase_at).where(Recording.recording_id == recording_id)
    if await session.scalar(erase_at) is not None:
        row.reason = ""


async def holds_of(session: AsyncSession, customer_id: int) -> Sequence[LegalHold]:
    """The holds of a customer, also those that were lifted, the newest first."""
    query = select(LegalHold).where(LegalHold.customer_id == customer_id).order_by(LegalHold.id.desc())
    return (await session.scalars(query.limit(MOST_LISTED))).all()


async def holds(session: AsyncSession, *, lifted: bool) -> Sequence[LegalHold]:
    """The holds of customers and recordings that stand, or those that were lifted, the newest first."""
    here = LegalHold.lifted_at.is_not(None) if lifted else LegalHold.lifted_at.is_(None)
    return (await session.scalars(select(LegalHold).where(here).order_by(LegalHold.id.desc()).limit(MOST_LISTED))).all()


async def _hold(session: AsyncSession, wanted: LegalHold, reason: str, actor_id: str, now: datetime) -> LegalHold:
    row = await _active(session, wanted)
    if row is not None:
        row.reason = reason
        return row
    wanted.reason, wanted.held_by, wanted.held_at = reason, actor_id, now
    session.add(wanted)
    await session.flush()
    return wanted


async def _active(session: AsyncSession, wanted: LegalHold) -> LegalHold | None:
    about = (
        LegalHold.customer_id == wanted.customer_id
        if wanted.customer_id is not None
        else LegalHold.recording_id == wanted.recording_id
    )
    return await session.scalar(select(LegalHold).where(about, LegalHold.lifted_at.is_(None)))


def _lift(row: LegalHold | None, actor_id: str, now: datetime) -> LegalHold:
    if row is None:
        raise ItemNotFound("there is no legal hold", where="path")
    row.lifted_by, row.lifted_at = actor_id, now
    return row
