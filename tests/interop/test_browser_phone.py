"""A real browser as an agent's phone: what customer and agent hear, over mute, reload and both ways to hang up."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.async_api import expect

import agent_console
from tests.support.browser_phone import BROWSER_HZ, browser_phone
from tests.support.floor_people import CUSTOMER_HZ, calling
from tests.support.installation import Installation, Plan, running_installation
from tests.support.peers import missing
from tests.support.waiting import until

pytestmark = pytest.mark.interop


@pytest.fixture(scope="module")
def house() -> Iterator[Installation]:
    if not (Path(agent_console.__file__).parent / "static" / "index.html").exists():
        missing("the console is not built (make setup)")
    with running_installation(Plan(agents=1, ring_seconds=60, wrap_up_seconds=120, browsers=True)) as house:
        yield house


async def test_an_agent_without_any_sip_phone_takes_a_call_in_the_browser(house: Installation, tmp_path: Path):
    async with browser_phone(house, tmp_path) as phone:
        await phone.ready("agent1")
        async with calling(house, "+12125550301") as customer:
            await phone.accept()
            await customer.sound.wait_heard(BROWSER_HZ, timeout=10, share=0.9)
            await phone.hears(CUSTOMER_HZ)
            assert customer.sound.heard_tone(CUSTOMER_HZ) < 0.1

            await phone.desk.part("mute").click()
            await until("a muted agent is silent", lambda: customer.sound.heard_tone(BROWSER_HZ) < 0.01)
            await phone.desk.part("mute").click()
            await customer.sound.wait_heard(BROWSER_HZ, share=0.9)

            await phone.desk.page.reload()
            await phone.until_phase("up")
            await customer.sound.wait_heard(BROWSER_HZ, timeout=10, share=0.9)
            await phone.hears(CUSTOMER_HZ)

            await expect(phone.desk.part("quality")).to_have_attribute("data-grade", "good")
            await phone.desk.part("hang-up").click()
            await customer.ended()
        await expect(phone.desk.part("wrap-up")).to_be_visible()
