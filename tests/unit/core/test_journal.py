"""The journal: order, group commit, reading back, and what happens when the disk says no."""

import asyncio
import sqlite3
from pathlib import Path

import pytest

from acd.events import AgentSignedIn, ContactArrived, SkillLevel
from acd.ids import AgentId, ContactId, QueueId
from callcenter.calls.facts import CallArrived, CallClosed, CallRecord, EndedBy, Outcome
from callcenter.entries import ENTRY_KINDS, KIND_OF, decode, encode
from callcenter.errors import JournalError
from callcenter.journal import JournalReader, SqliteJournal

pytestmark = pytest.mark.unit


def arrived(call_id: str, at: int) -> CallArrived:
    return CallArrived(call_id, at, "+1", "", "+2", "t", "x@y", "main")


def closed(call_id: str, at: int) -> CallClosed:
    record = CallRecord(
        call_id, "+1", "", "+2", "t", "x@y", "main", Outcome.ANSWERED, EndedBy.AGENT,
        1, at, None, None, None, None, (), "none", None, 0, 0, 0, 0,
    )  # fmt: skip
    return CallClosed(call_id, at, record)


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
    (rows,) = JournalReader(path).open_calls()
    assert [row.entry for row in rows] == [arrived("c2", 2)]


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


def test_absent_journal_is_empty(tmp_path: Path) -> None:
    reader = JournalReader(tmp_path / "none.sqlite")
    assert reader.read() == []
    assert reader.open_calls() == []
    assert reader.last("call.arrived") is None
    assert reader.last_at() == 0
