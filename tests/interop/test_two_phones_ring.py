"""Two baresips as agents' phones of a queue that rings all: both ring, one gets the caller, the other is told why."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest

from callcenter.audit.recount import audit
from callcenter.calls.facts import CallClosed
from tests.support.baresip import TONE_HZ, Account, Baresip, baresip
from tests.support.floor_people import calling, ready_at_console
from tests.support.installation import PASSWORD, Installation, Plan, running_installation
from tests.support.waiting import until

pytestmark = pytest.mark.interop

ELSEWHERE = 'Reason: SIP;cause=200;text="Call completed elsewhere"'


@pytest.fixture(scope="module")
def house() -> Iterator[Installation]:
    lines = ('ring = "all"',)
    with running_installation(Plan(agents=2, queue_lines=lines, sip_lines=('digest_algorithms = ["MD5"]',))) as house:
        yield house


@asynccontextmanager
async def two_at_desks(house: Installation) -> AsyncIterator[tuple[Baresip, Baresip]]:
    first, second = (Account(agent, PASSWORD, house.sip) for agent in ("agent1", "agent2"))
    async with baresip(first) as one, baresip(second) as other:
        await one.until_registered()
        await other.until_registered()
        async with ready_at_console(house, "agent1"), ready_at_console(house, "agent2"):
            yield one, other


async def both_ring(one: Baresip, other: Baresip) -> None:
    await one.until_event("CALL_INCOMING")
    await other.until_event("CALL_INCOMING")


async def test_the_first_answer_has_the_caller_and_the_other_phone_is_told_so(house):
    async with two_at_desks(house) as (one, other), calling(house, "+12025550131") as customer:
        await both_ring(one, other)
        await other.command("accept")
        await other.until_event("CALL_ESTABLISHED")
        await one.until_event("CALL_CLOSED")
        assert one.told("CALL_ESTABLISHED") == 0
        await until("it prints why", lambda: ELSEWHERE in one.output)
        await customer.sound.wait_heard(TONE_HZ)
        await customer.hang_up()
        await other.until_event("CALL_CLOSED")
        assert ELSEWHERE not in other.output


async def test_of_two_answers_at_once_one_counts_and_the_caller_hears_it(house):
    async with two_at_desks(house) as (one, other), calling(house, "+12025550132") as customer:
        await both_ring(one, other)
        await asyncio.gather(one.command("accept"), other.command("accept"))
        await until("one of the phones is let go", lambda: one.told("CALL_CLOSED") + other.told("CALL_CLOSED") == 1)
        loser, winner = (one, other) if one.told("CALL_CLOSED") else (other, one)
        await until("it prints why", lambda: ELSEWHERE in loser.output)
        await winner.until_event("CALL_ESTABLISHED")
        await customer.sound.wait_heard(TONE_HZ)
        await customer.hang_up()
        await winner.until_event("CALL_CLOSED")

    def closed() -> list[CallClosed]:
        return [row.entry for row in house.journal.read() if isinstance(row.entry, CallClosed)]

    await until("both calls are recorded", lambda: len(closed()) == 2)
    assert [each.record.missed_offers for each in closed()] == [0, 0]
    assert audit(house.journal.read()).breaches == []
