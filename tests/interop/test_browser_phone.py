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
from tests.support.floor_people import AGENT_HZ, CUSTOMER_HZ, FRESH_FRAMES, Seat, Talk, calling, hear_each_other
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


async def until_noted_back(house: Installation) -> None:
    """The exchange wrote down that a browser was away and came back; ``bench_reattach`` prints how fast that goes."""
    await until("the exchange notes that the browser is back", lambda: house.journal.read(kinds=("leg.returned",)))


async def fresh_tone(customer: Talk) -> None:
    """Wait until the customer hears the agent in packets that came after now."""
    await customer.sound.wait_frames(FRESH_FRAMES, timeout=15)
    await customer.sound.wait_heard(BROWSER_HZ, timeout=15, share=0.9)


LONGEST_BACKOFF_MS = 60_000
"""A page that found nobody looks again after a quarter of a minute at most, and may find nobody once more."""


@pytest.fixture(scope="module")
def house() -> Iterator[Installation]:
    if not (Path(agent_console.__file__).parent / "static" / "index.html").exists():
        missing("the console is not built (make setup)")
    with running_installation(Plan(agents=5, ring_seconds=60, wrap_up_seconds=120, browsers=True)) as house:
        yield house


async def test_an_agent_without_any_sip_phone_takes_a_call_in_the_browser(house: Installation, tmp_path: Path):
    async with browser_phone(house, tmp_path) as phone:
        await phone.ready("agent1")
        async with calling(house, "+12125550301") as customer:
            await phone.accept()
            await customer.sound.wait_heard(BROWSER_HZ, timeout=15, share=0.9)
            await phone.hears(CUSTOMER_HZ)
            assert customer.sound.heard_tone(CUSTOMER_HZ) < 0.1

            await phone.desk.part("mute").click()
            await until("a muted agent is silent", lambda: customer.sound.heard_tone(BROWSER_HZ) < 0.01)
            await phone.desk.part("mute").click()
            await customer.sound.wait_heard(BROWSER_HZ, share=0.9)

            await phone.desk.page.reload()
            await phone.until_phase("up")
            await customer.sound.wait_heard(BROWSER_HZ, timeout=15, share=0.9)
            await phone.hears(CUSTOMER_HZ)
            await until_noted_back(house)

            async with at_console(house, "agent1") as console:
                contact_id = str((console.agent or {})["contact_id"])
                await console.intend("contact.hold", contact_id=contact_id)
                await until("a customer on hold does not hear", lambda: customer.sound.heard_tone(BROWSER_HZ) < 0.01)
                await console.intend("contact.resume", contact_id=contact_id)
                await customer.sound.wait_heard(BROWSER_HZ, timeout=15, share=0.9)

            await expect(phone.desk.part("quality")).to_have_attribute("data-grade", "good")
            await phone.desk.part("hang-up").click()
            await customer.ended()
        await expect(phone.desk.part("wrap-up")).to_be_visible()


OTHER_HZ = 1000.0
"""A browser's microphone where ``BROWSER_HZ`` would be the colleague's telephone as well."""


async def test_a_browser_hands_a_call_on_blindly_and_another_one_after_asking(house: Installation, tmp_path: Path):
    """Both from the browser's own console, by mouse and keys; who heard whom is listened to."""
    async with (
        browser_phone(house, tmp_path, hertz=(OTHER_HZ,)) as phone,
        Seat(house, "agent2") as second,
        Seat(house, "agent3") as third,
    ):
        desk = phone.desk
        await phone.ready("agent4")  # the first is in wrap-up after the test before
        async with calling(house, "+12125550303") as customer:
            await phone.accept()
            await customer.sound.wait_heard(OTHER_HZ, timeout=15, share=0.9)
            await second.go_ready()
            await desk.part("transfer").click()
            await desk.part("target-kind").select_option("agent")
            await desk.part("target").select_option("agent2")
            await desk.part("transfer-now").click()
            await hear_each_other(customer, await second.talking())
            assert customer.sound.heard_tone(OTHER_HZ) < 0.02, "who handed on is not heard any more"
            await expect(desk.part("phone-panel")).to_have_count(0)
            await desk.part("disposition").select_option("solved")
            await desk.part("finish-wrap-up").click()
            await desk.until_agent_is("ready")
            await customer.hang_up()

        async with calling(house, "+12125550304") as customer:
            await phone.accept()
            await customer.sound.wait_heard(OTHER_HZ, timeout=15, share=0.9)
            await third.go_ready()
            await desk.page.keyboard.press("Alt+Shift+KeyT")
            await desk.part("target-kind").select_option("agent")
            await desk.part("target").select_option("agent3")
            await desk.part("consult-start").click()
            asked = await third.talking()
            await asked.sound.wait_heard(OTHER_HZ, timeout=15, share=0.9)
            await phone.hears(AGENT_HZ)
            await customer.sound.wait_frames(FRESH_FRAMES)
            assert customer.sound.heard_tone(OTHER_HZ) < 0.02, "the customer hears music meanwhile"
            assert asked.sound.heard_tone(CUSTOMER_HZ) < 0.02
            await desk.part("consult-complete").click()
            await hear_each_other(customer, asked)
            assert customer.sound.heard_tone(OTHER_HZ) < 0.02
            await expect(desk.part("wrap-up")).to_be_visible()
            await expect(desk.part("phone-panel")).to_have_count(0)
            await customer.hang_up()


async def test_the_customer_hangs_up_on_a_browser_and_a_second_tab_takes_over_when_the_first_closes(
    house: Installation, tmp_path: Path
):
    async with browser_phone(house, tmp_path) as phone:
        await phone.ready("agent5")  # the others are in wrap-up after the tests before
        second = await phone.desk.page.context.new_page()
        await second.goto(house.base_url)
        await expect(second.get_by_test_id("phone")).to_have_attribute("data-status", "follower")
        async with calling(house, "+12125550302") as customer:
            await phone.accept()
            await customer.sound.wait_heard(BROWSER_HZ, timeout=15, share=0.9)
            await phone.desk.part("keypad").click()
            await phone.desk.part("digit-7").click()
            await until("the customer gets the digit", lambda: "7" in customer.sound.digits)

            await phone.desk.page.goto("about:blank")
            await expect(second.get_by_test_id("phone")).to_have_attribute("data-status", "ready")
            await expect(second.get_by_test_id("phone-panel")).to_have_attribute("data-phase", "up")
            await customer.sound.wait_heard(BROWSER_HZ, timeout=15, share=0.9)

            peers = await second.evaluate("window.peers.length")
            described = "window.peers.at(-1).remoteDescription.sdp"
            await second.evaluate(f"window.before = {described}")
            await second.evaluate("window.dispatchEvent(new Event('online'))")
            await until("the peer is described anew", lambda: second.evaluate(f"{described} !== window.before"))
            connected = "window.peers.at(-1).iceConnectionState === 'connected'"
            await until("the peer is connected", lambda: second.evaluate(connected))
            await fresh_tone(customer)
            await until_noted_back(house)
            assert await second.evaluate("window.peers.length") == peers, "ICE restarts, the connection stays"

            await house.kill("browsers")
            await until("the page has begun anew", lambda: second.evaluate(f"window.peers.length > {peers}"))
            await fresh_tone(customer)

            await house.kill("web")
            await fresh_tone(customer)
            await expect(second.get_by_test_id("connection")).to_be_visible()
            await customer.hang_up()
        await house.until_up()
        await expect(second.get_by_test_id("wrap-up")).to_be_visible(timeout=LONGEST_BACKOFF_MS)
        await expect(second.get_by_test_id("phone-panel")).to_have_count(0)
