"""Why something is known about a customer: who wrote it, when, from where, and on which legal ground it is kept."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import pytest

from crm_bridge.changes import Editing
from crm_bridge.customers import get_customer
from crm_bridge.database import Database
from crm_bridge.interactions import record
from crm_bridge.owners import apply_level_rules
from tests.support.crm_records import NOON, NUMBER, REGION, call
from tests.support.crm_web import client_of, enter

pytestmark = pytest.mark.unit

ANY = {"if-match": "*"}
PROGRAM = {"x-user": "token:erp", "x-roles": "integration"}


@pytest.fixture
async def web(database: Database) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(database) as client:
        yield client


async def known(web: httpx.AsyncClient, customer_id: str) -> dict[str, dict[str, Any]]:
    """What is told, by field; of a list its rows by ``field:id``."""
    response = await web.get(f"/customers/{customer_id}/provenance")
    assert response.status_code == 200, response.text
    return {each["field"] + (f":{each['item_id']}" if each["item_id"] else ""): each for each in response.json()}


async def test_each_field_that_is_shown_has_a_source_and_a_ground_and_no_value(web: httpx.AsyncClient) -> None:
    ada = await enter(web, "Ada", NUMBER)
    fields = {"occupation": "Xanthippe", "birth_date": "1985-12-10", "tax_number": "Zebulon"}
    await web.patch(f"/customers/{ada['id']}", json=fields, headers=ANY)
    await web.put(f"/customers/{ada['id']}/tags", json={"tags": [{"tag": "vip"}]}, headers=ANY)
    answer = await web.get(f"/customers/{ada['id']}/provenance")
    assert "Xanthippe" not in answer.text
    assert "Zebulon" not in answer.text
    told = await known(web, ada["id"])
    point = f"phone:{ada['contact_points'][0]['id']}"
    shown = {"display_name", "kind", "party_kind", "occupation", "birth_date", "tax_number", "tags", point}
    assert set(told) == shown
    for each in told.values():
        assert (each["source"]["kind"], each["source"]["actor_id"]) == ("agent", "u1"), each
        assert each["source"]["at"] is not None
        assert each["ground"]["legal_basis"] is not None
    assert told["tax_number"]["ground"]["legal_basis"] == "legal_obligation"
    assert told[point]["ground"] == {"legal_basis": "legitimate_interest", "purpose": "service", "decided_by": "usual"}
    await web.patch(f"/customers/{ada['id']}", json={"lifecycle_stage": "contracted"}, headers=ANY)
    assert (await known(web, ada["id"]))[point]["ground"]["legal_basis"] == "contract"


async def test_of_a_sensitive_field_nothing_is_told_not_even_that_it_is_there(web: httpx.AsyncClient) -> None:
    ada = await enter(web, "Ada", NUMBER)
    for code, data_class in (("illness", "special_category"), ("shoe", "personal")):
        field = {"label": code, "type": "text", "data_class": data_class, "purpose": "care"}
        await web.put(f"/custom-fields/{code}", json=field)
    await web.patch(f"/customers/{ada['id']}", json={"custom": {"illness": "gout", "shoe": "38"}}, headers=ANY)
    assert {name for name in await known(web, ada["id"]) if name.startswith("custom.")} == {"custom.shoe"}


async def test_a_program_the_customer_and_a_rule_are_told_apart_from_people(
    web: httpx.AsyncClient, database: Database
) -> None:
    ada = await enter(web, "Ada", NUMBER)
    path = f"/customers/{ada['id']}"
    assert (await web.patch(path, json={"industry": "tea"}, headers=ANY | PROGRAM)).status_code == 200
    form = {"address": "Elm Street 1", "source": "self"}
    assert (await web.patch(path, json=form, headers=ANY | PROGRAM)).status_code == 200
    rule = [{"fact": "custom.spend", "op": ">=", "value": 100}]
    await web.put("/custom-fields/spend", json={"label": "Spend", "type": "integer"})
    await web.patch(path, json={"custom": {"spend": 500}}, headers=ANY)
    await web.put("/levels/gold", json={"name": "Gold", "rank": 2, "colour": "#aa8800", "rule": rule})
    async with database.begin() as session:
        customer = await get_customer(session, int(ada["id"]))
        await apply_level_rules(session, [customer], Editing(NOON, "system", reason="daily rules"))
    told = await known(web, ada["id"])
    kinds = {name: told[name]["source"]["kind"] for name in ("industry", "address", "custom.spend", "level")}
    assert kinds == {"industry": "api", "address": "self", "custom.spend": "agent", "level": "rule"}
    assert told["industry"]["source"]["actor_id"] == "token:erp"


async def test_what_an_agent_writes_in_or_soon_after_a_contact_was_learnt_there(database: Database) -> None:
    later = NOON + timedelta(hours=3)
    async with client_of(database) as web:
        ada = await enter(web, "Ada", NUMBER)
        async with database.begin() as session:
            begun = NOON - timedelta(minutes=3)
            spoken = replace(call(), agent_id="u1", started_at=begun, answered_at=begun, ended_at=NOON)
            await record(session, spoken, region=REGION)
        await web.patch(f"/customers/{ada['id']}", json={"occupation": "poet"}, headers=ANY)
        await web.patch(f"/customers/{ada['id']}", json={"gender": "f"}, headers=ANY | {"x-user": "u2"})
    async with client_of(database, at=later) as web:
        await web.patch(f"/customers/{ada['id']}", json={"industry": "tea"}, headers=ANY)
        told = await known(web, ada["id"])
    assert told["occupation"]["source"]["kind"] == "call"
    assert told["occupation"]["source"]["contact_id"] == "c1"
    assert told["gender"]["source"]["kind"] == "agent", "somebody else was not in that call"
    assert told["industry"]["source"]["kind"] == "agent", "three hours later it is from elsewhere"


async def test_an_imported_field_names_its_table_until_somebody_changes_it(web: httpx.AsyncClient) -> None:
    table = "name,phone,occupation\nAda,+862161234568,poet\n"
    mapping = '{"display_name": 0, "phone": 1, "occupation": 2}'
    query = {"file_name": "fair.csv", "mapping": mapping}
    job = (await web.post("/imports", params=query, content=table.encode())).json()
    [ada] = (await web.get("/customers", params={"q": "Ada"})).json()["items"]
    told = await known(web, ada["id"])
    source = told["occupation"]["source"]
    assert (source["kind"], source["file_name"], source["import_id"]) == ("import", "fair.csv", job["id"])
    [point] = [each for name, each in told.items() if name.startswith("phone:")]
    assert point["source"]["kind"] == "import"
    await web.patch(f"/customers/{ada['id']}", json={"occupation": "painter"}, headers=ANY)
    assert (await known(web, ada["id"]))["occupation"]["source"]["kind"] == "agent"


async def test_what_a_merge_brought_names_the_other_customer_and_how_it_was_known_there(web: httpx.AsyncClient) -> None:
    ada, twin = await enter(web, "Ada", NUMBER), await enter(web, "Ada L", "+862161234569")
    await web.patch(f"/customers/{ada['id']}", json={"gender": "f"}, headers=ANY)
    theirs = {"occupation": "poet", "gender": "m"}
    await web.patch(f"/customers/{twin['id']}", json=theirs, headers=ANY | PROGRAM)
    merge = {"survivor_id": ada["id"], "merged_id": twin["id"]}
    event = (await web.post("/merges", json=merge)).json()
    told = await known(web, ada["id"])
    source = told["occupation"]["source"]
    assert (source["kind"], source["customer_id"], source["origin"]["kind"]) == ("merge", twin["id"], "api")
    assert told["gender"]["source"]["kind"] == "agent", "the survivor's own value, though the other's is younger"
    moved = told[f"phone:{twin['contact_points'][0]['id']}"]
    assert (moved["source"]["kind"], moved["source"]["customer_id"]) == ("merge", twin["id"])
    assert (await web.post(f"/merges/{event['id']}/undo")).status_code == 200
    assert "occupation" not in await known(web, ada["id"])
    assert (await known(web, twin["id"]))["occupation"]["source"]["kind"] == "api"


async def test_consent_and_what_the_installation_says_go_before_the_usual_ground(web: httpx.AsyncClient) -> None:
    ada = await enter(web, "Ada", NUMBER)
    point = f"phone:{ada['contact_points'][0]['id']}"
    said = {"channel": "voice", "purpose": "marketing", "legal_basis": "consent", "source": "call", "value": NUMBER}
    await web.post(f"/customers/{ada['id']}/consents", json=said | {"status": "given"})
    assert (await known(web, ada["id"]))[point]["ground"]["decided_by"] == "consent"
    await web.post(f"/customers/{ada['id']}/consents", json=said | {"status": "withdrawn"})
    assert (await known(web, ada["id"]))[point]["ground"]["decided_by"] == "usual"
    await web.put("/custom-fields/shoe", json={"label": "Shoe", "type": "integer", "purpose": "fitting"})
    await web.patch(f"/customers/{ada['id']}", json={"custom": {"shoe": 38}}, headers=ANY)
    nobody = {"legal_basis": None, "purpose": "fitting", "decided_by": None}
    assert (await known(web, ada["id"]))["custom.shoe"]["ground"] == nobody
    assert (await web.put("/field-bases/custom.shoe", json={"legal_basis": "consent"})).status_code == 200
    stated = {"legal_basis": "consent", "purpose": "fitting", "decided_by": "installation"}
    assert (await known(web, ada["id"]))["custom.shoe"]["ground"] == stated
    assert [each["field"] for each in (await web.get("/field-bases")).json()] == ["custom.shoe"]
    assert (await web.delete("/field-bases/custom.shoe")).status_code == 204
    assert (await web.delete("/field-bases/custom.shoe")).status_code == 404
    assert (await known(web, ada["id"]))["custom.shoe"]["ground"] == nobody


@pytest.mark.parametrize(
    ("field", "basis", "where"),
    [
        ("shoe_size", "consent", "path.field"),
        ("custom.", "consent", "path.field"),
        ("phone", "because", "body.legal_basis"),
    ],
)
async def test_a_ground_that_is_none_is_refused(web: httpx.AsyncClient, field: str, basis: str, where: str) -> None:
    response = await web.put(f"/field-bases/{field}", json={"legal_basis": basis})
    assert (response.status_code, response.json()["where"]) == (422, where)


async def test_grounds_are_an_administrators_and_hidden_customers_stay_hidden(web: httpx.AsyncClient) -> None:
    agent = {"x-roles": "agent", "x-teams": "south"}
    refused = await web.put("/field-bases/phone", json={"legal_basis": "consent"}, headers=agent)
    assert refused.status_code == 403
    ada = await enter(web, "Ada", NUMBER)
    await web.patch(f"/customers/{ada['id']}", json={"team_id": "north"}, headers=ANY)
    assert (await web.get(f"/customers/{ada['id']}/provenance", headers=agent)).status_code == 404


async def test_a_person_is_told_with_the_export_where_things_are_known_from(web: httpx.AsyncClient) -> None:
    ada = await enter(web, "Ada", NUMBER)
    export = (await web.get(f"/customers/{ada['id']}/export")).json()
    assert {"field": "display_name", "kind": "agent"}.items() <= export["provenance"][0].items()
