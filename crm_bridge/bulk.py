"""Entering many customers at once: rows for thousands of customers in a few statements.

For imports and generated data. The caller has made sure that the customers are new: nothing is checked against what is
there, and earlier interactions are not looked for (``backfill`` does that afterwards). Rows go to the driver as they
are, by COPY on PostgreSQL: what a session does for each of them takes longer than the database does.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from crm_bridge.contact_points import NormalPoint, distinct_points, primary_marks
from crm_bridge.customers import NewCustomer
from crm_bridge.ids import new_id
from crm_bridge.models import ContactPoint, Customer, PhoneLookup, SearchText, TimelineEvent
from crm_bridge.models.base import DEFAULT_TENANT, utc_now
from crm_bridge.row_writing import write_rows
from crm_bridge.search_texts import normalise_name, text_of
from crm_bridge.vocabulary import CustomerStatus, TimelineKind

Rows = dict[Any, list[tuple[Any, ...]]]

_COLUMNS: dict[Any, tuple[str, ...]] = {
    Customer: (
        "id", "tenant_id", "kind", "display_name", "name_norm", "preferred_language", "level", "status", "row_version",
        "created_at", "updated_at",
    ),
    ContactPoint: (
        "id", "tenant_id", "customer_id", "kind", "usage", "value_raw", "value_norm", "phone_e164_int", "ext",
        "is_primary", "created_at", "updated_at",
    ),
    PhoneLookup: ("phone_e164_int", "tenant_id", "customer_id", "rank"),
    SearchText: ("customer_id", "text"),
    TimelineEvent: ("id", "tenant_id", "customer_id", "at", "kind", "ref_id", "actor_id"),
}  # fmt: skip
TABLES = tuple(str(model.__tablename__) for model in _COLUMNS)
"""What ``enter_many`` writes into."""


async def enter_many(
    session: AsyncSession,
    customers: Sequence[NewCustomer],
    *,
    region: str | None,
    now: datetime,
    actor_id: str | None = None,
    normal: Callable[[NewCustomer], Sequence[NormalPoint]] | None = None,
) -> list[int]:
    """Enter customers; their ids in the order given. A few thousand at a time keep the memory small.

    ``normal`` gives the contact points of those whose normal form is known without looking. Raises
    ``InvalidContactPoint`` for a phone number or address that is none; nothing is written then.
    """
    rows: Rows = {model: [] for model in _COLUMNS}
    pairs = [(new, distinct_points(new.contact_points, region) if normal is None else normal(new)) for new in customers]
    made = iter(new_id.many(sum(2 + len(points) for _, points in pairs)))
    stamps = (now, utc_now())
    ids = [_add_rows(rows, new, points, made, stamps, actor_id) for new, points in pairs]
    for model, values in rows.items():
        if values:
            await write_rows(session, model.__table__, _COLUMNS[model], values)
    return ids


def _add_rows(
    rows: Rows,
    new: NewCustomer,
    points: Sequence[NormalPoint],
    made: Iterator[int],
    stamps: tuple[datetime, datetime],
    actor_id: str | None,
) -> int:
    customer_id, tenant = next(made), DEFAULT_TENANT
    name_norm = normalise_name(new.display_name)
    known = (new.preferred_language, new.level, CustomerStatus.ACTIVE, 1)
    rows[Customer].append((customer_id, tenant, new.kind, new.display_name.strip(), name_norm, *known, *stamps))
    for point, is_primary in zip(points, primary_marks(points), strict=True):
        given, number = point.given, point.number
        numbers = (number.e164_int, number.ext) if number else (None, None)
        told = (given.kind, given.usage, given.value.strip(), point.value_norm, *numbers, is_primary)
        rows[ContactPoint].append((next(made), tenant, customer_id, *told, *stamps))
        if number:
            rows[PhoneLookup].append((number.e164_int, tenant, customer_id, 0 if is_primary else 1))
    rows[SearchText].append((customer_id, text_of(name_norm, [point.value_norm for point in points])))
    created = (TimelineKind.CUSTOMER_CREATED, customer_id, actor_id)
    rows[TimelineEvent].append((next(made), tenant, customer_id, stamps[0], *created))
    return customer_id
