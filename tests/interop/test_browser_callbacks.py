"""Callbacks in a real browser: an agent promises one by hand and calls it off, a supervisor sees and orders them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import expect

import agent_console
from callcenter.calls.callback_facts import CallbackClosed, CallbackMoved, CallbackRequested
from callcenter.channels.facts import ItemMoved
from tests.support.browser_page import ConsolePage, console_page
from tests.support.console_looks import LOOKS, Scheme, dress, look_at
from tests.support.floor_people import AgentPhone, calling
from tests.support.installation import BOSS, Installation, Plan, running_installation
from tests.support.message_box import BOX_NUMBER, leave_message, site_with_box
from tests.support.peers import missing
from tests.support.waiting import until

pytestmark = pytest.mark.interop

ADA, BOB, CLEO = "+12125550401", "+12125550402", "+12125550403"


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    if not (Path(agent_console.__file__).parent / "static" / "index.html").exists():
        missing("the console is not built (make setup)")
    site = site_with_box(tmp_path_factory.mktemp("flow"), box="agent1")
    more = {"queue_lines": ("callback_most = 5",), "records": True, "more_site": site}
    plan = Plan(agents=2, ring_seconds=60, wrap_up_seconds=120, **more)
    with running_installation(plan) as house:
        yield house


def facts(house: Installation, kind: type[Any]) -> list[Any]:
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
        await desk.part("disposition").select_option("solved")
        await desk.part("finish-wrap-up").click()
        await desk.until_agent_is("ready")


async def still_or_again_ready(desk: ConsolePage) -> None:
    """Ready, also when the test before is so short ago that the seat was not given up."""
    may_press = desk.page.locator('[data-testid="go-ready"]:not([disabled])')
    is_ready = desk.page.locator('[data-testid="agent-state"][data-state="ready"]')
    await expect(may_press.or_(is_ready).first).to_be_visible()
    if await may_press.count():
        await may_press.click()
    await desk.until_agent_is("ready")


@pytest.mark.parametrize(("language", "scheme"), [LOOKS[0], LOOKS[-1]])
async def test_who_leaves_hands_over_a_promised_callback_and_a_message_in_the_own_box(
    house: Installation, tmp_path: Path, language: str, scheme: Scheme
) -> None:
    """There and back: each time the wizard counts both, and nothing is left."""
    leaver, heir = ("agent1", "agent2") if language == "en" else ("agent2", "agent1")
    async with console_page(house, tmp_path) as page:
        if language == "en":
            async with console_page(house, tmp_path) as desk, AgentPhone(house, leaver) as phone:
                await desk.sign_in(leaver)
                await still_or_again_ready(desk)
                async with calling(house, BOB) as customer:
                    await phone.talking()
                    await desk.part("promise-callback").click()
                    await expect(desk.part("callback-promised")).to_be_visible()
                    await customer.hang_up()
            async with calling(house, CLEO, "", called=BOX_NUMBER) as caller:
                await leave_message(caller, frames=60, hangs_up=True)
        await dress(page, language, scheme)
        await page.sign_in(BOSS)
        await page.page.goto(f"{house.base_url}/#/hand-over")
        await page.part("hand-over-from").fill(leaver)
        await page.page.keyboard.press("Tab")
        await expect(page.part("holdings-callbacks")).to_have_text("1")
        await expect(page.part("holdings-messages")).to_have_text("1")
        await page.part("hand-over-to").fill(heir)
        await page.page.keyboard.press("Tab")
        await look_at(page, f"hand-over-{language}-{scheme}")
        await page.part("hand-over").click()
        await page.part("confirm").click()
        await expect(page.part("handed-over")).to_contain_text("2")
        await expect(page.part("holdings-none")).to_be_visible()
        moved = facts(house, ItemMoved)[-1]
        assert (moved.by, moved.agent_id) == (BOSS, heir)
        handed = [each for each in facts(house, CallbackMoved) if each.how == "handed"][-1]
        assert (handed.by, handed.to) == (BOSS, heir)
    async with house.signed_in(heir) as http:

        async def lies_in_the_box() -> bool:
            return [each["box"] for each in (await http.get("/api/v1/voicemail")).json()] == [heir]

        await until("the heir has the message", lies_in_the_box)
        (message,) = (await http.get("/api/v1/voicemail")).json()
        heard = await http.get(f"/api/v1/interactions/{message['contact_id']}/recordings/{message['recording_id']}")
        assert heard.status_code == 200, "and may hear it"
