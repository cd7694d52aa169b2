"""Recordings in the store: with their interaction, held, erased, and told as deleted."""

from dataclasses import replace
from datetime import timedelta
from itertools import permutations
from pathlib import Path

import pytest
from sqlalchemy import select, update

from callcenter.recordings.sweep import erase_portion
from crm_bridge.customers import create_customer
from crm_bridge.database import Database
from crm_bridge.errors import RecordingNotFound
from crm_bridge.history import find_interaction
from crm_bridge.interactions import (
    RecordingStartRecord,
    RecordingStoredRecord,
    VoicemailMovedRecord,
    VoicemailRecord,
    VoicemailWorkedRecord,
    record_batch,
)
from crm_bridge.models import AuditEntry, HeldErasure, Recording
from crm_bridge.recordings import RecordingView, find_recording, held_ids, ids_to_erase, mark_deleted
from crm_bridge.voicemails import page_voicemails
from tests.support.crm_records import NOON, NUMBER, REGION, call, person
from tests.support.crm_web import client_of, problem

pytestmark = pytest.mark.unit

STARTED = RecordingStartRecord(
    recording_id="c1-r1",
    contact_id="c1",
    started_at=NOON,
    agent_id="lin",
    agent_name="Lin",
    queue_id="service",
    retention="standard",
    announced=True,
    journal_seq=5,
)
STORED = RecordingStoredRecord(
    recording_id="c1-r1",
    contact_id="c1",
    stored_at=NOON + timedelta(minutes=2),
    path="2026/03/02/x.wav.sealed",
    sha256="ab" * 32,
    duration_ms=120_000,
    truncated="disk_full",
    pauses=((1000, 4000), (9000, 9500)),
    journal_seq=12,
)


async def write(database: Database, *records: object) -> None:
    async with database.begin() as session:
        await record_batch(session, list(records), region=REGION)  # type: ignore[arg-type]


async def only(database: Database) -> RecordingView:
    async with database.read() as session:
        (view,) = (await find_interaction(session, "c1")).recordings
        assert await find_recording(session, "c1", "c1-r1") == view
        return view


async def test_the_same_row_comes_of_any_order_and_any_repetition(database: Database) -> None:
    """The call closes before or after its recording does, and a batch may be written again."""
    views = set()
    for order in permutations([call(), STARTED, STORED]):
        await write(database, *order)
        await write(database, *order[1:])
        view = await only(database)
        views.add(replace(view, pauses=tuple(view.pauses)))
        async with database.begin() as session:
            await session.delete(await session.scalar(select(Recording)))
    (view,) = views
    assert (view.state, view.agent_name, view.announced, view.truncated) == ("stored", "Lin", True, "disk_full")
    assert view.pauses == ((1000, 4000), (9000, 9500))
    assert view.duration_ms == 120_000


async def test_one_under_way_and_one_that_could_not_be_written_say_so(database: Database) -> None:
    await write(database, call(), STARTED)
    assert (await only(database)).state == "recording"
    await write(database, replace(STORED, path="", sha256="", duration_ms=0))
    assert (await only(database)).state == "lost"


async def test_the_timeline_and_the_interaction_show_it(database: Database) -> None:
    async with database.begin() as session:
        customer = await create_customer(session, person("Ada", NUMBER), region=REGION, now=NOON)
    await write(database, call(), STARTED, STORED)
    async with client_of(database) as web:
        items = (await web.get(f"/customers/{customer.id}/timeline")).json()["items"]
        (item,) = [each for each in items if each["kind"] == "interaction"]
        (recording,) = item["interaction"]["recordings"]
        assert recording["recording_id"] == "c1-r1"
        assert recording["pauses"] == [[1000, 4000], [9000, 9500]]
        assert "path" not in recording
        assert (await web.get("/interactions/c1")).json()["recordings"] == [recording]


async def test_a_hold_is_for_few_has_a_reason_and_is_audited(database: Database) -> None:
    await write(database, call(), STARTED, STORED)
    path = "/interactions/c1/recordings/c1-r1/legal-hold"
    async with client_of(database, roles="agent") as web:
        assert problem(await web.put(path, json={"reason": "x"}))[:2] == (403, "forbidden")
    async with client_of(database, roles="supervisor") as web:
        assert (await web.put(path, json={"reason": ""})).status_code == 422
        held = (await web.put(path, json={"reason": "case 7"})).json()
        assert (held["legal_hold"], held["hold_reason"]) == (True, "case 7")
        missing = await web.put(path.replace("c1-r1", "c1-r9"), json={"reason": "x"})
        assert problem(missing)[:2] == (404, "recording-not-found")
    async with database.read() as session:
        assert await held_ids(session) == {"c1-r1"}
        entry = await session.scalar(select(AuditEntry).where(AuditEntry.table_name == "recording"))
        assert entry is not None
        assert entry.fields == ["hold_reason", "legal_hold"]
    async with client_of(database, roles="supervisor") as web:
        assert (await web.delete(path)).json()["legal_hold"] is False


