"""Reading a long timeline as people do: both ways, from a date on, and a conversation as one entry."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime
from typing import Any

import httpx
import pytest

from crm_bridge.customers import create_customer
from crm_bridge.database import Database
from crm_bridge.interactions import InteractionRecord, record_batch
from crm_bridge.timeline import Start, TimelineItem, page
from tests.support.crm_records import NOON, NUMBER, REGION, call, minutes, person
from tests.support.crm_web import client_of

pytestmark = pytest.mark.unit

ENTRIES = 23
"""Calls of the long timeline, one a minute, five of them in the same one."""


@pytest.fixture
async def web(database: Database) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(database, roles="agent") as client:
        yield client


def handed_on(first: InteractionRecord, number: int, **changed: Any) -> InteractionRecord:
    """The contact that the customer of ``first`` was transferred into, minutes later, with another agent."""
    started_at = first.started_at + minutes(number)
    return replace(
        call(
            f"{first.contact_id}.{number}", started_at=started_at, agent_id=f"a{number}", agent_name=f"Agent {number}"
        ),
        parent_contact_id=first.contact_id,
        parent_relation="transfer",
        **changed,
    )


async def customer_with(database: Database, *records: InteractionRecord) -> int:
    async with database.begin() as session:
        ada = (await create_customer(session, person("Ada", NUMBER), region=REGION, now=NOON - minutes(60))).id
        await record_batch(session, records, region=REGION)
    return ada


def long_history() -> list[InteractionRecord]:
    return [call(f"c{n:02}", started_at=NOON + minutes(max(n, 5))) for n in range(ENTRIES)]


def contacts(items: tuple[TimelineItem, ...]) -> list[str]:
    return [item.interaction.contact_id for item in items if item.interaction]


async def test_a_timeline_read_back_from_any_page_is_the_same_timeline(database: Database) -> None:
    ada = await customer_with(database, *long_history())
    async with database.read() as session:
        whole = [item.id for item in (await page(session, ada, limit=100)).items]
        found = await page(session, ada, limit=4)
        down = list(found.items)
        assert found.previous_cursor is None
        while found.next_cursor:
            found = await page(session, ada, start=Start(before=found.next_cursor), limit=4)
            down += found.items
        up = list(found.items)
        while found.previous_cursor:
            found = await page(session, ada, start=Start(newer_than=found.previous_cursor), limit=4)
            assert found.next_cursor is not None
            up = [*found.items, *up]
    assert [item.id for item in down] == [item.id for item in up] == whole
    assert len(whole) == ENTRIES + 1


async def test_a_jump_begins_with_the_newest_entry_until_then_and_goes_both_ways(database: Database) -> None:
    ada = await customer_with(database, *long_history())

    async def jump(until: datetime, **wanted: Any) -> Any:
        async with database.read() as session:
            return await page(session, ada, start=Start(until=until), limit=3, **wanted)

    at_one_instant = await jump(NOON + minutes(5))
    assert contacts(at_one_instant.items)[0] == "c05"
    assert at_one_instant.previous_cursor is not None
    assert contacts((await jump(NOON + minutes(10.5))).items) == ["c10", "c09", "c08"]
    newest = await jump(NOON + minutes(99))
    assert (contacts(newest.items)[0], newest.previous_cursor) == ("c22", None)
    before_everything = await jump(NOON - minutes(99))
    assert (before_everything.items, before_everything.next_cursor) == ((), None)
    async with database.read() as session:
        first = await page(session, ada, start=Start(newer_than=before_everything.previous_cursor), limit=3)
    assert first.items[-1].kind == "customer_created"
    of_kind = await jump(NOON + minutes(10.5), kind="customer_created")
    assert (len(of_kind.items), of_kind.previous_cursor) == (1, None)  # of this kind nothing is newer


async def test_a_customer_who_was_handed_on_is_one_conversation_with_its_parts(database: Database) -> None:
    first = call("t1")
    second = handed_on(first, 2)
    third = replace(handed_on(second, 3), contact_id="t1.9", parent_relation="consult")
    other = call("o1", started_at=NOON + minutes(1))
    ada = await customer_with(database, third, second, first, other)  # as the journal never would
    async with database.read() as session:
        flat = (await page(session, ada, limit=10)).items
        folded = (await page(session, ada, limit=10, conversations=True)).items
        of_channel = (await page(session, ada, limit=10, conversations=True, channel="voice")).items
        assert (await page(session, ada, limit=2, conversations=True)).items == folded[:2]
    assert contacts(flat) == ["t1.9", "t1.2", "o1", "t1"]
    assert contacts(folded) == contacts(of_channel) == ["o1", "t1"]
    assert [view.contact_id for view in folded[1].parts] == ["t1.2", "t1.9"]
    assert [view.parent and view.parent.agent_name for view in folded[1].parts] == ["Lin", "Agent 2"]
    assert folded[0].parts == ()


async def test_links_that_make_no_sense_hide_no_contact(database: Database) -> None:
    """Parents in a ring, a parent that never came to be, and one that turned out to be another customer's."""
    ring = replace(handed_on(call("r1"), 2), parent_contact_id="r2")
    back = replace(handed_on(ring, 3), contact_id="r2", parent_contact_id=ring.contact_id)
    lost = handed_on(call("nobody"), 4)
    strange = handed_on(call("s1", from_value="+8613900009999"), 5)
    ada = await customer_with(database, ring, back, lost, strange, call("s1", from_value="+8613900009999"))
    async with database.read() as session:
        items = (await page(session, ada, limit=10, conversations=True)).items
    shown = contacts(items) + [part.contact_id for item in items for part in item.parts]
    assert sorted(shown) == sorted(["r1.2", "r2", "nobody.4", "s1.5"])
    assert len(contacts(items)) == 3


