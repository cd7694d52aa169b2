"""Duplicates on entry and in bulk; merges, and taking them back."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import replace
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select

from crm_bridge.bulk import enter_many
from crm_bridge.changes import Editing
from crm_bridge.consents import NewConsent, record_consent
from crm_bridge.customers import create_customer, lookup_by_number
from crm_bridge.database import Database
from crm_bridge.interactions import record
from crm_bridge.invented import invented_customers
from crm_bridge.merging import merge, undo_merge
from crm_bridge.models import Base, Interaction
from crm_bridge.owners import give_owner
from crm_bridge.profiles import edit_customer
from crm_bridge.promises import make_promise
from crm_bridge.record_parts import Preference, Tag, add_file, add_identity, add_relation, set_preferences, set_tags
from crm_bridge.timeline import add_note
from crm_bridge.vocabulary import ConsentStatus, CustomerKind
from tests.support.crm_dump import dump
from tests.support.crm_records import NOON, NUMBER, REGION, call, minutes, person
from tests.support.crm_web import client_of, enter, problem

pytestmark = pytest.mark.unit

EDITING = Editing(NOON, "u1", "Lin")
MERGES = frozenset({"merge_event", "merge_item", "audit_entry", "audit_head"})


@pytest.fixture
async def web(database: Database) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(database) as client:
        yield client


async def enter_again(web: httpx.AsyncClient, name: str, on_duplicate: str, **point: Any) -> httpx.Response:
    body = {"display_name": name, "contact_points": [{"value": NUMBER} | point]}
    return await web.post("/customers", params={"on_duplicate": on_duplicate}, json=body)


@pytest.mark.parametrize("written", ["11010519491231002X", " 110105 1949 1231 002x", "１１０１０５-19491231-002X"])
async def test_the_same_identity_card_is_the_same_person_and_its_number_is_nowhere(
    web: httpx.AsyncClient, database: Database, written: str
) -> None:
    card = {"provider": "id_card", "external_id": "11010519491231002X"}
    ada = await enter(web, "Ada", identities=[card])
    other = {"display_name": "Somebody Else", "identities": [card | {"external_id": written}]}
    [suspect] = (await web.post("/customers/check", json=other)).json()
    assert (suspect["customer_id"], suspect["signals"], suspect["is_strong"]) == (ada["id"], ["id_card"], True)
    blocked = await web.post("/customers", params={"on_duplicate": "block"}, json=other)
    assert (blocked.status_code, blocked.json()["code"]) == (409, "duplicate-customer")
    warned = await web.post("/customers", params={"on_duplicate": "warn"}, json=other)
    assert [each["customer_id"] for each in warned.json()["collisions"]] == [ada["id"]]
    found = await web.get("/customers/by-identity", params=card | {"external_id": written})
    assert found.json()["id"] == ada["id"]
    taken = await web.post(f"/customers/{warned.json()['id']}/identities", json=card | {"external_id": written})
    assert taken.json()["code"] == "identity-taken"
    assert "19491231" not in repr(await dump(database))
    member = {"provider": "member_no", "external_id": "M-7"}
    await enter(web, "Ben", identities=[member])
    [known] = (await web.post("/customers/check", json={"display_name": "Ben B", "identities": [member]})).json()
    assert (known["signals"], known["is_strong"]) == (["member_no"], False)


async def test_who_is_there_already_is_told_before_anything_is_written(web: httpx.AsyncClient) -> None:
    ada = await enter(web, "Ada", NUMBER)
    await web.put(f"/customers/{ada['id']}/owner", json={"user_id": "u1"})
    body = {"display_name": "Ada", "contact_points": [{"value": NUMBER}]}
    [suspect] = (await web.post("/customers/check", json=body)).json()
    assert (suspect["customer_id"], suspect["owner_id"], suspect["is_strong"]) == (ada["id"], "u1", True)
    assert suspect["signals"] == ["name", "phone"]
    relative = body | {"display_name": "Ben"}
    assert [each["is_strong"] for each in (await web.post("/customers/check", json=relative)).json()] == [False]
    assert (await web.post("/customers/check", json={"display_name": "Cleo"})).json() == []
    assert len((await web.get("/customers")).json()["items"]) == 1


async def test_entering_somebody_again_warns_and_names_who_looks_after_them(web: httpx.AsyncClient) -> None:
    ada = await enter(web, "Ada", NUMBER)
    await web.put(f"/customers/{ada['id']}/owner", json={"user_id": "u1"})
    again = (await enter_again(web, "ADA", "warn")).json()
    [suspect] = again["collisions"]
    assert (suspect["customer_id"], suspect["owner_id"], suspect["is_strong"]) == (ada["id"], "u1", True)
    assert suspect["signals"] == ["name", "phone"]
    relative = (await enter_again(web, "Ben", "block")).json()
    assert [each["is_strong"] for each in relative["collisions"]] == [False, False]
    log = (await web.get("/collisions")).json()
    assert (log[-1]["existing_owner"], log[-1]["entered_by"], log[-1]["created_id"]) == ("u1", "u1", again["id"])


async def test_entering_somebody_again_can_be_refused_and_is_written_down(web: httpx.AsyncClient) -> None:
    ada = await enter(web, "Ada", NUMBER)
    await web.put(f"/customers/{ada['id']}/owner", json={"user_id": "u1"})
    refused = await enter_again(web, "Ada", "block")
    assert problem(refused)[:2] == (409, "duplicate-customer")
    assert "owner u1" in refused.json()["message"]
    assert len((await web.get("/customers?q=ada")).json()["items"]) == 1
    [logged] = (await web.get("/collisions")).json()
    assert (logged["outcome"], logged["created_id"]) == ("block", None)


async def test_entering_somebody_again_can_give_the_new_number_to_the_one_who_is_there(web: httpx.AsyncClient) -> None:
    ada = await enter(web, "Ada", NUMBER)
    body = {"display_name": "Ada", "contact_points": [{"value": NUMBER}, {"value": "13900000002"}]}
    linked = (await web.post("/customers?on_duplicate=link", json=body)).json()
    assert linked["id"] == ada["id"]
    assert [point["value_norm"] for point in linked["contact_points"]] == [NUMBER, "+8613900000002"]


async def test_bulk_search_proposes_the_same_person_once_and_respects_a_refusal(
    web: httpx.AsyncClient, database: Database
) -> None:
    known = [new for new in invented_customers(150, seed=3) if new.kind is CustomerKind.PERSON]
    again = [replace(each, display_name=each.display_name + "e") for each in (known[5], known[70])]
    async with database.begin() as session:
        await enter_many(session, [*known, *again], region=REGION, now=NOON)
    assert (await web.post("/duplicates/scan")).json() == {"count": 2}
    first, _ = (await web.get("/duplicates")).json()["items"]
    assert first["signals"]["phone"] > 0
    await web.post(f"/duplicates/{first['id']}/reject")
    assert (await web.post("/duplicates/scan")).json() == {"count": 0}
    [left] = (await web.get("/duplicates")).json()["items"]
    merged = (await web.post("/merges", json={"survivor_id": left["a_id"], "merged_id": left["b_id"]})).json()
    assert (await web.get("/duplicates")).json()["items"] == []
    await web.post(f"/merges/{merged['id']}/undo")
    assert [each["id"] for each in (await web.get("/duplicates")).json()["items"]] == [left["id"]]


async def test_a_merged_customer_is_found_under_the_survivor_and_both_again_after_undoing(
    web: httpx.AsyncClient, database: Database
) -> None:
    ada = await enter(web, "Ada", NUMBER)
    twin = await enter(web, "Ada L", "13900000002")
    async with database.begin() as session:
        await record(session, call("c1"), region=REGION)
        await record(session, call("c2", from_value="13900000002"), region=REGION)
    merged = await web.post("/merges", json={"survivor_id": ada["id"], "merged_id": twin["id"]})
    assert merged.status_code == 201, merged.text
    found = (await web.get("/customers/lookup?number=13900000002")).json()
    assert [each["customer_id"] for each in found["candidates"]] == [ada["id"]]
    timeline = (await web.get(f"/customers/{ada['id']}/timeline")).json()["items"]
    assert {each["interaction"]["contact_id"] for each in timeline if each["interaction"]} == {"c1", "c2"}
    assert (await web.get("/customers?q=0000002")).json()["items"][0]["id"] == ada["id"]
    assert (await web.get(f"/customers/{twin['id']}/record")).json()["merged_into"] == ada["id"]
    async with database.begin() as session:  # the exchange still believes in the merged one
        await record(session, call("c3", customer_id=int(twin["id"]), from_value="anonymous"), region=REGION)
        row = await session.scalar(select(Interaction).where(Interaction.contact_id == "c3"))
        assert row is not None
        assert row.customer_id == int(ada["id"])
    refused = await web.patch(f"/customers/{twin['id']}", json={}, headers={"if-match": "*"})
    assert problem(refused)[:2] == (404, "customer-not-found")
    undone = await web.post(f"/merges/{merged.json()['id']}/undo")
    assert undone.json()["undone_by"] == "u1"
    found = (await web.get("/customers/lookup?number=13900000002")).json()
    assert [each["customer_id"] for each in found["candidates"]] == [twin["id"]]
    assert problem(await web.post(f"/merges/{merged.json()['id']}/undo"))[:2] == (409, "cannot-undo")


async def test_what_cannot_become_one_is_refused(web: httpx.AsyncClient) -> None:
    ada, ben, firm = await enter(web, "Ada"), await enter(web, "Ben"), await enter(web, "Firm", kind="org")

    async def join(survivor: str, merged: str) -> httpx.Response:
        return await web.post("/merges", json={"survivor_id": survivor, "merged_id": merged})

    assert problem(await join(ada["id"], ada["id"]))[:2] == (409, "cannot-merge")
    assert problem(await join(ada["id"], firm["id"]))[:2] == (409, "cannot-merge")
    assert problem(await join(ada["id"], "4711"))[:2] == (404, "customer-not-found")
    first = (await join(ada["id"], ben["id"])).json()
    assert problem(await join(ada["id"], ben["id"]))[:2] == (409, "cannot-merge")
    clara = await enter(web, "Clara")
    await join(clara["id"], ada["id"])
    assert problem(await web.post(f"/merges/{first['id']}/undo"))[:2] == (409, "cannot-undo")


async def test_what_was_edited_after_the_merge_stays_as_it_was_made(web: httpx.AsyncClient) -> None:
    ada, twin = await enter(web, "Ada"), await enter(web, "Ada L")
    any_version = {"if-match": "*"}
    changed = {"occupation": "poet", "gender": "f"}
    await web.patch(f"/customers/{twin['id']}", json=changed, headers=any_version)
    merged = (await web.post("/merges", json={"survivor_id": ada["id"], "merged_id": twin["id"]})).json()
    after = await web.patch(f"/customers/{ada['id']}", json={"occupation": "engineer"}, headers=any_version)
    assert after.json()["profile"]["gender"] == "f"
    await web.post(f"/merges/{merged['id']}/undo")
    profile = (await web.get(f"/customers/{ada['id']}/record")).json()["profile"]
    assert (profile["occupation"], profile["gender"]) == ("engineer", None)
    profile = (await web.get(f"/customers/{twin['id']}/record")).json()["profile"]
    assert (profile["occupation"], profile["gender"]) == ("poet", "f")


Part = Callable[[Any, Any, Any, int], Coroutine[Any, Any, Any]]
PARTS: dict[str, Part] = {
    "interaction": lambda s, c, o, n: record(
        s, call(f"{c.id}-{n}", customer_id=c.id, started_at=NOON + minutes(n)), region=REGION
    ),
    "note": lambda s, c, o, n: add_note(s, c.id, f"note {n}", author_id="u", author_name="U", now=NOON),
    "tag": lambda s, c, o, n: set_tags(s, c, [Tag("vip"), Tag(f"t{n}")], EDITING),
    "preference": lambda s, c, o, n: set_preferences(
        s, c, [Preference(purpose="service", channel=("sms", "voice")[n % 2])], EDITING
    ),
    "owner": lambda s, c, o, n: give_owner(s, c.id, f"u{n}", take_over=True, editing=EDITING),
    "profile": lambda s, c, o, n: edit_customer(
        s, c.id, {"occupation": f"job {n}", "gender": None if n % 2 else "f"}, expected=None, editing=EDITING
    ),
    "to other": lambda s, c, o, n: add_relation(s, c, o.id, "spouse", None, EDITING),
    "from other": lambda s, c, o, n: add_relation(s, o, c.id, "referrer", None, EDITING),
    "identity": lambda s, c, o, n: add_identity(s, c, "member_no", f"{c.id}-{n}", EDITING),
    "promise": lambda s, c, o, n: make_promise(s, c.id, f"call {n}", NOON, assignee_id="u", editing=EDITING),
    "file": lambda s, c, o, n: add_file(s, c, EDITING, file_name=f"{n}.txt", media_type="text/plain", content=b"x" * n),
    "consent": lambda s, c, o, n: record_consent(
        s,
        c.id,
        NewConsent(channel="sms", purpose="marketing", status=ConsentStatus.GIVEN, legal_basis="consent", source="x"),
        now=NOON,
        region=REGION,
        actor_id="u",
    ),
}


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    ours=st.lists(st.sampled_from(sorted(PARTS)), max_size=5),
    theirs=st.lists(st.sampled_from(sorted(PARTS)), max_size=5),
    shares_number=st.booleans(),
    related=st.booleans(),
)
async def test_merging_and_undoing_is_as_if_nothing_had_been(
    database: Database, ours: list[str], theirs: list[str], shares_number: bool, related: bool
) -> None:
    async with database.begin() as session:
        for table in reversed(Base.metadata.sorted_tables):
            if not table.name.startswith("audit"):
                await session.execute(delete(table))
    async with database.begin() as session:
        numbers = [NUMBER] if shares_number else []
        one = await create_customer(session, person("Ada", "13900000002", *numbers), region=REGION, now=NOON)
        two = await create_customer(session, person("Ada L", "13900000003", *numbers), region=REGION, now=NOON)
        other = await create_customer(session, person("Ben"), region=REGION, now=NOON)
        for customer, parts in ((one, ours), (two, theirs)):
            for index, part in enumerate(parts):
                await PARTS[part](session, customer, other, index)
        if related:
            await add_relation(session, one, two.id, "spouse", None, EDITING)
    hidden = {"without": MERGES, "without_kinds": ("merged", "merge_undone")}
    before = await dump(database, **hidden)
    async with database.begin() as session:
        event = await merge(session, one.id, two.id, EDITING)
    async with database.begin() as session:
        found = await lookup_by_number(session, "13900000003", region=REGION)
        assert found.only_customer_id == one.id
        await undo_merge(session, event.id, EDITING)
    after = await dump(database, **hidden)
    for table, rows in before.items():
        if table != "customer_profile":
            assert after[table] == rows, table
    # a profile without content may have been made for the survivor; what was there is there again
    kept = [row for row in after["customer_profile"] if row in before["customer_profile"]]
    assert kept == before["customer_profile"]


async def test_a_merge_of_a_long_history_is_a_few_statements(database: Database) -> None:
    async with database.begin() as session:
        one = await create_customer(session, person("Ada"), region=REGION, now=NOON)
        two = await create_customer(session, person("Ada L", NUMBER), region=REGION, now=NOON)
        for n in range(30):
            await record(session, call(f"c{n}", journal_seq=n + 1), region=REGION)
    asked: list[str] = []
    from sqlalchemy import event

    async with asyncio.timeout(20), database.begin() as session:
        connection = await session.connection()
        event.listen(connection.sync_connection, "before_cursor_execute", lambda *given: asked.append(given[2]))
        await merge(session, one.id, two.id, EDITING)
    assert len(asked) < 60


async def test_values_of_the_one_that_goes_are_kept_where_chosen_and_given_back_when_undone(
    web: httpx.AsyncClient,
) -> None:
    await web.put("/custom-fields/car", json={"label": "Car", "type": "text"})
    ada, ben = await enter(web, "Ada", NUMBER), await enter(web, "Ada B.", "+8613900005678")
    any_version = {"If-Match": "*"}
    told = {"address": "Elm", "occupation": "Pilot", "custom": {"car": "red"}}
    other = {"address": "Oak", "occupation": "Cook", "custom": {"car": "blue"}}
    await web.patch(f"/customers/{ada['id']}", json=told, headers=any_version)
    await web.patch(f"/customers/{ben['id']}", json=other, headers=any_version)
    before = (await web.get(f"/customers/{ada['id']}/record")).json()

    body = {"survivor_id": ada["id"], "merged_id": ben["id"]}
    assert problem(await web.post("/merges", json=body | {"fields": ["status"]})) == (
        422,
        "invalid-field",
        "body.fields",
    )
    chosen = ["display_name", "address", "custom.car"]
    merged = (await web.post("/merges", json=body | {"fields": chosen})).json()
    record = (await web.get(f"/customers/{ada['id']}/record")).json()
    profile = record["profile"]
    assert (record["display_name"], profile["address"], profile["occupation"]) == ("Ada B.", "Oak", "Pilot")
    assert profile["custom"] == {"car": "blue"}
    assert [each["id"] for each in (await web.get("/customers?q=Ada B")).json()["items"]] == [ada["id"]]

    await web.post(f"/merges/{merged['id']}/undo")
    after = (await web.get(f"/customers/{ada['id']}/record")).json()
    assert (after["display_name"], after["profile"]) == (before["display_name"], before["profile"])
