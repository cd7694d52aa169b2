"""The journal: order, group commit, reading back, and what happens when the disk says no."""

import asyncio
import sqlite3
import threading
from collections.abc import Sequence
from dataclasses import is_dataclass
from pathlib import Path
from typing import Any

import msgspec
import pytest

from acd.events import AgentSignedIn, ContactArrived, FloorConfigured, SkillLevel
from acd.ids import AgentId, ContactId, QueueId
from callcenter.calls.facts import (
    CallArrived,
    CallClosed,
    CallCorrected,
    CallRecord,
    CustomerIdentified,
    CustomerMatched,
    EndedBy,
    NumberConnected,
    Outcome,
    RoutingSnapshot,
    SegmentOpened,
    SegmentRecord,
    WrapUpRecorded,
)
from callcenter.calls.segments import SegmentKind, SegmentResult, TargetKind
from callcenter.consequences import Consequences
from callcenter.entries import ENTRY_KINDS, KIND_OF, decode, encode
from callcenter.errors import JournalError
from callcenter.journal import JournalReader, SqliteJournal
from callcenter.journal_erasure import KINDS, PERSONAL
from callcenter.journal_file import JournalFile, Row, newest_of
from callcenter.journal_line import Write, framed
from callcenter.open_work import WorkNoted
from callcenter.recovery import open_work
from tests.support.changed_entries import with_fields
from tests.support.waiting import until

pytestmark = pytest.mark.unit


def arrived(call_id: str, at: int) -> CallArrived:
    return CallArrived(call_id, at, "+1", "", "+2", "t", "x@y", "main")


def closed(call_id: str, at: int) -> CallClosed:
    record = CallRecord(
        call_id, "+1", "", "+2", "t", "x@y", "main", Outcome.ANSWERED, EndedBy.AGENT,
        1, at, None, None, None, None, (), "none", None, 0, 0, 0, 0,
    )  # fmt: skip
    return CallClosed(call_id, at, record)


SECRETS = ("+8613900001234", "Lovelace", "likes analytical engines")
NUMBER, NAME, NOTES = SECRETS


def life_of(call_id: str) -> list[object]:
    """Every fact that tells of a person."""
    inbound = with_fields(closed(call_id, 9).record, caller=NUMBER, caller_name=NAME)
    segment = SegmentRecord(
        f"{call_id}-2", SegmentKind.CONSULT, call_id, 1, 2, None, "", NUMBER, "", 0, 0, 0, 0, SegmentResult.COMPLETED
    )
    return [
        with_fields(arrived(call_id, 1), caller=NUMBER, caller_name=NAME, diverted_from=NUMBER),
        CustomerMatched(call_id, 2, "one", ("17",), NAME),
        CustomerIdentified(call_id, 3, "17", "anna", NAME),
        NumberConnected(call_id, 4, f"{call_id}-2", NUMBER),
        SegmentOpened(call_id, 5, f"{call_id}-2", SegmentKind.CONSULT, call_id, "anna", TargetKind.NUMBER, NUMBER),
        CallClosed(call_id, 9, with_fields(inbound, segments=(segment,))),
        CallCorrected(call_id, 10, with_fields(inbound, called=NUMBER, direction=SegmentKind.OUTBOUND)),
        WrapUpRecorded(call_id, 11, "anna", "solved", NOTES, 7),
    ]


def lying(path: Path) -> list[str]:
    """Secrets in any byte of the journal's files."""
    files = [each for each in path.parent.iterdir() if each.name.startswith(path.name)]
    return [secret for secret in SECRETS for each in files if secret.encode() in each.read_bytes()]


