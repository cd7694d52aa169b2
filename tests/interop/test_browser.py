"""A real browser at a real console: what an agent and a supervisor see while customers call."""

import asyncio
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.async_api import expect

import agent_console
from tests.support.browser_page import console_page
from tests.support.console_looks import LOOKS, Scheme, dress, look_at
from tests.support.floor_people import AgentPhone, calling, seats
from tests.support.installation import BOSS, Installation, Plan, interactions, running_installation
from tests.support.peers import missing
from tests.support.waiting import until

pytestmark = pytest.mark.interop

HAS_CHINESE = re.compile(r"[\u4e00-\u9fff]")
CLOCK = re.compile(r"\d+:\d\d")


@pytest.fixture(scope="module")
def house() -> Iterator[Installation]:
    if not (Path(agent_console.__file__).parent / "static" / "index.html").exists():
        missing("the console is not built (make setup)")
    with running_installation(Plan(agents=7, ring_seconds=60, wrap_up_seconds=120)) as house:
        yield house


async def enter_customer(http: httpx.AsyncClient, name: str, number: str) -> dict[str, Any]:
    answer = await http.post("/api/v1/customers", json={"display_name": name, "contact_points": [{"value": number}]})
    answer.raise_for_status()
    created: dict[str, Any] = answer.json()
    return created


async def recorded_of(http: httpx.AsyncClient, number: str) -> list[dict[str, Any]]:
    return [each for each in await interactions(http) if each["from_value"] == number]


async def until_recorded_of(http: httpx.AsyncClient, number: str, count: int) -> None:
    async def enough() -> bool:
        return len(await recorded_of(http, number)) == count

    await until(f"the store holds {count} interactions of {number}", enough)


async def test_an_agent_sees_who_calls_before_answering_and_wraps_up_afterwards(house: Installation, tmp_path: Path):
    number = "+12125550201"
    async with house.signed_in() as http:
        maria = await enter_customer(http, "Maria Lopez", number)
        async with calling(house, number, keys="") as early:
            await early.hang_up()
        await until_recorded_of(http, number, 1)

        async with console_page(house, tmp_path) as desk, AgentPhone(house, "agent1", answers=False) as phone:
            await desk.sign_in("agent1")
            await desk.go_ready()
            async with calling(house, number) as customer:
                call = await phone.rings()
                ring = desk.part("ring-card")
                await expect(ring.get_by_test_id("customer-name")).to_have_text("Maria Lopez")
                await expect(ring.get_by_test_id("recent-interactions").get_by_role("listitem")).to_have_count(1)
                await expect(ring.get_by_test_id("recent-interactions")).to_contain_text("Left in the menu")
                await expect(ring).to_contain_text("English")
                await expect(ring).to_contain_text("Support")
                await expect(ring.locator(".digits").first).to_have_text(CLOCK)
                assert not phone.talks

                await phone.answer(call)
                talk = desk.part("call-card")
                await expect(talk.get_by_test_id("customer-name")).to_have_text("Maria Lopez")
                timer = talk.locator(".digits").first
                await expect(timer).to_have_text(CLOCK)
                shown = await timer.inner_text()
                await expect(timer).not_to_have_text(shown)
                await desk.part("hang-up").click()
                await customer.ended()

            await expect(desk.part("wrap-up")).to_be_visible()
            await desk.part("disposition").select_option("follow-up")
            await desk.part("notes").fill("Wants a call back on Monday.")
            await desk.part("finish-wrap-up").click()
            await desk.until_agent_is("ready")
            await until_recorded_of(http, number, 2)

            await desk.page.goto(f"{house.base_url}/#/customers/{maria['id']}")
            newest = desk.part("timeline-item").first
            await expect(newest).to_contain_text("Follow-up needed")
            await expect(newest).to_contain_text("Wants a call back on Monday.")
            await expect(desk.part("timeline-item")).to_have_count(3)
            assert [text.split("\n")[0] for text in await desk.part("timeline-item").all_inner_texts()] == [
                "Answered",
                "Left in the menu",
                "Customer entered",
            ]
        answered = (await recorded_of(http, number))[0]
        assert (answered["outcome"], answered["ended_by"]) == ("answered", "agent")
        assert answered["customer_id"] == maria["id"]


@pytest.mark.parametrize(("language", "scheme"), LOOKS)
async def test_a_forwarded_call_says_which_number_was_dialled_on_the_card_and_in_the_record(
    house: Installation, tmp_path: Path, language: str, scheme: Scheme
) -> None:
    number, dialled = {"en": "+12125550208", "zh": "+12125550209"}[language], "+12025550133"
    agent = {"en": "agent6", "zh": "agent7"}[language]
    said = {"en": "Forwarded from", "zh": "呼叫转移自"}[language]
    async with house.signed_in() as http, console_page(house, tmp_path) as desk:
        nora = await enter_customer(http, "Nora Lund", number)
        await dress(desk, language, scheme)
        async with AgentPhone(house, agent, answers=False) as phone:
            await desk.sign_in(agent)
            await desk.go_ready()
            async with calling(house, number, diverted_from=dialled) as customer:
                call = await phone.rings()
                await expect(desk.part("ring-card")).to_contain_text(said)
                await expect(desk.part("ring-card")).to_contain_text(dialled)
                await look_at(desk, f"forwarded-rings-{language}-{scheme}")
                await phone.answer(call)
                await expect(desk.part("call-card")).to_contain_text(dialled)
                await customer.hang_up()
            await desk.part("disposition").select_option("solved")
            await desk.part("finish-wrap-up").click()
            await until_recorded_of(http, number, 1)
            await desk.page.goto(f"{house.base_url}/#/customers/{nora['id']}")
            await expect(desk.part("timeline-item").first).to_contain_text(f"{said} {dialled}")
            await look_at(desk, f"forwarded-record-{language}-{scheme}")
        assert [each["diverted_from"] for each in await recorded_of(http, number)] == [dialled]


