"""What becomes of recordings is journaled once, also of those that were closed while nobody listened."""

import asyncio
from pathlib import Path

import pytest

from callcenter.bus import Bus
from callcenter.calls.recording_facts import RecordingImpaired, RecordingStarted, RecordingStored
from callcenter.floor.fold import FloorFold
from callcenter.media.recordings.sidecar import Finished, Opened, Paused, Resumed, lines
from callcenter.ports import RecordingDegraded, RecordingFinished
from callcenter.recordings.ledger import RecordingLedger
from callcenter.recovery import recover
from tests.support.house import new_floor, small_site
from tests.support.memory_journal import MemoryJournal, MemoryJournalReader

pytestmark = pytest.mark.unit

STEM = "20260302-120000-0123456789abcdef"


class Noon:
    def now(self) -> int:
        return 1_000


def lay_down(root: Path, recording_id: str) -> Path:
    """A finished recording on disk, paused from the first to the third second."""
    day = root / "2026" / "03" / "02"
    day.mkdir(parents=True)
    opened = Opened(recording_id, "c1", "customer", "agent", 500, "u", "standard", 1)
    facts = [opened, Paused(8_000), Resumed(24_000), Finished(40_000, "ab", None)]
    (day / f"{STEM}.json").write_bytes(lines(facts))
    (day / f"{STEM}.wav").write_bytes(b"RIFF")
    return day / f"{STEM}.wav"


async def stored_by(
    ledger: RecordingLedger, journal: MemoryJournal, bus: Bus, missing: set[str]
) -> list[RecordingStored]:
    """What is journaled of everything that was told before, and of what is found missing."""
    done = asyncio.Event()
    bus.subscribe(lambda fact, _: done.set() if isinstance(fact, RecordingImpaired) else None)
    task = asyncio.create_task(ledger.run())
    await ledger.find_missing(missing)
    ledger.tell(RecordingDegraded("c9", "the-last-news", "overflow"))
    async with asyncio.timeout(5):
        await done.wait()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    return [entry for entry in journal.entries if isinstance(entry, RecordingStored)]


async def test_what_was_closed_while_no_exchange_lived_is_found_on_the_disk(tmp_path: Path) -> None:
    lay_down(tmp_path, "c1-r1")
    journal = MemoryJournal()
    bus = Bus()
    ledger = RecordingLedger(clock=Noon(), journal=journal, bus=bus, root=tmp_path)
    (stored,) = await stored_by(ledger, journal, bus, {"c1-r1", "elsewhere"})
    assert stored == RecordingStored(
        "c1", 1_000, "c1-r1", f"2026/03/02/{STEM}.wav", "ab", 5_000, None, ((1_000, 3_000),)
    )


async def test_one_end_told_twice_is_journaled_once(tmp_path: Path) -> None:
    audio = lay_down(tmp_path, "c1-r1")
    journal = MemoryJournal()
    bus = Bus()
    ledger = RecordingLedger(clock=Noon(), journal=journal, bus=bus, root=tmp_path)
    ledger.tell(RecordingFinished("c1", "c1-r1", str(audio), "ab", 5_000, None))
    assert len(await stored_by(ledger, journal, bus, {"c1-r1"})) == 1


def test_a_restart_knows_which_ends_it_did_not_hear() -> None:
    journal = MemoryJournal()
    for number in (1, 2, 3):
        journal.append(RecordingStarted("c1", 1, f"c1-r{number}", "anna", "sales", "standard", True), at=1)
    journal.append(RecordingStored("c1", 2, "c1-r1", "x.wav", "ab", 10, None), at=2)
    journal.append(RecordingImpaired("c1", 2, "c1-r3", "not_started"), at=2)
    floor: FloorFold = new_floor(small_site())
    assert recover(MemoryJournalReader(journal), floor).unfinished == {"c1-r2"}
