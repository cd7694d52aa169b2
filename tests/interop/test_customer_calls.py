"""What the customer store knows reaches routing in real calls: the level gives priority, the last agent is asked first.
A web process that hangs holds nobody up."""

import os
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import TypeVar

import pytest

from acd.events import ContactArrived
from callcenter.calls.facts import CallConnected, CustomerMatched
from tests.support.floor_people import ENGLISH_SUPPORT, Talk, calling, hear_each_other, seats
from tests.support.installation import BOSS, Installation, Plan, running_installation, until_recorded
from tests.support.waiting import until

pytestmark = pytest.mark.interop

Kind = TypeVar("Kind")
ADA, BOB = "+12025550181", "+12025550182"
QUEUE = (
    "level_priority = { gold = 10 }",
    'steps = [{ demand = "{last_agent}", until_seconds = 20 }, {}]',
)


@pytest.fixture(scope="module")
def house() -> Iterator[Installation]:
    with running_installation(Plan(agents=2, queue_lines=QUEUE)) as house:
        yield house


def last(house: Installation, kind: type[Kind]) -> Kind:
    return [row.entry for row in house.journal.read() if isinstance(row.entry, kind)][-1]


@asynccontextmanager
async def known_caller(house: Installation, number: str) -> AsyncIterator[Talk]:
    """A customer who presses keys once the store has said who that is, however long it took."""

    def answers() -> int:
        return len(house.journal.read(kinds=("call.customer_matched",)))

    before = answers()
    async with calling(house, number, keys="") as customer:
        await until("the store has said who calls", lambda: answers() > before)
        await customer.sound.send_digits(ENGLISH_SUPPORT)
        yield customer


async def test_a_gold_customer_has_priority_and_the_agent_of_last_time(house: Installation) -> None:
    async with house.signed_in(BOSS) as http, seats(house) as taken:
        ada = {"display_name": "Ada", "level": "gold", "contact_points": [{"value": ADA}]}
        (await http.post("/api/v1/customers", json=ada)).raise_for_status()
        async with known_caller(house, ADA) as customer:
            await until("an agent answered", lambda: any(seat.talks for seat in taken))
            first = next(seat for seat in taken if seat.talks)
            await hear_each_other(customer, first.talks[0])
            await customer.hang_up()
        assert last(house, ContactArrived).priority == 10
        await until_recorded(http, 1)
        await first.until_state("ready")
        async with known_caller(house, ADA) as customer:
            await first.talking(2)
            await customer.hang_up()
        matched = last(house, CustomerMatched)
        assert (matched.state, matched.level, matched.last_agent) == ("one", "gold", first.login)
        assert last(house, CallConnected).agent_id == first.login, "the other one idles longer"
        await first.until_state("ready")
        async with known_caller(house, BOB) as customer:
            (other,) = [seat for seat in taken if seat is not first]
            await other.talking()
            await customer.hang_up()
        assert last(house, ContactArrived).priority == 0


async def test_a_web_process_that_hangs_holds_nobody_up(house: Installation) -> None:
    async with seats(house) as taken:
        web = house.pid("web")
        os.kill(web, signal.SIGSTOP)
        try:
            async with calling(house, ADA) as customer:
                await until("an agent answered", lambda: any(seat.talks for seat in taken))
                await customer.hang_up()
        finally:
            os.kill(web, signal.SIGCONT)
        assert last(house, ContactArrived).priority == 0
