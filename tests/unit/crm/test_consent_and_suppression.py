"""Consents, suppression and sensitive fields in the store and over HTTP."""

import re
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from agent_console.ports import IntentError
from callcenter.ports import Answer, Leave
from callcenter.store_directory import HandRules, StoreDirectory
from crm_bridge.consents import Clearance, clear_for_contact
from crm_bridge.database import Database
from crm_bridge.errors import NotContactable
from crm_bridge.models import Suppression
from tests.support.crm_records import NOON, NUMBER, REGION
from tests.support.crm_web import BASE, application, client_of, enter, problem

pytestmark = pytest.mark.unit

CONSENT = {"channel": "voice", "purpose": "marketing", "status": "given", "legal_basis": "consent", "source": "call"}
SERVICE = {"channel": "voice", "purpose": "service"}
MARKETING = {"channel": "voice", "purpose": "marketing"}
DAY, NIGHT = NOON, NOON + timedelta(hours=3, minutes=30)
"""20:00 and 23:30 where the numbers are."""
PATIENCE = 60.0
"""What is asked of the store here is answered, however busy the machine is."""


@pytest.fixture
async def web(database: Database) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(database) as client:
        yield client


async def reasons(web: httpx.AsyncClient, value: str, **asked: str) -> list[str]:
    response = await web.get("/contactability", params={"value": value, **asked})
    assert response.status_code == 200, response.text
    found: list[str] = response.json()["reasons"]
    return found


async def say(web: httpx.AsyncClient, customer_id: str, **changed: Any) -> None:
    response = await web.post(f"/customers/{customer_id}/consents", json=CONSENT | changed)
    assert response.status_code == 201, response.text


async def test_the_newest_thing_a_customer_said_counts_and_all_of_it_is_kept(web: httpx.AsyncClient) -> None:
    ada = (await enter(web, "Ada", NUMBER))["id"]
    assert await reasons(web, NUMBER, **MARKETING) == ["no-consent"]
    await say(web, ada)
    assert await reasons(web, "139 0000 1234", **MARKETING) == []
    await say(web, ada, status="withdrawn", channel="*", purpose="*")
    assert await reasons(web, NUMBER, **MARKETING) == ["consent-denied"]
    assert await reasons(web, NUMBER, **SERVICE) == ["consent-denied"]
    ledger = (await web.get(f"/customers/{ada}/consents")).json()
    assert [(each["status"], each["actor_id"]) for each in ledger] == [("withdrawn", "u1"), ("given", "u1")]
    timeline = (await web.get(f"/customers/{ada}/timeline")).json()["items"]
    assert [each["kind"] for each in timeline].count("consent") == 2


async def test_a_consent_may_be_for_one_number_only(web: httpx.AsyncClient) -> None:
    ada = (await enter(web, "Ada", NUMBER, "13900000002"))["id"]
    await say(web, ada, value="13900000002")
    assert await reasons(web, NUMBER, **MARKETING) == ["no-consent"]
    assert await reasons(web, "13900000002", **MARKETING) == []


async def test_a_suppressed_number_is_not_contacted_whoever_has_it(web: httpx.AsyncClient, database: Database) -> None:
    body = {"value": NUMBER, "reason": "asked to stop", "source": "STOP"}
    assert (await web.post("/suppressions", json=body | {"purpose": "marketing"})).status_code == 201
    await say(web, (await enter(web, "Ada", NUMBER))["id"])
    assert await reasons(web, NUMBER, **MARKETING) == ["suppressed"]
    assert await reasons(web, NUMBER, **SERVICE) == []
    await web.post("/suppressions", json=body)
    assert await reasons(web, NUMBER, **SERVICE) == ["suppressed"]
    assert await reasons(web, NUMBER, channel="sms", purpose="safety") == ["suppressed"]
    async with database.read() as session:
        kept = (await session.scalars(select(Suppression.value_digest))).all()
    assert all("1390000" not in each for each in kept)
    agent = await web.post("/suppressions", json=body, headers={"x-roles": "agent"})
    assert problem(agent)[:2] == (403, "forbidden")


async def test_the_night_is_that_of_the_number_until_the_customer_says_where_home_is(database: Database) -> None:
    late = NOON + timedelta(hours=2)  # 22:00 in Shanghai, 14:00 in London
    async with client_of(database, at=late) as web:
        ada = (await enter(web, "Ada", NUMBER))["id"]
        assert await reasons(web, NUMBER, **SERVICE) == ["quiet-hours"]
        again = (await web.get("/contactability", params={"value": NUMBER, **SERVICE})).json()["again_at"]
        assert again == "2026-03-03T00:00:00Z"
        changed = {"timezone": "Europe/London"}
        assert (await web.patch(f"/customers/{ada}", json=changed, headers={"if-match": "*"})).status_code == 200
        assert await reasons(web, NUMBER, **SERVICE) == []


