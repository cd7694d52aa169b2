"""A start reads what is open and what is new, never the whole past, and comes back to what one that reads all comes to.

The journal may end anywhere, as after a kill in the middle of anything.
"""

import random

import pytest

from callcenter.exchange_core import new_floor
from callcenter.journal import JournalRow
from callcenter.open_work import WorkNoted, fold
from callcenter.recovery import Recovered, recover
from callcenter.site.models import Site
from tests.scenario.test_audit_items import AGENTS, live_a_while
from tests.support.memory_journal import MemoryJournal, MemoryJournalReader
from tests.support.messages_left import a_house, leave, leave_message, message_arrives, site_with_exit
from tests.support.virtual_time import pass_seconds, run_virtual

pytestmark = pytest.mark.scenario

SITE = site_with_exit(agents=AGENTS, wrap_up_seconds=10)


def lived(seed: int) -> tuple[list[JournalRow], object]:
    """Three lives of a floor with calls, messages that were spoken and other items; and what the last one held open."""

    async def story() -> tuple[list[JournalRow], object]:
        journal, dice = MemoryJournal(), random.Random(seed)
        for _ in range(3):
            house = await a_house(site=SITE, journal=journal)
            await leave_message(house)
            await live_a_while(house, dice, steps=30)
            speaking = await leave(house, "+12025550177")
            house.core._write_snapshot()
            await pass_seconds(2)
            await house.hang_up(speaking)
            await live_a_while(house, dice, steps=10)
            journal = house.journal
        return journal.rows, house.core._work

    return run_virtual(story)


def come_back(rows: list[JournalRow], site: Site = SITE) -> tuple[Recovered, object]:
    floor = new_floor(site)
    recovered = recover(MemoryJournalReader(MemoryJournal(rows)), floor)
    return recovered, floor.view()


def shown(come: tuple[Recovered, object]) -> tuple[object, ...]:
    found, floor = come
    return (found.engine.snapshot(), found.orphans, found.work, found.messages, found.callbacks, found.items, floor)


@pytest.mark.parametrize("seed", range(3))
def test_a_start_from_a_note_is_a_start_from_the_beginning_wherever_the_journal_ends(seed: int) -> None:
    rows, work = lived(seed)
    assert fold(None, (row.entry for row in rows)) == work, "what is kept while it runs is what the journal says"
    assert sum(isinstance(row.entry, WorkNoted) for row in rows) == 6
    dice = random.Random(seed)
    for end in (len(rows), *dice.sample(range(1, len(rows)), 60)):
        without = [row for row in rows[:end] if not isinstance(row.entry, WorkNoted)]
        renumbered = [JournalRow(number, row.at, row.kind, row.entry) for number, row in enumerate(without, start=1)]
        assert shown(come_back(rows[:end])) == shown(come_back(renumbered)), f"up to entry {end}"


class CountingReader(MemoryJournalReader):
    """Counts the entries that are read from the journal."""

    def __init__(self, journal: MemoryJournal) -> None:
        super().__init__(journal)
        self.read_rows = 0

    def _count(self, rows: list[JournalRow]) -> list[JournalRow]:
        self.read_rows += len(rows)
        return rows

    def read(self, **asked: object) -> list[JournalRow]:  # type: ignore[override]
        return self._count(super().read(**asked))  # type: ignore[arg-type]

    def about(self, *subjects: str) -> list[JournalRow]:
        return self._count(super().about(*subjects))


def read_at_start(past: int) -> tuple[int, int]:
    """How many entries a start reads after so many messages and calls that are over, and how many there are."""

    async def story() -> tuple[int, int]:
        house = await a_house(site=SITE)
        await house.sign_in("ben")
        for number in range(past):
            await message_arrives(house, number)
            await house.core.desk.finish("ben", f"call{number}-v1")
            message = await leave_message(house)
            await house.core.desk.finish("ben", message)
            await pass_seconds(40)
        house = await a_house(site=SITE, journal=house.journal)
        await message_arrives(house, 9_000)
        reader = CountingReader(house.journal)
        recover(reader, new_floor(SITE))
        return reader.read_rows, len(house.journal.rows)

    return run_virtual(story)


def test_what_a_start_reads_does_not_grow_with_the_past() -> None:
    (few, short), (many, long) = read_at_start(3), read_at_start(30)
    assert long > 5 * short
    assert few < 60
    assert many == few
