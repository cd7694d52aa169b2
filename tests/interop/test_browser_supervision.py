"""A supervisor at the floor page listens, whispers, barges in, leaves and takes over by the menu; it is listened to."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.async_api import Locator, expect

import agent_console
from callcenter.media.endpoint import RtpEndpoint
from tests.support.browser_page import ConsolePage, console_page
from tests.support.console_looks import is_accessible
from tests.support.floor_people import AGENT_HZ, CUSTOMER_HZ, FRESH_FRAMES, AgentPhone, Seat, calling, hear_each_other
from tests.support.installation import BOSS, Installation, Plan, running_installation
from tests.support.outside_gateway import OUTSIDE, called_outside, free_gateway, out_to
from tests.support.peers import missing
from tests.support.waiting import until

pytestmark = pytest.mark.interop

BOSS_HZ = 1000.0
PRESENT, ABSENT = 0.15, 0.02
CARRIER = free_gateway("127.0.0.6")


@pytest.fixture(scope="module")
def house() -> Iterator[Installation]:
    if not (Path(agent_console.__file__).parent / "static" / "index.html").exists():
        missing("the console is not built (make setup)")
    with running_installation(Plan(agents=1, ring_seconds=60, more_site=out_to(CARRIER))) as house:
        yield house


async def hears_boss(sound: RtpEndpoint, wanted: bool) -> None:
    """Whether the supervisor is in sound that comes after this moment."""
    await sound.wait_frames(FRESH_FRAMES, timeout=15)
    await until(
        f"the supervisor is {'' if wanted else 'not '}heard",
        lambda: sound.heard_tone(BOSS_HZ) > PRESENT if wanted else sound.heard_tone(BOSS_HZ) < ABSENT,
    )


async def choose(page: ConsolePage, row: Locator, how: str) -> None:
    """Take an entry of the menu."""
    await row.get_by_test_id("supervise").click()
    await page.part(f"supervise-{how}").click()


async def test_the_menu_leads_through_every_way_of_taking_part(house: Installation, tmp_path: Path) -> None:
    number = "+12125550501"
    async with (
        console_page(house, tmp_path) as page,
        Seat(house, "agent1") as seat,
        AgentPhone(house, BOSS, speaks=False) as boss,
    ):
        await page.sign_in(BOSS)
        await page.part("nav-floor").click()
        await seat.go_ready()
        async with calling(house, number) as customer:
            agent = await seat.talking()
            await hear_each_other(customer, agent)
            row = page.part("contact-row").filter(has_text=number)
            button = row.get_by_role("button", name=f"Supervise: Agent 1 with {number}")
            await expect(button).to_be_visible()

            await choose(page, row, "monitor")
            listener = await boss.talking()
            listener.sound.start(BOSS_HZ)
            told = row.get_by_test_id("supervision")
            await expect(told).to_contain_text("Robin Field")
            await expect(told).not_to_contain_text(BOSS)
            await until(
                "both are heard",
                lambda: min(listener.sound.heard_tone(each) for each in (CUSTOMER_HZ, AGENT_HZ)) > PRESENT,
            )
            await hears_boss(agent.sound, False)
            await hears_boss(customer.sound, False)
            await is_accessible(page)

            await choose(page, row, "whisper")
            await hears_boss(agent.sound, True)
            await hears_boss(customer.sound, False)

            await choose(page, row, "barge")
            await hears_boss(customer.sound, True)
            await hears_boss(agent.sound, True)

            await choose(page, row, "leave")
            await listener.ended()
            await expect(told).to_have_count(0)
            await hears_boss(customer.sound, False)

            await choose(page, row, "monitor")
            again = await boss.talking(2)
            again.sound.start(BOSS_HZ)
            await expect(row.get_by_test_id("supervision")).to_be_visible()
            await choose(page, row, "take_over")
            await agent.ended()
            await hears_boss(customer.sound, True)
            assert customer.sound.heard_tone(AGENT_HZ) < ABSENT
            await expect(row).to_contain_text("Robin Field")
            await customer.hang_up()
            await again.ended()


async def test_a_call_that_nobody_of_the_house_has_any_more_is_ended_at_the_floor(
    house: Installation, tmp_path: Path
) -> None:
    number = "+12125550502"
    async with (
        console_page(house, tmp_path) as page,
        Seat(house, "agent1") as seat,
        called_outside(house, CARRIER) as answered,
    ):
        await page.sign_in(BOSS)
        await page.part("nav-floor").click()
        await seat.go_ready()
        async with calling(house, number) as customer:
            first = await seat.talking()
            where = {"target_kind": "number", "target": OUTSIDE}
            await seat.console.intend("contact.transfer", contact_id=await seat.works_on(), **where)
            outside = await answered()
            await first.ended()
            row = page.part("contact-row").filter(has_text=number)
            await expect(row.get_by_test_id("supervise")).to_be_visible()
            await row.get_by_test_id("supervise").click()
            await expect(page.page.get_by_role("menuitem")).to_have_count(1)
            await expect(page.part("supervise-end")).to_have_text("End this call")
            await page.part("supervise-end").click()
            await customer.ended()
            await outside.ended()
            await expect(row).to_have_count(0)
