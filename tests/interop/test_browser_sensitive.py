"""Sensitive fields in a real browser, the log of who looked at them, and the button that keeps a recording."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.async_api import expect

import agent_console
from tests.support.browser_page import ConsolePage, console_page
from tests.support.console_looks import LOOKS, Scheme, dress, look_at
from tests.support.floor_people import Seat, calling
from tests.support.installation import BOSS, Installation, Plan, running_installation
from tests.support.peers import missing
from tests.support.waiting import until

pytestmark = pytest.mark.interop

WORDS = {
    "en": ("Blood group", "Hidden", "Safety warning", "Vital interest", "Lift the hold"),
    "zh": ("Blood group", "已隐藏", "安全警示", "重大利益", "解除保全"),
}


@pytest.fixture(scope="module")
def house() -> Iterator[Installation]:
    if not (Path(agent_console.__file__).parent / "static" / "index.html").exists():
        missing("the console is not built (make setup)")
    with running_installation(Plan(agents=1, records=True, queue_lines=('recording = "on"',))) as house:
        yield house


async def with_a_secret(http: httpx.AsyncClient, name: str) -> dict[str, Any]:
    """A customer with a field of a special category."""
    field = {"label": "Blood group", "type": "text", "data_class": "special_category", "purpose": "safety"}
    (await http.put("/api/v1/custom-fields/blood_group", json=field)).raise_for_status()
    created = (await http.post("/api/v1/customers", json={"display_name": name})).raise_for_status().json()
    path = f"/api/v1/customers/{created['id']}"
    answer = await http.patch(path, headers={"If-Match": "*"}, json={"custom": {"blood_group": "AB negative"}})
    answer.raise_for_status()
    found: dict[str, Any] = created
    return found


async def details_of(page: ConsolePage, customer: dict[str, Any]) -> None:
    await page.page.goto(f"{page.house.base_url}/#/customers/{customer['id']}")
    await expect(page.part("customer-name")).to_have_text(customer["display_name"])
    await page.part("tab-details").click()


@pytest.mark.parametrize(("language", "scheme"), LOOKS)
async def test_a_sensitive_field_is_shown_for_a_purpose_and_the_log_says_to_whom(
    house: Installation, tmp_path: Path, language: str, scheme: Scheme
) -> None:
    label, hidden, purpose, basis, _ = WORDS[language]
    async with house.signed_in() as http, console_page(house, tmp_path) as page:
        customer = await with_a_secret(http, f"Hilda {language}")
        await dress(page, language, scheme)
        await page.sign_in(BOSS)
        await expect(page.part("nav-customers")).to_be_visible()
        await details_of(page, customer)
        value = page.part("sensitive-blood_group")
        await expect(page.part("sensitive")).to_contain_text(label)
        await expect(value).to_have_text(hidden)
        await page.part("sensitive-open").click()
        await expect(page.part("sensitive-show")).to_be_disabled()
        await page.part("sensitive-purpose").select_option("safety")
        await page.part("sensitive-basis").select_option("vital_interest")
        await look_at(page, f"sensitive-asked-{language}-{scheme}")
        await page.part("sensitive-show").click()
        await expect(value).to_have_text("AB negative")
        await look_at(page, f"sensitive-{language}-{scheme}")
        await page.part("sensitive-hide").click()
        await expect(value).to_have_text(hidden)

        await page.page.goto(f"{house.base_url}/#/access")
        await page.part("access-customer").fill(customer["id"])
        await page.part("access-filter").click()
        row = page.part("access-row")
        await expect(row).to_have_count(1)
        for told in (BOSS, customer["display_name"], "blood_group", purpose, basis):
            await expect(row).to_contain_text(told)
        await look_at(page, f"access-{language}-{scheme}")
        await page.part("access-actor").fill("nobody")
        await page.part("access-filter").click()
        await expect(row).to_have_count(0)


@pytest.mark.parametrize(("language", "scheme"), LOOKS)
async def test_a_recording_is_put_on_hold_with_a_reason_and_released(
    house: Installation, tmp_path: Path, language: str, scheme: Scheme
) -> None:
    number = {"en": "+12125550611", "zh": "+12125550612"}[language]
    async with house.signed_in() as http, Seat(house, "agent1") as seat, console_page(house, tmp_path) as page:
        body = {"display_name": f"Rita {language}", "contact_points": [{"value": number}]}
        customer = (await http.post("/api/v1/customers", json=body)).raise_for_status().json()
        await seat.go_ready()
        async with calling(house, number) as caller:
            await seat.talking()
            contact_id = await seat.works_on()
            await caller.sound.wait_frames(50)
            await caller.hang_up()
        recording = await stored(http, contact_id)
        await dress(page, language, scheme)
        await page.sign_in(BOSS)
        await expect(page.part("nav-customers")).to_be_visible()
        await page.page.goto(f"{house.base_url}/#/customers/{customer['id']}")
        button = page.part("recording").get_by_test_id("recording-hold")
        await button.click()
        await page.part("hold-reason").fill("Case 4711")
        await page.part("set-hold").click()
        await expect(button).to_have_text(WORDS[language][4])
        await look_at(page, f"recording-held-{language}-{scheme}")
        assert await reasons(http, recording, lifted=False) == ["Case 4711"]
        await button.click()
        await page.part("confirm").click()
        await expect(button).not_to_have_text(WORDS[language][4])
        assert await reasons(http, recording, lifted=False) == []
        assert await reasons(http, recording, lifted=True) == ["Case 4711"]


async def reasons(http: httpx.AsyncClient, recording_id: str, *, lifted: bool) -> list[str]:
    """Why a recording is, or was, on hold."""
    listed = (await http.get("/api/v1/legal-holds", params={"lifted": lifted})).raise_for_status().json()
    return [each["reason"] for each in listed if each["recording_id"] == recording_id]


async def stored(http: httpx.AsyncClient, contact_id: str) -> str:
    """The id of the one recording of a contact, once it is on disk."""
    found: list[str] = []

    async def there() -> bool:
        answer = await http.get(f"/api/v1/interactions/{contact_id}")
        recordings = answer.json().get("recordings", []) if answer.status_code == httpx.codes.OK else []
        found[:] = [each["recording_id"] for each in recordings if each["state"] == "stored"]
        return bool(found)

    try:
        await until("the recording is in the store", there, within=60)
    except AssertionError as error:
        error.add_note((await http.get(f"/api/v1/interactions/{contact_id}")).text)
        raise
    return found[0]
