"""A carrier that takes calls of ours: one phone at a gateway's address, which answers and speaks a tone."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager

from callcenter.media.endpoint import RtpEndpoint
from callcenter.sip.phone import SoftPhone
from tests.support.floor_people import CUSTOMER_HZ, Talk
from tests.support.installation import Installation
from tests.support.ports import free_sip_port

GATEWAY_HOST = "127.0.0.5"
OUTSIDE = "+12025550177"


def free_gateway(host: str = GATEWAY_HOST) -> tuple[str, int]:
    """An address at which nobody is yet."""
    return host, free_sip_port(host)


def out_to(gateway: tuple[str, int], *, trunk: Sequence[str] = (), outbound: Sequence[str] = ()) -> str:
    """Tables of a site file by which ordinary numbers are called through this gateway; more lines of the two tables."""
    return "\n".join(
        (
            "[[trunks]]",
            'id = "outside"',
            f'gateways = ["{gateway[0]}:{gateway[1]}"]',
            'transport = "udp"',
            "options_seconds = 0",
            *trunk,
            "",
            "[outbound]",
            "national = true",
            *outbound,
            "",
        )
    )


@asynccontextmanager
async def called_outside(house: Installation, gateway: tuple[str, int]) -> AsyncIterator[Callable[[], Awaitable[Talk]]]:
    """A gateway; what is yielded waits for a call, answers it with the customers' tone, and returns it."""
    phone = SoftPhone(host=gateway[0], port=gateway[1], server=house.sip, username="carrier")
    await phone.start()
    sound = await RtpEndpoint.open(gateway[0])

    async def answered() -> Talk:
        async with asyncio.timeout(15):
            call = await phone.next_call()
        call.on_reoffer = sound.sdp_answer
        call.ring()
        call.answer(sound.sdp_answer(call.sdp))
        sound.start(CUSTOMER_HZ)
        return Talk(call, sound)

    try:
        yield answered
    finally:
        await sound.close()
        await phone.stop()
