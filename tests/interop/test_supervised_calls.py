"""Supervision that is listened to: each party sends a tone, and each route is heard where it leads and nowhere else.

Through the whole product: site, console, SIP, media processes.
"""

import asyncio
from collections.abc import Iterator

import pytest

from callcenter.demo.console_client import ConsoleClient
from callcenter.media.endpoint import RtpEndpoint
from tests.support import who_hears
from tests.support.floor_people import AGENT_HZ, CUSTOMER_HZ, AgentPhone, Seat, calling, hear_each_other
from tests.support.installation import BOSS, PASSWORD, Installation, Plan, running_installation

pytestmark = [pytest.mark.interop, pytest.mark.timeout(120)]

BOSS_HZ = 1000.0
TONES = (CUSTOMER_HZ, AGENT_HZ, BOSS_HZ)


@pytest.fixture(scope="module")
def house() -> Iterator[Installation]:
    with running_installation(Plan(agents=1)) as house:
        yield house


async def hears_only(sound: RtpEndpoint, *tones: float) -> None:
    await who_hears.hears_only(sound, *tones, of=TONES)


async def test_every_way_of_taking_part_is_heard_where_it_shall_be_and_nowhere_else(house: Installation) -> None:
    desk = ConsoleClient(house.base_url, BOSS, PASSWORD)
    watching = asyncio.create_task(desk.run())
    try:
        async with Seat(house, "agent1") as seat, AgentPhone(house, BOSS) as boss:
            await seat.go_ready()
            async with calling(house, "+12125550190") as customer:
                agent = await seat.talking()
                await hear_each_other(customer, agent)
                contact_id = await seat.works_on()

                async def wish(how: str) -> None:
                    await desk.intend("contact.supervise", contact_id=contact_id, how=how)

                await wish("monitor")
                listener = await boss.talking()
                listener.sound.start(BOSS_HZ)
                await hears_only(listener.sound, CUSTOMER_HZ, AGENT_HZ)
                await hears_only(customer.sound, AGENT_HZ)
                await hears_only(agent.sound, CUSTOMER_HZ)

                await wish("whisper")
                await hears_only(agent.sound, CUSTOMER_HZ, BOSS_HZ)
                await hears_only(customer.sound, AGENT_HZ)
                await hears_only(listener.sound, CUSTOMER_HZ, AGENT_HZ)

                await wish("barge")
                await hears_only(customer.sound, AGENT_HZ, BOSS_HZ)
                await hears_only(agent.sound, CUSTOMER_HZ, BOSS_HZ)
                await hears_only(listener.sound, CUSTOMER_HZ, AGENT_HZ)

                await wish("monitor")
                await hears_only(customer.sound, AGENT_HZ)
                await wish("take_over")
                await agent.ended()
                await hears_only(customer.sound, BOSS_HZ)
                await hears_only(listener.sound, CUSTOMER_HZ)
                await customer.hang_up()
                await listener.ended()
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
