"""All customers as a table, page by page: a million rows without holding them."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from crm_bridge.models import ContactPoint, Customer, CustomerProfile
from crm_bridge.models.base import DEFAULT_TENANT
from crm_bridge.visibility import hidden_from
from crm_bridge.vocabulary import ContactKind, CustomerStatus

PORTION = 500

HEADER = (
    "id", "display_name", "kind", "phone", "phone_2", "email", "preferred_language", "level", "family_name",
    "given_name", "gender", "birth_date", "occupation", "address", "region_code", "timezone", "legal_name", "industry",
    "created_at", "last_contact_at",
)  # fmt: skip
_OF_PROFILE = HEADER[8:18]


class Reading(Protocol):
    """Something that opens a look at the data."""

    def __call__(self) -> AbstractAsyncContextManager[AsyncSession]:
        """A new look."""
        ...


async def customer_rows(reading: Reading) -> AsyncIterator[Sequence[Any]]:
    """The header, then all active customers by id. Each page is a short look at the data of its own."""
    yield HEADER
    after = 0
    while True:
        async with reading() as session:
            rows = await _page(session, after)
        for row in rows:
            yield row
        if len(rows) < PORTION:
            return
        after = int(rows[-1][0])


async def _page(session: AsyncSession, after: int) -> list[Sequence[Any]]:
    query = (
        select(Customer, CustomerProfile)
        .outerjoin(CustomerProfile, CustomerProfile.customer_id == Customer.id)
        .where(Customer.tenant_id == DEFAULT_TENANT, Customer.status == CustomerStatus.ACTIVE, Customer.id > after)
        .order_by(Customer.id)
        .limit(PORTION)
    )
    hidden = hidden_from(session)
    found = (await session.execute(query if hidden is None else query.where(~hidden))).all()
    points = select(ContactPoint).where(ContactPoint.customer_id.in_([customer.id for customer, _ in found]))
    values: dict[tuple[int, ContactKind], list[str]] = {}
    for point in await session.scalars(points.order_by(ContactPoint.is_primary.desc(), ContactPoint.id)):
        values.setdefault((point.customer_id, point.kind), []).append(point.value_norm)
    rows: list[Sequence[Any]] = []
    for customer, profile in found:
        phones = [*values.get((customer.id, ContactKind.PHONE), []), "", ""]
        emails = [*values.get((customer.id, ContactKind.EMAIL), []), ""]
        rows.append(
            (
                str(customer.id),
                customer.display_name,
                customer.kind.value,
                *phones[:2],
                emails[0],
                customer.preferred_language,
                customer.level,
                *(getattr(profile, name, None) for name in _OF_PROFILE),
                customer.created_at.isoformat(),
                customer.last_contact_at.isoformat() if customer.last_contact_at else "",
            )
        )
    return rows
