"""Three phones in one call through the whole product: who hears whom from the first word to the last."""

from collections.abc import Iterator

import pytest

from callcenter.media.endpoint import RtpEndpoint
from tests.support.floor_people import AGENT_HZ, CUSTOMER_HZ, Seat, calling, hear_each_other
from tests.support.installation import Installation, Plan, running_installation, until_recorded
from tests.support.waiting import together
from tests.support.who_hears import hears_only

pytestmark = pytest.mark.interop

COLLEAGUE_HZ = 1000.0
TONES = (CUSTOMER_HZ, AGENT_HZ, COLLEAGUE_HZ)


@pytest.fixture(scope="module")
def house() -> Iterator[Installation]:
    with running_installation(Plan(agents=2)) as house:
        yield house


async def hears(sound: RtpEndpoint, *tones: float) -> None:
    await hears_only(sound, *tones, of=TONES)


async def hears_music(sound: RtpEndpoint) -> None:
    """Whoever waits hears nobody; the music itself has the customer's tone in it."""
    await hears_only(sound, of=(AGENT_HZ, COLLEAGUE_HZ))


async def test_each_of_three_hears_the_two_others_and_whoever_is_aside_hears_neither(house: Installation) -> None:
    async with house.signed_in() as http, Seat(house, "agent1") as one, Seat(house, "agent2") as two:
        await one.go_ready()
        async with calling(house, "+12125550151") as customer:
            agent = await one.talking()
            await hear_each_other(customer, agent)
            await two.go_ready()
            contact_id = await one.works_on()
            await one.console.intend("contact.consult", contact_id=contact_id, target_kind="agent", target="agent2")
            colleague = await two.talking()
            colleague.sound.start(COLLEAGUE_HZ)
            await together(
                hears(agent.sound, COLLEAGUE_HZ), hears(colleague.sound, AGENT_HZ), hears_music(customer.sound)
            )

            await one.console.intend("consult.conference", contact_id=contact_id)
            await together(
                hears(customer.sound, AGENT_HZ, COLLEAGUE_HZ),
                hears(agent.sound, CUSTOMER_HZ, COLLEAGUE_HZ),
                hears(colleague.sound, CUSTOMER_HZ, AGENT_HZ),
            )

            await colleague.hang_up()
            await together(hears(customer.sound, AGENT_HZ), hears(agent.sound, CUSTOMER_HZ))
            await customer.hang_up()
            await agent.ended()
        recorded = await until_recorded(http, 2)
        assert {each["agent_id"] for each in recorded} == {"agent1", "agent2"}
