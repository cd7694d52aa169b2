"""Transcripts over HTTP: who may read, what programs bring, and that a reading is in the log."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from crm_bridge.database import Database, migrate
from crm_bridge.interactions import RecordingStartRecord, RecordingStoredRecord, record_batch
from tests.support.crm_records import NOON, REGION, call
from tests.support.whole_web import WholeWeb, whole_web

pytestmark = pytest.mark.unit

PATH = "/api/v1/interactions/c1/transcript"
SAID = {"start_ms": 0, "end_ms": 900, "party": "customer", "text": "good morning"}


@pytest.fixture
async def web(tmp_path: Path) -> AsyncIterator[WholeWeb]:
    url = f"sqlite+aiosqlite:///{tmp_path}/store.db"
    await migrate(url)
    database = Database(url)
    started = RecordingStartRecord(
        recording_id="c1-r1", contact_id="c1", started_at=NOON, agent_id="lin", agent_name="Lin", queue_id="service",
        retention="standard", announced=True, journal_seq=5,
    )  # fmt: skip
    stored = RecordingStoredRecord(
        recording_id="c1-r1", contact_id="c1", stored_at=NOON, path="x.wav", sha256="", duration_ms=900,
        truncated=None, pauses=((100, 200),), journal_seq=12,
    )  # fmt: skip
    async with database.begin() as session:
        await record_batch(session, [call("c1"), started, stored], region=REGION)
    async with whole_web(database) as web:
        yield web
        await asyncio.gather(*web.tokens.notes())
    await database.close()


@pytest.fixture
async def program(web: WholeWeb) -> AsyncIterator[httpx.AsyncClient]:
    async with web.program(await web.token("stt", "write")) as program:
        yield program


@asynccontextmanager
async def person(web: WholeWeb, role: str) -> AsyncIterator[httpx.AsyncClient]:
    client = await web.person(role)
    try:
        yield client
    finally:
        await client.aclose()


def body(**changed: Any) -> dict[str, Any]:
    return {"recording_id": "c1-r1", "language": "en", "segments": [SAID], **changed}


async def test_a_program_brings_a_transcript_and_who_may_listen_reads_it(
    web: WholeWeb, program: httpx.AsyncClient
) -> None:
    kept = await program.put(PATH, json=body())
    assert (kept.status_code, kept.headers["etag"]) == (201, '"1"')
    async with person(web, "supervisor") as boss:
        read = await boss.get(PATH)
        assert read.headers["etag"] == '"1"'
        (told,) = read.json()
        assert told["segments"] == [SAID]
        assert (told["source"], told["pauses"], told["recording_id"]) == ("token:stt", [[100, 200]], "c1-r1")
        (summary,) = (await boss.get("/api/v1/interactions/c1")).json()["transcripts"]
        assert (summary["state"], summary["recording_id"]) == ("done", "c1-r1")
        assert "text" not in summary
    async with person(web, "administrator") as administrator:
        log = (await administrator.get("/api/v1/audit")).json()
    assert [(each["actor_id"], each["row_key"]) for each in log if each["action"] == "read"] == [
        ("user-supervisor", "c1")
    ]


async def test_who_may_not_hear_it_may_not_read_it_and_no_person_brings_one(
    web: WholeWeb, program: httpx.AsyncClient
) -> None:
    await program.put(PATH, json=body())
    for role in ("agent", "team_lead"):
        async with person(web, role) as other:
            assert (await other.get(PATH)).status_code == 403
    async with person(web, "administrator") as administrator:
        assert (await administrator.put(PATH, json=body())).status_code == 403
        log = (await administrator.get("/api/v1/audit")).json()
    assert not [each for each in log if each["action"] == "read"]
    assert (await program.get(PATH)).status_code == 403


async def test_a_transcript_is_replaced_by_who_has_seen_it_and_the_same_again_changes_nothing(
    program: httpx.AsyncClient,
) -> None:
    other = body(segments=[{**SAID, "text": "good evening"}])
    assert (await program.put(PATH, json=body(), headers={"if-match": '"1"'})).status_code == 412
    assert (await program.put(PATH, json=body())).status_code == 201
    again = await program.put(PATH, json=body())
    assert (again.status_code, again.json()) == (200, {"version": 1})
    assert (await program.put(PATH, json=other)).status_code == 428
    assert (await program.put(PATH, json=other, headers={"if-match": '"7"'})).status_code == 412
    replaced = await program.put(PATH, json=other, headers={"if-match": '"1"'})
    assert (replaced.status_code, replaced.headers["etag"]) == (200, '"2"')
    assert (await program.put(PATH, json=body(), headers={"if-match": "*"})).json() == {"version": 3}


async def test_one_of_the_whole_contact_stands_beside_those_of_recordings(
    web: WholeWeb, program: httpx.AsyncClient
) -> None:
    await program.put(PATH, json=body())
    assert (await program.put(PATH, json=body(recording_id=None))).status_code == 201
    async with person(web, "supervisor") as boss:
        read = await boss.get(PATH)
        assert "etag" not in read.headers
        assert sorted(str(each["recording_id"]) for each in read.json()) == ["None", "c1-r1"]
        (one,) = (await boss.get(PATH, params={"recording_id": "c1-r1"})).json()
        assert one["recording_id"] == "c1-r1"


@pytest.mark.parametrize(
    ("path", "changed", "status"),
    [
        (PATH, {"recording_id": "c1-r9"}, 410),
        (PATH.replace("c1", "c9"), {}, 404),
        (PATH, {"segments": [{**SAID, "end_ms": -1}]}, 422),
        (PATH, {"segments": [{**SAID, "start_ms": 901}]}, 422),
        (PATH, {"segments": [{**SAID, "text": ""}]}, 422),
        (PATH, {"language": "English"}, 422),
        (PATH, {"words": 1}, 422),
    ],
)
async def test_what_cannot_be_kept_is_refused(
    program: httpx.AsyncClient, path: str, changed: dict[str, Any], status: int
) -> None:
    refused = await program.put(path, json=body(**changed))
    assert refused.status_code == status, refused.text


async def test_what_nobody_wrote_down_is_not_there(web: WholeWeb) -> None:
    async with person(web, "supervisor") as boss:
        assert (await boss.get(PATH)).json()["code"] == "item-not-found"
        assert (await boss.get(PATH.replace("c1", "c9"))).json()["code"] == "interaction-not-found"
