"""A real browser at a long history: 30,000 entries, read both ways, from any day on, and by channel."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.async_api import expect

import agent_console
from crm_bridge.database import Database
from crm_bridge.interactions import InteractionRecord, record_batch
from tests.support.browser_page import ConsolePage, console_page
from tests.support.console_looks import is_accessible
from tests.support.crm_records import call
from tests.support.installation import BOSS, Installation, Plan, running_installation
from tests.support.peers import missing
from tests.support.waiting import until

pytestmark = pytest.mark.interop

CALLER = "+12125550391"
BUSY = "+12125550392"
ENTRIES = 30_000
PAGE = 25
KEPT = 8 * PAGE
"""Entries that the page keeps on the screen."""
BEGAN = datetime(2025, 1, 1, tzinfo=UTC)
BATCH = 2000


@pytest.fixture(scope="module")
def house() -> Iterator[Installation]:
    if not (Path(agent_console.__file__).parent / "static" / "index.html").exists():
        missing("the console is not built (make setup)")
    with running_installation(Plan(agents=1)) as house:
        yield house


async def enter(http: httpx.AsyncClient, name: str, number: str) -> str:
    body = {"display_name": name, "contact_points": [{"value": number}]}
    answer = await http.post("/api/v1/customers", json=body)
    answer.raise_for_status()
    return str(answer.json()["id"])


async def write(house: Installation, records: list[InteractionRecord]) -> None:
    database = Database(house.settings.store_url)
    for start in range(0, len(records), BATCH):
        async with database.begin() as session:
            await record_batch(session, records[start : start + BATCH], region="US")
    await database.close()


def one_of_many(number: int) -> InteractionRecord:
    """Five minutes after the one before: 288 a day, nearly a year of them; one in 10,000 by SMS."""
    started_at = BEGAN + timedelta(minutes=5 * number)
    channel = "sms" if number % 10_000 == 0 else "voice"
    return call(f"n{number}", started_at=started_at, from_value=BUSY, channel=channel, journal_seq=number + 1)


async def open_timeline(page: ConsolePage, customer_id: str) -> None:
    await page.sign_in(BOSS)
    await expect(page.part("nav-customers")).to_be_visible()
    await page.page.goto(f"{page.house.base_url}/#/customers/{customer_id}")
    await expect(page.part("timeline-item").first).to_be_visible()


async def shown(page: ConsolePage) -> list[str]:
    """The ids of the entries on the screen, in their order."""
    found: list[str] = await page.part("timeline-item").evaluate_all("all => all.map(each => each.dataset.entry)")
    return found


async def test_a_transferred_customer_is_one_conversation_that_unfolds(house: Installation, tmp_path: Path) -> None:
    async with house.signed_in() as http, console_page(house, tmp_path) as page:
        first = call("t1", from_value=CALLER, journal_seq=1)
        link = {"parent_contact_id": "t1", "parent_relation": "transfer"}
        second = replace(first, contact_id="t1.2", agent_id="ben", agent_name="Ben", talk_ms=61_000, **link)
        ada = await enter(http, "Ada Handed", CALLER)
        await write(house, [first, second, call("o1", from_value=CALLER, journal_seq=2)])
        await open_timeline(page, ada)
        await expect(page.part("timeline-item")).to_have_count(3)  # with the customer's entry
        await expect(page.part("conversation")).to_contain_text("Lin → Ben")
        await expect(page.part("conversation")).to_contain_text("3:01 talk time")
        await expect(page.part("conversation-part")).to_have_count(0)
        await page.part("unfold").click()
        await expect(page.part("unfold")).to_have_attribute("aria-expanded", "true")
        await expect(page.part("conversation-part")).to_have_count(2)
        await expect(page.part("came-from")).to_have_text("Transferred from Lin")
        await is_accessible(page)
        await page.part("unfold").press("Enter")
        await expect(page.part("conversation-part")).to_have_count(0)


async def test_thirty_thousand_entries_are_read_both_ways_and_from_any_day(house: Installation, tmp_path: Path) -> None:
    async with house.signed_in() as http, console_page(house, tmp_path) as page:
        busy = await enter(http, "Busy Caller", BUSY)
        await write(house, [one_of_many(number) for number in range(ENTRIES)])
        in_store = await thousand_pages(http, busy)
        await open_timeline(page, busy)
        await expect(page.part("load-newer")).to_have_count(0)
        assert await shown(page) == in_store[:PAGE]  # the customer's own entry is the newest of all
        for number in range(2, 13):
            await page.part("load-more").click()
            await expect(page.part("timeline-item").last).to_have_attribute("data-entry", in_store[number * PAGE - 1])
        assert await shown(page) == in_store[12 * PAGE - KEPT : 12 * PAGE]  # the screen does not grow without end
        for number in range(3, -1, -1):
            await page.part("load-newer").click()
            await expect(page.part("timeline-item").first).to_have_attribute("data-entry", in_store[number * PAGE])
        assert await shown(page) == in_store[:KEPT]
        await expect(page.part("load-newer")).to_have_count(0)

        # The thousandth page: the day it begins on, and older pages from there.
        thousandth = in_store[-PAGE:]
        day = (BEGAN + timedelta(minutes=5 * (ENTRIES - 999 * PAGE))).date().isoformat()
        await page.part("timeline-jump").fill(day)
        await expect(page.part("load-newer")).to_be_visible()
        while thousandth[-1] not in await shown(page):
            last = (await shown(page))[-1]
            await page.part("load-more").click()
            await expect(page.part("timeline-item").last).not_to_have_attribute("data-entry", last)
        there = await shown(page)
        place = there.index(thousandth[0])
        assert there[place : place + PAGE] == thousandth
        await is_accessible(page)

        await page.part("timeline-filter").select_option("sms")
        await until("only text messages are shown", lambda: fewer_are_shown(page))
        await expect(page.part("timeline-item").first).to_contain_text("answered", ignore_case=True)
        await page.part("timeline-latest").click()
        await expect(page.part("timeline-item")).to_have_count(ENTRIES // 10_000)
        await page.part("timeline-jump").fill("2024-12-31")
        await expect(page.part("timeline")).to_contain_text("Nothing until this day.")
        await page.part("load-newer").click()
        await expect(page.part("timeline-item")).to_have_count(ENTRIES // 10_000)


async def fewer_are_shown(page: ConsolePage) -> bool:
    """Some of the text messages: those until the day that was jumped to."""
    return 0 < await page.part("timeline-item").count() < ENTRIES // 10_000


async def thousand_pages(http: httpx.AsyncClient, customer_id: str) -> list[str]:
    """The ids of a thousand pages, from the newest on."""
    ids: list[str] = []
    query: dict[str, Any] = {"limit": 100, "conversations": True}
    while len(ids) < 1000 * PAGE:
        answer = (await http.get(f"/api/v1/customers/{customer_id}/timeline", params=query)).json()
        ids += [each["id"] for each in answer["items"]]
        query["cursor"] = answer["next_cursor"]
    return ids
