"""Transcripts: made of finished recordings by themselves, of the right customer, found by their words, and gone with
the recording, the person or their time."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from callcenter.recordings.sweep import erase_portion
from callcenter.transcripts.engine import EngineAway, TranscriptionError
from callcenter.transcripts.keeper import ATTEMPTS, TranscriptKeeper
from crm_bridge.database import Database
from crm_bridge.errors import CrmUnavailable
from crm_bridge.history import find_interaction
from crm_bridge.interactions import RecordingStartRecord, RecordingStoredRecord, record_batch
from crm_bridge.models import Transcript
from crm_bridge.recordings import hold, mark_deleted
from crm_bridge.records import SurveyRecord, WrapUpRecord
from crm_bridge.transcripts import NewTranscript, Segment, TranscriptView, put_transcript, transcripts_of
from crm_bridge.vocabulary import TranscriptState
from tests.support.crm_dump import dump
from tests.support.crm_records import NOON, NUMBER, REGION, call, minutes
from tests.support.crm_web import client_of, enter
from tests.support.fake_transcriber import FakeTranscriber
from tests.support.recorded_files import recorded, said
from tests.support.refusing_store import read_only

pytestmark = pytest.mark.unit


@pytest.fixture
async def web(database: Database) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(database, roles="supervisor") as client:
        yield client


@dataclass
class Ticks:
    at: int = round(NOON.timestamp() * 1000) + 600_000

    def now(self) -> int:
        return self.at


@dataclass
class Room:
    """A store, a folder of recordings, and somebody who writes down."""

    database: Database
    root: Path
    engine: FakeTranscriber
    clock: Ticks = field(default_factory=Ticks)

    @property
    def keeper(self) -> TranscriptKeeper:
        return TranscriptKeeper(
            self.database,
            self.engine,
            clock=self.clock,
            root=self.root,
            key_file=None,
            folder=self.root.parent / "transcribing",
            seconds_per_minute=60,
            look_back=timedelta(days=7),
        )

    async def recording(self, contact_id: str = "c1", *pauses: tuple[int, int], **changed: Any) -> str:
        """A call whose customer speaks in second 1 and 4, and whose agent in second 2."""
        path = recorded(self.root, said((1, 2), (4, 5), seconds=6), said((2, 3), seconds=6))
        recording_id = f"{contact_id}-r1"
        started = RecordingStartRecord(
            recording_id=recording_id, contact_id=contact_id, started_at=NOON, agent_id="lin", agent_name="Lin",
            queue_id="service", retention="standard", announced=True, journal_seq=5,
        )  # fmt: skip
        stored = RecordingStoredRecord(
            recording_id=recording_id, contact_id=contact_id, stored_at=NOON + minutes(4), path=path, sha256="",
            duration_ms=6000, truncated=None, pauses=pauses, journal_seq=12,
        )  # fmt: skip
        async with self.database.begin() as session:
            await record_batch(session, [call(contact_id, **changed), started, stored], region=REGION)
        return recording_id

    async def work(self) -> int:
        (self.root.parent / "transcribing").mkdir(exist_ok=True)
        return await self.keeper.work()

    async def written(self, contact_id: str = "c1") -> tuple[TranscriptView, ...]:
        async with self.database.read() as session:
            return await transcripts_of(session, contact_id)

    async def row(self) -> Transcript | None:
        async with self.database.read() as session:
            return await session.scalar(select(Transcript))


@pytest.fixture
def room(database: Database, tmp_path: Path) -> Room:
    return Room(database, tmp_path / "calls", FakeTranscriber())


async def test_a_finished_recording_is_written_down_by_itself_with_speaker_and_time(room: Room) -> None:
    await room.recording()
    assert await room.work() == 1
    (transcript,) = await room.written()
    assert [(each.party, each.start_ms) for each in transcript.segments] == [
        ("customer", 1000),
        ("agent", 2000),
        ("customer", 4000),
    ]
    assert (transcript.source, transcript.recording_id, transcript.agent_id) == ("fake 1", "c1-r1", "lin")
    async with room.database.read() as session:
        (told,) = (await find_interaction(session, "c1")).transcripts
    assert (told.state, told.recording_id, told.error) == (TranscriptState.DONE, "c1-r1", None)
    assert await room.work() == 0
    assert list((room.root.parent / "transcribing").iterdir()) == []


async def test_a_store_that_refuses_to_be_written_loses_no_transcript_and_counts_no_try(
    room: Room, web: httpx.AsyncClient
) -> None:
    await room.recording()
    async with read_only(room.database):
        for _ in range(ATTEMPTS + 1):
            with pytest.raises(CrmUnavailable):
                await room.work()
        assert (await web.get("/interactions/c1")).json()["transcripts"] == [], "reading goes on"
        refused = await web.post("/customers", json={"display_name": "Ada"})
        assert (refused.status_code, refused.json()["code"]) == (503, "crm-unavailable")
    assert list((room.root.parent / "transcribing").iterdir()) == []
    assert await room.work() == 1
    assert len(await room.written()) == 1
    assert await room.work() == 0


async def test_what_was_not_recorded_is_not_written_down_whatever_lies_in_the_file(room: Room) -> None:
    """The pause of a card entry stays a gap, also where a file should hold sound in it."""
    await room.recording("c1", (3500, 5500))
    await room.work()
    (transcript,) = await room.written()
    assert [each.start_ms for each in transcript.segments] == [1000, 2000]
    assert transcript.pauses == ((3500, 5500),)


async def test_what_an_engine_cannot_do_is_tried_later_a_few_times_and_then_told(room: Room) -> None:
    room.engine.refusals = [TranscriptionError("too much noise")] * ATTEMPTS
    await room.recording()
    for attempt in range(1, ATTEMPTS + 1):
        assert await room.work() == 1
        row = await room.row()
        assert row is not None
        assert (row.attempts, row.error) == (attempt, "too much noise")
        assert row.state == (TranscriptState.FAILED if attempt == ATTEMPTS else TranscriptState.WAITING)
        assert await room.work() == 0
        room.clock.at += attempt * 600_000 + 1
    room.clock.at += 86_400_000
    assert await room.work() == 0


async def test_an_engine_that_is_not_there_costs_no_attempt(room: Room) -> None:
    room.engine.refusals = [EngineAway("not installed")]
    await room.recording()
    with pytest.raises(EngineAway):
        await room.work()
    assert await room.row() is None
    assert await room.work() == 1
    assert len(await room.written()) == 1


async def test_another_language_is_not_tried_and_old_recordings_are_left(room: Room) -> None:
    await room.recording(language="zh")
    await room.work()
    row = await room.row()
    assert row is not None
    assert (row.state, row.error) == (TranscriptState.SKIPPED, "fake does not know zh")
    await room.recording("c2")
    room.clock.at += 8 * 86_400_000
    assert await room.work() == 0


async def test_a_recording_that_cannot_be_read_is_told_like_an_engine_that_cannot(room: Room) -> None:
    await room.recording()
    for each in room.root.rglob("*.wav"):
        each.unlink()
    await room.work()
    row = await room.row()
    assert row is not None
    assert (row.state, room.engine.asked) == (TranscriptState.WAITING, [])


async def test_nothing_is_kept_of_who_was_erased_while_somebody_listened(room: Room, web: httpx.AsyncClient) -> None:
    customer = await enter(web, "Ada Lovelace", NUMBER)
    await room.recording()
    room.engine.may_answer.clear()
    working = asyncio.create_task(room.work())
    await room.engine.on_question.wait()
    erased = await web.post(f"/customers/{customer['id']}/erasure", json={"legal_basis": "request"})
    assert erased.status_code == 201, erased.text
    room.engine.may_answer.set()
    await working
    assert await room.row() is None
    assert list((room.root.parent / "transcribing").iterdir()) == []


async def test_an_erasure_leaves_no_word_and_says_how_many_went(room: Room, web: httpx.AsyncClient) -> None:
    customer = await enter(web, "Ada Lovelace", NUMBER)
    await room.recording()
    await room.work()
    told = (await web.get(f"/customers/{customer['id']}/export")).json()
    (transcript,) = told["transcript"]
    assert "purple elephants" in transcript["segments"][0]["text"]
    receipt = await web.post(f"/customers/{customer['id']}/erasure", json={"legal_basis": "request"})
    assert receipt.json()["erased"]["transcript"] == 1
    assert "elephants" not in repr(await dump(room.database))


async def test_a_recording_on_hold_keeps_its_words_until_the_hold_is_lifted(room: Room, web: httpx.AsyncClient) -> None:
    customer = await enter(web, "Ada Lovelace", NUMBER)
    await room.recording()
    await room.work()
    async with room.database.begin() as session:
        await hold(session, "c1", "c1-r1", reason="court")
    await web.post(f"/customers/{customer['id']}/erasure", json={"legal_basis": "request"})
    assert len(await room.written()) == 1
    async with room.database.begin() as session:
        await hold(session, "c1", "c1-r1", reason=None)
    await erase_portion(room.database, room.root, now=NOON)
    assert await room.row() is None


async def test_words_live_no_longer_than_their_recording_or_than_their_class(
    room: Room, web: httpx.AsyncClient
) -> None:
    for contact_id in ("c1", "c2", "c3"):
        await room.recording(contact_id)
    assert await room.work() == 3
    async with room.database.begin() as session:
        await mark_deleted(session, ["c1-r1"], now=NOON)
        await hold(session, "c2", "c2-r1", reason="court")
    assert [len(await room.written(each)) for each in ("c1", "c2", "c3")] == [0, 1, 1]
    rule = {"days": 1}
    assert (await web.put("/retention/transcripts", json=rule)).status_code == 200
    async with client_of(room.database, at=NOON + timedelta(days=2)) as later:
        gone = (await later.post("/retention/expire")).json()
    assert gone["transcripts"] == 1
    assert [len(await room.written(each)) for each in ("c1", "c2", "c3")] == [0, 1, 0]


async def test_words_are_found_in_the_timeline_of_the_customer_they_belong_to(
    room: Room, web: httpx.AsyncClient
) -> None:
    ada = await enter(web, "Ada Lovelace", NUMBER)
    bob = await enter(web, "Bob Babbage", "+8613900005678")
    await room.recording()
    await room.recording("c2", from_value="+8613900005678")
    await room.work()
    async with room.database.begin() as session:
        wrap_up = WrapUpRecord(
            contact_id="c2",
            disposition="solved",
            notes="Asked about a Typewriter.",
            wrapped_up_at=NOON + minutes(5),
            journal_seq=20,
        )
        survey = {"agent_id": "lin", "kind": "csat", "asked_at": NOON, "answered_at": NOON, "score": 5}
        answers = [
            SurveyRecord(call_id=f"call-{contact}", comment=f"Very FRIENDLY, {contact}!", journal_seq=21, **survey)
            for contact in ("c1", "c2")
        ]
        await record_batch(session, [wrap_up, *answers], region=REGION)
    await web.post(f"/customers/{ada['id']}/notes", json={"body": "Keeps 100% of her Elephants purple"})

    async def found(customer: dict[str, Any], words: str) -> list[str]:
        path = f"/customers/{customer['id']}/timeline"
        answer = (await web.get(path, params={"words": words})).json()
        assert answer["next_cursor"] is None
        return [(each["interaction"] or {"contact_id": each["note"]})["contact_id"] for each in answer["items"]]

    note = "Keeps 100% of her Elephants purple"
    assert sorted(await found(ada, "PURPLE elephants")) == sorted([note, "c1"])
    assert await found(ada, "elephants 1000") == ["c1"]
    assert await found(ada, "100%") == [note]
    assert await found(ada, "typewriter") == []
    assert await found(bob, "typewriter") == ["c2"]
    assert await found(bob, "elephants typewriter") == []
    assert (await found(ada, "friendly c1"), await found(ada, "friendly c2")) == (["c1"], [])
    refused = await web.get(f"/customers/{ada['id']}/timeline", params={"words": " "})
    assert (refused.status_code, refused.json()["code"]) == (422, "invalid-field")


async def test_who_may_not_hear_a_conversation_does_not_find_it_by_its_words(
    room: Room, web: httpx.AsyncClient
) -> None:
    ada = await enter(web, "Ada Lovelace", NUMBER)
    await room.recording()
    await room.work()
    async with client_of(room.database, roles="agent") as agent:
        path = f"/customers/{ada['id']}/timeline"
        assert (await agent.get(path, params={"words": "elephants"})).json()["items"] == []
        assert len((await agent.get(path)).json()["items"]) >= 1


async def test_what_an_outside_service_brought_is_not_written_over(room: Room) -> None:
    await room.recording()
    async with room.database.begin() as session:
        new = NewTranscript([Segment(0, 10, "customer", "from outside")], "en", "token:stt")
        await put_transcript(session, "c1", "c1-r1", new, expected=None, is_any=False, now=NOON)
    assert await room.work() == 0
    (transcript,) = await room.written()
    assert transcript.source == "token:stt"