async def test_the_hours_asked_for_are_kept(web: httpx.AsyncClient) -> None:
    ada = (await enter(web, "Ada", NUMBER))["id"]
    wish = {"purpose": "service", "channel": "voice", "from_minute": 600, "to_minute": 720, "weekdays": ["mon"]}
    await web.put(f"/customers/{ada}/preferences", json={"preferences": [wish]}, headers={"if-match": "*"})
    assert await reasons(web, NUMBER, **SERVICE) == ["outside-wished-hours"]


async def test_what_is_no_number_is_not_reachable(web: httpx.AsyncClient) -> None:
    assert await reasons(web, "reception", **SERVICE) == ["not-reachable"]
    assert await reasons(web, NUMBER, channel="email", purpose="service") == ["not-reachable"]


async def test_only_a_clearance_lets_contact_and_it_is_for_one_thing_and_soon_over(
    web: httpx.AsyncClient, database: Database
) -> None:
    await enter(web, "Ada", NUMBER)

    async def ask(purpose: str) -> Clearance:
        async with database.read() as session:
            return await clear_for_contact(session, NUMBER, channel="voice", purpose=purpose, now=NOON, region=REGION)

    clearance = await ask("service")
    assert clearance.covers(NUMBER, "voice", NOON + timedelta(seconds=60))
    assert not clearance.covers(NUMBER, "voice", NOON + timedelta(seconds=61))
    assert not clearance.covers(NUMBER, "sms", NOON)
    assert not clearance.covers("+8613900000002", "voice", NOON)
    with pytest.raises(NotContactable, match="no-consent"):
        await ask("marketing")
    with pytest.raises(TypeError):
        Clearance(object(), NUMBER, "voice", "marketing", NOON)


async def test_sensitive_fields_are_shown_for_their_purpose_only_and_every_look_is_written_down(
    web: httpx.AsyncClient,
) -> None:
    ada = (await enter(web, "Ada", NUMBER))["id"]
    field = {"label": "Diagnosis", "type": "text", "data_class": "special_category", "purpose": "care"}
    await web.put("/custom-fields/diagnosis", json=field)
    changed = {"custom": {"diagnosis": "asthma"}}
    assert (await web.patch(f"/customers/{ada}", json=changed, headers={"if-match": "*"})).status_code == 200
    for path in ("", "/record", "/card", "/timeline", "/changes"):
        assert "asthma" not in (await web.get(f"/customers/{ada}{path}")).text
    look = {"fields": ["diagnosis"], "purpose": "care", "legal_basis": "vital_interest"}
    path = f"/customers/{ada}/sensitive-fields"
    assert (await web.post(path, json=look)).json() == {"values": {"diagnosis": "asthma"}}
    assert problem(await web.post(path, json=look | {"purpose": "sales"})) == (422, "invalid-field", "body.purpose")
    assert problem(await web.post(path, json=look | {"legal_basis": "curiosity"}))[2] == "body.legal_basis"
    assert problem(await web.post(path, json=look, headers={"x-roles": "auditor"}))[:2] == (403, "forbidden")
    [entry] = (await web.get(f"/customers/{ada}/access-log")).json()
    assert (entry["actor_id"], entry["fields"], entry["purpose"]) == ("u1", ["diagnosis"], "care")
    hidden = await web.get(f"/customers/{ada}/access-log", headers={"x-roles": "agent"})
    assert problem(hidden)[:2] == (403, "forbidden")


async def test_an_agent_cannot_dial_whom_the_list_or_the_customer_forbids(
    web: httpx.AsyncClient, database: Database
) -> None:
    store = StoreDirectory(database, region=REGION, patience_seconds=PATIENCE, own_numbers=frozenset(), now=lambda: DAY)
    ada = (await enter(web, "Ada", NUMBER))["id"]
    for number in ("139 0000 1234", "13900000002", "95588", "+8821600000", "reception"):
        await clear(store, "anna", number)
    body = {"value": "13900000002", "reason": "asked to stop", "source": "STOP", "channel": "voice"}
    assert (await web.post("/suppressions", json=body)).status_code == 201
    with pytest.raises(IntentError, match="suppressed") as caught:
        await clear(store, "anna", "+86 139 0000 0002")
    assert caught.value.code == "not-contactable"
    await say(web, ada, status="withdrawn", channel="sms", purpose="*")
    await clear(store, "anna", NUMBER)
    await say(web, ada, status="withdrawn", channel="*", purpose="*")
    with pytest.raises(IntentError, match="consent-denied"):
        await clear(store, "anna", "139 0000 1234")


