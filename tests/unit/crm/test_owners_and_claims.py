"""One customer, one owner in each line of business: claims, their decision, and what happens when somebody leaves."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from crm_bridge.database import Database
from crm_bridge.models import OwnerClaim, Ownership, Promise
from tests.support.crm_records import NUMBER
from tests.support.crm_web import claims_told, client_of, enter, problem

pytestmark = pytest.mark.unit

LIN = {"x-user": "lin", "x-roles": "agent"}
BO = {"x-user": "bo", "x-roles": "agent"}
LEAD = {"x-user": "lead", "x-roles": "team_lead"}


@pytest.fixture
async def web(database: Database) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(database) as client:
        yield client


async def claim(web: httpx.AsyncClient, customer_id: str, who: dict[str, str], **more: Any) -> httpx.Response:
    return await web.put(f"/customers/{customer_id}/owner", json={"user_id": who["x-user"]} | more, headers=who)


async def open_claims(web: httpx.AsyncClient, who: dict[str, str] = LEAD) -> list[dict[str, Any]]:
    response = await web.get("/owner-claims", headers=who)
    assert response.status_code == 200, response.text
    found: list[dict[str, Any]] = response.json()
    return found


async def test_a_second_claim_is_refused_and_waits_for_the_team_lead_with_both_names(web: httpx.AsyncClient) -> None:
    ada = (await enter(web, "Ada", NUMBER))["id"]
    assert (await claim(web, ada, LIN)).status_code == 200
    told_before = claims_told()
    second = await claim(web, ada, BO, reason="met at the fair")
    assert claims_told() == told_before + 1, "who decides is told at once"
    assert problem(second) == (409, "owned-by-another", "body.user_id")
    assert "lin" in second.json()["message"]
    assert "bo" in second.json()["message"]
    assert (await claim(web, ada, BO)).status_code == 409, "the same again is the same claim"
    [waiting] = await open_claims(web)
    told = {"customer_id": ada, "owner_id": "lin", "claimant_id": "bo", "line_of_business": "general", "state": "open"}
    assert told.items() <= waiting.items()
    owners = (await web.get(f"/customers/{ada}/owners")).json()
    assert [each["user_id"] for each in owners] == ["lin"], "nothing has changed yet"


async def test_lines_of_business_have_owners_of_their_own(web: httpx.AsyncClient) -> None:
    ada = (await enter(web, "Ada", NUMBER))["id"]
    assert (await claim(web, ada, LIN)).status_code == 200
    assert (await claim(web, ada, BO, line_of_business="leasing")).status_code == 200
    assert await open_claims(web) == []
    assert (await claim(web, ada, LIN, line_of_business="leasing")).status_code == 409
    assert [each["line_of_business"] for each in await open_claims(web)] == ["leasing"]


async def test_a_granted_claim_moves_the_customer_and_the_history_says_why(web: httpx.AsyncClient) -> None:
    ada = (await enter(web, "Ada", NUMBER))["id"]
    await claim(web, ada, LIN)
    await claim(web, ada, BO)
    [waiting] = await open_claims(web)
    path = f"/owner-claims/{waiting['id']}/decision"
    assert (await web.post(path, json={"decision": "grant"}, headers=BO)).status_code == 403
    decided = (await web.post(path, json={"decision": "grant"}, headers=LEAD)).json()
    assert (decided["state"], decided["decided_by"]) == ("granted", "lead")
    again = await web.post(path, json={"decision": "refuse"}, headers=LEAD)
    assert problem(again)[:2] == (409, "already-settled")
    record = (await web.get(f"/customers/{ada}/record")).json()
    assert (record["profile"]["owner_id"], [each["user_id"] for each in record["owners"]]) == ("bo", ["bo"])
    now, before = (await web.get(f"/customers/{ada}/owners")).json()
    assert (now["user_id"], now["until_at"], now["reason"]) == ("bo", None, "claim granted")
    assert (before["user_id"], before["reason"], before["end_reason"]) == ("lin", "claim", "claim granted")
    assert before["until_at"] is not None
    assert await open_claims(web) == []
    assert len((await web.get("/owner-claims", params={"state": "decided"}, headers=LEAD)).json()) == 1


async def test_a_refused_claim_leaves_the_customer_where_it_is(web: httpx.AsyncClient) -> None:
    ada = (await enter(web, "Ada", NUMBER))["id"]
    await claim(web, ada, LIN)
    await claim(web, ada, BO)
    [waiting] = await open_claims(web)
    await web.post(f"/owner-claims/{waiting['id']}/decision", json={"decision": "refuse"}, headers=LEAD)
    assert (await web.get(f"/customers/{ada}/record")).json()["profile"]["owner_id"] == "lin"
    assert (await claim(web, ada, BO)).status_code == 409
    assert len(await open_claims(web)) == 1, "who claims again is heard again"


async def test_claims_are_seen_by_those_who_assign_and_see_the_customer(web: httpx.AsyncClient) -> None:
    ada = (await enter(web, "Ada", NUMBER))["id"]
    await claim(web, ada, LIN)
    await claim(web, ada, BO)
    await web.patch(f"/customers/{ada}", json={"team_id": "north"}, headers={"if-match": "*"})
    assert (await web.get("/owner-claims", headers=LIN)).status_code == 403
    assert await open_claims(web, LEAD | {"x-teams": "south"}) == []
    [waiting] = await open_claims(web, LEAD | {"x-teams": "north"})
    path = f"/owner-claims/{waiting['id']}/decision"
    hidden = await web.post(path, json={"decision": "grant"}, headers=LEAD | {"x-teams": "south"})
    assert hidden.status_code == 404


async def test_a_released_customer_says_so_and_is_free_to_be_claimed(web: httpx.AsyncClient) -> None:
    ada = (await enter(web, "Ada", NUMBER))["id"]
    await claim(web, ada, LIN)
    await web.put(f"/customers/{ada}/owner", json={"user_id": None}, headers=LEAD)
    [past] = (await web.get(f"/customers/{ada}/owners")).json()
    assert past["end_reason"] == "release"
    assert (await claim(web, ada, BO)).status_code == 200


async def leave(web: httpx.AsyncClient, from_user: str, to_user: str) -> int:
    moved = 0
    while True:
        answer = await web.post("/owners/hand-over", json={"from_user": from_user, "to_user": to_user}, headers=LEAD)
        assert answer.status_code == 200, answer.text
        if not answer.json()["count"]:
            return moved
        moved += answer.json()["count"]


async def test_nothing_is_left_with_somebody_who_leaves(web: httpx.AsyncClient, database: Database) -> None:
    ids = [(await enter(web, f"Ada {index}", f"+86216123{index:04d}"))["id"] for index in range(6)]
    for customer_id in ids[:4]:
        await claim(web, customer_id, LIN)
    await claim(web, ids[0], LIN, line_of_business="leasing")
    await claim(web, ids[4], BO)
    await claim(web, ids[4], LIN)
    promise = {"what": "call back", "due_at": "2026-03-03T10:00:00Z"}
    await web.post(f"/customers/{ids[5]}/promises", json=promise, headers=LIN)
    await web.post("/merges", json={"survivor_id": ids[0], "merged_id": ids[1]})  # the other's ownership stays with it
    await web.post(f"/customers/{ids[2]}/erasure", json={"legal_basis": "asked"})
    holdings = (await web.get("/owners/lin/holdings", headers=LEAD)).json()
    assert holdings["customers"] == {"general": 3, "leasing": 1}
    assert (holdings["promises"], holdings["claims"], holdings["total"]) == (1, 1, 6)
    assert (await web.get("/owners", headers=LEAD)).json() == ["bo", "lin"]
    assert await leave(web, "lin", "bo") == 6
    assert (await web.get("/owners/lin/holdings", headers=LEAD)).json()["total"] == 0
    assert (await web.get("/owners", headers=LEAD)).json() == ["bo"]
    async with database.read() as session:
        left = select(Ownership.id).where(Ownership.user_id == "lin", Ownership.until_at.is_(None))
        assert (await session.scalars(left)).all() == []
        assert (await session.scalars(select(Promise.id).where(Promise.assignee_id == "lin"))).all() == []
        assert (await session.scalars(select(OwnerClaim.id).where(OwnerClaim.state == "open"))).all() == []
    owners = (await web.get(f"/customers/{ids[3]}/owners")).json()
    assert [(each["user_id"], each["end_reason"]) for each in owners] == [("bo", None), ("lin", "offboarding")]


async def test_an_undone_merge_brings_nothing_back_to_somebody_who_has_left(web: httpx.AsyncClient) -> None:
    ada, twin = [(await enter(web, name))["id"] for name in ("Ada", "Ada L")]
    for customer_id in (ada, twin):
        await claim(web, customer_id, LIN)
    event = (await web.post("/merges", json={"survivor_id": ada, "merged_id": twin})).json()
    await leave(web, "lin", "bo")
    assert (await web.post(f"/merges/{event['id']}/undo")).status_code == 200
    for customer_id in (ada, twin):
        record = (await web.get(f"/customers/{customer_id}/record")).json()
        assert (record["profile"]["owner_id"], record["owners"][0]["user_id"]) == ("bo", "bo")


async def test_nobody_hands_over_to_themselves(web: httpx.AsyncClient) -> None:
    answer = await web.post("/owners/hand-over", json={"from_user": "lin", "to_user": "lin"}, headers=LEAD)
    assert problem(answer) == (422, "invalid-field", "body.to_user")
