"""Erasing a person leaves no byte of them and every figure; and nothing is kept for ever that has a rule."""

import asyncio
import shutil
import sqlite3
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import func, make_url, select, text

from callcenter.erasure import carry_erasures
from crm_bridge.database import Database
from crm_bridge.interactions import (
    RecordingStoredRecord,
    VoicemailRecord,
    WrapUpRecord,
    complete_wrap_up,
    record,
    record_batch,
)
from crm_bridge.journal_erasures import waiting
from crm_bridge.maintenance import maintain
from crm_bridge.models import Interaction, Recording, SurveyInvitation, SurveyResponse, Voicemail
from crm_bridge.recordings import files_to_erase
from crm_bridge.records import SurveyRecord
from crm_bridge.vocabulary import InvitationState
from tests.support.crm_dump import dump
from tests.support.crm_records import NOON, NUMBER, REGION, call, minutes
from tests.support.crm_web import client_of, enter, problem
from tests.support.waiting import until

pytestmark = pytest.mark.unit

LATER = NOON + timedelta(days=90)

SECRETS = (
    "Lovelace",
    "ovelace",
    "13900001234",
    "analytical",
    "countess",
    "London",
    "asthma",
    "M-1815",
    "engine.example",
)


@pytest.fixture
async def web(database: Database) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(database) as client:
        yield client


async def figures(database: Database) -> Any:
    """What reports are made of."""
    of = Interaction
    query = select(of.queue_id, of.outcome, of.agent_id, of.direction, of.to_value, func.count(), func.sum(of.talk_ms))
    async with database.read() as session:
        rows = await session.execute(query.group_by(of.queue_id, of.outcome, of.agent_id, of.direction, of.to_value))
        return sorted(tuple(row) for row in rows)


async def live(web: httpx.AsyncClient, database: Database) -> str:
    """A customer with everything a customer can have."""
    points = [{"value": "ada@engine.example", "kind": "email"}, {"value": NUMBER}]
    ada: str = (await enter(web, "Ada Lovelace", contact_points=points))["id"]
    headers = {"if-match": "*"}
    field = {"label": "Diagnosis", "type": "text", "data_class": "special_category", "purpose": "care"}
    await web.put("/custom-fields/diagnosis", json=field)
    changed = {"occupation": "countess", "address": "London", "custom": {"diagnosis": "asthma"}}
    await web.patch(f"/customers/{ada}", json=changed, headers=headers)
    await web.put(f"/customers/{ada}/tags", json={"tags": [{"tag": "analytical"}]}, headers=headers)
    taste = {"kind": "hobby", "value": "analytical engines", "source": "customer"}
    await web.post(f"/customers/{ada}/personal-preferences", json=taste)
    for user in ("u1", "u2"):
        claim = {"user_id": user, "reason": "countess"}
        await web.put(f"/customers/{ada}/owner", json=claim, headers={"x-user": user})
    await web.post(
        f"/customers/{ada}/notes", json={"body": "likes analytical engines"}, headers={"idempotency-key": "k"}
    )
    await web.post(f"/customers/{ada}/identities", json={"provider": "member_no", "external_id": "M-1815"})
    consent = {"channel": "voice", "purpose": "marketing", "status": "denied", "legal_basis": "consent"}
    await web.post(f"/customers/{ada}/consents", json=consent | {"source": "Lovelace said so", "value": NUMBER})
    promise = {"what": "send Lovelace her engine", "due_at": "2026-03-03T10:00:00Z"}
    kept = (await web.post(f"/customers/{ada}/promises", json=promise)).json()
    await web.post(f"/promises/{kept['id']}/settle", json={"state": "kept", "outcome": "countess was glad"})
    await web.post(f"/customers/{ada}/files?file_name=Lovelace.txt", content=b"analytical engine of the countess")
    suppressed = {"value": NUMBER, "reason": "asked to stop", "source": "call"}
    await web.post("/suppressions", json=suppressed)
    async with database.begin() as session:
        for n in range(3):
            theirs = call(f"c{n}", from_name="Lovelace", diverted_from=NUMBER, started_at=NOON - minutes(n))
            await record(session, theirs, region=REGION)
        await complete_wrap_up(session, "c0", "solved", "Lovelace was happy", NOON, 50)
        session.add(
            SurveyResponse(
                call_id="call-c0", agent_id="lin", kind="csat", asked_at=NOON, score=5, answered_at=NOON,
                comment="the countess is content", journal_seq=60,
            )
        )  # fmt: skip
        left = {"recording_id": "c1-v1", "contact_id": "c1", "journal_seq": 61}
        session.add(Voicemail(**left, box="support", caller=NUMBER, caller_name="Lovelace", language="en"))
        session.add(Recording(**left, started_at=NOON, duration_ms=9_000, pauses=[]))
    twin: str = (await enter(web, "A. Lovelace", "13900000002"))["id"]
    await web.post("/merges", json={"survivor_id": ada, "merged_id": twin})
    return ada


