"""The customer store cannot be written for a while. Calls go on; what happened arrives later, once."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager

import pytest

from tests.support.floor_people import calling, hear_each_other, seats
from tests.support.installation import Installation, Plan, running_installation, until_recorded
from tests.support.waiting import until

pytestmark = pytest.mark.faults

CALLERS = tuple(f"+1212555013{number}" for number in range(3))


@pytest.fixture
def house() -> Iterator[Installation]:
    with running_installation(Plan(agents=1)) as house:
        yield house


@contextmanager
def locked(house: Installation) -> Iterator[None]:
    """Hold the store's write lock, as a runaway maintenance job would."""
    with closing(sqlite3.connect(house.store_file, isolation_level=None)) as connection:
        connection.execute("PRAGMA busy_timeout = 30000")
        connection.execute("BEGIN EXCLUSIVE")
        try:
            yield
        finally:
            connection.execute("ROLLBACK")


def stored(house: Installation) -> int:
    with closing(sqlite3.connect(f"file:{house.store_file}?mode=ro", uri=True)) as connection:
        (count,) = connection.execute("SELECT count(*) FROM interaction").fetchone()
    return int(count)


async def test_calls_go_on_while_the_store_is_locked_and_arrive_once_afterwards(house: Installation):
    async with seats(house) as (seat,):
        with locked(house):
            for number, caller in enumerate(CALLERS, start=1):
                async with calling(house, caller) as customer:
                    await hear_each_other(customer, await seat.talking(number))
                    await customer.hang_up()
                await seat.until_state("ready")
            await until(
                "the projection has found the store locked", lambda: "customer store not written" in house.output
            )
            assert len(house.journal.read(kinds=("call.closed",))) == len(CALLERS)
            assert stored(house) == 0
        async with house.signed_in() as http:
            recorded = await until_recorded(http, len(CALLERS))
        assert {each["from_value"] for each in recorded} == set(CALLERS)
        assert {each["outcome"] for each in recorded} == {"answered"}
        assert house.output.count("customer store not written") == 1


async def test_a_web_process_killed_while_the_store_is_locked_writes_everything_once(house: Installation):
    async with seats(house) as (seat,):
        with locked(house):
            async with calling(house, CALLERS[0]) as customer:
                await hear_each_other(customer, await seat.talking())
                await customer.hang_up()
            await until("the call is closed", lambda: house.journal.read(kinds=("call.closed",)))
            await house.kill("web")
        await house.until_up()
        async with house.signed_in() as http:
            (recorded,) = await until_recorded(http, 1)
        assert (recorded["from_value"], recorded["outcome"]) == (CALLERS[0], "answered")
        assert stored(house) == 1
        await seat.until_state("ready")
