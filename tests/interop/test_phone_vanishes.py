"""A phone that is gone without a word: its agent leaves the pool, and comes back with the phone.

That this takes ten seconds at most is shown in virtual time, where nothing else has the processor.
"""

import os
import signal
from collections.abc import Iterator

import pytest

from tests.support.baresip import Account, baresip
from tests.support.floor_people import ready_at_console
from tests.support.installation import PASSWORD, Installation, Plan, running_installation
from tests.support.waiting import until

pytestmark = pytest.mark.interop


@pytest.fixture(scope="module")
def house() -> Iterator[Installation]:
    with running_installation(Plan(agents=1, sip_lines=('digest_algorithms = ["MD5"]',))) as house:
        yield house


async def test_a_frozen_phone_takes_its_agent_out_of_the_pool_until_it_is_back(house):
    async with baresip(Account("agent1", PASSWORD, house.sip)) as phone:
        await phone.until_registered()
        async with ready_at_console(house, "agent1") as console:

            def stands(state: str, reason: str | None = None) -> bool:
                agent = console.agent or {}
                return (agent.get("state"), agent.get("reason")) == (state, reason)

            await until("it was asked and answered", lambda: "OPTIONS sip:" in phone.output)
            os.kill(phone.process.pid, signal.SIGSTOP)
            try:
                await until("its agent is paused", lambda: stands("not_ready", "phone_gone"), within=30)
            finally:
                os.kill(phone.process.pid, signal.SIGCONT)
            await until("its agent is ready again", lambda: stands("ready"))