async def clear(store: StoreDirectory, agent_id: str, number: str) -> None:
    """Raises what a desk is told of a no."""
    leave = await store.may_dial(agent_id, number)
    if leave.answer is Answer.NO:
        raise IntentError(leave.code, leave.text)
    assert leave == Leave(Answer.YES)


async def test_in_quiet_hours_somebody_answers_for_the_call_and_that_is_written_down(
    web: httpx.AsyncClient, database: Database
) -> None:
    now = [NIGHT]
    hands = HandRules(may_override=frozenset({"lena"}))
    store = StoreDirectory(
        database, region=REGION, patience_seconds=PATIENCE, own_numbers=frozenset(), hands=hands, now=lambda: now[0]
    )
    ada = (await enter(web, "Ada", NUMBER))["id"]
    with pytest.raises(IntentError, match="It is 23:30 where the customer is: quiet-hours") as asked:
        await clear(store, "lena", NUMBER)
    assert asked.value.code == "quiet-hours"
    with pytest.raises(IntentError) as firm:
        await clear(store, "anna", NUMBER)
    assert firm.value.code == "quiet-hours-firm"
    with pytest.raises(IntentError) as refused:
        await store.override_hours("anna", NUMBER, "she asked me to")
    assert refused.value.code == "not-allowed"
    await store.override_hours("lena", NUMBER, "she asked me to")
    await clear(store, "lena", NUMBER)
    with pytest.raises(IntentError):
        await clear(store, "anna", NUMBER)
    now[0] += timedelta(minutes=2)
    with pytest.raises(IntentError, match="23:32"):
        await clear(store, "lena", NUMBER)
    [told] = (await web.get("/hours-overrides")).json()
    assert (told["actor_id"], told["customer_id"], told["reason"]) == ("lena", ada, "she asked me to")
    assert told["against"] == ["quiet-hours"]
    assert (await web.get("/hours-overrides", headers={"x-roles": "supervisor"})).status_code == 403
    for number in ("95588", "110"):
        await clear(store, "anna", number)
    ignoring = HandRules(keeps_hours=False)
    store = StoreDirectory(
        database, region=REGION, patience_seconds=PATIENCE, own_numbers=frozenset(), hands=ignoring, now=lambda: NIGHT
    )
    await clear(store, "anna", NUMBER)


async def test_nobody_overrides_the_do_not_call_list_or_what_the_customer_said(
    web: httpx.AsyncClient, database: Database
) -> None:
    hands = HandRules(may_override=frozenset({"lena"}))
    store = StoreDirectory(
        database, region=REGION, patience_seconds=PATIENCE, own_numbers=frozenset(), hands=hands, now=lambda: NIGHT
    )
    await enter(web, "Ada", NUMBER)
    await store.override_hours("lena", NUMBER, "urgent")
    body = {"value": NUMBER, "reason": "asked to stop", "source": "STOP"}
    assert (await web.post("/suppressions", json=body)).status_code == 201
    for asked in (store.override_hours("lena", NUMBER, "urgent"), clear(store, "lena", NUMBER)):
        with pytest.raises(IntentError, match="suppressed, quiet-hours") as caught:
            await asked
        assert caught.value.code == "not-contactable"


async def test_a_customers_own_hours_bind_what_agents_dial(web: httpx.AsyncClient, database: Database) -> None:
    store = StoreDirectory(database, region=REGION, patience_seconds=PATIENCE, own_numbers=frozenset(), now=lambda: DAY)
    ada = (await enter(web, "Ada", NUMBER))["id"]
    wish = {"purpose": "service", "channel": "voice", "from_minute": 1080, "to_minute": 1200}
    answer = await web.put(f"/customers/{ada}/preferences", json={"preferences": [wish]}, headers={"if-match": "*"})
    assert answer.status_code == 200, answer.text
    with pytest.raises(IntentError, match="outside-wished-hours"):
        await clear(store, "anna", NUMBER)
    told = (await web.get("/contactability", params={"value": NUMBER, "channel": "voice", "purpose": "by_hand"})).json()
    assert (told["is_of_the_clock"], [each[11:16] for each in told["local_times"]]) == (True, ["20:00"])


