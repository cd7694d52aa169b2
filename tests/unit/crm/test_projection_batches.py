"""A batch leaves the rows that its records, written one by one, leave."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, event, select

from crm_bridge.customers import create_customer
from crm_bridge.database import Database
from crm_bridge.interactions import InteractionRecord, WrapUpRecord, record_batch
from crm_bridge.models import ContactParent, Customer, Interaction, TimelineEvent, WrapUp
from crm_bridge.models.base import Base
from tests.support.crm_records import NOON, REGION, call, minutes, person

pytestmark = pytest.mark.unit

ADAS, SHARED, NOBODYS = "+8613900000001", "+8613900000002", "+8613900000003"
OWN = "+862161234567"


@st.composite
def journal_records(draw: st.DrawFn, seq: int) -> InteractionRecord | WrapUpRecord:
    contact_id = draw(st.sampled_from(["c1", "c2", "c3"]))
    seq = draw(st.sampled_from([seq, max(seq - 3, 0)]))
    if draw(st.integers(0, 3)) == 0:
        said = draw(st.sampled_from(["solved", "callback"]))
        return WrapUpRecord(
            contact_id=contact_id, disposition=said, notes="", wrapped_up_at=NOON + minutes(seq), journal_seq=seq
        )
    return call(
        contact_id,
        from_value=draw(st.sampled_from([ADAS, SHARED, NOBODYS, "95588", "1001", "anonymous", OWN])),
        started_at=NOON + minutes(draw(st.integers(0, 9))),
        customer_id=draw(st.sampled_from([None, None, 1, 2, 4711])),
        match_state=draw(st.sampled_from(["none", "one", "manual", "many"])),
        agent_id=draw(st.sampled_from([None, "lin"])),
        parent_contact_id=draw(st.sampled_from([None, None, "c1", "c2"])),
        parent_relation="transfer",
        journal_seq=seq,
    )


@st.composite
def histories(draw: st.DrawFn) -> list[list[InteractionRecord | WrapUpRecord]]:
    count = draw(st.integers(1, 9))
    records = [draw(journal_records(seq + 1)) for seq in range(count)]
    cut = draw(st.integers(0, count))
    return [records[:cut], records[cut:]]


async def picture(database: Database) -> list[Any]:
    """Everything a projection writes, without the ids and instants that differ from run to run."""
    async with database.read() as session:
        calls = (await session.scalars(select(Interaction).order_by(Interaction.contact_id))).all()
        names = {each.id: each.contact_id for each in calls}
        events = await session.scalars(select(TimelineEvent).where(TimelineEvent.kind == "interaction"))
        return [
            [(c.contact_id, c.customer_id, c.match_state, c.started_at, c.party_norm, c.journal_seq) for c in calls],
            sorted((names[e.ref_id], e.customer_id, e.at, e.actor_id or "") for e in events),
            sorted((w.contact_id, w.disposition, w.journal_seq) for w in await session.scalars(select(WrapUp))),
            sorted((p.contact_id, p.parent_contact_id) for p in await session.scalars(select(ContactParent))),
            (await session.scalars(select(Customer.last_contact_at).order_by(Customer.display_name))).all(),
        ]


async def write(database: Database, batches: list[list[InteractionRecord | WrapUpRecord]], ids: list[int]) -> None:
    for batch in batches:
        named = {None: None, 4711: 4711} | dict(enumerate(ids, 1))
        records = [
            replace(each, customer_id=named[each.customer_id]) if isinstance(each, InteractionRecord) else each
            for each in batch
        ]
        async with database.begin() as session:
            await record_batch(session, records, region=REGION, own_numbers=frozenset({OWN}))


async def clear(database: Database) -> None:
    async with database.begin() as session:
        tables: list[type[Base]] = [WrapUp, ContactParent, TimelineEvent, Interaction]
        for table in tables:
            await session.execute(delete(table))
        for customer in await session.scalars(select(Customer)):
            customer.last_contact_at = None


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history=histories())
async def test_a_batch_is_the_same_as_its_records_one_by_one(
    database: Database, history: list[list[InteractionRecord | WrapUpRecord]]
) -> None:
    await clear(database)
    async with database.begin() as session:
        ids = list(await session.scalars(select(Customer.id).order_by(Customer.display_name)))
        if not ids:
            for name, *numbers in (("Ada", ADAS, SHARED), ("Ben", SHARED, "95588")):
                ids.append((await create_customer(session, person(name, *numbers), region=REGION, now=NOON)).id)
    await write(database, history, ids)
    together = await picture(database)
    await clear(database)
    await write(database, [[each] for batch in history for each in batch], ids)
    assert await picture(database) == together


async def test_the_number_of_statements_does_not_grow_with_the_batch(database: Database) -> None:
    asked: list[str] = []
    async with database.begin() as session:
        await create_customer(session, person("Ada", ADAS), region=REGION, now=NOON)
    for size in (1, 40):
        async with database.begin() as session:
            connection = await session.connection()
            asked.clear()
            event.listen(
                connection.sync_connection, "before_cursor_execute", lambda *given: asked.append(given[2]), once=False
            )
            calls = [call(f"{size}-{n}", from_value=ADAS, journal_seq=n + 1) for n in range(size)]
            await record_batch(session, calls, region=REGION)
        assert len(asked) <= 6, asked
