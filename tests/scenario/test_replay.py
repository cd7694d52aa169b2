"""A journal replayed gives the same decisions and states, over restarts; one that was tampered with does not."""

from dataclasses import replace

import pytest

from acd.events import AgentMadeReady, ContactArrived
from acd.ids import AgentId, QueueId
from acd.outcomes import OfferContact
from callcenter.commands.why import story
from callcenter.entries import subject_of
from callcenter.journal import JournalRow
from callcenter.replay import replay
from tests.scenario.test_races import AGENTS, Floor
from tests.support.changed_entries import with_fields
from tests.support.house import House, open_house
from tests.support.memory_journal import MemoryJournal
from tests.support.virtual_time import pass_seconds, run_virtual, settle

pytestmark = pytest.mark.scenario


async def lived_through(seed: int, journal: MemoryJournal | None = None) -> House:
    """A lively floor; with an earlier journal, its next life."""
    house = await open_house(journal=journal)
    floor = Floor(house, seed)
    await house.sign_in(*AGENTS)
    for _ in range(60):
        await floor.step()
    await settle()
    return house


@pytest.mark.parametrize("seed", range(8))
def test_replay_over_a_restart_decides_as_it_was_decided(seed: int) -> None:
    async def story_of_two_lives() -> None:
        house = await lived_through(seed)
        await pass_seconds(3)
        house = await lived_through(seed + 100, house.journal)
        found = replay(house.journal.rows)
        assert found.divergences == []
        assert found.decisions == sum(isinstance(entry, OfferContact) for entry in house.journal.entries)
        assert found.snapshots == 2
        assert replay(house.journal.rows).digest == found.digest

    run_virtual(story_of_two_lives)


def tampered(rows: list[JournalRow], seq: int, **fields: object) -> list[JournalRow]:
    return [replace(row, entry=with_fields(row.entry, **fields)) if row.seq == seq else row for row in rows]


def test_changed_decision_or_input_is_found() -> None:
    async def story_of_a_forger() -> None:
        rows = (await lived_through(1)).journal.rows
        decision = next(row for row in rows if isinstance(row.entry, OfferContact))
        assert replay(tampered(rows, decision.seq, agent_id=AgentId("somebody"))).divergences
        arrival = next(row for row in rows if isinstance(row.entry, ContactArrived))
        assert replay(tampered(rows, arrival.seq, queue_id=QueueId("support"))).divergences
        without = [row for row in rows if not isinstance(row.entry, AgentMadeReady)]
        assert replay(without).divergences

    run_virtual(story_of_a_forger)


def test_why_tells_who_was_rung_and_who_came_second() -> None:
    async def story_of_a_call() -> None:
        house = await open_house()
        await house.sign_in("anna", "ben")
        leg = await house.queue_call()
        call_id = house.call_id(leg)
        rows = [row for row in house.journal.rows if subject_of(row.entry) == call_id]
        text = "\n".join(story(rows))
        assert "offer.made" in text
        assert "2 candidates" in text
        assert "second was ben" in text
        assert "choice=English" in text

    run_virtual(story_of_a_call)
