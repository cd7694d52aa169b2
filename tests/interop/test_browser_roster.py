"""A roster in a real browser: brought in on the floor, kept to or not, and in the reports; in both languages."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.async_api import expect

import agent_console
from tests.support.browser_page import console_page
from tests.support.console_looks import LOOKS, Scheme, dress, look_at
from tests.support.floor_people import Seat
from tests.support.installation import BOSS, Installation, Plan, running_installation
from tests.support.peers import missing

pytestmark = pytest.mark.interop


@pytest.fixture(scope="module")
def house() -> Iterator[Installation]:
    if not (Path(agent_console.__file__).parent / "static" / "index.html").exists():
        missing("the console is not built (make setup)")
    with running_installation(Plan(agents=2)) as house:
        yield house


def roster(activity: str) -> str:
    """Both agents are planned for two hours around now."""
    now = datetime.now(UTC)
    start, end = ((now + timedelta(hours=hours)).isoformat(timespec="minutes") for hours in (-1, 1))
    lines = [f"{agent},{start},{end},{activity},yes,UTC" for agent in ("agent1", "agent2")]
    return "\n".join(["agent,from,to,activity,paid,time_zone", *lines]) + "\n"


@pytest.mark.parametrize(("language", "scheme"), LOOKS)
async def test_a_roster_is_brought_in_and_the_floor_shows_who_does_otherwise(
    house: Installation, tmp_path: Path, language: str, scheme: Scheme
) -> None:
    words = {"en": ("Training", "Queues", "Adherence"), "zh": ("培训", "接听队列", "排班遵守率")}[language]
    file = tmp_path / "roster.csv"
    async with console_page(house, tmp_path, refused=(422,)) as page, Seat(house, "agent1") as seat:
        await dress(page, language, scheme)
        await page.sign_in(BOSS)
        await page.part("nav-floor").click()
        await seat.go_ready()
        for activity, out in (("training", True), ("on_queue", False)):
            await page.part("open-shifts").click()
            file.write_text(roster("sleep"), "utf-8")
            await page.part("shifts-file").set_input_files(file)
            await expect(page.part("problem")).to_contain_text("line 2: 'sleep'")
            file.write_text(roster(activity), "utf-8")
            await page.part("shifts-file").set_input_files(file)
            await expect(page.part("shifts-preview")).to_contain_text("roster.csv")
            await page.part("shifts-run").click()
            await expect(page.part("shift").first).to_contain_text(words[0 if out else 1])
            await look_at(page, f"roster-{activity}-{language}-{scheme}")
            await page.page.keyboard.press("Escape")
            row = page.part("agent-row").filter(has_text="Agent 1")
            await expect(row).to_contain_text(words[0 if out else 1])
            await expect(row.get_by_test_id("out-of-schedule")).to_have_count(1 if out else 0)
            await look_at(page, f"floor-roster-{activity}-{language}-{scheme}")
        await page.part("nav-reports").click()
        table = page.part("report-roster")
        await expect(table).to_contain_text(words[2], timeout=60_000)
        line = table.get_by_test_id("report-line").and_(page.page.locator("[data-id=agent2]"))
        await expect(line.locator("[data-metric=adherence]")).to_have_text(re.compile(r"\d+\s?%"))
        await look_at(page, f"reports-{language}-{scheme}")
