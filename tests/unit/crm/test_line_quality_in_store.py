"""How lines sounded, in the store: with their interaction and segment, written any number of times."""

from dataclasses import replace

import pytest

from crm_bridge.customers import create_customer
from crm_bridge.database import Database
from crm_bridge.interactions import LineQualityRecord, record_batch
from crm_bridge.line_quality import lines_of
from crm_bridge.timeline import page
from tests.support.crm_records import NOON, NUMBER, REGION, call, person

pytestmark = pytest.mark.unit

CUSTOMERS = LineQualityRecord(
    call_id="c1", contact_id="c1.2", leg="customer", role="customer", agent_id=None, measured_at=NOON, codec="PCMA",
    packets_in=950, packets_lost=50, is_heard=True, jitter_ms=3.0, round_trip_ms=None, far_loss_percent=None, mos=3.9,
    worst_mos=2.5, worst_loss_percent=20.0, journal_seq=7,
)  # fmt: skip
FIRST = replace(CUSTOMERS, contact_id="c1", leg="agent-1", role="agent", agent_id="lin", agent_name="Lin")
SECOND = replace(FIRST, contact_id="c1.2", leg="agent-2", agent_id="mo", agent_name="Mo")


async def write(database: Database, *records: object) -> None:
    async with database.begin() as session:
        await record_batch(session, list(records), region=REGION)  # type: ignore[arg-type]


async def test_each_segment_has_its_agents_line_and_the_customers(database: Database) -> None:
    await write(database, CUSTOMERS, FIRST, SECOND)
    async with database.read() as session:
        found = await lines_of(session, [("c1", "c1"), ("c1.2", "c1"), ("c2", "c2")])
    assert {key: [line.agent_name for line in lines] for key, lines in found.items()} == {
        "c1": [None, "Lin"], "c1.2": [None, "Mo"]
    }  # fmt: skip
    assert found["c1"][0].loss_percent == 5.0


async def test_writing_again_changes_the_row_and_adds_none(database: Database) -> None:
    await write(database, CUSTOMERS, CUSTOMERS)
    await write(database, replace(CUSTOMERS, mos=1.5))
    async with database.read() as session:
        (line,) = (await lines_of(session, [("c1", "c1")]))["c1"]
    assert line.mos == 1.5


async def test_the_timeline_shows_them(database: Database) -> None:
    async with database.begin() as session:
        customer = await create_customer(session, person("Ada", NUMBER), now=NOON, region=REGION)
    await write(database, CUSTOMERS, call("c1", call_id="c1"))
    async with database.read() as session:
        items = (await page(session, customer.id, limit=10)).items
    (interaction,) = [item.interaction for item in items if item.interaction is not None]
    assert [line.worst_mos for line in interaction.lines] == [2.5]
