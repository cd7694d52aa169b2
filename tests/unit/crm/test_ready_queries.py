"""Queries that are asked while a phone rings answer as SQLAlchemy does, in the session's own transaction."""

import pytest
from sqlalchemy import bindparam, select, text

from crm_bridge.customers import create_customer
from crm_bridge.database import Database
from crm_bridge.errors import CrmUnavailable
from crm_bridge.models import Customer
from crm_bridge.ready_queries import ReadyQuery, among_keys
from crm_bridge.vocabulary import CustomerKind, CustomerStatus
from tests.support.crm_records import NOON, NUMBER, REGION, person

pytestmark = pytest.mark.unit

QUERY = (
    select(Customer.id, Customer.kind, Customer.display_name, Customer.level, Customer.last_contact_at)
    .where(Customer.status == CustomerStatus.ACTIVE, Customer.kind == bindparam("kind"))
    .where(Customer.last_contact_at >= bindparam("since"), Customer.created_at >= bindparam("since"))
    .order_by(Customer.display_name)
    .limit(2)
)
"""Every kind of column, parameters of two types, one of them twice, and fixed ones."""


async def test_rows_are_those_that_sqlalchemy_gives_within_the_transaction(database: Database) -> None:
    ready = ReadyQuery(QUERY)
    asked = {"kind": CustomerKind.PERSON, "since": NOON}
    async with database.begin() as session:
        for name in ("Ben", "Ada", "Cem"):
            customer = await create_customer(session, person(name, NUMBER), region=REGION, now=NOON)
            customer.last_contact_at = NOON
        await session.flush()
        found = await ready.rows(session, **asked)
        assert [tuple(row) for row in found] == [tuple(row) for row in await session.execute(QUERY, asked)]
        assert [row[2] for row in found] == ["Ada", "Ben"]
        assert await ready.rows(session, kind=CustomerKind.ORG, since=NOON) == []


@pytest.mark.parametrize("keys", [[], ["Ada", "Cem", "nobody"], ["Ben"]])
async def test_a_list_of_keys_is_one_parameter_of_texts_or_of_numbers(database: Database, keys: list[str]) -> None:
    async with database.begin() as session:
        named = {
            name: (await create_customer(session, person(name, NUMBER), region=REGION, now=NOON)).id
            for name in ("Ben", "Ada", "Cem")
        }
    by_name = ReadyQuery(select(Customer.id).where(among_keys(Customer.display_name)).order_by(Customer.id))
    by_id = ReadyQuery(select(Customer.display_name).where(among_keys(Customer.id)).order_by(Customer.display_name))
    wanted = [named[each] for each in keys if each in named]
    async with database.glance() as connection:
        assert [row[0] for row in await by_name.rows(connection, keys=keys)] == sorted(wanted)
        assert [row[0] for row in await by_id.rows(connection, keys=wanted)] == sorted(set(keys) & named.keys())


async def test_a_glance_sees_what_is_committed_and_nothing_else(database: Database) -> None:
    everybody = ReadyQuery(select(Customer.display_name))
    async with database.begin() as session:
        await create_customer(session, person("Ada", NUMBER), region=REGION, now=NOON)
        async with database.glance() as connection:
            assert await everybody.rows(connection) == []
    async with database.glance() as connection:
        assert await everybody.rows(connection) == [("Ada",)]


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
async def test_a_connection_that_is_left_in_the_midst_of_its_work_keeps_nobody_waiting(database: Database) -> None:
    async def fail() -> None:
        async with database.glance() as connection:
            await connection.driver.execute("BEGIN IMMEDIATE")
            raise LookupError

    for _ in range(3):
        with pytest.raises(LookupError):
            await fail()
        async with database.glance() as connection:
            assert await ReadyQuery(select(Customer.id)).rows(connection) == []
        async with database.begin() as session:
            await create_customer(session, person("Ada", NUMBER), region=REGION, now=NOON)
            await session.rollback()


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
async def test_a_table_that_is_away_is_told_like_any_trouble_of_the_database(database: Database) -> None:
    async with database.engine.begin() as connection:
        await connection.exec_driver_sql("ALTER TABLE customer RENAME TO away")
    with pytest.raises(CrmUnavailable):
        async with database.read() as session:
            await ReadyQuery(QUERY).rows(session, kind=CustomerKind.PERSON, since=NOON)


@pytest.mark.interop
@pytest.mark.parametrize("store_url", ["postgresql"], indirect=True)
async def test_a_connection_that_was_cut_is_told_like_any_trouble_of_the_database(database: Database) -> None:
    async def interrupted() -> None:
        async with database.read() as session:
            backend = await session.scalar(text("SELECT pg_backend_pid()"))
            async with database.engine.connect() as other:
                await other.execute(text("SELECT pg_terminate_backend(:backend)"), {"backend": backend})
            await ReadyQuery(QUERY).rows(session, kind=CustomerKind.PERSON, since=NOON)

    with pytest.raises(CrmUnavailable):
        await interrupted()
