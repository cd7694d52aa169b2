"""Promises to customers and the files that are kept about them: over the API, on the card, in the timeline."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from crm_bridge.database import Database
from crm_bridge.interactions import record
from crm_bridge.models import AttachmentContent
from tests.support.crm_records import NOON, NUMBER, REGION, call, minutes
from tests.support.crm_web import client_of, enter, problem

pytestmark = pytest.mark.unit


@pytest.fixture
async def web(database: Database) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(database) as client:
        yield client


async def promised(
    web: httpx.AsyncClient, customer_id: str, what: str, due: timedelta, **fields: Any
) -> dict[str, Any]:
    body = {"what": what, "due_at": (NOON + due).isoformat()} | fields
    response = await web.post(f"/customers/{customer_id}/promises", json=body)
    assert response.status_code == 201, response.text
    told: dict[str, Any] = response.json()
    return told


async def test_a_promise_stands_on_the_card_until_somebody_says_what_became_of_it(
    web: httpx.AsyncClient, database: Database
) -> None:
    ada = (await enter(web, "Ada", NUMBER))["id"]
    later = await promised(web, ada, "send the quote", minutes(60), contact_id="c1")
    overdue = await promised(web, ada, "call back", -minutes(1), assignee_id="noa")
    assert (later["assignee_id"], later["promised_by"], later["contact_id"]) == ("u1", "u1", "c1")
    card = (await web.get(f"/customers/{ada}/card")).json()
    assert [(each["what"], each["is_overdue"], each["assignee_id"]) for each in card["promises"]] == [
        ("call back", True, "noa"),
        ("send the quote", False, "u1"),
    ]
    settled = await web.post(f"/promises/{overdue['id']}/settle", json={"state": "broken", "outcome": "nobody was in"})
    assert (settled.json()["state"], settled.json()["settled_by"]) == ("broken", "u1")
    again = await web.post(f"/promises/{overdue['id']}/settle", json={"state": "kept"})
    assert problem(again)[:2] == (409, "already-settled")
    card = (await web.get(f"/customers/{ada}/card")).json()
    assert [each["what"] for each in card["promises"]] == ["send the quote"]
    kinds = [
        (each["kind"], (each["promise"] or {}).get("what"), (each["promise"] or {}).get("state"))
        for each in (await web.get(f"/customers/{ada}/timeline")).json()["items"]
    ]
    assert kinds[:3] == [
        ("promise_settled", "call back", "broken"),
        ("promise", "call back", "broken"),
        ("promise", "send the quote", "open"),
    ]
    everything = (await web.get(f"/customers/{ada}/promises")).json()
    assert [each["state"] for each in everything] == ["broken", "open"]
    log = (await web.get("/audit", params={"table": "promise", "row_key": overdue["id"]})).json()
    assert [(each["action"], each["actor_id"]) for each in log] == [("update", "u1"), ("insert", "u1")]


async def test_the_most_urgent_promises_come_first_page_by_page_and_by_person(web: httpx.AsyncClient) -> None:
    ada = (await enter(web, "Ada", NUMBER))["id"]
    for hour in (3, 1, 2):
        await promised(web, ada, f"in {hour}", minutes(60 * hour), assignee_id="noa" if hour < 3 else "u1")
    seen, cursor = [], None
    while True:
        page = (await web.get("/promises", params={"limit": 1} | ({"cursor": cursor} if cursor else {}))).json()
        seen += [each["what"] for each in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert seen == ["in 1", "in 2", "in 3"]
    hers = (await web.get("/promises", params={"assignee": "noa"})).json()["items"]
    soon = (await web.get("/promises", params={"due_before": (NOON + minutes(90)).isoformat()})).json()["items"]
    assert ([each["what"] for each in hers], [each["what"] for each in soon]) == (["in 1", "in 2"], ["in 1"])
    moved = await web.patch(f"/promises/{hers[0]['id']}", json={"due_at": (NOON + minutes(600)).isoformat()})
    assert moved.status_code == 200
    assert [each["what"] for each in (await web.get("/promises")).json()["items"]] == ["in 2", "in 3", "in 1"]


async def test_promises_of_other_teams_are_nobodys_business(web: httpx.AsyncClient) -> None:
    ada = (await enter(web, "Ada", NUMBER))["id"]
    made = await promised(web, ada, "call back", minutes(60))
    await web.patch(f"/customers/{ada}", json={"team_id": "north"}, headers={"if-match": "*"})
    south = {"x-roles": "agent", "x-teams": "south"}
    assert (await web.get("/promises", headers=south)).json()["items"] == []
    settled = await web.post(f"/promises/{made['id']}/settle", json={"state": "kept"}, headers=south)
    assert problem(settled)[:2] == (404, "customer-not-found")
    auditor = {"x-roles": "auditor"}
    assert len((await web.get("/promises", headers=auditor)).json()["items"]) == 1
    refused = await web.post(f"/promises/{made['id']}/settle", json={"state": "kept"}, headers=auditor)
    assert problem(refused)[:2] == (403, "forbidden")


async def test_merging_takes_the_promises_along_and_undoing_gives_them_back(web: httpx.AsyncClient) -> None:
    ada, twin = (await enter(web, "Ada", NUMBER))["id"], (await enter(web, "Ada L"))["id"]
    await promised(web, twin, "call back", minutes(60))
    merge = (await web.post("/merges", json={"survivor_id": ada, "merged_id": twin})).json()
    assert len((await web.get(f"/customers/{ada}/card")).json()["promises"]) == 1
    await web.post(f"/merges/{merge['id']}/undo")
    assert (await web.get(f"/customers/{ada}/card")).json()["promises"] == []
    assert len((await web.get(f"/customers/{twin}/card")).json()["promises"]) == 1


async def test_a_second_contact_within_a_week_makes_a_repeat_caller_and_the_last_ones_are_on_the_card(
    database: Database,
) -> None:
    async with client_of(database, at=NOON + timedelta(days=6)) as web:
        ada = (await enter(web, "Ada", NUMBER))["id"]
        assert (await web.get(f"/customers/{ada}/card")).json()["is_repeat_caller"] is False
        async with database.begin() as session:
            for n in range(4):
                await record(session, call(f"c{n}", started_at=NOON + minutes(n), journal_seq=n + 1), region=REGION)
        card = (await web.get(f"/customers/{ada}/card")).json()
        assert (card["is_repeat_caller"], card["contacts_in_window"]) == (True, 4)
        assert [each["contact_id"] for each in card["last_interactions"][:3]] == ["c3", "c2", "c1"]


async def test_a_file_comes_back_as_it_was_and_is_never_shown_in_place(
    web: httpx.AsyncClient, database: Database
) -> None:
    ada = (await enter(web, "Ada", NUMBER))["id"]
    content = b"<script>alert(1)</script>\0\xff"
    asked = {"file_name": 'in"voice\r\nX: y 发票.html', "media_type": "text/html"}
    kept = await web.post(f"/customers/{ada}/files", params=asked, content=content)
    assert (kept.status_code, kept.json()["size_bytes"]) == (201, len(content))
    back = await web.get(f"/attachments/{kept.json()['id']}/content")
    assert back.content == content
    assert back.headers["content-type"] == "application/octet-stream"
    assert back.headers["content-disposition"].startswith("attachment; filename*=UTF-8''in%22voice%0D%0A")
    assert back.headers["x-content-type-options"] == "nosniff"
    south = {"x-roles": "agent", "x-teams": "south"}
    await web.patch(f"/customers/{ada}", json={"team_id": "north"}, headers={"if-match": "*"})
    assert (await web.get(f"/attachments/{kept.json()['id']}/content", headers=south)).status_code == 404
    assert (await web.delete(f"/customers/{ada}/attachments/{kept.json()['id']}")).status_code == 204
    assert problem(await web.get(f"/attachments/{kept.json()['id']}/content"))[:2] == (404, "item-not-found")
    assert (await web.get(f"/customers/{ada}/attachments")).json() == []
    async with database.read() as session:
        assert await session.scalar(select(func.count()).select_from(AttachmentContent)) == 0


async def test_a_file_that_is_too_large_is_refused_while_it_comes(
    web: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("crm_bridge.api.file_routes.MAX_FILE", 10)
    ada = (await enter(web, "Ada", NUMBER))["id"]
    refused = await web.post(f"/customers/{ada}/files?file_name=a", content=b"x" * 11)
    assert problem(refused) == (422, "invalid-file", "body")


async def test_a_number_comes_off_the_list_of_those_not_to_be_contacted(web: httpx.AsyncClient) -> None:
    put = await web.post("/suppressions", json={"value": NUMBER, "reason": "asked to stop", "source": "call"})
    asked = {"value": NUMBER, "channel": "voice", "purpose": "service"}
    assert (await web.get("/contactability", params=asked)).json()["reasons"] == ["suppressed"]
    [found] = (await web.get("/suppressions", params={"value": NUMBER})).json()
    assert found["id"] == put.json()["id"]
    assert [each["id"] for each in (await web.get("/suppressions")).json()] == [found["id"]]
    assert (await web.delete(f"/suppressions/{found['id']}", headers={"x-roles": "agent"})).status_code == 403
    assert (await web.delete(f"/suppressions/{found['id']}")).status_code == 204
    assert (await web.get("/contactability", params=asked)).json()["is_allowed"]
    log = (await web.get("/audit", params={"table": "suppression"})).json()
    assert [each["action"] for each in log] == ["delete", "insert"]


class StuckStore:
    """A store that answers nothing."""

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncSession]:
        await asyncio.Event().wait()
        yield AsyncSession()

    begin = read

    async def scrub(self) -> None:
        """Nothing."""


async def test_the_card_of_a_ringing_phone_waits_for_no_store(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crm_bridge.api.ports.SOON_SECONDS", 0.05)
    async with asyncio.timeout(10), client_of(StuckStore()) as web:
        for path in ("/customers/1/card", f"/customers/lookup?number={NUMBER}"):
            answer = await web.get(path)
            assert problem(answer)[:2] == (503, "crm-unavailable")
            assert answer.headers["retry-after"]
