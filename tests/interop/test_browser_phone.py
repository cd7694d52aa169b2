"""A real browser as an agent's phone: what customer and agent hear, over mute, reload and both ways to hang up."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from playwright.async_api import expect

import agent_console
from callcenter.demo.console_client import ConsoleClient
from tests.support.browser_phone import BROWSER_HZ, browser_phone
from tests.support.floor_people import CUSTOMER_HZ, FRESH_FRAMES, Talk, calling
from tests.support.installation import PASSWORD, Installation, Plan, running_installation
from tests.support.peers import missing
from tests.support.waiting import until

pytestmark = pytest.mark.interop


@asynccontextmanager
async def at_console(house: Installation, login: str) -> AsyncIterator[ConsoleClient]:
    """Another window of an agent, moved by the test."""
    console = ConsoleClient(house.base_url, login, PASSWORD)
    running = asyncio.create_task(console.run(), name=f"console of {login}")
    try:
        await until(f"{login} is seen", lambda: (console.agent or {}).get("contact_id"))
        yield console
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def fresh_tone(customer: Talk) -> None:
    """Wait until the customer hears the agent in packets that came after now."""
    await customer.sound.wait_frames(FRESH_FRAMES, timeout=15)
    await customer.sound.wait_heard(BROWSER_HZ, timeout=15, share=0.9)


@pytest.fixture(scope="module")
def house() -> Iterator[Installation]:
    if not (Path(agent_console.__file__).parent / "static" / "index.html").exists():
        missing("the console is not built (make setup)")
    with running_installation(Plan(agents=2, ring_seconds=60, wrap_up_seconds=120, browsers=True)) as house:
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

            async with at_console(house, "agent1") as console:
                contact_id = str((console.agent or {})["contact_id"])
                await console.intend("contact.hold", contact_id=contact_id)
                await until("a customer on hold does not hear", lambda: customer.sound.heard_tone(BROWSER_HZ) < 0.01)
                await console.intend("contact.resume", contact_id=contact_id)
                await customer.sound.wait_heard(BROWSER_HZ, timeout=10, share=0.9)

            await expect(phone.desk.part("quality")).to_have_attribute("data-grade", "good")
            await phone.desk.part("hang-up").click()
            await customer.ended()
        await expect(phone.desk.part("wrap-up")).to_be_visible()


async def test_the_customer_hangs_up_on_a_browser_and_a_second_tab_takes_over_when_the_first_closes(
    house: Installation, tmp_path: Path
):
    async with browser_phone(house, tmp_path) as phone:
        await phone.ready("agent2")
        second = await phone.desk.page.context.new_page()
        await second.goto(house.base_url)
        await expect(second.get_by_test_id("phone")).to_have_attribute("data-status", "follower")
        async with calling(house, "+12125550302") as customer:
            await phone.accept()
            await customer.sound.wait_heard(BROWSER_HZ, timeout=10, share=0.9)
            await phone.desk.part("keypad").click()
            await phone.desk.part("digit-7").click()
            await until("the customer gets the digit", lambda: "7" in customer.sound.digits)

            await phone.desk.page.goto("about:blank")
            await expect(second.get_by_test_id("phone")).to_have_attribute("data-status", "ready")
            await expect(second.get_by_test_id("phone-panel")).to_have_attribute("data-phase", "up")
            await customer.sound.wait_heard(BROWSER_HZ, timeout=10, share=0.9)

            peers = await second.evaluate("window.peers.length")
            described = "window.peers.at(-1).remoteDescription.sdp"
            await second.evaluate(f"window.before = {described}")
            await second.evaluate("window.dispatchEvent(new Event('online'))")
            await second.wait_for_function(f"{described} !== window.before")
            await second.wait_for_function("window.peers.at(-1).iceConnectionState === 'connected'")
            await fresh_tone(customer)
            assert await second.evaluate("window.peers.length") == peers, "ICE restarts, the connection stays"

            await house.kill("browsers")
            await until("the page has begun anew", lambda: second.evaluate(f"window.peers.length > {peers}"))
            await fresh_tone(customer)

            await house.kill("web")
            await fresh_tone(customer)
            await expect(second.get_by_test_id("connection")).to_be_visible()
            await customer.hang_up()
        await expect(second.get_by_test_id("wrap-up")).to_be_visible()
        await expect(second.get_by_test_id("phone-panel")).to_have_count(0)
