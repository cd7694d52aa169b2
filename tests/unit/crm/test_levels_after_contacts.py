"""A rule that counts contacts: the level follows the contact that makes it, and its history is kept."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx
import pytest

from crm_bridge import levels_after_contacts
from crm_bridge.database import Database
from crm_bridge.interactions import record_batch
from crm_bridge.levels_after_contacts import follow_contacts, follow_import
from tests.support.crm_records import NOON, NUMBER, REGION, call
from tests.support.crm_web import client_of, enter

pytestmark = pytest.mark.unit

OFTEN = [{"fact": "interactions_365d", "op": ">=", "value": 3}]
OTHER = "+862161234569"


@pytest.fixture
async def web(database: Database) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(database) as client:
        yield client


async def define(web: httpx.AsyncClient, rule: list[dict[str, Any]]) -> None:
    body = {"name": "Regular", "rank": 3, "colour": "#336699", "rule": rule}
    assert (await web.put("/levels/regular", json=body)).status_code == 200


async def contacts(database: Database, count: int, number: str = NUMBER, first: int = 0) -> list[str]:
    ids = [f"{number}-{first + index}" for index in range(count)]
    calls = [call(each, from_value=number, started_at=NOON - timedelta(days=place)) for place, each in enumerate(ids)]
    async with database.begin() as session:
        await record_batch(session, calls, region=REGION)
    return ids


async def test_the_contact_that_makes_the_level_gives_it(web: httpx.AsyncClient, database: Database) -> None:
    await define(web, OFTEN)
    ada = (await enter(web, "Ada", NUMBER))["id"]
    assert await follow_contacts(database, await contacts(database, 2), NOON) == 0
    assert (await web.get(f"/customers/{ada}/card")).json()["badge"] is None
    third = await contacts(database, 1, first=2)
    assert await follow_contacts(database, third, NOON) == 1
    assert (await web.get(f"/customers/{ada}/card")).json()["badge"]["name"] == "Regular"
    [change] = (await web.get(f"/customers/{ada}/changes", params={"field": "level"})).json()
    assert (change["old_value"], change["new_value"], change["reason"]) == (None, '"regular"', "contact")
    assert await follow_contacts(database, third, NOON) == 0, "once"


async def test_a_level_that_somebody_chose_stays_and_contacts_of_nobody_are_no_trouble(
    web: httpx.AsyncClient, database: Database
) -> None:
    await define(web, OFTEN)
    await web.put("/levels/gold", json={"name": "Gold", "rank": 2, "colour": "#aa8800"})
    ada = (await enter(web, "Ada", NUMBER))["id"]
    await web.put(f"/customers/{ada}/level", json={"code": "gold"})
    assert await follow_contacts(database, await contacts(database, 4), NOON) == 0
    assert await follow_contacts(database, ["nobody", *await contacts(database, 4, OTHER)], NOON) == 0
    assert (await web.get(f"/customers/{ada}/record")).json()["level"] == "gold"


async def test_where_no_rule_asks_about_contacts_nobody_is_looked_at(
    web: httpx.AsyncClient, database: Database
) -> None:
    await define(web, [{"fact": "kind", "op": "=", "value": "person"}])
    ada = (await enter(web, "Ada", NUMBER))["id"]
    assert (await web.get(f"/customers/{ada}/record")).json()["level"] == "regular", "given when entered"
    await define(web, [{"fact": "kind", "op": "=", "value": "org"}])
    assert await follow_contacts(database, await contacts(database, 3), NOON) == 0, "left to the daily run"


async def test_who_becomes_a_customer_has_the_level_of_the_contacts_before(
    web: httpx.AsyncClient, database: Database
) -> None:
    await define(web, OFTEN)
    await contacts(database, 3)
    await contacts(database, 3, OTHER)
    ada = (await enter(web, "Ada", NUMBER))["id"]
    assert (await web.get(f"/customers/{ada}/record")).json()["level_badge"]["code"] == "regular"
    ben = (await enter(web, "Ben"))["id"]
    assert (await web.get(f"/customers/{ben}/record")).json()["level"] is None
    assert (await web.post(f"/customers/{ben}/contact-points", json={"value": OTHER})).status_code == 201
    assert (await web.get(f"/customers/{ben}/record")).json()["level"] == "regular"


async def test_a_merge_brings_contacts_together_and_undoing_parts_them(
    web: httpx.AsyncClient, database: Database
) -> None:
    await define(web, OFTEN)
    ada, twin = (await enter(web, "Ada", NUMBER))["id"], (await enter(web, "Ada L", OTHER))["id"]
    await contacts(database, 2)
    await contacts(database, 2, OTHER)
    event = (await web.post("/merges", json={"survivor_id": ada, "merged_id": twin})).json()
    assert (await web.get(f"/customers/{ada}/record")).json()["level"] == "regular"
    await web.post(f"/merges/{event['id']}/undo")
    levels = [(await web.get(f"/customers/{each}/record")).json()["level"] for each in (ada, twin)]
    assert levels == [None, None]


async def test_an_import_is_followed_by_the_levels_of_its_customers(
    web: httpx.AsyncClient, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Behind the answer, portion by portion; a level that the table names stays."""
    monkeypatch.setattr(levels_after_contacts, "PORTION", 2)
    await define(web, OFTEN)
    await contacts(database, 3)
    table = f"name,phone,level\nAda,{NUMBER},\nBen,+8613900009999,\nCleo,,gold\nDora,,\nEve,,\n".encode()
    answer = await web.post("/imports", params={"file_name": "c.csv"}, content=table)
    assert (answer.status_code, answer.json()["report"]["created"]) == (201, 5), answer.text
    found = (await web.get("/customers")).json()["items"]
    levels = {each["display_name"]: each["level"] for each in found}
    assert levels == {"Ada": "regular", "Ben": None, "Cleo": "gold", "Dora": None, "Eve": None}
    job = int(answer.json()["id"])
    assert await follow_import(database, job, NOON) == 0
    monkeypatch.setattr(levels_after_contacts, "MOST_IMPORTED", 0)
    assert await follow_import(database, job, NOON) == 0
