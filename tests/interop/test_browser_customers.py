"""A real browser at the customer screens: the record, its edits, and what two people do at once."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.async_api import expect

import agent_console
from tests.support.browser_page import ConsolePage, console_page
from tests.support.console_looks import LOOKS, Scheme, dress, is_accessible, look_at
from tests.support.installation import BOSS, Installation, Plan, running_installation
from tests.support.peers import missing

pytestmark = pytest.mark.interop


@pytest.fixture(scope="module")
def house() -> Iterator[Installation]:
    if not (Path(agent_console.__file__).parent / "static" / "index.html").exists():
        missing("the console is not built (make setup)")
    with running_installation(Plan(agents=1)) as house:
        yield house


async def enter(http: httpx.AsyncClient, name: str, *points: str, kind: str = "person") -> dict[str, Any]:
    body = {
        "display_name": name,
        "kind": kind,
        "contact_points": [{"value": each, "kind": "email" if "@" in each else "phone"} for each in points],
    }
    answer = await http.post("/api/v1/customers", json=body)
    answer.raise_for_status()
    created: dict[str, Any] = answer.json()
    return created


async def edit(http: httpx.AsyncClient, customer: dict[str, Any], **changes: Any) -> None:
    answer = await http.patch(f"/api/v1/customers/{customer['id']}", headers={"If-Match": "*"}, json=changes)
    answer.raise_for_status()


async def record_of(http: httpx.AsyncClient, customer: dict[str, Any]) -> dict[str, Any]:
    answer = await http.get(f"/api/v1/customers/{customer['id']}/record")
    found: dict[str, Any] = answer.json()
    return found


async def open_record(page: ConsolePage, customer: dict[str, Any]) -> None:
    await page.page.goto(f"{page.house.base_url}/#/customers/{customer['id']}")
    await expect(page.part("customer-name")).to_have_text(customer["display_name"])


async def test_a_record_is_edited_and_two_edits_at_once_lose_nothing(house: Installation, tmp_path: Path) -> None:
    async with house.signed_in() as http, console_page(house, tmp_path, refused=(412,)) as page:
        ada = await enter(http, "Ada Record", "+12125550301")
        await page.sign_in(BOSS)
        await expect(page.part("nav-customers")).to_be_visible()
        await open_record(page, ada)
        await page.part("tab-details").click()
        await page.part("edit-record").click()
        await page.part("field-occupation").fill("Engineer")
        await edit(http, ada, address="1 Elm Street")
        await page.part("save-record").click()
        await expect(page.part("value-occupation")).to_have_text("Engineer")
        await expect(page.part("value-address")).to_have_text("1 Elm Street")

        await page.part("edit-record").click()
        await page.part("field-occupation").fill("Pilot")
        await page.part("field-given_name").fill("Ada")
        await edit(http, ada, occupation="Surgeon")
        await page.part("save-record").click()
        await expect(page.part("clash")).to_contain_text("Theirs: Surgeon")
        await is_accessible(page)
        await page.part("mine-occupation").check()
        await page.part("settle").click()
        await expect(page.part("value-occupation")).to_have_text("Pilot")
        profile = (await record_of(http, ada))["profile"]
        assert (profile["occupation"], profile["given_name"], profile["address"]) == ("Pilot", "Ada", "1 Elm Street")


async def test_the_record_shows_and_takes_everything_about_a_customer(house: Installation, tmp_path: Path) -> None:
    async with house.signed_in() as http, console_page(house, tmp_path) as page:
        ben = await enter(http, "Ben Whole", "+12125550302")
        firm = await enter(http, "Elm Trading", kind="org")
        await page.sign_in(BOSS)
        await expect(page.part("nav-customers")).to_be_visible()
        await open_record(page, ben)

        await page.part("add-reach").click()
        await page.part("new-point").fill("ben@example.com")
        await page.part("add-point").click()
        await expect(page.part("contact-point")).to_have_count(2)
        await page.part("new-identity").fill("M-77")
        await page.part("add-identity").click()
        await expect(page.part("identity")).to_contain_text("M-77")
        await page.part("claim-owner").click()
        await expect(page.part("owner")).to_contain_text("You")
        await page.part("new-tag").fill("fair")
        await page.part("new-tag").press("Enter")
        await expect(page.part("tag")).to_have_text("fair")
        await page.part("edit-preferences").click()
        await page.part("new-preference").click()
        await page.part("save-preferences").click()
        await expect(page.part("preference")).to_contain_text("Service Phone")

        await page.part("open-relation").click()
        await page.part("relation-type").select_option("employee")
        await page.part("relation-other").fill("radin")
        await expect(page.part("picker-option")).to_have_count(1)
        await page.part("relation-other").press("Enter")
        await page.part("add-relation").click()
        await expect(page.part("relation")).to_contain_text("Employee of Elm Trading")
        await is_accessible(page)

        await page.part("tab-consents").click()
        await page.part("may-we-purpose").select_option("marketing")
        await expect(page.part("verdict")).to_contain_text("There is no consent for this purpose.")
        await page.part("open-consent").click()
        await page.part("add-consent").click()
        await expect(page.part("consent")).to_have_count(1)
        await expect(page.part("verdict")).not_to_contain_text("no consent")
        await page.part("withdraw").click()
        await expect(page.part("consent")).to_have_count(2)
        await expect(page.part("verdict")).to_contain_text("The customer has said no.")
        await is_accessible(page)

        await page.part("tab-files").click()
        note = {"name": "offer.txt", "mimeType": "text/plain", "buffer": b"an offer"}
        await page.part("add-file").set_input_files(files=[note])
        async with page.page.expect_download() as saved:
            await page.part("file").get_by_role("link").click()
        assert (await (await saved.value).path()).read_bytes() == b"an offer"

        await page.part("tab-promises").click()
        await page.part("promise-what").fill("Send the offer")
        await page.part("promise-due").fill("2030-01-02T10:00")
        await page.part("make-promise").click()
        await expect(page.part("promise")).to_contain_text("Send the offer")
        await page.part("keep-promise").click()
        await expect(page.part("promise")).to_have_attribute("data-state", "kept")

        record = await record_of(http, ben)
        assert [each["to_id"] for each in record["relations"]] == [firm["id"]]
        assert (record["profile"]["owner_id"], len(record["preferences"])) == (BOSS, 1)
        await page.page.get_by_role("tab", name="Timeline").click()
        await page.part("customer-note").fill("Likes tea.")
        await page.part("add-note").click()
        await page.part("timeline-filter").select_option("note")
        await expect(page.part("timeline-item")).to_have_count(1)
        await expect(page.part("timeline-item")).to_contain_text("Likes tea.")


async def test_two_who_are_one_are_compared_merged_and_taken_apart(house: Installation, tmp_path: Path) -> None:
    async with house.signed_in() as http, console_page(house, tmp_path) as page:
        first = await enter(http, "Carla Twice", "+12125550303", "carla@example.com")
        second = await enter(http, "Carla Twice", "+12125550303", "carla.twice@example.com")
        await edit(http, first, address="Elm Street")
        await edit(http, second, address="Oak Street")
        await page.sign_in(BOSS)
        await page.part("nav-customers").click()
        await page.part("pages-duplicates").click()
        await page.part("scan").click()
        await page.part("compare").first.click()
        await expect(page.part("comparison")).to_contain_text("Oak Street")
        await is_accessible(page)
        await page.part(f"stays-{first['id']}").check()
        await page.part("take-address").check()
        await page.part("merge").click()
        await expect(page.part("merged")).to_contain_text("Carla Twice")
        assert (await record_of(http, first))["profile"]["address"] == "Oak Street"
        assert (await record_of(http, second))["merged_into"] == first["id"]
        await page.part("undo-merge").click()
        await expect(page.part("merged")).to_have_count(0)
        assert (await record_of(http, first))["profile"]["address"] == "Elm Street"
        assert (await record_of(http, second))["status"] == "active"


async def test_a_table_is_looked_at_imported_and_taken_back(house: Installation, tmp_path: Path) -> None:
    table = "name,phone,remark\nDora Import,+12125550304,x\nEmil Import,+12125550305,y\n,+12125550306,z\n"
    async with house.signed_in() as http, console_page(house, tmp_path) as page:
        await page.sign_in(BOSS)
        await page.part("nav-customers").click()
        await page.part("pages-import").click()
        given = {"name": "people.csv", "mimeType": "text/csv", "buffer": table.encode()}
        await page.part("import-file").set_input_files(files=[given])
        await expect(page.part("import-preview")).to_contain_text("3 rows: 2 new, 0 there already, 1 not understood")
        await expect(page.part("column-2")).to_have_value("")
        await is_accessible(page)
        await page.part("run-import").click()
        await expect(page.part("import-job")).to_have_attribute("data-state", "done")
        found = (await http.get("/api/v1/customers", params={"q": "Import"})).json()["items"]
        assert {each["display_name"] for each in found} == {"Dora Import", "Emil Import"}
        await page.part("undo-import").click()
        await expect(page.part("import-job")).to_have_attribute("data-state", "undone")
        assert (await http.get("/api/v1/customers", params={"q": "Import"})).json()["items"] == []


async def test_a_person_is_erased_with_a_receipt_and_the_log_is_whole(house: Installation, tmp_path: Path) -> None:
    async with house.signed_in() as http, console_page(house, tmp_path) as page:
        fred = await enter(http, "Fred Gone", "+12125550307")
        await page.sign_in(BOSS)
        await expect(page.part("nav-customers")).to_be_visible()
        await open_record(page, fred)
        await page.part("tab-rights").click()
        async with page.page.expect_download() as saved:
            await page.part("copy-of-all").click()
        assert "Fred Gone" in (await (await saved.value).path()).read_text(encoding="utf-8")
        await expect(page.part("erase")).to_be_disabled()
        await page.part("erasure-confirm").fill("Fred Gone")
        await page.part("erase").click()
        await expect(page.part("receipt")).to_contain_text("Receipt")
        assert (await http.get("/api/v1/customers", params={"q": "Fred"})).json()["items"] == []

        await page.page.goto(f"{house.base_url}/#/audit")
        await page.part("audit-actor").fill(BOSS)
        await page.part("audit-filter").click()
        await expect(page.part("audit-row").first).to_contain_text(BOSS)
        await page.part("check-chain").click()
        await expect(page.part("chain")).to_have_text("The log is whole")
        await is_accessible(page)


async def test_whoever_is_there_already_is_shown_before_a_customer_is_entered(
    house: Installation, tmp_path: Path
) -> None:
    async with house.signed_in() as http, console_page(house, tmp_path) as page:
        gina = await enter(http, "Gina Known", "+12125550308")
        (await http.put(f"/api/v1/customers/{gina['id']}/owner", json={"user_id": BOSS})).raise_for_status()
        await page.sign_in(BOSS)
        await page.part("nav-customers").click()
        await page.part("new-customer").click()
        await page.part("new-customer-name").fill("Gina Known")
        await page.part("new-customer-number").fill("+12125550308")
        await page.part("new-customer-email").fill("gina@example.com")
        await page.part("save-customer").click()
        await expect(page.part("collision")).to_contain_text(f"looked after by {BOSS}")
        await is_accessible(page)
        await page.part("collision-link").click()
        await expect(page.part("contact-point")).to_have_count(2)
        assert len((await http.get("/api/v1/customers", params={"q": "Gina"})).json()["items"]) == 1

        await page.page.goto(f"{house.base_url}/#/customers")
        await page.part("customer-search").fill("5550308")
        await expect(page.part("customer-row")).to_have_count(1)
        await page.part("customer-search").press("ArrowDown")
        await page.page.keyboard.press("Enter")
        await expect(page.part("customer-name")).to_have_text("Gina Known")


@pytest.mark.parametrize(("language", "scheme"), [LOOKS[0], LOOKS[-1]])
async def test_one_identity_card_is_never_two_customers(
    house: Installation, tmp_path: Path, language: str, scheme: Scheme
) -> None:
    """It is masked while it is typed, shown nowhere afterwards, and whose it is is named with who looks after them."""
    card = "11010519491231002X" if language == "en" else "440524188001010014"
    async with house.signed_in() as http, console_page(house, tmp_path) as page:
        body = {"display_name": f"Hilda {language}", "identities": [{"provider": "id_card", "external_id": card}]}
        hilda = (await http.post("/api/v1/customers", json=body)).raise_for_status().json()
        (await http.put(f"/api/v1/customers/{hilda['id']}/owner", json={"user_id": "agent1"})).raise_for_status()
        await dress(page, language, scheme)
        await page.sign_in(BOSS)
        await page.page.goto(f"{house.base_url}/#/customers")
        await page.part("new-customer").click()
        await page.part("new-customer-name").fill("Somebody Else")
        await page.part("new-customer-card").fill(card.lower())
        await expect(page.part("new-customer-card")).to_have_attribute("type", "password")
        await look_at(page, f"new-customer-card-{language}-{scheme}")
        await page.part("save-customer").click()
        await expect(page.part("collision")).to_contain_text(f"Hilda {language}")
        await expect(page.part("collision")).to_contain_text("agent1")
        await expect(page.part("collision-enter")).to_have_count(0)
        await look_at(page, f"card-collision-{language}-{scheme}")
        assert card not in (await page.page.content()).upper()
        assert (await http.get("/api/v1/customers", params={"q": "Somebody"})).json()["items"] == []