async def test_the_journal_read_again_does_not_take_a_hold_off(database: Database) -> None:
    await write(database, call(), STARTED, STORED)
    async with client_of(database) as web:
        await web.put("/interactions/c1/recordings/c1-r1/legal-hold", json={"reason": "case 7"})
    await write(database, STARTED, STORED)
    assert (await only(database)).legal_hold


async def test_an_erased_person_leaves_no_recording_but_one_on_hold(database: Database) -> None:
    async with database.begin() as session:
        customer = await create_customer(session, person("Ada", NUMBER), region=REGION, now=NOON)
    second = replace(STARTED, recording_id="c1-r2"), replace(STORED, recording_id="c1-r2")
    await write(database, call(), STARTED, STORED, *second)
    async with client_of(database) as web:
        await web.put("/interactions/c1/recordings/c1-r2/legal-hold", json={"reason": "case 7"})
        receipt = await web.post(f"/customers/{customer.id}/erasure", json={"legal_basis": "request"})
        assert receipt.json()["erased"]["recording"] == 1
    async with database.begin() as session:
        assert await ids_to_erase(session) - await held_ids(session) == {"c1-r1"}
        await mark_deleted(session, ["c1-r1"], now=NOON)
    async with database.read() as session:
        assert await ids_to_erase(session) - await held_ids(session) == frozenset()
        view = await find_recording(session, "c1", "c1-r1")
        assert (view.state, view.path) == ("deleted", None)
        with pytest.raises(RecordingNotFound):
            await find_recording(session, "c2", "c1-r1")


async def test_the_files_of_an_erased_person_go_at_once_and_nothing_outside_of_their_folder(
    database: Database, tmp_path: Path
) -> None:
    async with database.begin() as session:
        customer = await create_customer(session, person("Ada", NUMBER), region=REGION, now=NOON)
    later = replace(STARTED, recording_id="c1-r2"), replace(STORED, recording_id="c1-r2", path="")
    outside = replace(STARTED, recording_id="c1-r3"), replace(STORED, recording_id="c1-r3", path="../kept.wav")
    others = (
        replace(STARTED, recording_id="c2-r1", contact_id="c2"),
        replace(STORED, recording_id="c2-r1", contact_id="c2", path="2026/03/02/y.wav.sealed"),
    )
    nobody = call("c2", from_value="13900009999")
    await write(database, call(), nobody, STARTED, STORED, *later, *outside, *others)
    root = tmp_path / "calls"
    day = root / "2026/03/02"
    day.mkdir(parents=True)
    for name in ("x.wav.sealed", "x.json", "y.wav.sealed", "y.json"):
        (day / name).write_text("")
    (tmp_path / "kept.wav").write_text("")
    async with client_of(database) as web:
        receipt = (await web.post(f"/customers/{customer.id}/erasure", json={"legal_basis": "request"})).json()
        assert (await web.get(f"/erasures/{receipt['id']}")).json()["recordings_waiting"] == 2
        assert await erase_portion(database, root, now=NOON) == 2
        assert await erase_portion(database, root, now=NOON) == 0
        assert (await web.get(f"/erasures/{receipt['id']}")).json()["recordings_waiting"] == 0
    assert sorted(path.name for path in day.iterdir()) == ["y.json", "y.wav.sealed"]
    assert (tmp_path / "kept.wav").exists()


