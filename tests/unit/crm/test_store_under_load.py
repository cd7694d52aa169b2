"""What must hold when the store is big or busy: indexes are used, writers queue, readers do not wait."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from crm_bridge.customers import create_customer, lookup_by_number
from crm_bridge.database import Database
from crm_bridge.history import page_interactions
from crm_bridge.interactions import record
from crm_bridge.keyset import Cursor
from crm_bridge.models import Customer, PhoneLookup
from crm_bridge.screen_pop import load_card
from crm_bridge.search import search
from crm_bridge.timeline import Start, page
from crm_bridge.vocabulary import MatchState
from tests.support.crm_records import NOON, NUMBER, REGION, call, person

pytestmark = pytest.mark.unit


async def test_writers_at_the_same_time_wait_for_each_other_and_all_succeed(database: Database) -> None:
    async def enter(index: int) -> None:
        async with database.begin() as session:
            await session.scalars(select(Customer).limit(1))
            await create_customer(session, person(f"Ada {index}", NUMBER), region=REGION, now=NOON)

    await asyncio.gather(*(enter(index) for index in range(12)))
    async with database.read() as session:
        assert len((await session.scalars(select(PhoneLookup))).all()) == 12


async def test_a_reader_neither_waits_for_a_writer_nor_sees_its_unfinished_work(database: Database) -> None:
    async with database.begin() as writing:
        await create_customer(writing, person("Ada", NUMBER), region=REGION, now=NOON)
        async with asyncio.timeout(4), database.read() as reading:
            assert (await lookup_by_number(reading, NUMBER, region=REGION)).state is MatchState.NONE
    async with database.read() as reading:
        assert (await lookup_by_number(reading, NUMBER, region=REGION)).state is MatchState.ONE


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
async def test_every_question_asked_while_a_phone_rings_is_answered_from_an_index(database: Database) -> None:
    """SQLite says ``SCAN`` for a walk through a whole table, ``TEMP B-TREE`` for sorting what an index could give."""
    async with database.begin() as session:
        ada = (await create_customer(session, person("Ada", NUMBER), region=REGION, now=NOON)).id
        await record(session, call(), region=REGION)
    cursor = Cursor(NOON, 2**62)
    async with database.read() as session:
        plans = {
            "lookup": await plan(session, lambda: lookup_by_number(session, NUMBER, region=REGION)),
            "short code": await plan(session, lambda: lookup_by_number(session, "95588", region=REGION)),
            "timeline": await plan(session, lambda: page(session, ada, start=Start(before=cursor), limit=50)),
            "conversations": await plan(
                session, lambda: page(session, ada, start=Start(newer_than=cursor), limit=50, conversations=True)
            ),
            "interactions": await plan(session, lambda: page_interactions(session, before=cursor, limit=50)),
            "card": await plan(session, lambda: load_card(session, ada, NOON)),
            "list": await plan(session, lambda: search(session, "", before=cursor, limit=50)),
            "search": await plan(session, lambda: search(session, "ada", before=None, limit=50)),
        }
    assert any(step.startswith("SCAN search_index VIRTUAL TABLE INDEX") for step in plans["search"]), plans["search"]
    bounded = ("SCAN search_text", "SCAN anon_1", "SCAN search_index")  # the newest two thousand, then the index
    plans["search"] = [step for step in plans["search"] if not step.startswith(bounded)]
    assert not any("TEMP B-TREE" in step for step in plans["list"]), plans["list"]
    plans["list"].remove("SCAN customer")  # those without a contact: from the newest on, until the page is full
    for question, steps in plans.items():
        assert not [step for step in steps if step.startswith("SCAN ") and "subquery" not in step], (question, steps)
    for question in ("timeline", "conversations", "interactions", "card"):
        of_history = [step for step in plans[question] if "contact_point" not in step]
        assert sum("TEMP B-TREE" in step for step in of_history) <= (question == "card"), (question, plans[question])
    assert any("SEARCH phone_lookup USING PRIMARY KEY" in step for step in plans["lookup"]), plans["lookup"]
    assert any("ix_timeline_event_customer_id_at_id" in step for step in plans["timeline"]), plans["timeline"]


async def plan(session: AsyncSession, ask: Any) -> list[str]:
    """The query plans of everything that ``ask`` asks, heard at the driver: some questions go there directly."""
    asked: list[str] = []
    connection = await session.connection()
    driver = (await connection.get_raw_connection()).driver_connection
    assert driver is not None
    session.expunge_all()
    await driver.set_trace_callback(asked.append)
    await ask()
    await driver.set_trace_callback(None)
    steps: list[str] = []
    for statement in [each for each in asked if each.startswith(("SELECT", "WITH"))]:  # "--": the index's own
        rows = await connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}")
        steps += [str(row.detail) for row in rows]
    return steps
