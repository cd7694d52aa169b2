"""The audit log, roles, teams, and requests that come twice."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError

from crm_bridge.audit import entries, first_broken
from crm_bridge.customers import create_customer
from crm_bridge.database import Database
from crm_bridge.interactions import record
from crm_bridge.models import AuditEntry, Customer, CustomerLevel, IdempotencyKey
from crm_bridge.permissions import PERMISSIONS, Permission, Role, permissions_of
from tests.support.crm_records import NOON, NUMBER, REGION, call, person
from tests.support.crm_web import client_of, enter, problem

pytestmark = pytest.mark.unit


@pytest.fixture
async def web(database: Database) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(database) as client:
        yield client


async def broken_at(database: Database) -> int | None:
    async with database.read() as session:
        return await first_broken(session)


async def test_every_change_is_in_the_log_with_its_actor_and_fields_but_without_values(
    web: httpx.AsyncClient, database: Database
) -> None:
    ada = await enter(web, "Ada Lovelace", NUMBER)
    await web.patch(f"/customers/{ada['id']}", json={"occupation": "poet"}, headers={"if-match": "*"})
    await web.post(f"/customers/{ada['id']}/notes", json={"body": "likes tea"})
    log = (await web.get("/audit")).json()
    about = {(each["action"], each["table_name"], each["row_key"]) for each in log}
    assert {("insert", "customer", ada["id"]), ("insert", "contact_point", ada["contact_points"][0]["id"])} <= about
    assert {each["table_name"] for each in log} >= {"note", "customer_profile", "customer_change"}
    [edit] = [each for each in log if (each["action"], each["table_name"]) == ("update", "customer_profile")]
    assert (edit["fields"], edit["actor_id"]) == (["occupation"], "u1")
    written = (await web.get("/audit")).text
    assert not [value for value in ("Ada", "poet", "tea", "1390000") if value in written]
    assert (await web.get("/audit/chain")).json() == {"is_whole": True, "first_broken": None}
    older = (await web.get("/audit", params={"before": log[-1]["seq"], "limit": 2})).json()
    assert older == []
    assert await broken_at(database) is None


async def test_a_change_that_only_the_commit_writes_is_in_the_log(database: Database) -> None:
    async with database.begin() as session:
        session.add(CustomerLevel(code="gold", name="Gold", rank=1, colour="#ffd700"))
    async with database.read() as session:
        assert [each.row_key for each in await entries(session, before=None, limit=10)] == ["gold"]


async def test_what_was_rolled_back_is_not_in_the_log(web: httpx.AsyncClient, database: Database) -> None:
    ada = await enter(web, "Ada", NUMBER)
    before = (await web.get("/audit")).json()
    taken = await web.post(f"/customers/{ada['id']}/contact-points", json={"value": NUMBER})
    assert taken.status_code == 409
    assert (await web.get("/audit")).json() == before


async def test_the_projection_of_the_journal_is_not_in_the_log(database: Database) -> None:
    async with database.begin() as session:
        await record(session, call(), region=REGION)
    async with database.read() as session:
        assert await entries(session, before=None, limit=10) == []


async def test_the_log_can_only_grow(web: httpx.AsyncClient, database: Database) -> None:
    await enter(web, "Ada", NUMBER)
    for statement in ("UPDATE audit_entry SET actor_id = 'nobody'", "DELETE FROM audit_entry"):
        with pytest.raises(DBAPIError, match="append-only"):
            async with database.engine.begin() as connection:
                await connection.execute(text(statement))


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("tampering", "at"),
    [
        ("UPDATE audit_entry SET actor_id = 'x' WHERE seq = 2", 2),
        ("UPDATE audit_entry SET fields = '[]' WHERE seq = 2", None),
        ("DELETE FROM audit_entry WHERE seq = 1", 1),
        ("DELETE FROM audit_entry WHERE seq = (SELECT MAX(seq) FROM audit_entry)", -1),
    ],
)
async def test_whoever_gets_around_the_guards_breaks_the_chain(
    web: httpx.AsyncClient, database: Database, tampering: str, at: int | None
) -> None:
    await enter(web, "Ada", NUMBER)
    async with database.engine.begin() as connection:
        last = await connection.scalar(text("SELECT MAX(seq) FROM audit_entry"))
        for guard in ("audit_entry_no_update", "audit_entry_no_delete"):
            await connection.execute(text(f"DROP TRIGGER {guard}"))
        await connection.execute(text(tampering))
    expected = last if at == -1 else at
    assert await broken_at(database) == expected


async def test_writers_at_the_same_time_make_one_chain(database: Database) -> None:
    async def one(index: int) -> None:
        async with database.begin() as session:
            await create_customer(session, person(f"Ada {index}"), region=REGION, now=NOON)

    await asyncio.gather(*(one(index) for index in range(8)))
    assert await broken_at(database) is None
    async with database.read() as session:
        count = await session.scalar(select(func.count()).select_from(AuditEntry))
        assert count == await session.scalar(select(func.max(AuditEntry.seq)))


async def test_the_same_request_sent_twice_is_done_once_and_answered_the_same(
    web: httpx.AsyncClient, database: Database
) -> None:
    body = {"display_name": "Ada", "contact_points": [{"value": NUMBER}]}
    headers = {"idempotency-key": "k-1"}
    first = await web.post("/customers", json=body, headers=headers)
    second = await web.post("/customers", json=body, headers=headers)
    assert (second.status_code, second.json()) == (201, first.json())
    assert (first.headers.get("idempotent-replayed"), second.headers["idempotent-replayed"]) == (None, "true")
    other = await web.post("/customers", json=body | {"display_name": "Ben"}, headers=headers)
    assert problem(other) == (422, "idempotency-mismatch", "header.idempotency-key")
    somebody = await web.post("/customers", json=body, headers=headers | {"x-user": "u2"})
    assert somebody.json()["id"] != first.json()["id"]
    long = await web.post("/customers", json=body, headers={"idempotency-key": "x" * 201})
    assert problem(long)[:2] == (422, "idempotency-mismatch")
    async with database.begin() as session:
        for row in await session.scalars(select(IdempotencyKey)):
            row.status = row.answer = None
    assert problem(await web.post("/customers", json=body, headers=headers))[:2] == (409, "already-done")


async def test_a_refused_request_may_be_sent_again_with_its_key(web: httpx.AsyncClient) -> None:
    headers = {"idempotency-key": "k-2"}
    missing = await web.post("/customers/4711/notes", json={"body": "x"}, headers=headers)
    assert problem(missing)[:2] == (404, "customer-not-found")
    assert (await web.post("/customers/4711/notes", json={"body": "x"}, headers=headers)).status_code == 404


async def test_two_at_the_same_time_with_one_key_make_one_customer(web: httpx.AsyncClient, database: Database) -> None:
    body = {"display_name": "Ada"}
    answers = await asyncio.gather(
        *(web.post("/customers", json=body, headers={"idempotency-key": "k-3"}) for _ in range(4))
    )
    assert {answer.status_code for answer in answers} <= {201, 409}
    async with database.read() as session:
        assert await session.scalar(select(func.count()).select_from(Customer)) == 1


def test_roles_allow_what_their_table_says_and_unknown_ones_nothing() -> None:
    assert permissions_of(["agent"]) < permissions_of(["team_lead"]) < permissions_of(["supervisor"])
    assert permissions_of(["supervisor"]) < permissions_of(["administrator"])
    assert Permission.WRITE not in permissions_of(["auditor"])
    assert permissions_of(["king"]) == frozenset()
    assert set(PERMISSIONS) == set(Role)


@pytest.mark.parametrize(
    ("method", "path", "roles", "status"),
    [
        ("GET", "/customers", "king", 403),
        ("GET", "/customers", "auditor", 200),
        ("POST", "/customers", "auditor", 403),
        ("GET", "/audit", "supervisor", 403),
        ("GET", "/audit", "auditor", 200),
        ("POST", "/merges", "agent", 403),
        ("POST", "/suppressions", "integration", 403),
        ("PUT", "/levels/gold", "supervisor", 403),
    ],
)
async def test_routes_ask_for_their_permission(
    web: httpx.AsyncClient, method: str, path: str, roles: str, status: int
) -> None:
    body: Any = {} if method == "GET" else {"display_name": "Ada", "survivor_id": "1", "merged_id": "2"}
    body |= {"value": NUMBER, "reason": "x", "source": "y", "name": "Gold", "rank": 1, "colour": "#ffffff"}
    response = await web.request(method, path, json=body, headers={"x-roles": roles})
    assert response.status_code == status, response.text


async def test_a_customer_of_a_team_is_seen_by_its_members_and_by_those_above(web: httpx.AsyncClient) -> None:
    ada = await enter(web, "Ada", NUMBER)
    await web.patch(f"/customers/{ada['id']}", json={"team_id": "north"}, headers={"if-match": "*"})

    async def seen(roles: str, teams: str) -> tuple[int, int, int]:
        headers = {"x-roles": roles, "x-teams": teams}
        one = await web.get(f"/customers/{ada['id']}", headers=headers)
        listed = (await web.get("/customers?q=ada", headers=headers)).json()["items"]
        matched = (await web.get(f"/customers/lookup?number={NUMBER[3:]}", headers=headers)).json()["candidates"]
        return one.status_code, len(listed), len(matched)

    assert await seen("agent", "north") == (200, 1, 1)
    assert await seen("agent", "south") == (404, 0, 0)
    assert await seen("supervisor", "") == (200, 1, 1)
    south = {"x-roles": "agent", "x-teams": "south"}
    for path in ("record", "timeline", "card", "consents", "changes"):
        assert (await web.get(f"/customers/{ada['id']}/{path}", headers=south)).status_code == 404
    assert (await web.post(f"/customers/{ada['id']}/notes", json={"body": "x"}, headers=south)).status_code == 404


async def test_the_card_names_whom_the_customer_belongs_to_unless_hidden(web: httpx.AsyncClient) -> None:
    bob, ada = await enter(web, "Bob", NUMBER), await enter(web, "Ada", NUMBER)
    await web.put("/levels/key", json={"name": "Key account", "rank": 90, "colour": "#aa0000"})
    await web.put(f"/customers/{bob['id']}/level", json={"code": "key"}, headers={"if-match": "*"})
    relation = await web.post(f"/customers/{bob['id']}/relations", json={"to_id": ada["id"], "type": "spouse"})
    assert relation.status_code == 201, relation.text

    async def related(who: dict[str, Any], **headers: str) -> list[tuple[str, str, bool]]:
        card = (await web.get(f"/customers/{who['id']}/card", headers=headers)).json()
        return [(each["display_name"], each["type"], each["is_from"]) for each in card["related"]]

    assert await related(bob) == [("Ada", "spouse", True)]
    assert await related(ada) == [("Bob", "spouse", False)]
    candidates = (await web.get(f"/customers/lookup?number={NUMBER[3:]}")).json()["candidates"]
    badges = {each["display_name"]: each["badge"] and each["badge"]["name"] for each in candidates}
    assert badges == {"Ada": None, "Bob": "Key account"}
    await web.patch(f"/customers/{ada['id']}", json={"team_id": "north"}, headers={"if-match": "*"})
    assert await related(bob, **{"x-roles": "agent", "x-teams": "south"}) == []
    assert await related(bob, **{"x-roles": "agent", "x-teams": "north"}) == [("Ada", "spouse", True)]


async def test_every_list_leaves_out_the_customers_of_other_teams(web: httpx.AsyncClient, database: Database) -> None:
    """Interactions, duplicates, collisions, merges and what a team lead hands over."""
    ada, twin = await enter(web, "Ada Lovelace", NUMBER), await enter(web, "Ada Lovelace", NUMBER)
    await web.patch(f"/customers/{ada['id']}", json={"team_id": "north"}, headers={"if-match": "*"})
    async with database.begin() as session:
        await record(session, call("theirs", customer_id=int(ada["id"])), region=REGION)
        await record(session, call("nobodys", from_value="+8613900009999"), region=REGION)
    await web.put(f"/customers/{ada['id']}/owner", json={"user_id": "mia"})
    await web.post("/duplicates/scan")
    north, south = ({"x-roles": "team_lead", "x-teams": team} for team in ("north", "south"))

    async def seen(headers: dict[str, str]) -> tuple[set[str], int, int, int]:
        listed = {each["contact_id"] for each in (await web.get("/interactions", headers=headers)).json()["items"]}
        one = (await web.get("/interactions/theirs", headers=headers)).status_code
        pairs = (await web.get("/duplicates", headers=headers)).json()["items"]
        return listed, one, len(pairs), len((await web.get("/collisions", headers=headers)).json())

    assert await seen(north) == ({"theirs", "nobodys"}, 200, 1, 1)
    assert await seen(south) == ({"nobodys"}, 404, 0, 0)
    [pair] = (await web.get("/duplicates")).json()["items"]
    assert (await web.post(f"/duplicates/{pair['id']}/reject", headers=south)).status_code == 404
    moved = {"from_user": "mia", "to_user": "noa"}
    assert (await web.post("/owners/hand-over", json=moved, headers=south)).json() == {"count": 0}
    merged = (await web.post("/merges", json={"survivor_id": ada["id"], "merged_id": twin["id"]})).json()
    assert (await web.get(f"/customers/{ada['id']}/merges", headers=south)).status_code == 404
    assert (await web.post(f"/merges/{merged['id']}/undo", headers=south)).status_code == 404
    assert (await web.post("/owners/hand-over", json=moved, headers=north)).json() == {"count": 1}
    assert (await web.post(f"/merges/{merged['id']}/undo", headers=north)).status_code == 200
