"""A real browser at what a record tells of its sources, and at the pages of those who look after the customers."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.async_api import expect

import agent_console
from tests.support.browser_page import ConsolePage, console_page
from tests.support.console_looks import LOOKS, Scheme, dress, look_at
from tests.support.installation import BOSS, Installation, Plan, running_installation
from tests.support.peers import missing

pytestmark = pytest.mark.interop

WORDS = {
    "en": ("Written by boss", "Legitimate interest", "Not stated", "Said by the customer", "agent3 has nothing"),
    "zh": ("由 boss 填写", "正当利益", "未说明", "客户自己说的", "agent3 没有需要移交的内容"),
}


@pytest.fixture(scope="module")
def house() -> Iterator[Installation]:
    if not (Path(agent_console.__file__).parent / "static" / "index.html").exists():
        missing("the console is not built (make setup)")
    with running_installation(Plan(agents=3)) as house:
        yield house


async def enter(http: httpx.AsyncClient, name: str, *numbers: str) -> dict[str, Any]:
    body = {"display_name": name, "contact_points": [{"value": number} for number in numbers]}
    created: dict[str, Any] = (await http.post("/api/v1/customers", json=body)).raise_for_status().json()
    return created


async def claim(house: Installation, login: str, customer: dict[str, Any], status: int = 200) -> None:
    async with house.signed_in(login) as http:
        answer = await http.put(f"/api/v1/customers/{customer['id']}/owner", json={"user_id": login})
        assert answer.status_code == status, answer.text


async def signed_in(page: ConsolePage, login: str, language: str = "en", scheme: Scheme = "light") -> None:
    await dress(page, language, scheme)
    await page.sign_in(login)
    await expect(page.part("nav-customers")).to_be_visible()


async def go(page: ConsolePage, address: str) -> None:
    await page.page.goto(f"{page.house.base_url}/#/{address}")


@pytest.mark.parametrize(("language", "scheme"), LOOKS)
async def test_a_record_says_why_each_thing_is_known_and_remembers_what_pleases(
    house: Installation, tmp_path: Path, language: str, scheme: Scheme
) -> None:
    written, ground, not_stated, said, _ = WORDS[language]
    async with house.signed_in() as http, console_page(house, tmp_path) as page:
        field = {"label": "Shoe size", "type": "integer", "purpose": "service", "field_group": "visible"}
        (await http.put("/api/v1/custom-fields/shoe", json=field)).raise_for_status()
        ada = await enter(http, f"Ada {language}", f"+1212555040{len(language) + LOOKS.index((language, scheme))}")
        changed = {"occupation": "Engineer", "custom": {"shoe": 38}}
        path = f"/api/v1/customers/{ada['id']}"
        (await http.patch(path, json=changed, headers={"If-Match": "*"})).raise_for_status()
        await signed_in(page, BOSS, language, scheme)
        await go(page, f"customers/{ada['id']}")
        await expect(page.part("customer-name")).to_have_text(ada["display_name"])
        await page.part("new-taste").click()
        await page.part("taste-kind").select_option("contact_manner")
        await page.part("taste-value").fill("by first name")
        await page.part("add-taste").click()
        await expect(page.part("taste")).to_contain_text("by first name")
        await expect(page.part("taste")).to_contain_text(said)
        await page.part("tab-details").click()
        await look_at(page, f"tastes-{language}-{scheme}")
        await page.part("tastes").get_by_test_id("why-personal_preference").click()
        await expect(page.part("known-personal_preference")).to_contain_text("by first name")
        await page.page.keyboard.press("Escape")
        await page.part("contact-points").get_by_test_id("why-phone").click()
        await expect(page.part("known-phone")).to_contain_text(ground)
        await page.page.keyboard.press("Escape")
        await expect(page.part("why-known")).to_have_count(0)
        await page.part("why-display_name").click()
        await expect(page.part("known-occupation")).to_contain_text(written)
        await expect(page.part("known-occupation")).to_contain_text(ground)
        await expect(page.part("known-custom.shoe")).to_contain_text(not_stated)
        assert "Engineer" not in await page.part("why-known").inner_text()
        await look_at(page, f"why-known-{language}-{scheme}")
        card = (await http.get(f"{path}/card")).json()
        assert [each["value"] for each in card["wishes"]] == ["by first name"]


@pytest.mark.parametrize(("language", "scheme"), LOOKS)
async def test_who_decides_is_told_of_a_claim_wherever_they_are(
    house: Installation, tmp_path: Path, language: str, scheme: Scheme
) -> None:
    """Without a reload, and no longer than it waits; agents are told nothing. Relations say why they are known."""
    async with house.signed_in() as http:
        ada, ben = await enter(http, f"Wanted {language}"), await enter(http, f"Cousin {language}")
        relation = {"to_id": ben["id"], "type": "friend"}
        (await http.post(f"/api/v1/customers/{ada['id']}/relations", json=relation)).raise_for_status()
        await claim(house, "agent1", ada)
        async with console_page(house, tmp_path) as page, console_page(house, tmp_path) as agent:
            await signed_in(agent, "agent1")
            await signed_in(page, BOSS, language, scheme)
            await go(page, f"customers/{ada['id']}")
            await page.part("tab-details").click()
            await page.part("why-relation").click()
            await expect(page.part("known-relation")).to_be_visible()
            await look_at(page, f"why-relation-{language}-{scheme}")
            await page.page.keyboard.press("Escape")
            await expect(page.part("claims-wait")).to_have_count(0)
            await claim(house, "agent2", ada, status=409)
            await expect(page.part("claims-wait")).to_be_visible()
            await look_at(page, f"claims-wait-{language}-{scheme}")
            await expect(agent.part("claims-wait")).to_have_count(0)
            await page.part("decide-claims").click()
            [waiting] = (await http.get("/api/v1/owner-claims")).json()
            decided = await http.post(f"/api/v1/owner-claims/{waiting['id']}/decision", json={"decision": "refuse"})
            decided.raise_for_status()
            await expect(page.part("claims-wait")).to_have_count(0)


@pytest.mark.parametrize(("language", "scheme"), LOOKS)
async def test_a_second_claim_waits_with_both_names_until_it_is_decided(
    house: Installation, tmp_path: Path, language: str, scheme: Scheme
) -> None:
    async with house.signed_in() as http:
        ada = await enter(http, f"Claimed {language}")
        await claim(house, "agent1", ada)
        async with console_page(house, tmp_path, refused=(409,)) as page:
            await signed_in(page, "agent2")
            await go(page, f"customers/{ada['id']}")
            await expect(page.part("owner")).to_contain_text("agent1")
            await page.part("claim-owned").click()
            await expect(page.part("owner")).to_contain_text("Your claim waits for a team lead")
        async with console_page(house, tmp_path) as page:
            await signed_in(page, BOSS, language, scheme)
            await go(page, "collisions")
            row = page.part("claim-row")
            await expect(row).to_have_count(1)
            await expect(row).to_contain_text("agent1")
            await expect(row).to_contain_text("agent2")
            await look_at(page, f"claims-{language}-{scheme}")
            await page.part("grant-claim").click()
            await expect(row).to_have_count(0)
            await go(page, f"customers/{ada['id']}")
            await expect(page.part("owner")).to_contain_text("agent2")
            await page.part("owner-history").click()
            await expect(page.part("owned")).to_have_count(2)
            await expect(page.part("owned").nth(1)).to_contain_text("agent1")
            await look_at(page, f"owners-{language}-{scheme}")


@pytest.mark.parametrize(("language", "scheme"), LOOKS)
async def test_what_is_to_be_tidied_up_is_worked_through(
    house: Installation, tmp_path: Path, language: str, scheme: Scheme
) -> None:
    async with house.signed_in() as http, console_page(house, tmp_path) as page:
        nobody = await enter(http, f"Unreachable {language}")
        await enter(http, f"Short {language}", "95588")
        await signed_in(page, BOSS, language, scheme)
        await go(page, "quality")
        await expect(page.part("quality-week")).to_have_count(1)
        first = page.part("quality-row").first
        await expect(first).to_contain_text(nobody["display_name"])
        await page.part("quality-doubtful_phone").check()
        await expect(first).to_contain_text(f"Short {language}")
        await look_at(page, f"quality-{language}-{scheme}")
        await first.get_by_role("link").click()
        await expect(page.part("customer-name")).to_have_text(f"Short {language}")


@pytest.mark.parametrize(("language", "scheme"), LOOKS)
async def test_somebody_who_leaves_hands_over_until_nothing_is_left(
    house: Installation, tmp_path: Path, language: str, scheme: Scheme
) -> None:
    *_, nothing = WORDS[language]
    async with house.signed_in() as http, console_page(house, tmp_path) as page:
        customers = [await enter(http, f"Theirs {language} {index}") for index in range(3)]
        for each in customers:
            await claim(house, "agent3", each)
        promise = {"what": "send the brochure", "due_at": "2036-03-03T10:00:00Z", "assignee_id": "agent3"}
        path = f"/api/v1/customers/{customers[0]['id']}/promises"
        (await http.post(path, json=promise)).raise_for_status()
        await signed_in(page, BOSS, language, scheme)
        await go(page, "hand-over")
        await page.part("hand-over-from").fill("agent3")
        await page.page.keyboard.press("Tab")
        await expect(page.part("holdings")).to_contain_text("3")
        await page.part("hand-over-to").fill("agent2")
        await page.page.keyboard.press("Tab")
        await look_at(page, f"hand-over-{language}-{scheme}")
        await page.part("hand-over").click()
        await page.part("confirm").click()
        await expect(page.part("handed-over")).to_contain_text("4")
        await expect(page.part("holdings-none")).to_contain_text(nothing)
        await look_at(page, f"handed-over-{language}-{scheme}")
        left = (await http.get("/api/v1/owners/agent3/holdings")).json()
        assert left["total"] == 0


@pytest.mark.parametrize(("language", "scheme"), LOOKS)
async def test_a_level_has_its_badge_in_the_list_of_those_who_were_found(
    house: Installation, tmp_path: Path, language: str, scheme: Scheme
) -> None:
    async with house.signed_in() as http, console_page(house, tmp_path) as page:
        body = {"name": "Key account", "rank": 9, "colour": "#aa3366"}
        (await http.put("/api/v1/levels/key", json=body)).raise_for_status()
        keyed = {"display_name": f"Keyed {language}", "level": "key"}
        (await http.post("/api/v1/customers", json=keyed)).raise_for_status()
        await signed_in(page, BOSS, language, scheme)
        await go(page, "customers")
        await page.part("customer-search").fill(f"keyed {language}")
        row = page.part("customer-row")
        await expect(row).to_have_count(1)
        badge = row.get_by_test_id("level-badge")
        await expect(badge).to_have_text("Key account")
        await expect(badge.locator("span")).to_have_css("background-color", "rgb(170, 51, 102)")
        await look_at(page, f"found-{language}-{scheme}")


async def test_an_agent_sees_no_page_of_the_stewards(house: Installation, tmp_path: Path) -> None:
    async with console_page(house, tmp_path) as page:
        await signed_in(page, "agent1")
        for address in ("quality", "hand-over", "collisions"):
            await go(page, address)
            await expect(page.part(f"pages-{address}")).to_have_count(0)
            await expect(page.part("hand-over-from")).to_have_count(0)
            await expect(page.part("quality-row")).to_have_count(0)
