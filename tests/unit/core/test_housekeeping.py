"""The house is counted into the journal; what an audit makes of it is in ``test_audit``."""

import asyncio
from collections.abc import Callable

import pytest

from callcenter.errors import MediaError
from callcenter.housekeeping import EVERY_SECONDS, HouseCounted, HouseCounter
from callcenter.media.protocol import MediaStatus
from tests.support.memory_journal import MemoryJournal
from tests.support.virtual_time import FakeClock, pass_seconds, run_virtual

pytestmark = pytest.mark.unit


async def media() -> MediaStatus:
    return MediaStatus(1, 4, 90, 8, 2, (11, 12), 0.25, 7, 1)


async def no_media() -> MediaStatus:
    raise MediaError("away")


async def slow_media() -> MediaStatus:
    await asyncio.Event().wait()
    raise AssertionError


def counter(answer: Callable[[], object], journal: MemoryJournal) -> HouseCounter:
    sip = {"legs": 3, "transactions": 5, "connections": 2, "in INVITE": 9}
    return HouseCounter(FakeClock(asyncio.get_running_loop()), journal, calls=lambda: 2, sip=lambda: sip, media=answer)  # type: ignore[arg-type]


@pytest.mark.parametrize(("answer", "sessions", "ports"), [(media, 4, 8), (no_media, -1, -1), (slow_media, -1, -1)])
def test_what_is_held_is_counted_also_when_media_does_not_answer(
    answer: Callable[[], object], sessions: int, ports: int
) -> None:
    async def story() -> HouseCounted:
        journal = MemoryJournal(())
        await counter(answer, journal).count()
        (counted,) = journal.entries
        assert isinstance(counted, HouseCounted)
        return counted

    counted = run_virtual(story)
    assert (counted.calls, counted.legs, counted.transactions, counted.connections) == (2, 3, 5, 2)
    assert (counted.sessions, counted.ports) == (sessions, ports)
    assert counted.tasks > 0
    assert counted.descriptors != 0


def test_the_house_is_counted_at_the_start_and_every_five_minutes() -> None:
    async def story() -> int:
        journal = MemoryJournal(())
        task = asyncio.create_task(counter(media, journal).run())
        await pass_seconds(3 * EVERY_SECONDS + 1)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        return len(journal.entries)

    assert run_virtual(story) == 4
