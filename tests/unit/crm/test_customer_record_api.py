"""The customer record over HTTP: editing without losing each other's work, and everything a record holds."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from crm_bridge.changes import Editing
from crm_bridge.customers import get_customer
from crm_bridge.database import Database
from crm_bridge.interactions import record
from crm_bridge.owners import apply_level_rules
from tests.support.crm_records import NOON, NUMBER, REGION, call, minutes
from tests.support.crm_web import client_of, enter, problem

pytestmark = pytest.mark.unit


@pytest.fixture
async def web(database: Database) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(database) as client:
        yield client


async def edit(web: httpx.AsyncClient, customer_id: str, **changes: Any) -> httpx.Response:
    etag = (await web.get(f"/customers/{customer_id}/record")).headers["etag"]
    return await web.patch(f"/customers/{customer_id}", json=changes, headers={"if-match": etag})


async def put(web: httpx.AsyncClient, path: str, body: dict[str, Any]) -> dict[str, Any]:
    customer_id = path.split("/")[1]
    etag = (await web.get(f"/customers/{customer_id}/record")).headers["etag"]
    response = await web.put(f"/{path}", json=body, headers={"if-match": etag})
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer


async def test_fields_are_edited_and_what_changed_is_written_down(web: httpx.AsyncClient) -> None:
    ada = await enter(web, "Ada", NUMBER)
    response = await edit(
        web, ada["id"], display_name="Ada Lovelace", birth_date="1985-12-10", timezone="Europe/London"
    )
    assert response.status_code == 200, response.text
    record_now = response.json()
    assert record_now["display_name"] == "Ada Lovelace"
    assert record_now["profile"]["birth_date"] == "1985-12-10"
    changes = (await web.get(f"/customers/{ada['id']}/changes")).json()
    assert {(c["field"], c["old_value"], c["new_value"]) for c in changes} == {
        ("display_name", '"Ada"', '"Ada Lovelace"'),
        ("birth_date", None, '"1985-12-10"'),
        ("timezone", None, '"Europe/London"'),
    }
    timeline = (await web.get(f"/customers/{ada['id']}/timeline")).json()["items"]
    assert [item["kind"] for item in timeline].count("change") == 3
    assert timeline[0]["change"]["actor_id"] == "u1"
    found = (await web.get("/customers", params={"q": "lovel"})).json()["items"]
    assert [item["id"] for item in found] == [ada["id"]]


async def test_an_edit_of_a_version_that_is_no_longer_there_is_refused(web: httpx.AsyncClient) -> None:
    ada = await enter(web, "Ada")
    etag = (await web.get(f"/customers/{ada['id']}/record")).headers["etag"]
    first = await web.patch(f"/customers/{ada['id']}", json={"occupation": "poet"}, headers={"if-match": etag})
    assert first.headers["etag"] != etag
    second = await web.patch(f"/customers/{ada['id']}", json={"occupation": "painter"}, headers={"if-match": etag})
    assert problem(second) == (412, "etag-mismatch", "header.if-match")
    assert problem(await web.patch(f"/customers/{ada['id']}", json={})) == (428, "etag-required", "header.if-match")
    strange = await web.patch(f"/customers/{ada['id']}", json={}, headers={"if-match": "abc"})
    assert problem(strange)[:2] == (412, "etag-mismatch")
    any_version = await web.patch(f"/customers/{ada['id']}", json={"gender": "f"}, headers={"if-match": "*"})
    assert any_version.json()["profile"]["occupation"] == "poet"


async def test_an_edit_that_changes_nothing_is_no_change(web: httpx.AsyncClient) -> None:
    ada = await enter(web, "Ada")
    before = (await web.get(f"/customers/{ada['id']}/record")).headers["etag"]
    assert (await edit(web, ada["id"], display_name="Ada", occupation=None)).headers["etag"] == before
    assert (await web.get(f"/customers/{ada['id']}/changes")).json() == []


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"timezone": "Mars/Olympus"}, "body.timezone"),
        ({"birth_date": "1700-01-01"}, "body.birth_date"),
        ({"birth_date": "soon"}, "body.birth_date"),
        ({"region_code": "china"}, "body.region_code"),
        ({"parent_id": "4711"}, "body.parent_id"),
        ({"custom": {"unknown": 1}}, "body.custom.unknown"),
        ({"display_name": " "}, "body.display_name"),
        ({"display_name": None}, "body.display_name"),
        ({"shoe_size": 38}, "body.shoe_size"),
    ],
)
async def test_what_does_not_fit_its_field_is_refused(
    web: httpx.AsyncClient, changes: dict[str, Any], where: str
) -> None:
    ada = await enter(web, "Ada")
    response = await edit(web, ada["id"], **changes)
    assert (response.status_code, response.json()["where"]) == (422, where)


async def test_organisations_stand_in_a_hierarchy_without_loops(web: httpx.AsyncClient) -> None:
    top, middle, low = [(await enter(web, name, kind="org"))["id"] for name in ("Holding", "Firm", "Branch")]
    person = (await enter(web, "Ada"))["id"]
    assert (await edit(web, middle, parent_id=top)).status_code == 200
    assert (await edit(web, low, parent_id=middle)).json()["profile"]["parent_id"] == middle
    assert problem(await edit(web, top, parent_id=low)) == (409, "hierarchy-loop", "body.parent_id")
    assert problem(await edit(web, top, parent_id=top))[1] == "hierarchy-loop"
    assert problem(await edit(web, low, parent_id=person))[1] == "invalid-field"
    below = (await web.get(f"/customers/{top}/subsidiaries")).json()
    assert [each["display_name"] for each in below] == ["Firm"]


async def test_preferences_are_ranked_within_their_purpose(web: httpx.AsyncClient) -> None:
    ada = await enter(web, "Ada")
    wanted = [
        {"purpose": "service", "channel": "sms", "from_minute": 540, "to_minute": 1080, "weekdays": ["mon", "tue"]},
        {"purpose": "marketing", "channel": "email", "language": "en"},
        {"purpose": "service", "channel": "voice"},
    ]
    answer = await put(web, f"customers/{ada['id']}/preferences", {"preferences": wanted})
    ranked = [(each["purpose"], each["rank"], each["channel"]) for each in answer["preferences"]]
    assert ranked == [("marketing", 1, "email"), ("service", 1, "sms"), ("service", 2, "voice")]
    answer = await put(web, f"customers/{ada['id']}/preferences", {"preferences": [wanted[2]]})
    assert [each["rank"] for each in answer["preferences"]] == [1]
    twice = await web.put(
        f"/customers/{ada['id']}/preferences", json={"preferences": [wanted[0]] * 2}, headers={"if-match": "*"}
    )
    assert problem(twice) == (422, "invalid-field", "body.preferences")


async def test_tags_are_words_without_case_and_may_end(web: httpx.AsyncClient) -> None:
    ada = await enter(web, "Ada")
    await put(web, f"customers/{ada['id']}/tags", {"tags": [{"tag": "VIP"}, {"tag": "fair"}]})
    answer = await put(
        web, f"customers/{ada['id']}/tags", {"tags": [{"tag": "vip", "expires_at": "2027-01-01T00:00:00Z"}]}
    )
    assert [(each["tag"], each["expires_at"]) for each in answer["tags"]] == [("vip", "2027-01-01T00:00:00Z")]


async def test_a_customer_has_one_owner_in_each_line_of_business(web: httpx.AsyncClient) -> None:
    ada = await enter(web, "Ada")
    path = f"/customers/{ada['id']}/owner"
    agent = {"x-roles": "agent", "x-user": "u2"}
    assert (await web.put(path, json={"user_id": "u1"})).status_code == 200
    taken = await web.put(path, json={"user_id": "u2"}, headers=agent)
    assert problem(taken)[:2] == (409, "owned-by-another")
    assert "u1" in taken.json()["message"]
    assert "u2" in taken.json()["message"]
    forced = await web.put(path, json={"user_id": "u2", "take_over": True}, headers=agent)
    assert problem(forced)[:2] == (403, "forbidden")
    other_line = await web.put(path, json={"user_id": "u2", "line_of_business": "loans"}, headers=agent)
    assert [each["user_id"] for each in other_line.json()["owners"]] == ["u1", "u2"]
    moved = await web.put(path, json={"user_id": "u3", "take_over": True})
    assert moved.json()["profile"]["owner_id"] == "u3"
    assert (await web.post("/owners/hand-over", json={"from_user": "u3", "to_user": "u4"})).json() == {"count": 1}
    assert (await web.post("/owners/hand-over", json={"from_user": "u3", "to_user": "u4"})).json() == {"count": 0}
    history = (await web.get(f"/customers/{ada['id']}/changes?field=owner")).json()
    assert [each["new_value"] for each in history] == ['"u4"', '"u3"', '"u1"']


async def test_custom_fields_have_types_bounds_and_options(web: httpx.AsyncClient) -> None:
    ada = await enter(web, "Ada")
    fields: dict[str, dict[str, Any]] = {
        "mileage": {"label": "Mileage", "type": "integer", "minimum": "0", "maximum": "2000000"},
        "model": {"label": "Model", "type": "choice", "options": ["A", "B"]},
        "since": {"label": "Customer since", "type": "date"},
        "diagnosis": {"label": "Diagnosis", "type": "text", "data_class": "special_category"},
    }
    for code, field in fields.items():
        assert (await web.put(f"/custom-fields/{code}", json=field)).status_code == 200
    good = {"mileage": 12_000, "model": "B", "since": "2020-02-29", "diagnosis": "well"}
    answer = (await edit(web, ada["id"], custom=good)).json()
    assert answer["profile"]["custom"] == {"mileage": 12_000, "model": "B", "since": "2020-02-29"}
    assert "well" not in (await web.get(f"/customers/{ada['id']}/changes")).text
    assert "well" not in (await web.get(f"/customers/{ada['id']}/timeline")).text
    for code, value in (("mileage", -1), ("mileage", 1.5), ("mileage", True), ("model", "C"), ("since", "2021-02-29")):
        bad = await edit(web, ada["id"], custom={code: value})
        assert problem(bad) == (422, "invalid-field", f"body.custom.{code}")
    answer = (await edit(web, ada["id"], custom={"mileage": None})).json()
    assert "mileage" not in answer["profile"]["custom"]
    retyped = await web.put("/custom-fields/mileage", json={"label": "x", "type": "text"})
    assert problem(retyped) == (422, "invalid-field", "body.type")
    for_agents = await web.put("/custom-fields/x", json={"label": "x", "type": "text"}, headers={"x-roles": "agent"})
    assert problem(for_agents)[:2] == (403, "forbidden")


async def test_completeness_counts_each_group_and_names_what_is_missing(web: httpx.AsyncClient) -> None:
    ada = await enter(web, "Ada", NUMBER)
    await web.put("/custom-fields/pets", json={"label": "Pets", "type": "text", "field_group": "extended"})
    before = (await web.get(f"/customers/{ada['id']}/record")).json()["completeness"]
    assert (before["visible"]["filled"], before["visible"]["total"]) == (1, 6)
    assert "custom.pets" in before["extended"]["missing"]
    after = (await edit(web, ada["id"], gender="f", custom={"pets": "a parrot"})).json()["completeness"]
    assert after["visible"]["percent"] == 33
    assert "custom.pets" not in after["extended"]["missing"]


async def test_levels_follow_their_rules_until_a_person_chooses(web: httpx.AsyncClient, database: Database) -> None:
    ada = await enter(web, "Ada", NUMBER)
    levels: dict[str, dict[str, Any]] = {
        "silver": {"name": "Silver", "rank": 1, "colour": "#c0c0c0"},
        "gold": {"name": "Gold", "rank": 2, "colour": "#ffd700"},
        "black": {"name": "Black", "rank": 9, "colour": "#000000"},
    }
    levels["silver"]["rule"] = [{"fact": "interactions_365d", "op": ">=", "value": 1}]
    levels["gold"]["rule"] = [
        {"fact": "interactions_365d", "op": ">=", "value": 3},
        {"fact": "tags", "op": "has", "value": "vip"},
    ]
    for code, level in levels.items():
        assert (await web.put(f"/levels/{code}", json=level)).status_code == 200

    async def apply() -> str | None:
        async with database.begin() as session:
            customer = await get_customer(session, int(ada["id"]))
            await apply_level_rules(session, [customer], Editing(NOON, reason="daily"))
            return customer.level

    assert await apply() is None
    async with database.begin() as session:
        for n in range(3):
            await record(session, call(f"c{n}", started_at=NOON - minutes(n)), region=REGION)
    assert await apply() == "silver"
    await put(web, f"customers/{ada['id']}/tags", {"tags": [{"tag": "vip"}]})
    assert await apply() == "gold"
    chosen = await web.put(f"/customers/{ada['id']}/level", json={"code": "black", "reason": "founder"})
    assert chosen.json()["level_badge"]["colour"] == "#000000"
    assert await apply() == "black"
    await web.put(f"/customers/{ada['id']}/level", json={"code": None})
    history = (await web.get(f"/customers/{ada['id']}/changes?field=level")).json()
    told = [(each["old_value"], each["new_value"], each["reason"]) for each in history]
    assert told[0][:2] == ('"black"', '"gold"')
    assert told[1] == ('"gold"', '"black"', "founder")
    assert told[-1] == (None, '"silver"', "daily")


async def test_a_level_follows_its_rule_at_once_when_what_it_asks_for_changes(web: httpx.AsyncClient) -> None:
    rules: dict[str, list[dict[str, Any]]] = {
        "silver": [{"fact": "lifecycle_stage", "op": "=", "value": "member"}],
        "gold": [{"fact": "tags", "op": "has", "value": "vip"}],
    }
    for rank, (code, rule) in enumerate(rules.items(), start=1):
        level = {"name": code, "rank": rank, "colour": "#c0c0c0", "rule": rule}
        assert (await web.put(f"/levels/{code}", json=level)).status_code == 200
    ada = await enter(web, "Ada")
    member = (await edit(web, ada["id"], lifecycle_stage="member")).json()
    assert member["level_badge"]["code"] == "silver"
    assert (await put(web, f"customers/{ada['id']}/tags", {"tags": [{"tag": "vip"}]}))["level_badge"]["code"] == "gold"
    assert (await put(web, f"customers/{ada['id']}/tags", {"tags": []}))["level_badge"]["code"] == "silver"
    history = (await web.get(f"/customers/{ada['id']}/changes?field=level")).json()
    assert [each["reason"] for each in history] == ["rule"] * 3
    await web.put(f"/customers/{ada['id']}/level", json={"code": "gold", "reason": "founder"})
    kept = (await edit(web, ada["id"], lifecycle_stage="owner")).json()
    assert kept["level_badge"]["code"] == "gold"


async def test_who_leaves_hands_over_customers_and_open_promises_and_nothing_stays_behind(
    web: httpx.AsyncClient,
) -> None:
    ada, ben = await enter(web, "Ada"), await enter(web, "Ben")
    await web.put(f"/customers/{ada['id']}/owner", json={"user_id": "mia"})
    promise = {"what": "call back", "due_at": "2030-01-01T00:00:00Z", "assignee_id": "mia"}
    kept, waits = [
        (await web.post(f"/customers/{each['id']}/promises", json=promise)).json()["id"] for each in (ada, ben)
    ]
    await web.post(f"/promises/{kept}/settle", json={"state": "kept"})
    moved = {"from_user": "mia", "to_user": "noa"}
    assert (await web.post("/owners/hand-over", json=moved)).json() == {"count": 2}
    assert (await web.post("/owners/hand-over", json=moved)).json() == {"count": 0}
    assert (await web.get("/promises", params={"assignee": "mia"})).json()["items"] == []
    assert [each["id"] for each in (await web.get("/promises", params={"assignee": "noa"})).json()["items"]] == [waits]


async def test_the_primary_number_can_move_and_a_number_can_go(web: httpx.AsyncClient) -> None:
    ada = await enter(web, "Ada", NUMBER, "13900000002")
    first, second = ada["contact_points"]
    path = f"/customers/{ada['id']}/contact-points"
    moved = await web.patch(f"{path}/{second['id']}", json={"is_primary": True, "usage": "work"})
    assert (moved.json()["is_primary"], moved.json()["usage"]) == (True, "work")
    points = (await web.get(f"/customers/{ada['id']}")).json()["contact_points"]
    assert [(p["id"], p["is_primary"]) for p in points] == [(second["id"], True), (first["id"], False)]
    assert (await web.delete(f"{path}/{second['id']}")).status_code == 204
    points = (await web.get(f"/customers/{ada['id']}")).json()["contact_points"]
    assert [(p["id"], p["is_primary"]) for p in points] == [(first["id"], True)]
    assert (await web.get("/customers/lookup?number=13900000002")).json()["state"] == "none"
    assert (await web.get("/customers?q=0000002")).json()["items"] == []
    assert problem(await web.delete(f"{path}/{second['id']}")) == (404, "item-not-found", "path.point_id")


async def test_people_are_related_and_known_by_member_numbers(web: httpx.AsyncClient) -> None:
    ada, ben = await enter(web, "Ada"), await enter(web, "Ben")
    made = await web.post(f"/customers/{ada['id']}/relations", json={"to_id": ben["id"], "type": "spouse"})
    assert made.status_code == 201
    seen_from_ben = (await web.get(f"/customers/{ben['id']}/record")).json()["relations"]
    assert [(each["from_id"], each["type"], each["to_id"]) for each in seen_from_ben] == [
        (ada["id"], "spouse", ben["id"])
    ]
    assert (await web.delete(f"/customers/{ben['id']}/relations/{made.json()['id']}")).status_code == 204
    alone = await web.post(f"/customers/{ada['id']}/relations", json={"to_id": ada["id"], "type": "spouse"})
    assert problem(alone)[:2] == (422, "invalid-field")
    member = {"provider": "member_no", "external_id": "M-100"}
    assert (await web.post(f"/customers/{ada['id']}/identities", json=member)).status_code == 201
    assert problem(await web.post(f"/customers/{ben['id']}/identities", json=member))[:2] == (409, "identity-taken")
    found = await web.get("/customers/by-identity", params=member)
    assert found.json()["id"] == ada["id"]


async def test_files_are_written_down_with_their_digest(web: httpx.AsyncClient) -> None:
    ada = await enter(web, "Ada")
    file = {
        "file_name": "../contract.pdf",
        "media_type": "application/pdf",
        "size_bytes": 1000,
        "sha256": "0" * 64,
        "storage_key": "k-00000001",
    }
    assert (await web.post(f"/customers/{ada['id']}/attachments", json=file)).status_code == 201
    assert [each["sha256"] for each in (await web.get(f"/customers/{ada['id']}/attachments")).json()] == ["0" * 64]
    wild = await web.post(f"/customers/{ada['id']}/attachments", json=file | {"storage_key": "../../etc/passwd"})
    assert problem(wild)[:2] == (422, "malformed-request")


async def test_calls_of_nobody_are_listed_by_number_and_given_to_the_customer(
    web: httpx.AsyncClient, database: Database
) -> None:
    async with database.begin() as session:
        for n in range(3):
            await record(session, call(f"c{n}", started_at=NOON + minutes(n)), region=REGION)
        await record(session, call("x", from_value="13900009999"), region=REGION)
    [first, second] = (await web.get("/unmatched-numbers")).json()
    assert (first["number"], first["interactions"], second["number"]) == (NUMBER, 3, "+8613900009999")
    await enter(web, "Ada", NUMBER)
    assert [each["number"] for each in (await web.get("/unmatched-numbers")).json()] == ["+8613900009999"]
