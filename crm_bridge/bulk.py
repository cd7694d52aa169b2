"""Entering many customers at once: rows for thousands of customers in a few statements.

For imports and generated data. The caller has made sure that the customers are new: nothing is checked against what is
there, and earlier interactions are not looked for (``backfill`` does that afterwards).
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Dialect, Table, insert
from sqlalchemy.ext.asyncio import AsyncSession

from crm_bridge.contact_points import NormalPoint, distinct_points, primary_points
from crm_bridge.customers import NewCustomer
from crm_bridge.ids import new_id
from crm_bridge.models import ContactPoint, Customer, PhoneLookup, SearchText, TimelineEvent
from crm_bridge.models.base import DEFAULT_TENANT, utc_now
from crm_bridge.search_texts import normalise_name, text_of
from crm_bridge.vocabulary import CustomerStatus, TimelineKind


async def enter_many(
    session: AsyncSession,
    customers: Sequence[NewCustomer],
    *,
    region: str | None,
    now: datetime,
    actor_id: str | None = None,
) -> list[int]:
    """Enter customers; their ids in the order given. A few thousand at a time keep the memory small.

    Raises ``InvalidContactPoint`` for a phone number or address that is none; nothing is written then.
    """
    rows: dict[Any, list[dict[str, Any]]] = {
        model: [] for model in (Customer, ContactPoint, PhoneLookup, SearchText, TimelineEvent)
    }
    stamps = {"created_at": now, "updated_at": utc_now()}
    ids = []
    for new in customers:
        points = distinct_points(new.contact_points, region)
        ids.append(_add_rows(rows, new, points, stamps, actor_id))
    for model, values in rows.items():
        if values:
            await _insert(session, model.__table__, values)
    return ids


def _add_rows(
    rows: dict[Any, list[dict[str, Any]]],
    new: NewCustomer,
    points: Sequence[NormalPoint],
    stamps: dict[str, datetime],
    actor_id: str | None,
) -> int:
    customer_id = new_id()
    name_norm = normalise_name(new.display_name)
    rows[Customer].append(
        {
            "id": customer_id,
            "tenant_id": DEFAULT_TENANT,
            "kind": new.kind,
            "display_name": new.display_name.strip(),
            "name_norm": name_norm,
            "preferred_language": new.preferred_language,
            "level": new.level,
            "status": CustomerStatus.ACTIVE,
            "row_version": 1,
        }
        | stamps
    )
    primaries = primary_points(points)
    for point in points:
        is_primary = point in primaries
        rows[ContactPoint].append({"id": new_id(), "customer_id": customer_id, **point.columns(is_primary)} | stamps)
        if point.number:
            rows[PhoneLookup].append(
                {
                    "phone_e164_int": point.number.e164_int,
                    "tenant_id": DEFAULT_TENANT,
                    "customer_id": customer_id,
                    "rank": 0 if is_primary else 1,
                }
            )
    words = text_of(name_norm, (point.value_norm for point in points))
    rows[SearchText].append({"customer_id": customer_id, "text": words})
    rows[TimelineEvent].append(
        {
            "id": new_id(),
            "tenant_id": DEFAULT_TENANT,
            "customer_id": customer_id,
            "at": stamps["created_at"],
            "kind": TimelineKind.CUSTOMER_CREATED,
            "ref_id": customer_id,
            "actor_id": actor_id,
        }
    )
    return customer_id


async def _insert(session: AsyncSession, table: Table, rows: Sequence[dict[str, Any]]) -> None:
    connection = await session.connection()
    if connection.dialect.name == "postgresql":
        raw = await connection.get_raw_connection()
        driver: Any = raw.driver_connection
        dialect, names = connection.dialect, list(rows[0])
        binds = [_bind(table.c[name].type, dialect) for name in names]
        records = [tuple(bind(row[name]) for name, bind in zip(names, binds, strict=True)) for row in rows]
        await driver.copy_records_to_table(table.name, records=records, columns=names)
    else:
        await session.execute(insert(table), rows)


def _bind(of: Any, dialect: Dialect) -> Callable[[Any], Any]:
    """From a value to what the driver takes, as the column's type has it."""
    bind: Callable[[Any], Any] | None = of.dialect_impl(dialect).bind_processor(dialect)
    return bind or (lambda value: value)