async def test_an_erased_call_leaves_no_byte_of_the_person_and_every_other_word(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    journal = SqliteJournal(path)
    await journal.open()
    told = [*life_of("c1"), with_fields(arrived("c2", 20), caller="+4930555000")]
    for at, entry in enumerate(told):
        seq = journal.append(entry, at=at)
    await journal.committed(seq)
    assert set(lying(path)) == set(SECRETS)
    assert await journal.erase("c1") is True
    assert lying(path) == []
    rows = JournalReader(path).read()
    assert [(row.seq, row.at, row.kind) for row in rows] == [
        (seq, seq - 1, KIND_OF[type(entry)]) for seq, entry in enumerate(told, 1)
    ]
    assert rows[-1].entry == told[-1]
    first, last = rows[0].entry, rows[7].entry
    assert (first.caller, first.caller_name, first.called, first.trunk_id) == ("erased", "erased", "+2", "t")
    assert first.diverted_from == "erased"
    assert (last.notes, last.disposition, last.wrap_up_ms) == ("erased", "solved", 7)
    assert (rows[5].entry.record.called, rows[6].entry.record.called) == ("+2", "erased")
    assert await journal.erase("c1") is True
    await journal.close()


async def test_what_somebody_still_reads_is_blank_when_they_have_read_it(tmp_path: Path) -> None:
    """The log cannot be emptied then, and nobody waits for it: the call is asked for again until it is."""
    path = tmp_path / "journal.sqlite"
    journal = SqliteJournal(path)
    await journal.open()
    for at, entry in enumerate(life_of("c1")):
        seq = journal.append(entry, at=at)
    await journal.committed(seq)
    reader = sqlite3.connect(path)
    reader.execute("BEGIN")
    assert reader.execute("SELECT count(*) FROM entries").fetchone() == (8,)
    assert await journal.erase("c1") is False
    assert set(lying(path)) == set(SECRETS), "what the reader may see"
    seq = journal.append(arrived("c2", 20), at=20)
    await journal.committed(seq)
    assert await journal.erase("c1") is False
    reader.close()
    assert await journal.erase("c1") is True
    assert lying(path) == []
    await journal.close()


async def test_a_call_that_is_up_is_not_erased_and_what_is_written_meanwhile_is_not_lost(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    journal = SqliteJournal(path)
    await journal.open()
    journal.append(arrived("up", 1), at=1)
    journal.append(closed("over", 2), at=2)
    erasing = [asyncio.create_task(journal.erase(each)) for each in ("up", "over", "unknown")]
    seq = 0
    for at in range(3, 60):
        seq = journal.append(arrived(f"c{at}", at), at=at)
        await asyncio.sleep(0)
    await journal.committed(seq)
    assert await asyncio.gather(*erasing) == [False, True, False]
    assert [row.seq for row in JournalReader(path).read()] == list(range(1, 60))
    await journal.close()


def test_every_field_that_sounds_personal_is_known_to_the_erasure() -> None:
    """Whoever adds such a field to a fact decides here whether it goes with the person."""
    sounds = ("name", "number", "caller", "note", "phone", "mail", "address", "text", "dialled")
    impersonal = {"contact_id"}
    for kind, entry in ENTRY_KINDS.items():
        if is_dataclass(entry) or issubclass(entry, msgspec.Struct):
            known = PERSONAL if kind.startswith(KINDS) else frozenset()
            names = {*entry.__match_args__} - known - impersonal
            assert not [name for name in names if any(word in name for word in sounds)], (kind, names)


def test_every_entry_has_one_kind() -> None:
    assert len(KIND_OF) == len(ENTRY_KINDS)


def test_entry_survives_the_way_to_disk_and_back() -> None:
    entry = ContactArrived(ContactId("c"), QueueId("q"), 5, 2, (SkillLevel("en", 3),))
    assert decode(*encode(entry)) == entry


def test_foreign_entry_is_refused_with_its_name() -> None:
    with pytest.raises(JournalError, match="object has no row"):
        encode(object())


def test_entry_of_a_newer_version_is_refused_with_its_kind() -> None:
    with pytest.raises(JournalError, match=r"call\.teleported"):
        decode("call.teleported", b"")


async def test_what_is_committed_can_be_read_in_order(tmp_path: Path) -> None:
    journal = SqliteJournal(tmp_path / "j.sqlite")
    await journal.open()
    seqs = [journal.append(AgentSignedIn(AgentId(f"a{n}")), at=n) for n in range(500)]
    await journal.committed(seqs[-1])
    rows = JournalReader(tmp_path / "j.sqlite").read()
    await journal.close()
    assert [row.seq for row in rows] == seqs
    assert [row.entry.agent_id for row in rows] == [f"a{n}" for n in range(500)]


async def test_sequence_goes_on_after_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "j.sqlite"
    for expected in (1, 2):
        journal = SqliteJournal(path)
        await journal.open()
        seq = journal.append(AgentSignedIn(AgentId("a")), at=7)
        await journal.close()
        assert seq == expected
    assert JournalReader(path).last_at() == 7


async def test_calls_without_a_close_are_found_with_all_their_entries(tmp_path: Path) -> None:
    path = tmp_path / "j.sqlite"
    journal = SqliteJournal(path)
    await journal.open()
    for entry in (arrived("c1", 1), arrived("c2", 2), closed("c1", 9)):
        journal.append(entry, at=entry.at)
    await journal.close()
    work = open_work(JournalReader(path))
    assert list(work.calls) == ["c2"]
    assert [row.entry for row in JournalReader(path).about(*work.subjects())] == [arrived("c2", 2)]


async def test_failing_disk_reaches_every_waiter_and_every_later_call(tmp_path: Path) -> None:
    path = tmp_path / "j.sqlite"
    journal = SqliteJournal(path)
    await journal.open()
    with sqlite3.connect(path) as other:
        other.execute("DROP TABLE entries")
    other.close()
    waits = [asyncio.ensure_future(journal.committed(journal.append(AgentSignedIn(AgentId("a")), at=1)))]
    with pytest.raises(JournalError, match="cannot be written"):
        await waits[0]
    with pytest.raises(JournalError):
        journal.append(AgentSignedIn(AgentId("b")), at=2)
    with pytest.raises(JournalError):
        await journal.committed(99)
    await journal.close()


async def test_what_must_not_be_early_happens_in_order_once_it_is_on_disk(tmp_path: Path) -> None:
    path = tmp_path / "j.sqlite"
    journal = SqliteJournal(path)
    await journal.open()
    seen: list[tuple[str, int]] = []

    def note(name: str) -> None:
        seen.append((name, len(JournalReader(path).read())))

    journal.once_safe(lambda: note("nothing to wait for"))
    assert seen == [("nothing to wait for", 0)]
    journal.append(AgentSignedIn(AgentId("a")), at=1)
    journal.once_safe(lambda: note("first"))
    journal.once_safe(lambda: 1 // 0)  # one that fails harms nobody
    seq = journal.append(AgentSignedIn(AgentId("b")), at=2)
    journal.once_safe(lambda: note("second"))
    assert len(seen) == 1
    await journal.committed(seq)
    assert seen[1:] == [("first", 2), ("second", 2)]  # both were appended in one turn: one commit
    await journal.close()


async def test_what_cannot_be_written_lets_nothing_happen_and_is_told(tmp_path: Path) -> None:
    path = tmp_path / "j.sqlite"
    failed = asyncio.get_running_loop().create_future()
    journal = SqliteJournal(path, on_failed=failed.set_result)
    await journal.open()
    with sqlite3.connect(path) as other:
        other.execute("DROP TABLE entries")
    other.close()
    seen: list[str] = []
    journal.append(AgentSignedIn(AgentId("a")), at=1)
    journal.once_safe(lambda: seen.append("early"))
    assert isinstance(await failed, JournalError)
    assert seen == []
    await journal.close()


async def test_more_rows_than_one_statement_takes_are_one_commit_in_order(tmp_path: Path) -> None:
    path = tmp_path / "j.sqlite"
    journal = SqliteJournal(path)
    await journal.open()
    last = 0
    for number in range(200):
        last = journal.append(AgentSignedIn(AgentId(f"a{number}")), at=number)
    await journal.committed(last)
    assert [row.entry.agent_id for row in JournalReader(path).read()] == [f"a{number}" for number in range(200)]
    await journal.close()


def test_absent_journal_is_empty(tmp_path: Path) -> None:
    reader = JournalReader(tmp_path / "none.sqlite")
    assert reader.read() == []
    assert reader.about("c1") == []
    assert reader.last("call.arrived") is None
    assert reader.last_at() == 0
    assert reader.seq_before(10**15) == 0


@pytest.mark.parametrize("gap", [False, True])
async def test_the_entry_before_an_instant_is_found(tmp_path: Path, gap: bool) -> None:
    journal = SqliteJournal(tmp_path / "journal.sqlite")
    await journal.open()
    instants = [10, 20, 20, 20, 30, 50]
    for at in instants:
        seq = journal.append(arrived("c", at), at=at)
    await journal.committed(seq)
    await journal.close()
    if gap:
        with sqlite3.connect(tmp_path / "journal.sqlite") as connection:
            connection.execute("DELETE FROM entries WHERE seq IN (2, 5)")
        instants = [at for number, at in enumerate(instants, 1) if number not in {2, 5}]
    reader = JournalReader(tmp_path / "journal.sqlite")
    rows = reader.read()
    for at in range(5, 60, 5):
        assert [row.at for row in rows if row.seq > reader.seq_before(at)] == [one for one in instants if one >= at]


async def test_what_waits_patiently_shares_the_next_commit_and_holds_nobody_up(tmp_path: Path) -> None:
    """A patient entry keeps its place in the order, goes out with the next one, and no order waits for it."""
    path = tmp_path / "journal.sqlite"
    journal = SqliteJournal(path)
    await journal.open()
    noted = journal.append(arrived("c1", 1), at=1, patiently=True)
    done: list[str] = []
    journal.once_safe(lambda: done.append("order"))
    assert done == ["order"]
    assert (journal.waiting, JournalReader(path).read()) == (1, [])
    decisive = journal.append(arrived("c2", 2), at=2)
    journal.once_safe(lambda: done.append("bound to c2"))
    assert done == ["order"]
    await journal.committed(decisive)
    assert done == ["order", "bound to c2"]
    assert [row.seq for row in JournalReader(path).read()] == [noted, decisive]
    await journal.close()


async def test_what_is_told_of_patient_entries_keeps_its_place(tmp_path: Path) -> None:
    journal = SqliteJournal(tmp_path / "journal.sqlite")
    await journal.open()
    told: list[str] = []
    journal.append(arrived("c1", 1), at=1)
    journal.once_safe(lambda: told.append("c1"), telling=True)
    patient = journal.append(arrived("c2", 2), at=2, patiently=True)
    journal.once_written(patient, lambda: told.append("c2"))
    journal.once_safe(lambda: told.append("order"))
    last = journal.append(arrived("c3", 3), at=3)
    journal.once_safe(lambda: told.append("c3"), telling=True)
    assert told == []
    await journal.committed(last)
    assert told == ["order", "c1", "c2", "c3"]
    journal.once_written(patient, lambda: told.append("long ago"))
    alone = journal.append(arrived("c4", 4), at=4, patiently=True)
    journal.once_written(alone, lambda: told.append("c4"))
    journal.once_safe(lambda: told.append("no order waits for it"))
    assert told[4:] == ["long ago", "no order waits for it"]
    await journal.committed(alone)
    assert told[6:] == ["c4"]
    await journal.close()


async def test_an_order_that_waits_for_what_follows_is_bound_to_it(tmp_path: Path) -> None:
    """Media is told of an answer with what the call makes of it."""
    consequences = Consequences()
    journal = SqliteJournal(tmp_path / "journal.sqlite", consequences=consequences)
    await journal.open()
    done: list[str] = []
    journal.once_settled(lambda: done.append("nothing followed"))
    assert done == []
    await asyncio.sleep(0)
    assert done == ["nothing followed"]
    journal.once_settled(lambda: done.append("bound"))
    seqs: list[int] = []
    consequences.follow(lambda: seqs.append(journal.append(arrived("c1", 1), at=1)))
    await asyncio.sleep(0)
    last = seqs[-1]
    assert done == ["nothing followed"]
    await journal.committed(last)
    assert done == ["nothing followed", "bound"]
    journal.append(arrived("c2", 2), at=2)
    journal.once_settled(lambda: done.append("at its place"))
    last = journal.append(arrived("c3", 3), at=3)
    journal.once_safe(lambda: done.append("behind"))
    await journal.committed(last)
    assert done[2:] == ["at its place", "behind"]
    await journal.close()


async def test_patience_ends_by_itself_when_asked_for_and_at_the_close(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "journal.sqlite"
    journal = SqliteJournal(path)
    await journal.open()
    await journal.committed(journal.append(arrived("c1", 1), at=1, patiently=True))
    assert len(JournalReader(path).read()) == 1
    monkeypatch.setattr("callcenter.journal.PATIENCE_SECONDS", 0.0)
    last = journal.append(arrived("c2", 2), at=2, patiently=True)
    await until("the patient entry is on disk", lambda: journal.committed_seq == last)
    monkeypatch.undo()
    journal.append(arrived("c3", 3), at=3, patiently=True)
    await journal.close()
    assert len(JournalReader(path).read()) == 3


async def test_what_follows_from_one_another_is_one_commit_and_what_comes_while_the_disk_is_busy_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A call tells routing, and hears of it: that goes to disk together. One commit is under way."""
    written: list[list[str]] = []
    disk, writes = threading.Event(), JournalFile.write

    def noted(message: Any) -> bytes:
        if isinstance(message, Write):
            written.append([str(row[3]) for row in message.rows])
        return framed(message)

    def slow(file: JournalFile, rows: Sequence[Row]) -> None:
        disk.wait()
        writes(file, rows)

    monkeypatch.setattr("callcenter.journal.framed", noted)
    monkeypatch.setattr(JournalFile, "write", slow)
    consequences = Consequences()
    journal = SqliteJournal(tmp_path / "journal.sqlite", consequences=consequences)
    await journal.open()
    journal.append(arrived("c0", 0), at=0)
    consequences.follow(lambda: journal.append(arrived("c1", 1), at=1))
    consequences.follow(lambda: consequences.follow(lambda: journal.append(arrived("c2", 2), at=2)))
    assert written == []
    await asyncio.sleep(0)
    assert written == [["c0", "c1", "c2"]]
    for number in range(3, 7):
        last = journal.append(arrived(f"c{number}", number), at=number)
        await asyncio.sleep(0)
    assert written == [["c0", "c1", "c2"]]
    disk.set()
    await journal.committed(last)
    assert written == [["c0", "c1", "c2"], ["c3", "c4", "c5", "c6"]]
    await journal.close()


async def test_landmarks_are_found_by_their_index_also_in_a_journal_of_before(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    before = SqliteJournal(path)
    await before.open()
    for number in range(3):
        before.append(WorkNoted(number, calls=(f"c{number}",)), at=number)
        before.append(arrived(f"c{number}", number), at=number)
    await before.close()
    with sqlite3.connect(path) as old:
        old.execute("DROP INDEX entries_landmarks")
        old.execute("CREATE INDEX entries_kind ON entries (kind, seq)")
    old.close()
    reader, noted, newest = JournalReader(path), KIND_OF[WorkNoted], WorkNoted(2, calls=("c2",))
    assert [reader.last(noted).entry, reader.last(noted, before=5).entry.at] == [newest, 1]
    again = SqliteJournal(path)
    await again.open()
    assert [reader.last(noted).entry, reader.last(noted, before=5).entry.at] == [newest, 1]
    assert reader.last("call.arrived").entry.call_id == "c2"
    with sqlite3.connect(path) as new:
        indexes = {name for (name,) in new.execute("SELECT name FROM sqlite_master WHERE type = 'index'")}
        for kind in (noted, KIND_OF[RoutingSnapshot], KIND_OF[FloorConfigured]):
            ((*_, plan),) = new.execute(f"EXPLAIN QUERY PLAN {newest_of(kind)}", (kind, 9)).fetchall()
            assert "entries_landmarks" in plan
    new.close()
    assert indexes == {"entries_kept", "entries_landmarks", "entries_subject"}
    await again.close()


async def test_what_a_phone_waits_for_is_first_of_what_becomes_safe_together(tmp_path: Path) -> None:
    journal = SqliteJournal(tmp_path / "journal.sqlite")
    await journal.open()
    seen: list[str] = []
    last = journal.append(arrived("c1", 1), at=1)
    for number in range(2):
        journal.once_safe(lambda number=number: seen.append(f"told {number}"), telling=True)
        journal.once_safe(lambda number=number: seen.append(f"other {number}"))
        journal.once_safe(lambda number=number: seen.append(f"phone {number}"), first=True)
        last = journal.append(arrived("c2", 2), at=2)
    await journal.committed(last)
    assert seen == ["phone 0", "phone 1", "other 0", "other 1", "told 0", "told 1"]
    journal.once_safe(lambda: seen.append("at once"))
    journal.once_safe(lambda: seen.append("at once, too"), first=True)
    assert seen[6:] == ["at once", "at once, too"]
    await journal.close()


async def test_who_only_listens_hears_behind_what_phones_wait_for(tmp_path: Path) -> None:
    journal = SqliteJournal(tmp_path / "journal.sqlite")
    await journal.open()
    seen: list[str] = []
    last = journal.append(arrived("c1", 1), at=1)
    journal.once_safe(lambda: seen.append("told 1"), telling=True)
    journal.once_safe(lambda: seen.append("order 1"))
    journal.once_safe(lambda: 1 // 0, telling=True)  # one that fails harms nobody
    journal.once_safe(lambda: seen.append("told 2"), telling=True)

    def and_more() -> None:
        seen.append("order 2")
        journal.once_safe(lambda: seen.append("told 3"), telling=True)
        journal.once_safe(lambda: seen.append("order 3"))

    journal.once_safe(and_more)
    await journal.committed(last)
    assert seen == ["order 1", "order 2", "order 3", "told 1", "told 2", "told 3"]
    journal.once_safe(lambda: seen.append("told 4"), telling=True)
    assert seen[-1] == "told 4"
    await journal.close()


def test_who_was_chosen_before_levels_were_noted_is_read() -> None:
    written = {"call_id": "c1", "at": 3, "customer_id": "17", "agent_id": "anna", "name": NAME}
    entry = decode("call.customer_identified", msgspec.msgpack.encode(written))
    assert entry == CustomerIdentified("c1", 3, "17", "anna", NAME, level="")
