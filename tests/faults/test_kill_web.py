"""The web process is killed, or hangs, in the middle of a call. Nobody on the telephone notices."""

import os
import signal
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.support.floor_people import Seat, calling, hear_each_other, seats
from tests.support.installation import Installation, Plan, running_installation, until_recorded
from tests.support.waiting import until

pytestmark = pytest.mark.faults

CUSTOMER = "+12125550110"


@pytest.fixture
def house() -> Iterator[Installation]:
    with running_installation(Plan(agents=1, wrap_up_seconds=120)) as house:
        yield house


async def wrapped_up(http: httpx.AsyncClient, seat: Seat) -> dict[str, Any]:
    """Finish the wrap-up at the console, and return the interaction once the store has it so."""
    await seat.console.intend(
        "wrap_up.finish", contact_id=await seat.works_on(), disposition="solved", notes="As before."
    )
    await seat.until_state("ready")
    recorded: list[dict[str, Any]] = []

    async def disposed() -> bool:
        recorded[:] = await until_recorded(http, 1)
        return recorded[0]["disposition"] == "solved"

    await until("the wrap-up is in the store", disposed)
    return recorded[0]


async def test_a_call_goes_on_and_is_recorded_once_although_the_web_process_is_killed(house: Installation):
    async with seats(house) as (seat,), calling(house, CUSTOMER) as customer:
        agent = await seat.talking()
        await hear_each_other(customer, agent)
        await until("the console shows the talk", lambda: seat.state == "busy")
        epoch = seat.console._epoch

        killed = await house.kill("web")
        await hear_each_other(customer, agent)
        await customer.hang_up()
        await agent.ended()

        await until("the web process is back", lambda: house.pids("web") not in ([], [killed]))
        await house.until_up()
        await seat.until_state("wrap_up")
        assert seat.console._epoch != epoch
        async with house.signed_in() as http:
            recorded = await wrapped_up(http, seat)
        assert (recorded["from_value"], recorded["outcome"], recorded["agent_id"]) == (CUSTOMER, "answered", "agent1")
        assert recorded["notes"] == "As before."
        assert len(house.journal.read(kinds=("call.closed",))) == 1


async def test_a_talk_outlives_the_web_process_and_the_desk_can_end_it_afterwards(house: Installation):
    async with seats(house) as (seat,), calling(house, CUSTOMER) as customer:
        agent = await seat.talking()
        await hear_each_other(customer, agent)
        killed = await house.kill("web")
        await until("the web process is back", lambda: house.pids("web") not in ([], [killed]))
        await house.until_up()
        await until("the console is connected again", lambda: seat.console._socket is not None)
        await hear_each_other(customer, agent)
        await seat.console.intend("contact.hang_up", contact_id=await seat.works_on())
        await customer.ended()
        async with house.signed_in() as http:
            recorded = await wrapped_up(http, seat)
        assert (recorded["outcome"], recorded["ended_by"]) == ("answered", "agent")


async def test_a_web_process_that_hangs_keeps_no_caller_from_an_agent(house: Installation):
    async with seats(house) as (seat,):
        web = house.pid("web")
        os.kill(web, signal.SIGSTOP)
        try:
            async with calling(house, CUSTOMER) as customer:
                agent = await seat.talking()
                await hear_each_other(customer, agent)
                await until("the lookup is given up", lambda: house.journal.read(kinds=("call.customer_matched",)))
                await customer.hang_up()
                await agent.ended()
        finally:
            os.kill(web, signal.SIGCONT)
        await seat.until_state("wrap_up")
        async with house.signed_in() as http:
            recorded = await wrapped_up(http, seat)
        assert (recorded["from_value"], recorded["outcome"]) == (CUSTOMER, "answered")
        # The caller was through the menu while the lookup was still waiting for an answer, which never came.
        (matched,) = house.journal.read(kinds=("call.customer_matched",))
        (menu,) = [row for row in house.journal.read(kinds=("call.step_taken",)) if row.entry.step == "main"]
        assert matched.entry.state == "unavailable"
        assert menu.seq < matched.seq
