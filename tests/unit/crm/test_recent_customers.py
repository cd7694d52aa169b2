"""The list of customers when nobody searches."""

from datetime import timedelta

import pytest

from crm_bridge.customers import create_customer, get_customer
from crm_bridge.database import Database
from crm_bridge.interactions import record
from crm_bridge.keyset import Cursor
from crm_bridge.search import search
from crm_bridge.vocabulary import CustomerStatus
from tests.support.crm_records import NOON, REGION, call, person

pytestmark = pytest.mark.unit


async def listed(database: Database, *, limit: int) -> list[str]:
    """The names of all pages."""
    names: list[str] = []
    cursor: Cursor | None = None
    async with database.read() as session:
        while True:
            page = await search(session, "", before=cursor, limit=limit)
            assert len(page.items) <= limit
            names += [customer.display_name for customer in page.items]
            cursor = page.next_cursor
            if cursor is None:
                return names


@pytest.mark.parametrize("limit", [1, 2, 3, 5, 50])
async def test_the_last_contacted_come_first_each_once_and_then_who_never_was(database: Database, limit: int) -> None:
    async with database.begin() as session:
        ids = [
            (await create_customer(session, person(name), region=REGION, now=NOON)).id
            for name in ("Ada", "Ben", "Clara", "Dora", "Erased")
        ]
        for place, (who, minutes) in enumerate([(0, 5), (2, 1), (0, 2), (2, 1), (4, 9), (None, 7), (0, 3)]):
            told = call(
                f"c{place}",
                customer_id=None if who is None else ids[who],
                from_value="anonymous",
                started_at=NOON + timedelta(minutes=minutes),
            )
            await record(session, told, region=REGION)
        (await get_customer(session, ids[4])).status = CustomerStatus.ERASED
    assert await listed(database, limit=limit) == ["Ada", "Clara", "Dora", "Ben"]
