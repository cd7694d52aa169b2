"""Supervision that is listened to: each party sends a tone or says a sentence, and each route is heard where it leads
and nowhere else.

Through the whole product: site, console, SIP, media processes.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from callcenter.demo.console_client import ConsoleClient
from callcenter.media.endpoint import RtpEndpoint
from tests.support import who_hears
from tests.support.floor_people import AGENT_HZ, CUSTOMER_HZ, AgentPhone, Seat, calling, hear_each_other
from tests.support.installation import BOSS, PASSWORD, Installation, Plan, running_installation
from tests.support.sentences import spoken
from tests.support.waiting import together

pytestmark = pytest.mark.interop

BOSS_HZ = 1000.0


@pytest.fixture(scope="module")
def house() -> Iterator[Installation]:
    with running_installation(Plan(agents=1)) as house:
        yield house


@dataclass(frozen=True, slots=True)
class Sounds:
    """What everybody sends, by who it is, and how it is told who hears it."""

    of: Mapping[str, float | Path]
    hears_only: Callable[..., Coroutine[None, None, None]]


async def tones(_: Path) -> Sounds:
    of = {"customer": CUSTOMER_HZ, "agent": AGENT_HZ, "boss": BOSS_HZ}

    async def hears_only(sound: RtpEndpoint, *speakers: str) -> None:
        await who_hears.hears_only(sound, *(of[each] for each in speakers), of=tuple(of.values()))

    return Sounds(of, hears_only)


async def sentences(folder: Path) -> Sounds:
    said = await spoken(
        {
            "customer": "My washing machine has leaked since Tuesday; I would like somebody to come and look at it.",
            "agent": "Good morning, you are speaking with the service desk; may I have your contract number, please?",
            "boss": "Offer him an appointment on Thursday between nine and eleven, the technician is in his street.",
        },
        folder,
    )
    return Sounds(said.files, said.hears_only)


@pytest.mark.parametrize("sending", [tones, sentences])
async def test_every_way_of_taking_part_is_heard_where_it_shall_be_and_nowhere_else(
    house: Installation, tmp_path: Path, sending: Callable[[Path], Awaitable[Sounds]]
) -> None:
    sounds = await sending(tmp_path)
    hears_only = sounds.hears_only
    desk = ConsoleClient(house.base_url, BOSS, PASSWORD)
    watching = asyncio.create_task(desk.run())
    try:
        async with Seat(house, "agent1") as seat, AgentPhone(house, BOSS) as boss:
            await seat.go_ready()
            async with calling(house, "+12125550190") as customer:
                agent = await seat.talking()
                await hear_each_other(customer, agent)
                contact_id = await seat.works_on()
                customer.sound.start(sounds.of["customer"])
                agent.sound.start(sounds.of["agent"])
                await together(hears_only(customer.sound, "agent"), hears_only(agent.sound, "customer"))

                async def wish(how: str) -> None:
                    await desk.intend("contact.supervise", contact_id=contact_id, how=how)

                await wish("monitor")
                listener = await boss.talking()
                listener.sound.start(sounds.of["boss"])
                await together(
                    hears_only(listener.sound, "customer", "agent"),
                    hears_only(customer.sound, "agent"),
                    hears_only(agent.sound, "customer"),
                )

                await wish("whisper")
                await together(
                    hears_only(agent.sound, "customer", "boss"),
                    hears_only(customer.sound, "agent"),
                    hears_only(listener.sound, "customer", "agent"),
                )

                await wish("barge")
                await together(
                    hears_only(customer.sound, "agent", "boss"),
                    hears_only(agent.sound, "customer", "boss"),
                    hears_only(listener.sound, "customer", "agent"),
                )

                await wish("monitor")
                await hears_only(customer.sound, "agent")
                await wish("take_over")
                await agent.ended()
                await together(hears_only(customer.sound, "boss"), hears_only(listener.sound, "customer"))
                await customer.hang_up()
                await listener.ended()
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
