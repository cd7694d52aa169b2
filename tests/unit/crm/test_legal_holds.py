"""Legal holds: what is kept, why, by whose order; and the log of looks at sensitive fields."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from crm_bridge.database import Database
from crm_bridge.interactions import complete_wrap_up, record
from crm_bridge.recordings import held_ids, write_recordings
from crm_bridge.records import RecordingStartRecord
from crm_bridge.retention import expire
from tests.support.crm_records import NOON, NUMBER, REGION, call
from tests.support.crm_web import client_of, enter, problem

pytestmark = pytest.mark.unit

HOLD = {"reason": "case 17"}


@pytest.fixture
async def web(database: Database) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(database) as client:
        yield client


async def recorded_call(database: Database) -> None:
    """A call of whoever has the number, with a recording and a note of the agent."""
    start = RecordingStartRecord(
        recording_id="r1",
        contact_id="c1",
        started_at=NOON,
        agent_id="anna",
        agent_name="Anna",
        queue_id="sales",
        retention="standard",
        announced=True,
        journal_seq=12,
    )
    async with database.begin() as session:
        await record(session, call(), region=REGION)
        await complete_wrap_up(session, "c1", "solved", "was glad", NOON, 11)
        await write_recordings(session, [start])


async def test_a_customer_on_hold_is_not_erased_until_the_hold_is_lifted(web: httpx.AsyncClient) -> None:
    path = f"/customers/{(await enter(web, 'Ada', NUMBER))['id']}"
    held = (await web.put(f"{path}/legal-hold", json=HOLD)).json()
    assert (held["reason"], held["held_by"], held["lifted_at"]) == ("case 17", "u1", None)
    refused = await web.post(f"{path}/erasure", json={"legal_basis": "objection"})
    assert problem(refused) == (409, "on-legal-hold", "path.customer_id")
    assert (await web.get(path)).json()["display_name"] == "Ada"
    assert (await web.delete(f"{path}/legal-hold")).json()["lifted_by"] == "u1"
    assert (await web.post(f"{path}/erasure", json={"legal_basis": "objection"})).status_code == 201
    [lifted] = (await web.get("/legal-holds", params={"lifted": True})).json()
    assert (lifted["customer_id"], lifted["reason"]) == (path.rsplit("/", 1)[1], ""), "the reason may name the person"


async def test_who_is_merged_into_a_customer_is_on_hold_with_it(web: httpx.AsyncClient) -> None:
    ada, twin = [(await enter(web, name, number))["id"] for name, number in (("Ada", NUMBER), ("A", "13900000002"))]
    await web.put(f"/customers/{twin}/legal-hold", json=HOLD)
    await web.post("/merges", json={"survivor_id": ada, "merged_id": twin})
    refused = await web.post(f"/customers/{ada}/erasure", json={"legal_basis": "objection"})
    assert problem(refused)[:2] == (409, "on-legal-hold")


async def test_nothing_of_a_customer_on_hold_goes_because_its_time_is_over(
    web: httpx.AsyncClient, database: Database
) -> None:
    path = f"/customers/{(await enter(web, 'Ada', NUMBER))['id']}"
    await web.post(f"{path}/notes", json={"body": "likes tea"})
    await recorded_call(database)
    for data_class in ("notes", "wrap_up_notes"):
        await web.put(f"/retention/{data_class}", json={"days": 1})
    later = datetime.now(UTC) + timedelta(days=3)
    await web.put(f"{path}/legal-hold", json=HOLD)
    async with database.begin() as session:
        assert await held_ids(session) == {"r1"}
        assert (await expire(session, later)) == {"notes": 0, "wrap_up_notes": 0}
    await web.delete(f"{path}/legal-hold")
    async with database.begin() as session:
        assert await held_ids(session) == frozenset()
        assert (await expire(session, later)) == {"notes": 1, "wrap_up_notes": 1}


async def test_the_list_tells_of_recordings_too_by_whose_order(web: httpx.AsyncClient, database: Database) -> None:
    await recorded_call(database)
    path = "/interactions/c1/recordings/r1/legal-hold"
    assert (await web.put(path, json=HOLD)).json()["hold_reason"] == "case 17"
    await web.put(path, json={"reason": "case 18"})
    [standing] = (await web.get("/legal-holds")).json()
    assert (standing["contact_id"], standing["recording_id"], standing["reason"]) == ("c1", "r1", "case 18")
    assert (await web.delete(path)).json()["legal_hold"] is False
    assert (await web.get("/legal-holds")).json() == []
    [lifted] = (await web.get("/legal-holds", params={"lifted": True})).json()
    assert (lifted["held_by"], lifted["lifted_by"]) == ("u1", "u1")
    log = (await web.get("/audit", params={"table": "legal_hold"})).json()
    assert [each["action"] for each in log] == ["update", "update", "insert"]


async def test_only_those_who_answer_for_privacy_hold_and_lift(web: httpx.AsyncClient) -> None:
    path = f"/customers/{(await enter(web, 'Ada'))['id']}/legal-hold"
    lead = {"x-roles": "team_lead"}
    for answer in (
        await web.put(path, json=HOLD, headers=lead),
        await web.delete(path, headers=lead),
        await web.get(path, headers=lead),
        await web.get("/legal-holds", headers=lead),
    ):
        assert answer.status_code == 403
    assert problem(await web.delete(path)) == (404, "item-not-found", "path")


async def test_the_log_of_looks_is_read_across_customers_and_by_person(web: httpx.AsyncClient) -> None:
    field = {"label": "Diagnosis", "type": "text", "data_class": "special_category", "purpose": "care"}
    await web.put("/custom-fields/diagnosis", json=field)
    look = {"fields": ["diagnosis"], "purpose": "care", "legal_basis": "consent"}
    ids = [(await enter(web, name))["id"] for name in ("Ada", "Bo")]
    for customer_id, user in ((ids[0], "u1"), (ids[1], "u2"), (ids[0], "u2")):
        await web.post(f"/customers/{customer_id}/sensitive-fields", json=look, headers={"x-user": user})
    log = (await web.get("/access-log")).json()
    assert [(each["customer_id"], each["actor_id"]) for each in log] == [(ids[0], "u2"), (ids[1], "u2"), (ids[0], "u1")]
    by_person = (await web.get("/access-log", params={"actor": "u2", "customer_id": ids[1]})).json()
    assert by_person == [log[1]]
    older = (await web.get("/access-log", params={"before": log[1]["id"], "limit": 5})).json()
    assert older == [log[2]]
    assert (await web.get("/access-log", headers={"x-roles": "supervisor"})).status_code == 403
