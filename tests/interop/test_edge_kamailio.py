"""Kamailio with the project's configuration as the door to the exchange: phones and carriers see nothing else."""

from collections.abc import AsyncIterator, Iterator

import pytest

from tests.support.floor_people import Seat, calling, hear_each_other
from tests.support.installation import Installation, Plan, running_installation
from tests.support.kamailio import HOST, Edge, kamailio
from tests.support.ports import free_sip_port

pytestmark = pytest.mark.interop

PHONES, CARRIERS = free_sip_port(), free_sip_port()


@pytest.fixture(scope="module")
def house() -> Iterator[Installation]:
    with running_installation(Plan(agents=1, trunk_host=HOST, trunk_ports=(CARRIERS,))) as house:
        yield house


@pytest.fixture
async def edge(house: Installation) -> AsyncIterator[Edge]:
    async with kamailio(house.sip, PHONES, CARRIERS) as edge:
        yield edge


async def test_a_call_of_a_carrier_reaches_an_agent_whose_phone_is_behind_the_edge_too(house, edge):
    async with Seat(house, "agent1", server=edge.phones) as seat:
        await seat.go_ready()
        async with calling(house, "+12025550131", server=edge.carriers) as customer:
            talk = await seat.talking()
            await hear_each_other(customer, talk)
            await customer.hang_up()
            await talk.ended()


async def test_an_agent_behind_the_edge_hangs_up_a_call_that_came_through_it(house, edge):
    async with Seat(house, "agent1", server=edge.phones) as seat:
        await seat.go_ready()
        async with calling(house, "+12025550132", server=edge.carriers) as customer:
            talk = await seat.talking()
            await hear_each_other(customer, talk)
            await talk.hang_up()
            await customer.ended()


async def test_a_customer_who_gives_up_while_it_rings_is_heard_of_behind_the_edge(house, edge):
    async with Seat(house, "agent1", answers=False, server=edge.phones) as seat:
        await seat.go_ready()
        async with calling(house, "+12025550133", server=edge.carriers) as customer:
            ringing = await seat.rings()
            await customer.hang_up()
        await ringing.cancelled.wait()
