"""A real browser steers real calls: hold, consultation, transfer and park, by mouse and by keyboard."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.async_api import expect

import agent_console
from tests.support.browser_page import console_page
from tests.support.console_looks import is_accessible
from tests.support.floor_people import AgentPhone, calling
from tests.support.installation import BOSS, Installation, Plan, running_installation
from tests.support.peers import missing

pytestmark = pytest.mark.interop


@pytest.fixture(scope="module")
def house() -> Iterator[Installation]:
    if not (Path(agent_console.__file__).parent / "static" / "index.html").exists():
        missing("the console is not built (make setup)")
    with running_installation(Plan(agents=3, ring_seconds=60, wrap_up_seconds=120)) as house:
        yield house


async def test_an_agent_holds_a_call_asks_a_colleague_and_hands_it_over(house: Installation, tmp_path: Path) -> None:
    number = "+12125550401"
    async with (
        console_page(house, tmp_path) as desk,
        AgentPhone(house, "agent1") as phone,
        AgentPhone(house, "agent2") as colleague,
    ):
        await desk.sign_in("agent1")
        await desk.go_ready()
        async with calling(house, number) as customer:
            await phone.talking()
            await desk.part("hold").click()
            await expect(desk.part("on-hold")).to_be_visible()
            await desk.page.keyboard.press("Alt+Shift+KeyH")
            await expect(desk.part("on-hold")).to_have_count(0)

            async with console_page(house, tmp_path) as other:
                await other.sign_in("agent2")
                await other.go_ready()
                await desk.page.keyboard.press("Alt+Shift+KeyT")
                await expect(desk.part("target-kind")).to_be_focused()
                await desk.part("target-kind").select_option("agent")
                await desk.part("target").select_option("agent2")
                await is_accessible(desk)
                await desk.part("consult-start").click()
                await colleague.talking()
                await expect(desk.part("consult")).to_have_attribute("data-state", "talking")
                await expect(other.part("orders-refused")).to_contain_text("You were asked to join")
                for name in ("hold", "park", "transfer"):
                    await expect(other.part(name)).to_be_disabled()
                    assert await other.part(name).get_attribute("aria-describedby")
                await is_accessible(other)
                await desk.part("consult-swap").click()
                await expect(desk.part("consult")).to_have_attribute("data-state", "held")
                await desk.part("consult-complete").click()
                await expect(desk.part("wrap-up")).to_be_visible()
                await expect(other.part("call-caller")).to_contain_text(number)
                await expect(other.part("hold")).to_be_enabled()
                await expect(other.part("orders-refused")).to_have_count(0)
                await customer.hang_up()
                await expect(other.part("wrap-up")).to_be_visible()


async def test_a_parked_call_is_taken_up_from_the_empty_desk(house: Installation, tmp_path: Path) -> None:
    number = "+12125550402"
    async with console_page(house, tmp_path) as desk, AgentPhone(house, "agent3") as phone:
        await desk.sign_in("agent3")
        await desk.go_ready()
        async with calling(house, number) as customer:
            await phone.talking()
            await desk.part("park").click()
            await desk.part("disposition").select_option("solved")
            await desk.part("finish-wrap-up").click()
            await expect(desk.part("parked-call")).to_contain_text(number)
            await is_accessible(desk)
            await desk.part("retrieve").click()
            await expect(desk.part("call-caller")).to_contain_text(number)
            await customer.hang_up()


async def test_a_supervisor_reads_why_a_caller_waits_and_why_not_that_agent(
    house: Installation, tmp_path: Path
) -> None:
    async with console_page(house, tmp_path) as page:
        await page.sign_in(BOSS)
        await page.part("nav-floor").click()
        async with calling(house, "+12125550403"):
            row = page.part("contact-row").filter(has_text="+12125550403")  # others may be in wrap-up
            await expect(row).to_contain_text("Waiting")
            await row.get_by_test_id("open-why").click()
            await expect(page.part("why-waiting")).to_contain_text("In queue Support, step 1 of its plan")
            await expect(page.part("candidate")).to_have_count(3)
            await expect(page.part("candidates")).to_contain_text("Agent 1")
            await is_accessible(page)
