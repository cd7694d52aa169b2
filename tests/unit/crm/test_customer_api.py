"""The customer store over HTTP."""

import re
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from crm_bridge.database import Database
from crm_bridge.interactions import complete_wrap_up, record
from tests.support.crm_records import NOON, NUMBER, REGION, call, minutes
from tests.support.crm_web import OWN_NUMBER, application, client_of, enter, problem

pytestmark = pytest.mark.unit

OWN = OWN_NUMBER
BASE = ""


@pytest.fixture
async def web(database: Database) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(database, roles="agent") as client:
        yield client


async def test_a_customer_is_entered_and_read_back_with_ids_as_strings(web: httpx.AsyncClient) -> None:
    created = await enter(web, " Ada ", "139 0000 1234")
    read = (await web.get(f"{BASE}/customers/{created['id']}")).json()
    assert created.pop("collisions") == []
    assert read == created
    assert (read["display_name"], read["kind"], read["status"], read["row_version"]) == ("Ada", "person", "active", 1)
    assert isinstance(read["id"], str)
    assert read["created_at"] == "2026-03-02T12:00:00Z"
    [point] = read["contact_points"]
    assert (point["value_raw"], point["value_norm"], point["is_primary"]) == ("139 0000 1234", NUMBER, True)


@pytest.mark.parametrize("number", ["13900001234", "%2B8613900001234", "+8613900001234", "sip:13900001234@192.0.2.1"])
async def test_a_number_is_looked_up_in_any_form(web: httpx.AsyncClient, number: str) -> None:
    ada = await enter(web, "Ada", NUMBER)
    match = (await web.get(f"{BASE}/customers/lookup?number={number}")).json()
    assert (match["state"], match["number"], match["more"]) == ("one", NUMBER, False)
    assert match["candidates"][0]["customer_id"] == ada["id"]


async def test_an_unescaped_plus_sign_of_a_foreign_number_is_understood(web: httpx.AsyncClient) -> None:
    await enter(web, "Ada", "+1 202 555 0123")
    match = (await web.get(f"{BASE}/customers/lookup?number=+12025550123")).json()
    assert (match["state"], match["number"]) == ("one", "+12025550123")


async def test_lookup_says_many_none_and_our_own(web: httpx.AsyncClient) -> None:
    await enter(web, "Ada", NUMBER, OWN)
    await enter(web, "Ben", NUMBER)
    states = {}
    for number in (NUMBER, "13900009999", OWN, "anonymous"):
        match = (await web.get(f"{BASE}/customers/lookup", params={"number": number})).json()
        states[number] = (match["state"], len(match["candidates"]))
    assert states == {NUMBER: ("many", 2), "13900009999": ("none", 0), OWN: ("none", 0), "anonymous": ("none", 0)}