async def test_what_a_hold_kept_from_an_erasure_goes_when_it_is_lifted_and_the_receipt_is_amended(
    database: Database, tmp_path: Path
) -> None:
    async with database.begin() as session:
        customer = await create_customer(session, person("Ada", NUMBER), region=REGION, now=NOON)
    await write(database, call(), STARTED, STORED)
    audio = tmp_path / "calls/2026/03/02/x.wav.sealed"
    audio.parent.mkdir(parents=True)
    audio.write_text("")
    root, path = tmp_path / "calls", "/interactions/c1/recordings/c1-r1/legal-hold"
    async with client_of(database) as web:
        await web.put(path, json={"reason": "case 7"})
        receipt = (await web.post(f"/customers/{customer.id}/erasure", json={"legal_basis": "request"})).json()
        assert (receipt["erased"]["recording"], receipt["erased"]["recording_on_hold"]) == (0, 1)
        told = (await web.get(f"/erasures/{receipt['id']}")).json()
        kept = {"recording_id": "c1-r1", "erased_at": None, "signature": None, "is_genuine": False}
        assert (told["recordings_waiting"], told["held"]) == (0, [kept])
        assert await erase_portion(database, root, now=NOON) == 0
        assert audio.exists()

        await web.delete(path)
        assert (await web.get(f"/erasures/{receipt['id']}")).json()["recordings_waiting"] == 1
        assert await erase_portion(database, root, now=NOON) == 1
        assert not audio.exists()
        told = (await web.get(f"/erasures/{receipt['id']}")).json()
        (gone,) = told["held"]
        assert (gone["is_genuine"], gone["erased_at"]) == (True, "2026-03-02T12:00:00Z")
        assert (told["is_genuine"], told["signature"], told["recordings_waiting"]) == (True, receipt["signature"], 0)
        async with database.begin() as session:
            await session.execute(update(HeldErasure).values(erased_at=NOON + timedelta(seconds=1)))
        (altered,) = (await web.get(f"/erasures/{receipt['id']}")).json()["held"]
        assert altered["is_genuine"] is False
        assert await erase_portion(database, root, now=NOON) == 0


MESSAGE = VoicemailRecord(
    recording_id="c1-v1",
    contact_id="c1",
    box="service",
    caller=NUMBER,
    caller_name="Ada",
    language="en",
    left_at=NOON,
    journal_seq=20,
)
WORKED = VoicemailWorkedRecord(
    recording_id="c1-v1", box="service", worked_at=NOON + timedelta(hours=1), worked_by="lin", journal_seq=30
)


async def messages(database: Database, *, boxes: frozenset[str] | None = None, worked: bool = False) -> list[str]:
    async with database.read() as session:
        found = await page_voicemails(session, boxes=boxes, is_open=not worked, limit=10)
    return [each.recording_id for each in found]


async def test_a_message_waits_in_its_box_until_somebody_dealt_with_it(database: Database) -> None:
    older = replace(MESSAGE, recording_id="c0-v1", contact_id="c0", left_at=NOON - timedelta(days=3))
    await write(database, call(), MESSAGE, older)
    assert await messages(database) == ["c0-v1", "c1-v1"]
    assert await messages(database, boxes=frozenset({"sales"})) == []
    await write(database, WORKED)
    await write(database, MESSAGE)
    assert await messages(database, boxes=frozenset({"service"})) == ["c0-v1"]
    assert await messages(database, worked=True) == ["c1-v1"]


async def test_a_message_that_was_moved_is_read_and_heard_by_who_works_the_other_box(database: Database) -> None:
    start = replace(STARTED, recording_id="c1-v1", agent_id=None, agent_name=None, queue_id="service")
    moved = [
        VoicemailMovedRecord(recording_id="c1-v1", box=box, journal_seq=at) for box, at in (("ben", 21), ("anna", 22))
    ]
    stray = VoicemailMovedRecord(recording_id="an-sms", box="anna", journal_seq=23)
    await write(database, call(), start, MESSAGE, *moved, stray)
    for again in ((), (moved[0],), (MESSAGE,), (moved[1],)):
        await write(database, *again)
        assert await messages(database, boxes=frozenset({"anna"})) == ["c1-v1"], again
        assert await messages(database, boxes=frozenset({"service", "ben"})) == [], again
    async with database.read() as session:
        assert (await find_recording(session, "c1", "c1-v1")).queue_id == "anna"
    await write(database, WORKED)
    assert await messages(database, boxes=frozenset({"anna"}), worked=True) == ["c1-v1"]
    assert await messages(database) == []


async def test_the_end_of_a_message_may_be_read_before_its_beginning(database: Database) -> None:
    await write(database, WORKED)
    assert await messages(database, worked=True) == []
    await write(database, MESSAGE)
    assert await messages(database, worked=True) == ["c1-v1"]


async def test_an_erased_caller_is_in_no_message(database: Database) -> None:
    async with database.begin() as session:
        customer = await create_customer(session, person("Ada", NUMBER), region=REGION, now=NOON)
    await write(database, call(), MESSAGE)
    async with client_of(database) as web:
        await web.post(f"/customers/{customer.id}/erasure", json={"legal_basis": "request"})
    async with database.read() as session:
        (left,) = await page_voicemails(session, boxes=None, is_open=True, limit=10)
        assert (left.caller, left.caller_name, left.box) == ("", "", "service")