async def test_when_the_store_is_away_it_says_so(tmp_path: Path) -> None:
    empty = Database(f"sqlite+aiosqlite:///{tmp_path / 'nothing.db'}")
    assert (
        await StoreDirectory(empty, region=REGION, patience_seconds=PATIENCE, own_numbers=frozenset()).may_dial(
            "anna", NUMBER
        )
        == Leave()
    )
    await empty.close()


@pytest.mark.parametrize("data_class", ["special_category", "financial", "location"])
async def test_a_sensitive_value_is_in_no_answer_but_the_one_that_is_logged(
    web: httpx.AsyncClient, data_class: str
) -> None:
    ada = (await enter(web, "Ada", NUMBER))["id"]
    field = {"label": "Secret", "type": "text", "data_class": data_class, "purpose": "care", "field_group": "extended"}
    await web.put("/custom-fields/secret", json=field)
    for value in ("Xanthippe", "Zebulon"):
        changed = {"custom": {"secret": value}}
        assert (await web.patch(f"/customers/{ada}", json=changed, headers={"if-match": "*"})).status_code == 200
    asked = 0
    for path, operations in application().openapi()["paths"].items():
        parameters = operations.get("get", {}).get("parameters", [])
        if "get" not in operations or path.endswith("/export"):
            continue
        needed = {
            each["name"]: {"channel": "voice", "purpose": "care", "provider": "x", "external_id": "y"}.get(
                each["name"], NUMBER
            )
            for each in parameters
            if each["in"] == "query" and each.get("required")
        }
        url = re.sub(r"\{[^}]*\}", ada, path.removeprefix(BASE))
        answer = await web.get(url, params=needed)
        assert answer.status_code < 500, url
        assert "Zebulon" not in answer.text, url
        assert "Xanthippe" not in answer.text, url
        asked += answer.status_code == 200
    assert asked > 25
    assert (await web.get(f"/customers/{ada}/access-log")).json() == []
    look = {"fields": ["secret"], "purpose": "care", "legal_basis": "consent"}
    shown = await web.post(f"/customers/{ada}/sensitive-fields", json=look)
    assert shown.json() == {"values": {"secret": "Zebulon"}}
    assert len((await web.get(f"/customers/{ada}/access-log")).json()) == 1
    groups = (await web.get(f"/customers/{ada}/record")).json()["completeness"]
    assert set(groups) == {"visible", "related", "extended"}
    emptied = {"custom": {"secret": None}}
    assert (await web.patch(f"/customers/{ada}", json=emptied, headers={"if-match": "*"})).status_code == 200
    look = await web.get(f"/customers/{ada}/record")
    assert look.json()["completeness"] == groups, "nobody is told without a purpose whether such a field is filled"


async def test_a_callback_is_asked_about_with_its_own_consent_and_the_zone_of_the_customer(
    web: httpx.AsyncClient, database: Database, tmp_path: Path
) -> None:
    store = StoreDirectory(database, region=REGION, patience_seconds=PATIENCE, own_numbers=frozenset())
    ada = (await enter(web, "Ada", NUMBER))["id"]
    assert await store.may_call_back("139 0000 1234") == Leave(Answer.YES, (), ("Asia/Shanghai",))
    changed = {"timezone": "Europe/London"}
    assert (await web.patch(f"/customers/{ada}", json=changed, headers={"if-match": "*"})).status_code == 200
    assert (await store.may_call_back(NUMBER)).zones == ("Europe/London",)
    await say(web, ada, status="withdrawn", channel="voice", purpose="callback")
    assert await store.may_call_back(NUMBER) == Leave(Answer.NO, ("consent-denied",), ("Europe/London",))
    body = {"value": NUMBER, "reason": "asked to stop", "source": "STOP"}
    await web.post("/suppressions", json=body)
    assert (await store.may_call_back(NUMBER)).reasons == ("suppressed", "consent-denied")
    assert (await store.may_call_back("anonymous")).answer is Answer.YES, "the dialling rules judge that"
    empty = Database(f"sqlite+aiosqlite:///{tmp_path / 'nothing.db'}")
    assert (
        await StoreDirectory(empty, region=REGION, patience_seconds=PATIENCE, own_numbers=frozenset()).may_call_back(
            NUMBER
        )
        == Leave()
    )
    await empty.close()
