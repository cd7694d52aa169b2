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
from tests.support.crm_records import NOON, person

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
    """Everything that was taken off is there again: the search finds, the schema is word for word what it was."""
    monkeypatch.setattr(invented, "WORTH_LOADING", 10)
    before, portions = await schema(database), []
    for _ in range(2):  # the second time the store is not empty
        await enter_invented(database, count=20, seed=5, now=NOON, entered=portions.append)
        async with database.read() as session:
            assert (await search(session, number_at(7)[4:], before=None, limit=10)).items
        assert await schema(database) == before
    assert portions == [20, 20]
    one = "customer0"
    async with database.begin() as session:  # what is written afterwards is found, too
        await create_customer(session, person(one, "+8613900000001"), region=None, now=NOON)
    async with database.read() as session:
        assert [each.display_name for each in (await search(session, one, before=None, limit=10)).items] == [one]


async def test_whoever_is_interrupted_while_entering_many_leaves_an_empty_store_with_its_indexes(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(invented, "WORTH_LOADING", 10)
    before = await schema(database)

    def interrupt(_: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        await enter_invented(database, count=20, seed=5, now=NOON, entered=interrupt)
    assert await schema(database) == before
    async with database.read() as session:
        assert not (await search(session, "", before=None, limit=10)).items


async def schema(database: Database) -> list[str]:
    """Tables, indexes, constraints and triggers, as the database itself tells them."""
    async with database.engine.connect() as connection:
        if database.engine.dialect.name == "sqlite":
            told = await connection.scalars(text("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL"))
            return sorted(told)
        indexes = await connection.scalars(text("SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'"))
        held = text(
            "SELECT conrelid::regclass || ' ' || conname || ' ' || pg_get_constraintdef(oid) FROM pg_constraint"
        )
        return sorted([*indexes, *await connection.scalars(held)])


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
