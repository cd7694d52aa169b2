"""The floor in a real browser: a team lead's share of it, and the entry to a queue with its hours and its switch."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.async_api import expect

import agent_console
from callcenter.accounts import hash_password
from crm_bridge.catalogue import define_level
from crm_bridge.database import Database
from tests.support.browser_page import console_page
from tests.support.console_looks import LOOKS, Scheme, dress, look_at
from tests.support.floor_people import Seat, calling
from tests.support.installation import BOSS, PASSWORD, Installation, Plan, running_installation
from tests.support.peers import missing
from tests.support.surveys import surveying_flow

pytestmark = pytest.mark.interop

LEAD = "lead"
SITE = f"""\
[[agents]]
id = "{LEAD}"
name = "Lea Lindt"
login = "{LEAD}"
password_hash = "{hash_password(PASSWORD)}"
roles = ["team_lead"]
teams = ["north"]

[hours.always]
timezone = "Asia/Shanghai"
weekly = [{{ days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"], from = "00:00", to = "24:00" }}]
holidays = [{{ date = 2090-10-01, periods = [{{ from = "10:00", to = "12:30" }}] }}, {{ date = 2090-10-02 }}]
"""


@pytest.fixture(scope="module")
def house() -> Iterator[Installation]:
    if not (Path(agent_console.__file__).parent / "static" / "index.html").exists():
        missing("the console is not built (make setup)")
    plan = Plan(
        agents=2,
        ring_seconds=60,
        more_site=SITE,
        queue_lines=('hours = "always"',),
        agent_lines=(("agent1", 'teams = ["north"]'), ("agent2", 'teams = ["south"]')),
        flow=surveying_flow(),
    )
    with running_installation(plan) as house:
        yield house


async def test_a_team_lead_sees_the_own_team_its_calls_and_who_waits_and_nobody_else(
    house: Installation, tmp_path: Path
) -> None:
    async with (
        console_page(house, tmp_path) as page,
        Seat(house, "agent1") as north,
        Seat(house, "agent2") as south,
    ):
        await page.sign_in(LEAD)
        await page.part("nav-floor").click()
        await expect(page.part("agent-row")).to_have_count(1)
        await expect(page.part("agent-row")).to_contain_text("Agent 1")
        await south.go_ready()
        async with calling(house, "+12125550601") as other:
            await south.talking()
            await north.go_ready()
            async with calling(house, "+12125550602") as own:
                await north.talking()
                row = page.part("contact-row").filter(has_text="+12125550602")
                await expect(row.get_by_test_id("supervise")).to_be_visible()
                async with calling(house, "+12125550603") as waiting:
                    await expect(page.part("contact-row").filter(has_text="+12125550603")).to_have_count(1)
                    await expect(page.part("contact-row").filter(has_text="+12125550601")).to_have_count(0)
                    await expect(page.part("agent-row")).to_have_count(1)
                    await look_at(page, "floor-of-a-team")
                    await waiting.hang_up()
                await own.hang_up()
            await other.hang_up()
        await page.part("open-entry").first.click()
        await expect(page.part("hours-now")).to_have_attribute("data-open", "true")
        await expect(page.part("entry-switch")).to_have_count(0)


@pytest.mark.parametrize(("language", "scheme"), LOOKS)
async def test_the_level_of_whoever_waits_is_seen_at_a_glance(
    house: Installation, tmp_path: Path, language: str, scheme: Scheme
) -> None:
    number = {"en": "+12125550604", "zh": "+12125550605"}[language]
    database = Database(house.settings.store_url)
    async with database.begin() as session:
        await define_level(session, "key", name="Key account", rank=90, colour="#aa0000", rule=None)
    await database.close()
    async with house.signed_in(BOSS) as http:
        body = {"display_name": f"Gus Gold {language}", "contact_points": [{"value": number}]}
        gus = (await http.post("/api/v1/customers", json=body)).raise_for_status().json()
        path, level = f"/api/v1/customers/{gus['id']}/level", {"code": "key", "reason": "ten years"}
        (await http.put(path, json=level, headers={"If-Match": "*"})).raise_for_status()
    async with console_page(house, tmp_path) as page:
        await dress(page, language, scheme)
        await page.sign_in(BOSS)
        await page.part("nav-floor").click()
        async with calling(house, number) as gus_calls, calling(house, "+12125550606") as other:
            row = page.part("contact-row").filter(has_text="Gus Gold")
            await expect(row.get_by_test_id("level-badge")).to_have_text("Key account")
            await expect(page.part("level-badge")).to_have_count(1)
            await look_at(page, f"floor-level-{language}-{scheme}")
            await gus_calls.hang_up()
            await other.hang_up()


@pytest.mark.parametrize(("language", "scheme"), LOOKS)
async def test_whoever_answers_a_survey_is_seen_to_after_the_agent_has_hung_up(
    house: Installation, tmp_path: Path, language: str, scheme: Scheme
) -> None:
    """And the agents' figures fit beside each other on the page of reports."""
    number, agent = {"en": ("+12125550607", "agent1"), "zh": ("+12125550608", "agent2")}[language]
    word = {"en": "Survey", "zh": "调查中"}[language]
    async with console_page(house, tmp_path) as page, Seat(house, agent) as seat:
        await dress(page, language, scheme)
        await page.sign_in(BOSS)
        await page.part("nav-floor").click()
        await seat.go_ready()
        async with calling(house, number) as customer:
            talk = await seat.talking()
            await seat.until_state("busy")
            await talk.call.hang_up()
            row = page.part("contact-row").filter(has_text=number).filter(has_text=word)
            await expect(row).to_have_count(1)
            await look_at(page, f"floor-survey-{language}-{scheme}")
            await customer.hang_up()
        await expect(page.part("contact-row").filter(has_text=word)).to_have_count(0)
        await page.part("nav-reports").click()
        await expect(page.part("report-line").first).to_be_visible()
        await look_at(page, f"reports-{language}-{scheme}")
        hidden = "tables => tables.map(each => each.scrollWidth - each.clientWidth)"
        await page.page.set_viewport_size({"width": 1440, "height": 900})
        assert max(await page.page.locator("[data-testid^=report-] [role=region]").evaluate_all(hidden)) <= 0


@pytest.mark.parametrize(("language", "scheme"), LOOKS)
async def test_a_supervisor_closes_a_queue_in_an_emergency_and_opens_it_again(
    house: Installation, tmp_path: Path, language: str, scheme: Scheme
) -> None:
    closed, wednesday = {"en": ("Closed by hand", "Wednesday"), "zh": ("已手动关闭", "星期三")}[language]
    async with console_page(house, tmp_path) as page:
        await dress(page, language, scheme)
        await page.sign_in(BOSS)
        await page.part("nav-floor").click()
        row = page.part("queue-row").filter(has_text={"en": "Support", "zh": "技术支持"}[language])
        await row.get_by_test_id("open-entry").click()
        await expect(page.part("hours-week")).to_contain_text(wednesday)
        await expect(page.part("hours-week")).to_contain_text("00:00–24:00")
        await expect(page.part("hours-holidays")).to_contain_text("10:00–12:30")
        await look_at(page, f"entry-{language}-{scheme}")
        await page.part("entry-switch").click()
        await expect(page.part("entry-state")).to_have_text(closed)
        await look_at(page, f"entry-closed-{language}-{scheme}")
        await page.page.keyboard.press("Escape")
        await expect(row.get_by_test_id("open-entry")).to_have_text(closed)
        await look_at(page, f"floor-closed-{language}-{scheme}")

        async with calling(house, "+12125550604") as turned_away:
            await turned_away.ended()

        await row.get_by_test_id("open-entry").click()
        await page.part("entry-switch").click()
        await expect(page.part("entry-state")).not_to_have_text(closed)
    *_, shut, opened = house.journal.read(kinds=("queue.closed", "queue.opened"))
    assert (shut.kind, opened.kind) == ("queue.closed", "queue.opened")
    assert not house.journal.read(after=shut.seq, kinds=("offer.made",))