async def folder_of(database: Database) -> Path:
    """Where a PostgreSQL database has its tables and indexes, brought up to date."""
    async with database.engine.connect() as connection:
        autocommit = await connection.execution_options(isolation_level="AUTOCOMMIT")
        await autocommit.execute(text("CHECKPOINT"))
        folder = await autocommit.scalar(text("SHOW data_directory"))
        number = await autocommit.scalar(text("SELECT oid FROM pg_database WHERE datname = current_database()"))
    return Path(f"{folder}/base/{number}")


def lying_in(folder: Path) -> list[Path]:
    return [path for path in folder.iterdir() if traces(path.read_bytes().decode("latin-1"))]


def traces(found: str) -> list[str]:
    return [each for each in SECRETS if each.casefold() in found.casefold()]


async def test_after_an_erasure_nothing_of_the_person_is_left_and_every_figure_is(
    web: httpx.AsyncClient, database: Database, store_url: str
) -> None:
    ada = await live(web, database)
    await enter(web, "Ben", "13900000009")
    before = await figures(database)
    preview = (await web.get(f"/customers/{ada}/erasure-preview")).json()
    assert (len(preview["customer_ids"]), preview["rows"]["interaction"], preview["rows"]["note"]) == (2, 3, 1)
    erased = await web.post(f"/customers/{ada}/erasure", json={"legal_basis": "consent"})
    assert erased.status_code == 201, erased.text
    assert traces(repr(await dump(database))) == []
    assert await figures(database) == before
    for path in ("", "/record", "/timeline", "/card", "/export"):
        assert (await web.get(f"/customers/{ada}{path}")).status_code == 404
    assert (await web.get("/customers?q=lovelace")).json()["items"] == []
    asked = {"value": NUMBER, "channel": "voice", "purpose": "service"}
    assert (await web.get("/contactability", params=asked)).json()["reasons"] == ["suppressed"]
    assert (await web.get("/audit/chain")).json()["is_whole"]
    if store_url.startswith("sqlite"):
        file = Path(str(make_url(store_url).database))
        for each in (file, file.with_name(f"{file.name}-wal")):
            lying = each.read_bytes() if each.exists() else b""
            assert [secret for secret in SECRETS if secret.encode() in lying] == [], each
    else:
        assert lying_in(await folder_of(database))  # in the free space of pages, until the night
        assert (await maintain(database, now=NOON))["tables_left"] == 0
        assert lying_in(await folder_of(database)) == []
        assert "tables_left" not in await maintain(database, now=NOON + minutes(1))
    receipt = (await web.get(f"/erasures/{erased.json()['id']}")).json()
    assert receipt["journal_waiting"] == 3
    assert (receipt["is_genuine"], receipt["erased"]["customers"], receipt["legal_basis"]) == (True, 2, "consent")


