"""Customers by the million: entered past the session, and yet as if each had been entered by hand."""

import pytest
from sqlalchemy import text

from crm_bridge import invented
from crm_bridge.contact_points import distinct_points
from crm_bridge.customers import create_customer
from crm_bridge.database import Database
from crm_bridge.invented import enter_invented, invented_customers, normal_points, number_at
from crm_bridge.search import search
from tests.support.crm_dump import dump
from tests.support.crm_records import NOON

pytestmark = pytest.mark.unit


def test_their_numbers_are_in_normal_form_already() -> None:
    for new in invented_customers(300, seed=5):
        assert normal_points(new) == distinct_points(new.contact_points, None)


async def test_entered_in_bulk_they_are_what_they_are_entered_one_by_one(database: Database) -> None:
    await enter_invented(database, count=40, seed=5, now=NOON)
    in_bulk = await plain(database)
    async with database.begin() as session:
        await session.execute(text("DELETE FROM timeline_event"))
        await session.execute(text("DELETE FROM customer"))
    async with database.begin() as session:
        for new in invented_customers(40, seed=5):
            await create_customer(session, new, region=None, now=NOON)
    assert await plain(database) == in_bulk


async def test_many_in_an_empty_store_are_indexed_when_all_are_there(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(invented, "WORTH_REBUILDING", 10)
    for _ in range(2):  # the second time the store is not empty
        await enter_invented(database, count=20, seed=5, now=NOON)
        async with database.read() as session:
            assert (await search(session, number_at(7)[4:], before=None, limit=10)).items
        if database.engine.dialect.name == "postgresql":
            async with database.engine.connect() as connection:
                named = "SELECT count(*) FROM pg_indexes WHERE indexname = 'ix_search_text_trigrams'"
                assert await connection.scalar(text(named)) == 1


async def plain(database: Database) -> dict[str, list[str]]:
    """The rows without their ids and instants of writing, and without the profiles, which say that a level was chosen:
    a level without a profile counts as chosen."""
    told = await dump(database, without=("audit_entry", "audit_head", "customer_profile"))
    ids = {row[0] for name in ("customer", "contact_point", "timeline_event") for row in told[name]}
    return {
        name: sorted(
            repr([value for value in row if value not in ids and "datetime" not in repr(value)]) for row in rows
        )
        for name, rows in told.items()
    }
