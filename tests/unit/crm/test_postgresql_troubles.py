"""What PostgreSQL does to those who use it: connections cut, deadlocks, no room, nobody there."""

import asyncio

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from crm_bridge.customers import create_customer
from crm_bridge.database import Database
from crm_bridge.errors import CrmUnavailable, WriteConflict
from crm_bridge.interactions import record_batch
from crm_bridge.models import Customer, PhoneLookup, ProjectionCursor
from crm_bridge.row_writing import write_rows
from tests.support import postgresql
from tests.support.crm_records import NOON, NUMBER, REGION, call, person

pytestmark = pytest.mark.interop

on_postgresql = pytest.mark.parametrize("store_url", ["postgresql"], indirect=True)


async def cut(database: Database, session: AsyncSession) -> None:
    """End the session's connection from outside."""
    backend = await session.scalar(text("SELECT pg_backend_pid()"))
    async with database.engine.connect() as other:
        await other.execute(text("SELECT pg_terminate_backend(:backend)"), {"backend": backend})


@on_postgresql
async def test_a_connection_that_is_cut_is_worth_a_retry_and_the_retry_works(database: Database) -> None:
    async def interrupted() -> None:
        async with database.begin() as session:
            await create_customer(session, person("Ada", NUMBER), region=REGION, now=NOON)
            await cut(database, session)
            await session.execute(text("SELECT 1"))

    with pytest.raises(CrmUnavailable) as caught:
        await interrupted()
    assert caught.value.retryable
    async with database.begin() as session:
        await create_customer(session, person("Ada", NUMBER), region=REGION, now=NOON)


@on_postgresql
async def test_a_connection_that_is_cut_before_rows_are_copied_is_worth_a_retry(database: Database) -> None:
    calls = [call(f"copied-{number}", journal_seq=number) for number in range(1, 61)]

    async def interrupted() -> None:
        async with database.begin() as session:
            await record_batch(session, calls[:30], region=REGION)
            await cut(database, session)
            await record_batch(session, calls[30:], region=REGION)

    async def copy_after_a_cut() -> None:
        async with database.begin() as session:
            await cut(database, session)
            await write_rows(session, PhoneLookup.__table__, ("phone_e164_int",), [(1,)])

    for interruption in (interrupted, copy_after_a_cut):
        with pytest.raises(CrmUnavailable):
            await interruption()
    async with database.begin() as session:
        assert len(await record_batch(session, calls, region=REGION)) == len(calls)


@on_postgresql
async def test_rows_that_contradict_others_are_a_conflict_when_copied_too(database: Database) -> None:
    rows = [("twice", 1, NOON, NOON)] * 2
    with pytest.raises(WriteConflict):
        async with database.begin() as session:
            await write_rows(session, ProjectionCursor.__table__, ("name", "seq", "created_at", "updated_at"), rows)


@on_postgresql
async def test_connections_that_were_cut_while_nobody_used_them_are_not_noticed(database: Database) -> None:
    async with database.read() as session:
        await session.execute(text("SELECT 1"))
    postgresql.execute_in_thread(
        str(database.engine.url.render_as_string()),
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE datname = current_database() AND pid <> pg_backend_pid()",
    )
    async with database.read() as session:
        assert await session.scalar(text("SELECT 1")) == 1


@on_postgresql
async def test_a_deadlock_is_a_conflict_and_one_of_the_two_gets_through(database: Database) -> None:
    async with database.begin() as session:
        ids = [(await create_customer(session, person(name), region=REGION, now=NOON)).id for name in ("Ada", "Ben")]
    both_hold_one = asyncio.Barrier(2)

    async def change(first: int, second: int) -> None:
        async with database.begin() as session:
            await session.execute(text("SET LOCAL deadlock_timeout = '50ms'"))
            for index, customer_id in enumerate((first, second)):
                if index:
                    await both_hold_one.wait()
                await session.get_one(Customer, customer_id, with_for_update=True)

    async with asyncio.timeout(20):
        ends = await asyncio.gather(change(*ids), change(*reversed(ids)), return_exceptions=True)
    assert sorted(type(end).__name__ for end in ends) == ["NoneType", WriteConflict.__name__]


async def test_a_server_that_is_not_there_is_unavailable() -> None:
    database = Database("postgresql+asyncpg://nobody@127.0.0.1:1/store")
    with pytest.raises(CrmUnavailable):
        async with database.read() as session:
            await session.execute(text("SELECT 1"))
    await database.close()


@on_postgresql
async def test_a_statement_of_ours_that_is_wrong_is_not_hidden_as_an_outage(database: Database) -> None:
    from sqlalchemy.exc import ProgrammingError

    with pytest.raises(ProgrammingError):
        async with database.read() as session:
            await session.execute(text("SELECT nonsense"))
