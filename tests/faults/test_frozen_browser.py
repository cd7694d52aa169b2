"""A browser that freezes takes its seat out of the pool; an agent without one works by phone as ever."""

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import agent_console
from tests.support.browser_page import console_page
from tests.support.floor_people import AgentPhone, Seat, calling
from tests.support.installation import Installation, Plan, running_installation
from tests.support.peers import missing
from tests.support.process_table import descendants
from tests.support.waiting import until

pytestmark = pytest.mark.faults

LEASE_SECONDS = 10.0
SLACK_SECONDS = 30.0
"""What a machine that does other work besides may add."""


@pytest.fixture(scope="module")
def house() -> Iterator[Installation]:
    if not (Path(agent_console.__file__).parent / "static" / "index.html").exists():
        missing("the console is not built (make setup)")
    with running_installation(Plan(agents=2, ring_seconds=60)) as house:
        yield house


def freeze(browser: list[int], how: signal.Signals) -> None:
    for pid in browser:
        os.kill(pid, how)


async def test_a_frozen_browser_is_out_of_the_pool_within_the_lease_and_calls_go_to_others(house, tmp_path):
    async with (
        console_page(house, tmp_path) as desk,
        AgentPhone(house, "agent1", answers=False) as frozen_phone,
        Seat(house, "agent2") as other,
    ):
        await other.go_ready()
        await desk.sign_in("agent1")
        await desk.go_ready()
        browser = [row.pid for row in descendants(os.getpid()) if "chrom" in row.command[0]]
        assert browser, "no process of the browser was found"
        freeze(browser, signal.SIGSTOP)
        frozen_at = time.monotonic()
        try:

            def lost() -> bool:
                return any(row.kind == "agent.client_lost" for row in house.journal.read())

            await until("the seat is lost", lost, within=LEASE_SECONDS + SLACK_SECONDS)
            assert time.monotonic() - frozen_at > 3, "not because somebody said goodbye"
            async with calling(house, "+12125550301"):
                await other.until_state("offered", "busy")
            assert frozen_phone.ringing.empty()
        finally:
            freeze(browser, signal.SIGCONT)
        await desk.until_agent_is("not_ready")
