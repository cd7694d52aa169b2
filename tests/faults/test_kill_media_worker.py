"""Media processes are killed in the middle of a call: a worker is replaced, the whole of media ends calls politely."""

from collections.abc import Iterator

import pytest

from callcenter.calls.legs import EndCause
from tests.support.floor_people import calling, hear_each_other, seats
from tests.support.installation import Installation, Plan, running_installation, until_recorded
from tests.support.process_table import holds_socket, is_alive, kill_now
from tests.support.waiting import until

pytestmark = pytest.mark.faults

FIRST, SECOND, THIRD = (f"+1212555012{number}" for number in range(3))


@pytest.fixture
def house() -> Iterator[Installation]:
    with running_installation(Plan(agents=1)) as house:
        yield house


def worker_at_work(house: Installation) -> int:
    """The worker that holds the sockets of the call; the other is the standby."""
    sockets = house.media_sockets()
    assert sockets
    found = [pid for pid in house.pids("media worker") if all(holds_socket(pid, each.inode) for each in sockets)]
    assert len(found) == 1
    return found[0]


async def test_audio_comes_back_when_the_worker_that_carries_it_is_killed(house: Installation):
    async with house.signed_in() as http, seats(house) as (seat,):
        async with calling(house, FIRST) as customer:
            agent = await seat.talking()
            await hear_each_other(customer, agent)
            ports = {each.port for each in house.media_sockets()}

            worker = worker_at_work(house)
            kill_now(worker)
            await until("the worker is gone", lambda: not is_alive(worker))
            await hear_each_other(customer, agent)
            assert {each.port for each in house.media_sockets()} == ports
            assert worker_at_work(house) != worker

            await customer.hang_up()
            assert await agent.ended() is EndCause.NORMAL
        (recorded,) = await until_recorded(http, 1)
        assert (recorded["outcome"], recorded["ended_by"]) == ("answered", "customer")
        await until("every RTP port is given back", lambda: not house.media_sockets())
        await until("there is a standby again", lambda: len(house.pids("media worker")) == 2)


async def test_calls_end_politely_when_media_is_killed_and_the_next_one_works(house: Installation):
    async with house.signed_in() as http, seats(house) as (seat,):
        async with calling(house, FIRST) as talking, calling(house, SECOND) as waiting:
            agent = await seat.talking()
            await hear_each_other(talking, agent)
            await until("the second customer waits", lambda: called(house, "call.queued") == 2)
            workers = house.pids("media worker")
            connected = house.output.count("media.connected")

            await house.kill("media")
            assert await talking.ended() is EndCause.NORMAL
            assert await waiting.ended() is EndCause.NORMAL
            await agent.ended()
            await until("the workers went with it", lambda: not any(is_alive(pid) for pid in workers))
        recorded = {each["from_value"]: each for each in await until_recorded(http, 2)}
        assert {(each["outcome"], each["ended_by"]) for each in (recorded[FIRST],)} == {("answered", "system")}
        assert {(each["outcome"], each["ended_by"]) for each in (recorded[SECOND],)} == {("failed", "system")}

        await until("media is back", lambda: house.output.count("media.connected") > connected)
        await seat.until_state("ready")
        async with calling(house, THIRD) as customer:
            await hear_each_other(customer, await seat.talking(2))
            await customer.hang_up()
        newest = (await until_recorded(http, 3))[0]
        assert (newest["from_value"], newest["outcome"]) == (THIRD, "answered")


def called(house: Installation, kind: str) -> int:
    return len(house.journal.read(kinds=(kind,)))