async def test_a_supervisor_sees_queue_and_agent_change_live(house: Installation, tmp_path: Path):
    async with console_page(house, tmp_path) as page:
        await page.sign_in(BOSS)
        await page.part("nav-floor").click()
        waiting = page.page.locator('[data-testid="queue-row"][data-id="support voice"] td').nth(2)
        row = page.page.locator('[data-testid="agent-row"][data-id="agent1"]')
        await expect(waiting).to_have_text("0")
        async with calling(house, "+12125550202") as customer:
            await expect(waiting).to_have_text("1")
            await expect(page.part("contact-row")).to_contain_text("+12125550202")
            async with seats(house, 1) as (seat,):
                await expect(waiting).to_have_text("0")
                await expect(row).to_contain_text("On a call")
                await customer.hang_up()
                await expect(row).to_contain_text("Wrap-up")
                await seat.until_state("wrap_up")
                await seat.console.intend(
                    "wrap_up.finish", contact_id=await seat.works_on(), disposition="solved", notes=""
                )
                await expect(row).to_contain_text("Ready")
        await expect(page.part("contact-row")).to_have_count(0)


async def test_the_console_speaks_chinese_at_once_when_asked(house: Installation, tmp_path: Path):
    async with console_page(house, tmp_path) as page:
        await page.sign_in("agent2")
        await expect(page.part("go-ready")).to_have_text("Ready")
        await page.part("language").click()
        await page.part("language-zh").click()
        await expect(page.part("go-ready")).to_have_text(HAS_CHINESE)
        await expect(page.part("nav-desk")).to_have_text(HAS_CHINESE)
        await expect(page.part("queue-tile").first).to_contain_text(HAS_CHINESE)
        await expect(page.page.locator("html")).to_have_attribute("lang", re.compile("^zh"))
        await page.page.reload()
        await expect(page.part("go-ready")).to_have_text(HAS_CHINESE)


async def test_reloading_the_page_in_a_call_keeps_the_call(house: Installation, tmp_path: Path):
    number = "+12125550204"
    async with (
        console_page(house, tmp_path) as desk,
        AgentPhone(house, "agent3") as phone,
    ):
        await desk.sign_in("agent3")
        await desk.go_ready()
        async with calling(house, number) as customer:
            await phone.talking()
            await expect(desk.part("call-caller")).to_contain_text(number)
            await desk.part("call-notes").fill("Half a thought")
            await desk.page.reload()
            await expect(desk.part("call-caller")).to_contain_text(number)
            await expect(desk.part("call-notes")).to_have_value("Half a thought")
            await desk.until_agent_is("busy")
            await customer.hang_up()
        await expect(desk.part("wrap-up")).to_be_visible()
        await expect(desk.part("notes")).to_have_value("Half a thought")


async def test_an_agent_chooses_among_several_customers_and_enters_a_new_one(house: Installation, tmp_path: Path):
    shared, fresh = "+12125550205", "+12125550206"
    async with house.signed_in() as http:
        await asyncio.gather(enter_customer(http, "Ada Stone", shared), enter_customer(http, "Bob Stone", shared))
        async with console_page(house, tmp_path) as desk, AgentPhone(house, "agent4") as phone:
            await desk.sign_in("agent4")
            await desk.go_ready()
            async with calling(house, shared) as customer:
                await phone.talking()
                await expect(desk.part("customer-pane")).to_have_attribute("data-match", "many")
                await expect(desk.part("choose-customer")).to_have_count(2)
                await desk.page.get_by_role("button", name="Bob Stone").click()
                await expect(desk.part("customer-name")).to_have_text("Bob Stone")
                await customer.hang_up()
            await desk.part("disposition").select_option("solved")
            await desk.part("finish-wrap-up").click()
            await desk.until_agent_is("ready")

            async with calling(house, fresh) as customer:
                await phone.talking(2)
                await expect(desk.part("new-customer-number")).to_have_value(fresh)
                await desk.part("new-customer-name").fill("Cleo New")
                await desk.part("save-customer").click()
                await expect(desk.part("customer-name")).to_have_text("Cleo New")
                await customer.hang_up()
            await desk.part("disposition").select_option("solved")
            await desk.part("finish-wrap-up").click()
            await desk.until_agent_is("ready")
        await until_recorded_of(http, fresh, 1)
        await until_recorded_of(http, shared, 1)
        for number, name in ((shared, "Bob Stone"), (fresh, "Cleo New")):
            (interaction,) = await recorded_of(http, number)
            answer = await http.get(f"/api/v1/customers/{interaction['customer_id']}")
            assert answer.json()["display_name"] == name