async def test_the_list_is_searched_and_paged(web: httpx.AsyncClient) -> None:
    for index in range(5):
        await enter(web, f"Ada {index}")
    await enter(web, "Ben")
    names: list[str] = []
    cursor = None
    while True:
        after = f"&cursor={cursor}" if cursor else ""
        page = (await web.get(f"{BASE}/customers?q=ada&limit=2{after}")).json()
        names += [item["display_name"] for item in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert names == ["Ada 4", "Ada 3", "Ada 2", "Ada 1", "Ada 0"]


async def test_a_timeline_is_read_by_kind_or_by_channel_page_after_page(
    web: httpx.AsyncClient, database: Database
) -> None:
    ada = await enter(web, "Ada", NUMBER)
    async with database.begin() as session:
        for index, channel in enumerate(["voice", "email", "voice", "sms"]):
            told = call(f"c{index}", started_at=NOON + minutes(index), channel=channel, journal_seq=index + 1)
            await record(session, told, region=REGION)
    await web.post(f"{BASE}/customers/{ada['id']}/notes", json={"body": "Said hello."})

    async def read(**query: Any) -> dict[str, Any]:
        answer: dict[str, Any] = (await web.get(f"{BASE}/customers/{ada['id']}/timeline", params=query)).json()
        return answer

    assert [each["kind"] for each in (await read(kind="note"))["items"]] == ["note"]
    first = await read(channel="voice", limit=1)
    assert [each["interaction"]["contact_id"] for each in first["items"]] == ["c2"]
    second = await read(channel="voice", limit=1, cursor=first["next_cursor"])
    assert [each["interaction"]["contact_id"] for each in second["items"]] == ["c0"]
    assert second["next_cursor"] is None
    assert (await read(channel="fax"))["items"] == []


async def test_card_timeline_notes_and_interactions_tell_one_story(web: httpx.AsyncClient, database: Database) -> None:
    async with database.begin() as session:
        await record(session, call(started_at=NOON - minutes(60)), region=REGION)
        await complete_wrap_up(session, "c1", "solved", "refund", NOON, 12)
    ada = await enter(web, "Ada", NUMBER)
    note = await web.post(f"{BASE}/customers/{ada['id']}/notes", json={"body": " likes tea "})
    assert (note.status_code, note.json()["note"], note.json()["actor_id"]) == (201, "likes tea", "u1")
    card = (await web.get(f"{BASE}/customers/{ada['id']}/card")).json()
    assert (card["customer_id"], card["is_repeat_caller"], card["contacts_in_window"]) == (ada["id"], True, 1)
    assert card["last_interactions"][0]["disposition"] == "solved"
    timeline = (await web.get(f"{BASE}/customers/{ada['id']}/timeline")).json()
    assert [item["kind"] for item in timeline["items"]] == ["note", "customer_created", "interaction"]
    listed = (await web.get(f"{BASE}/interactions")).json()["items"]
    one = (await web.get(f"{BASE}/interactions/c1")).json()
    assert listed == [one] == [timeline["items"][2]["interaction"]]
    assert (one["customer_id"], one["match_state"]) == (ada["id"], "one")
    assert (one["flow_path"], one["answered_at"]) == (["Deutsch", "服务"], "2026-03-02T11:01:00Z")


async def test_an_interaction_without_a_customer_has_null_for_it(web: httpx.AsyncClient, database: Database) -> None:
    async with database.begin() as session:
        await record(session, call(), region=REGION)
    assert (await web.get(f"{BASE}/interactions/c1")).json()["customer_id"] is None


async def test_a_number_is_assigned_to_a_customer_once(web: httpx.AsyncClient) -> None:
    ada = await enter(web, "Ada")
    path = f"{BASE}/customers/{ada['id']}/contact-points"
    assert (await web.post(path, json={"value": NUMBER, "usage": "home"})).status_code == 201
    assert problem(await web.post(path, json={"value": "13900001234"})) == (409, "contact-point-exists", "body.value")


@pytest.mark.parametrize(
    ("path", "code", "where"),
    [
        ("customers/4711", "customer-not-found", "path.customer_id"),
        ("customers/abc", "customer-not-found", "path.customer_id"),
        ("customers/99999999999999999999999", "customer-not-found", "path.customer_id"),
        ("customers/4711/card", "customer-not-found", "path.customer_id"),
        ("customers/4711/timeline", "customer-not-found", "path.customer_id"),
        ("interactions/nobody", "interaction-not-found", "path.contact_id"),
    ],
)
async def test_what_is_not_there_is_404(web: httpx.AsyncClient, path: str, code: str, where: str) -> None:
    assert problem(await web.get(f"{BASE}/{path}")) == (404, code, where)


@pytest.mark.parametrize("path", ["customers", "interactions", "customers/4711/timeline"])
async def test_a_made_up_cursor_is_400(web: httpx.AsyncClient, path: str) -> None:
    assert problem(await web.get(f"{BASE}/{path}?cursor=zzz")) == (400, "bad-cursor", "query.cursor")


@pytest.mark.parametrize(
    ("body", "where"),
    [
        ({}, "body.display_name"),
        ({"display_name": "  "}, "body.display_name"),
        ({"display_name": "Ada", "kind": "robot"}, "body.kind"),
        ({"display_name": "Ada", "nickname": "x"}, "body.nickname"),
        ({"display_name": "Ada", "contact_points": [{"value": "x" * 300}]}, "body.contact_points.0.value"),
        ({"display_name": "Ada", "contact_points": [{"value": "1391"}] * 51}, "body.contact_points"),
    ],
)
async def test_a_malformed_body_is_422_and_names_the_field(
    web: httpx.AsyncClient, body: dict[str, Any], where: str
) -> None:
    assert problem(await web.post(f"{BASE}/customers", json=body)) == (422, "malformed-request", where)


async def test_a_number_that_is_none_is_422_with_its_own_code(web: httpx.AsyncClient) -> None:
    body = {"display_name": "Ada", "contact_points": [{"value": NUMBER}, {"value": "reception"}]}
    expected = (422, "invalid-contact-point", "body.contact_points.1.value")
    assert problem(await web.post(f"{BASE}/customers", json=body)) == expected


@pytest.mark.parametrize("query", ["limit=0", "limit=101", "limit=x", "q=" + "a" * 101])
async def test_queries_have_bounds(web: httpx.AsyncClient, query: str) -> None:
    assert problem(await web.get(f"{BASE}/customers?{query}"))[:2] == (422, "malformed-request")


async def test_hostile_search_texts_are_answered(web: httpx.AsyncClient) -> None:
    await enter(web, "Ada", NUMBER)
    for text in ("'; DROP TABLE customer; --", "%", "_", "\\", "\U0010ffff", "+", "(", "\u202e", "0" * 100, "ﷺ" * 100):
        assert (await web.get(f"{BASE}/customers", params={"q": text})).status_code == 200, text
    assert (await web.get(f"{BASE}/customers", params={"q": "a\0@"})).status_code == 200


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
async def test_nobody_reads_without_signing_in(web: httpx.AsyncClient) -> None:
    paths = application().openapi()["paths"]
    assert len(paths) > 20
    for path, operations in paths.items():
        for method in operations:
            url = re.sub(r"\{\w+\}", "1", path.removeprefix("/api/v1"))
            response = await web.request(method, url, headers={"x-user": ""}, json={})
            assert response.status_code == 401, (method, path)


async def test_a_store_that_does_not_answer_is_503_with_a_time_to_come_back() -> None:
    class Down:
        def begin(self) -> Any:
            return self

        def read(self) -> Any:
            return self

        async def __aenter__(self) -> Any:
            from crm_bridge.errors import CrmUnavailable

            raise CrmUnavailable("away")

        async def __aexit__(self, *_: object) -> None: ...

        async def scrub(self) -> None: ...

    async with client_of(Down()) as client:
        response = await client.get(f"{BASE}/customers")
    assert problem(response) == (503, "crm-unavailable", "")
    assert "retry-after" in response.headers


async def test_the_api_document_shows_string_ids_and_the_problem_of_every_route() -> None:
    document = application().openapi()
    assert document["components"]["schemas"]["CustomerOut"]["properties"]["id"]["type"] == "string"
    for operations in document["paths"].values():
        for operation in operations.values():
            assert operation["description"]
            for status in ("403", "422", "503"):
                schema = operation["responses"][status]["content"]["application/json"]["schema"]
                assert schema["$ref"].endswith("/Problem")
