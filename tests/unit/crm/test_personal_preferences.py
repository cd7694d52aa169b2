"""What a customer likes, and how they like to be reached: each with its source and its date."""

from collections.abc import AsyncIterator
from datetime import timedelta

import httpx
import pytest

from crm_bridge.database import Database
from tests.support.crm_records import NOON, NUMBER
from tests.support.crm_web import client_of, enter, problem

pytestmark = pytest.mark.unit

ANY = {"if-match": "*"}
LATER = NOON + timedelta(days=40)


@pytest.fixture
async def web(database: Database) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(database) as client:
        yield client


async def test_a_preference_has_a_type_a_source_and_a_date(web: httpx.AsyncClient) -> None:
    ada = (await enter(web, "Ada", NUMBER))["id"]
    path = f"/customers/{ada}/personal-preferences"
    wanted = [
        {"kind": "hobby", "value": "sailing", "source": "third_party", "noted_at": "2026-02-01T09:00:00Z"},
        {"kind": "gift", "value": "green tea, no flowers", "source": "customer"},
        {"kind": "contact_manner", "value": "by first name"},
        {"kind": "contact_time", "value": "after the children are in bed", "source": "survey"},
    ]
    for each in wanted:
        assert (await web.post(path, json=each)).status_code == 201
    found = (await web.get(f"/customers/{ada}/record")).json()["personal_preferences"]
    assert {(each["kind"], each["value"], each["source"]) for each in found} == {
        (each["kind"], each["value"], each.get("source", "agent")) for each in wanted
    }
    dates = {each["kind"]: each["noted_at"] for each in found}
    assert (dates["hobby"][:10], dates["gift"][:10]) == ("2026-02-01", NOON.date().isoformat())
    assert {each["noted_by"] for each in found} == {"u1"}
    card = (await web.get(f"/customers/{ada}/card")).json()
    assert [each["kind"] for each in card["wishes"]] == ["contact_manner", "contact_time"], "what matters in a call"
    changes = (await web.get(f"/customers/{ada}/changes")).json()
    assert '"hobby: sailing"' in {each["new_value"] for each in changes}


async def test_the_same_again_is_the_same_with_a_newer_date_and_what_is_over_goes(
    web: httpx.AsyncClient, database: Database
) -> None:
    ada = (await enter(web, "Ada"))["id"]
    path = f"/customers/{ada}/personal-preferences"
    await web.post(path, json={"kind": "hobby", "value": "sailing"})
    async with client_of(database, at=LATER) as later:
        again = (await later.post(path, json={"kind": "hobby", "value": "sailing", "source": "customer"})).json()
        [only] = (await later.get(f"/customers/{ada}/record")).json()["personal_preferences"]
        assert (only["id"], only["source"], only["noted_at"][:10]) == (
            again["id"],
            "customer",
            LATER.date().isoformat(),
        )
        assert (await later.delete(f"{path}/{only['id']}")).status_code == 204
        assert (await later.delete(f"{path}/{only['id']}")).status_code == 404
        assert (await later.get(f"/customers/{ada}/record")).json()["personal_preferences"] == []


async def test_what_is_no_preference_is_refused(web: httpx.AsyncClient) -> None:
    ada = (await enter(web, "Ada"))["id"]
    path = f"/customers/{ada}/personal-preferences"
    for bad in (
        {"kind": "shoe", "value": "x"},
        {"kind": "gift", "value": " "},
        {"kind": "gift", "value": "x", "source": "tv"},
    ):
        assert (await web.post(path, json={"value": "x"} | bad)).status_code == 422
    future = {"kind": "gift", "value": "x", "noted_at": LATER.isoformat()}
    assert problem(await web.post(path, json=future)) == (422, "invalid-field", "body.noted_at")


async def test_how_to_be_reached_keeps_its_source_and_date_as_long_as_it_stays(
    web: httpx.AsyncClient, database: Database
) -> None:
    ada = (await enter(web, "Ada"))["id"]
    path = f"/customers/{ada}/preferences"
    sms = {"purpose": "service", "channel": "sms", "from_minute": 540}
    first = {"preferences": [sms | {"source": "customer"}]}
    [told] = (await web.put(path, json=first, headers=ANY)).json()["preferences"]
    assert (told["source"], told["noted_at"][:10]) == ("customer", NOON.date().isoformat())
    async with client_of(database, at=LATER) as later:
        both = {"preferences": [{"purpose": "service", "channel": "voice"}, sms]}
        voice, kept = (await later.put(path, json=both, headers=ANY)).json()["preferences"]
        assert (voice["source"], voice["noted_at"][:10]) == ("agent", LATER.date().isoformat())
        assert (kept["source"], kept["noted_at"]) == ("customer", told["noted_at"]), "only its place has changed"
        moved = {"preferences": [sms | {"from_minute": 600}]}
        [changed] = (await later.put(path, json=moved, headers=ANY)).json()["preferences"]
        assert (changed["source"], changed["noted_at"][:10]) == ("agent", LATER.date().isoformat())


async def test_tastes_follow_a_merge_and_come_back_and_go_with_an_erasure(web: httpx.AsyncClient) -> None:
    ada, twin = [(await enter(web, name))["id"] for name in ("Ada", "Ada L")]
    for customer_id, hobby in ((ada, "sailing"), (twin, "sailing"), (twin, "chess")):
        body = {"kind": "hobby", "value": hobby}
        await web.post(f"/customers/{customer_id}/personal-preferences", json=body)
    event = (await web.post("/merges", json={"survivor_id": ada, "merged_id": twin})).json()

    async def hobbies(customer_id: str) -> list[str]:
        record = (await web.get(f"/customers/{customer_id}/record")).json()
        return sorted(each["value"] for each in record["personal_preferences"])

    assert await hobbies(ada) == ["chess", "sailing"]
    await web.post(f"/merges/{event['id']}/undo")
    assert (await hobbies(ada), await hobbies(twin)) == (["sailing"], ["chess", "sailing"])
    export = (await web.get(f"/customers/{twin}/export")).json()
    assert len(export["personal_preference"]) == 2
    receipt = (await web.post(f"/customers/{twin}/erasure", json={"legal_basis": "asked"})).json()
    assert receipt["erased"]["personal_preference"] == 2
