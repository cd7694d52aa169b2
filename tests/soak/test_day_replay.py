"""A long day replays fast, and to the same digest."""

import time
from pathlib import Path

import pytest

from acd.events import ContactArrived
from acd.simulator_journal import FloorSize, large_floor
from callcenter.journal import JournalReader, SqliteJournal
from callcenter.replay import replay
from tests.support.simulated_journal import simulated_rows

pytestmark = [pytest.mark.unit, pytest.mark.timeout(900)]

CONTACTS = 20_000
CPU_SECONDS = 60


async def test_a_day_of_20000_contacts_replays_within_a_minute_to_the_same_digest(tmp_path: Path) -> None:
    size = FloorSize(agents=200, queues=20, profiles=20, queues_each=5, load=0.95)
    rows = simulated_rows(large_floor(size, seed=8), seed=8, events=125_000)
    assert sum(isinstance(row.entry, ContactArrived) for row in rows) >= CONTACTS
    journal = SqliteJournal(tmp_path / "journal.sqlite")
    await journal.open()
    for row in rows:
        seq = journal.append(row.entry, at=row.at)
        if seq % 10_000 == 0 or seq == len(rows):
            await journal.committed(seq)
    await journal.close()
    reader = JournalReader(tmp_path / "journal.sqlite")
    before = time.process_time()
    first = replay(reader.read())
    spent = time.process_time() - before
    print(f"{len(rows)} entries, {first.inputs} inputs, {first.decisions} decisions in {spent:.1f} CPU seconds")  # noqa: T201
    assert first.divergences == []
    assert spent < CPU_SECONDS
    assert replay(reader.read()).digest == first.digest
