"""Real sockets and real timers behind a relay that loses, doubles and reorders up to 30 % both ways.

The same on virtual time, with more seeds, is in ``tests/unit/sip/test_sip_lossy_network.py``; here it is shown that the
sockets and the clock around the pure layers keep the promise, too.
"""

import asyncio

import pytest

from callcenter.calls.legs import LegAnswered, LegEnded, LegOffered, LegRefused
from callcenter.sip.phone import CallRefused, SoftPhone
from tests.support.bad_relay import bad_relay
from tests.support.sip_agent import SDP, live_agent
from tests.support.waiting import until

pytestmark = pytest.mark.interop

CARRIER_HOST = "127.0.0.2"
SHARES = (0.01, 0.05, 0.1, 0.2, 0.3)
CALLS = 12
TIMER_SECONDS = 32.0
"""64*T1."""


async def calls_through(share: float, seed: int) -> None:
    """Calls are made, answered and hung up; nothing is doubled, nothing is left."""
    async with (
        live_agent() as live,
        bad_relay(("127.0.0.1", live.agent.port), CARRIER_HOST, share=share, seed=seed) as relay,
    ):
        live.answer_everything()
        phone = SoftPhone(host=CARRIER_HOST, server=relay.address, username="carrier")
        await phone.start()
        try:
            made = [await phone.call("5000", SDP) for _ in range(CALLS)]
            answers = await asyncio.wait_for(
                asyncio.gather(*(call.answered() for call in made), return_exceptions=True), 2 * TIMER_SECONDS
            )
            assert not [each for each in answers if not isinstance(each, str | CallRefused)], answers
            up = [call for call, answer in zip(made, answers, strict=True) if isinstance(answer, str)]
            # Seven INVITEs in 32 seconds: one in 4,500 is lost at 30 %.
            assert len(up) >= CALLS - (1 if share >= 0.3 else 0), (share, len(up))
            offered = live.told(LegOffered)
            assert len({each.sip_call_id for each in offered}) == len(offered) <= CALLS, "a call came twice"
            await asyncio.wait_for(asyncio.gather(*(call.hang_up() for call in up)), 2 * TIMER_SECONDS)
            await until("every leg is over", lambda: live.agent.leg_count == 0, within=3 * TIMER_SECONDS)
            ended = [each.leg_id for each in (*live.told(LegEnded), *live.told(LegRefused))]
            assert sorted(ended) == sorted(each.leg_id for each in offered), "each ended once"
            assert not live.told(LegAnswered)
            await until(
                "no transaction is left", lambda: live.agent.counters()["transactions"] == 0, within=2 * TIMER_SECONDS
            )
            assert sum(relay.lost) > 0 or share < 0.05
        finally:
            await phone.stop()


async def test_one_invite_stays_one_call_whatever_the_relay_does_to_it():
    async with asyncio.TaskGroup() as worlds:
        for number, share in enumerate(SHARES):
            worlds.create_task(calls_through(share, seed=4_000 + number))