async def test_what_somebody_still_reads_goes_from_the_log_when_they_have_read_it(
    tmp_path: Path, sqlite_template: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite cannot empty its log under a reader: that is known, told, and made up for."""
    monkeypatch.setattr("crm_bridge.database.SCRUB_SECONDS", 0.0)
    file = tmp_path / "read.db"
    shutil.copy(sqlite_template, file)
    database = Database(f"sqlite+aiosqlite:///{file}")
    log = file.with_name(f"{file.name}-wal")
    async with client_of(database) as web:
        ada = (await enter(web, "Ada Lovelace", NUMBER))["id"]
        reader = sqlite3.connect(file)
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM customer").fetchone()
        erased = await web.post(f"/customers/{ada}/erasure", json={"legal_basis": "consent"})
        assert erased.status_code == 201
        assert database.needs_scrub
        assert b"Lovelace" in log.read_bytes()
        await enter(web, "Ben")  # and nobody waits for the reader
        reader.close()
        await database.scrub()
    assert not database.needs_scrub
    assert all(b"Lovelace" not in each.read_bytes() for each in (file, log))
    await database.close()


async def test_whoever_carries_erasures_to_the_journal_empties_the_log_that_could_not_be_emptied(
    tmp_path: Path, sqlite_template: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("callcenter.erasure.LOOK_SECONDS", 0.0)
    file = tmp_path / "read.db"
    shutil.copy(sqlite_template, file)
    database = Database(f"sqlite+aiosqlite:///{file}")
    database.needs_scrub = True

    async def erase(_: Sequence[str]) -> tuple[str, ...]:
        return ()

    carrying = asyncio.create_task(carry_erasures(database, erase))
    await until("the log is empty", lambda: not database.needs_scrub)
    carrying.cancel()
    await asyncio.gather(carrying, return_exceptions=True)
    await database.close()


async def test_what_arrives_late_about_an_erased_person_is_written_without_them(
    web: httpx.AsyncClient, database: Database
) -> None:
    """A call that was up at the erasure, its message, recording and wrap-up, in whatever order they come."""
    ada = int((await enter(web, "Ada Lovelace", NUMBER))["id"])
    early = VoicemailRecord(
        recording_id="r1", contact_id="c1", box="service", caller=NUMBER, caller_name="Lovelace", language="en",
        left_at=NOON, journal_seq=8,
    )  # fmt: skip
    notes = WrapUpRecord(
        contact_id="c2", disposition="solved", notes="Lovelace again", wrapped_up_at=NOON, journal_seq=13
    )
    stored = RecordingStoredRecord(
        recording_id="r1", contact_id="c1", stored_at=NOON, path="a.wav", sha256="", duration_ms=1, journal_seq=14
    )
    async with database.begin() as session:
        await record_batch(session, [early], region=REGION)
    await web.post(f"/customers/{ada}/erasure", json={"legal_basis": "consent"})
    assert traces(repr(await dump(database))) != [], "nobody knows yet whose message that is"
    inbound = call("c1", customer_id=ada, match_state="one", from_name="Ada Lovelace", diverted_from=NUMBER)
    outbound = call("c2", customer_id=ada, match_state="one", direction="outbound", to_value=NUMBER, from_value="")
    stranger = call("c3", from_value="+862161239999", from_name="Ben", journal_seq=15)
    async with database.begin() as session:
        await record_batch(session, [inbound, replace(outbound, from_name="Ada Lovelace")], region=REGION)
    answer = SurveyRecord(
        call_id="c1", agent_id="lin", kind="csat", asked_at=NOON, score=4, answered_at=NOON, journal_seq=16,
        comment="the countess says",
    )  # fmt: skip
    for late in (notes, stored, stranger, answer):
        async with database.begin() as session:
            await record_batch(session, [late], region=REGION)
    found = repr(await dump(database))
    assert traces(found) == []
    assert "+862161239999" in found, "others stay"
    async with database.read() as session:
        assert await files_to_erase(session, 10) == {"r1": "a.wav"}
        assert set(await waiting(session, 10)) == {"call-c1", "call-c2"}


async def test_a_survey_goes_with_whoever_was_in_a_later_part_of_the_call(
    web: httpx.AsyncClient, database: Database
) -> None:
    """The first part was with somebody else, whose notes are not in the export and stay."""
    ada = int((await enter(web, "Ada Lovelace", NUMBER))["id"])
    ben = int((await enter(web, "Ben", "13900000009"))["id"])
    parts = [
        call("c1", customer_id=ben, match_state="one"),
        call("c1.2", call_id="c1", customer_id=ada, match_state="one", journal_seq=9),
    ]
    answer = SurveyRecord(
        call_id="c1", agent_id="lin", kind="csat", asked_at=NOON, score=4, answered_at=NOON, journal_seq=16,
        comment="the countess says",
    )  # fmt: skip
    async with database.begin() as session:
        await record_batch(session, [*parts, answer], region=REGION)
        await complete_wrap_up(session, "c1", "solved", "Ben was first", NOON, 50)
    told = (await web.get(f"/customers/{ada}/export")).json()
    assert (told["wrap_up"], told["survey_response"][0]["comment"]) == ([], "the countess says")
    await web.post(f"/customers/{ada}/erasure", json={"legal_basis": "consent"})
    left = repr(await dump(database))
    assert "countess says" not in left
    assert "Ben was first" in left


async def test_a_survey_that_is_told_late_goes_with_whoever_was_in_a_later_part_of_the_call(
    web: httpx.AsyncClient, database: Database
) -> None:
    """The first part was with somebody else, the erased person came to the call's second one."""
    ada = int((await enter(web, "Ada Lovelace", NUMBER))["id"])
    ben = int((await enter(web, "Ben", "13900000009"))["id"])
    parts = [
        call("c1", call_id="c1", customer_id=ben, match_state="one"),
        call("c1.2", call_id="c1", customer_id=ada, match_state="one", journal_seq=9),
        call("c2", call_id="c2", customer_id=ben, match_state="one", journal_seq=10),
    ]
    async with database.begin() as session:
        await record_batch(session, parts, region=REGION)
    await web.post(f"/customers/{ada}/erasure", json={"legal_basis": "consent"})
    answer = SurveyRecord(
        call_id="c1", agent_id="lin", kind="csat", asked_at=NOON, score=4, answered_at=NOON, journal_seq=16,
        comment="the countess says",
    )  # fmt: skip
    bens = replace(answer, call_id="c2", comment="Ben says", journal_seq=17)
    async with database.begin() as session:
        await record_batch(session, [answer, bens], region=REGION)
    left = repr(await dump(database))
    assert "countess says" not in left
    assert "Ben says" in left
    async with database.read() as session:
        assert "c1" in await waiting(session, 10), "its call is blanked in the journal, too"
        assert "c2" not in await waiting(session, 10)


async def test_an_erased_person_is_asked_nothing_and_known_by_no_digest(
    web: httpx.AsyncClient, database: Database
) -> None:
    ada = await live(web, database)
    async with database.begin() as session:
        session.add(
            SurveyInvitation(
                call_id="call-c1", queue_id="support", agent_id="lin", kind="csat", state=InvitationState.SENT,
                due_at=NOON,
                give_up_at=LATER, tries=0, channel="sms", person_digest="p", address_digest="a", asked_at=NOON,
                expires_at=LATER,
            )
        )  # fmt: skip
    await web.post(f"/customers/{ada}/erasure", json={"legal_basis": "consent"})
    async with database.read() as session:
        asked = (await session.scalars(select(SurveyInvitation))).one()
    assert (asked.person_digest, asked.address_digest) == (None, None)
    assert asked.give_up_at < LATER, "it is not sent any more"
    assert asked.expires_at is not None
    assert asked.expires_at < LATER, "its link leads to nothing"


async def test_a_receipt_that_was_changed_is_not_genuine(web: httpx.AsyncClient, database: Database) -> None:
    from crm_bridge.models import ErasureReceipt

    ada = (await enter(web, "Ada", NUMBER))["id"]
    receipt = (await web.post(f"/customers/{ada}/erasure", json={"legal_basis": "consent"})).json()
    async with database.begin() as session:
        row = await session.get_one(ErasureReceipt, int(receipt["id"]))
        row.legal_basis = "contract"
    assert (await web.get(f"/erasures/{receipt['id']}")).json()["is_genuine"] is False
    again = await web.post(f"/customers/{ada}/erasure", json={"legal_basis": "consent"})
    assert problem(again)[:2] == (404, "customer-not-found")


async def test_a_person_gets_everything_that_is_known_about_them(web: httpx.AsyncClient, database: Database) -> None:
    ada = await live(web, database)
    told = await web.get(f"/customers/{ada}/export")
    assert [secret for secret in SECRETS if secret not in told.text] == []
    tables = told.json()
    assert {len(tables["customer"]), len(tables["interaction"]), len(tables["wrap_up"])} == {2, 3, 1}
    assert tables["note"][0]["body"] == "likes analytical engines"
    (survey,), (recording,), (message,) = (tables[each] for each in ("survey_response", "recording", "voicemail"))
    assert (survey["score"], survey["comment"]) == (5, "the countess is content")
    assert (recording["duration_ms"], message["caller_name"]) == (9_000, "Lovelace")
    assert [each for each in (await web.get("/audit")).json() if each["action"] == "export"]
    assert problem(await web.get(f"/customers/{ada}/export", headers={"x-roles": "agent"}))[:2] == (403, "forbidden")


async def test_what_is_older_than_its_rule_goes_and_the_contacts_stay(database: Database) -> None:
    async with client_of(database, at=NOON) as web:
        ada = (await enter(web, "Ada", "13900000002"))["id"]
        await web.post(f"/customers/{ada}/notes", json={"body": "old"})
        async with database.begin() as session:
            await record(session, call("old", from_value="13900000003"), region=REGION)
            await record(session, call("mine", from_value="13900000002"), region=REGION)
            await complete_wrap_up(session, "mine", "solved", "old words", NOON, 5)
        before = await figures(database)
    async with client_of(database, at=NOON + timedelta(days=400)) as web:
        for data_class in ("unmatched_callers", "wrap_up_notes"):
            assert (await web.put(f"/retention/{data_class}", json={"days": 365})).status_code == 200
        assert (await web.post("/retention/expire")).json() == {"unmatched_callers": 1, "wrap_up_notes": 1}
        assert (await web.post("/retention/expire")).json() == {"unmatched_callers": 0, "wrap_up_notes": 0}
        one, other = (await web.get("/interactions/old")).json(), (await web.get("/interactions/mine")).json()
        assert (one["from_value"], one["talk_ms"], other["notes"], other["disposition"]) == ("", 120_000, "", "solved")
        assert other["from_value"] == "13900000002"
        assert await figures(database) == before
        assert problem(await web.put("/retention/everything", json={"days": 1}))[:2] == (422, "invalid-field")