async def test_a_part_that_turned_out_to_be_somebody_elses_is_not_shown(database: Database) -> None:
    first = call("t1")
    ada = await customer_with(database, first)
    async with database.begin() as session:
        ben = (await create_customer(session, person("Ben", "+8613900009999"), region=REGION, now=NOON)).id
        await record_batch(session, [handed_on(first, 2, customer_id=ben)], region=REGION)
    for customer_id, theirs in ((ada, ["t1"]), (ben, ["t1.2"])):
        async with database.read() as session:
            items = (await page(session, customer_id, limit=10, conversations=True)).items
        assert (contacts(items), [part for item in items for part in item.parts]) == (theirs, [])


async def test_the_api_pages_both_ways_and_refuses_two_beginnings(web: httpx.AsyncClient, database: Database) -> None:
    first = call("t1")
    ada = await customer_with(database, first, handed_on(first, 2), *long_history())
    path = f"/customers/{ada}/timeline"

    async def ask(**query: Any) -> dict[str, Any]:
        answer = await web.get(path, params={"limit": 5, "conversations": True, **query})
        assert answer.status_code == 200, answer.text
        told: dict[str, Any] = answer.json()
        return told

    jumped = await ask(until="2026-03-02T20:10:30+08:00")
    assert [each["interaction"]["contact_id"] for each in jumped["items"]] == [f"c{n:02}" for n in range(10, 5, -1)]
    newer = await ask(newer=jumped["previous_cursor"])
    assert [each["interaction"]["contact_id"] for each in newer["items"]] == [f"c{n}" for n in range(15, 10, -1)]
    assert (await ask(cursor=newer["next_cursor"])) == jumped
    oldest = await ask(until="2026-03-02T12:00:00Z")
    assert [part["contact_id"] for part in oldest["items"][0]["parts"]] == ["t1.2"]
    both = {"until": "2026-03-02T12:00:00Z", "cursor": jumped["next_cursor"]}
    for query, where in ((both, "query"), ({"until": "0001-01-01T00:00:00+14:00"}, "query.until")):
        refused = await web.get(path, params=query)
        assert (refused.status_code, refused.json()["where"]) == (400, where)
    assert (await web.get(path, params={"until": "2026-03-02T12:00:00"})).status_code == 422  # without a time zone
