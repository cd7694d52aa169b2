"""Callbacks in a real browser: an agent promises one by hand and calls it off, a supervisor sees and orders them."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.async_api import expect

import agent_console
from callcenter.calls.callback_facts import CallbackClosed, CallbackMoved, CallbackRequested
from tests.support.browser_page import console_page
from tests.support.floor_people import AgentPhone, calling
from tests.support.installation import BOSS, Installation, Plan, running_installation
from tests.support.peers import missing
from tests.support.waiting import until

pytestmark = pytest.mark.interop

ADA = "+12125550401"


@pytest.fixture(scope="module")
def house() -> Iterator[Installation]:
    if not (Path(agent_console.__file__).parent / "static" / "index.html").exists():
        missing("the console is not built (make setup)")
    plan = Plan(agents=1, ring_seconds=60, wrap_up_seconds=120, queue_lines=("callback_most = 5",))
    with running_installation(plan) as house:
        yield house


def facts(house: Installation, kind: type) -> list[object]:
    return [row.entry for row in house.journal.read() if isinstance(row.entry, kind)]


async def test_a_callback_by_hand_is_seen_by_both_moved_by_the_supervisor_and_called_off(house, tmp_path):
    async with (
        console_page(house, tmp_path) as desk,
        console_page(house, tmp_path) as floor,
        AgentPhone(house, "agent1") as phone,
    ):
        await floor.sign_in(BOSS)
        await desk.sign_in("agent1")
        await desk.go_ready()
        async with calling(house, ADA) as customer:
            await phone.talking()
            await desk.part("promise-callback").click()
            await expect(desk.part("callback-promised")).to_be_visible()
            await customer.hang_up()
        (asked,) = facts(house, CallbackRequested)
        assert (asked.caller, asked.by) == (ADA, "agent1")
        row = floor.part("callback-row")
        await expect(row).to_contain_text(ADA)
        await expect(row).to_contain_text("0 / 3")
        await floor.page.screenshot(path=tmp_path / "floor.png", full_page=True)
        await row.get_by_test_id("callback-top").click()
        await expect(row).to_contain_text("First")
        await until("the order is written down", lambda: facts(house, CallbackMoved))
        assert facts(house, CallbackMoved)[0].by == BOSS
        await row.get_by_test_id("callback-off").click()
        await expect(row).to_have_count(0)
        await expect(desk.part("promise-callback")).to_be_visible()
        (closed,) = facts(house, CallbackClosed)
        assert (closed.result, closed.by) == ("called_off", BOSS)
