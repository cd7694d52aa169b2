"""Looking at sensitive fields: each time for a purpose, on a legal ground, and written down."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from crm_bridge.catalogue import field_definitions
from crm_bridge.customers import get_customer
from crm_bridge.errors import InvalidField
from crm_bridge.models import AccessEntry
from crm_bridge.privacy_rules import LEGAL_BASES, SENSITIVE
from crm_bridge.profiles import profile_of


async def look_at_fields(
    session: AsyncSession,
    customer_id: int,
    codes: Sequence[str],
    *,
    purpose: str,
    legal_basis: str,
    actor_id: str,
    now: datetime,
) -> dict[str, Any]:
    """The values of sensitive fields, after writing down who looks and why.

    A field is shown only for the purpose it is kept for. Raises ``CustomerNotFound`` and ``InvalidField``.
    """
    if legal_basis not in LEGAL_BASES:
        raise InvalidField(f"a legal basis is one of {', '.join(LEGAL_BASES)}", where="body.legal_basis")
    await get_customer(session, customer_id)
    fields = await field_definitions(session)
    for code in codes:
        if code not in fields or fields[code].data_class not in SENSITIVE:
            raise InvalidField("there is no such sensitive field", where="body.fields")
        if fields[code].purpose != purpose:
            raise InvalidField("the field is not kept for this purpose", where="body.purpose")
    session.add(
        AccessEntry(
            customer_id=customer_id,
            at=now,
            actor_id=actor_id,
            fields=sorted(codes),
            purpose=purpose,
            legal_basis=legal_basis,
        )
    )
    await session.flush()
    custom = (await profile_of(session, customer_id)).custom
    return {code: custom.get(code) for code in codes}


async def accesses_of(session: AsyncSession, customer_id: int, limit: int = 200) -> Sequence[AccessEntry]:
    """Who has looked at the customer's sensitive fields, the latest first."""
    return await accesses(session, customer_id=customer_id, limit=limit)


async def accesses(
    session: AsyncSession,
    *,
    customer_id: int | None = None,
    actor_id: str | None = None,
    before: int | None = None,
    limit: int,
) -> Sequence[AccessEntry]:
    """Who has looked at whose sensitive fields, the latest first, from before an entry; of one customer or one person
    where asked."""
    query = select(AccessEntry).order_by(AccessEntry.id.desc()).limit(limit)
    if customer_id is not None:
        query = query.where(AccessEntry.customer_id == customer_id)
    if actor_id is not None:
        query = query.where(AccessEntry.actor_id == actor_id)
    if before is not None:
        query = query.where(AccessEntry.id < before)
    return (await session.scalars(query)).all()
