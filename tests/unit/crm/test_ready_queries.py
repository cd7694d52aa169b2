"""Queries that are asked while a phone rings answer as SQLAlchemy does, in the session's own transaction."""

import pytest
from sqlalchemy import bindparam, select, text

from crm_bridge.customers import create_customer
from crm_bridge.database import Database
from crm_bridge.errors import CrmUnavailable
from crm_bridge.models import Customer
from crm_bridge.ready_queries import ReadyQuery
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
