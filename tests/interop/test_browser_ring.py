"""A real browser while a real phone rings: several people have the caller's number, and one of them is chosen."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.async_api import expect

import agent_console
from crm_bridge.catalogue import define_level
from crm_bridge.database import Database
from crm_bridge.interactions import record_batch
from crm_bridge.records import SurveyRecord
from tests.support.browser_page import console_page
from tests.support.console_looks import is_accessible
from tests.support.crm_records import call
from tests.support.floor_people import AgentPhone, calling
from tests.support.installation import BOSS, Installation, Plan, interactions, running_installation
from tests.support.peers import missing
from tests.support.waiting import until

pytestmark = pytest.mark.interop

SHARED = "+12125550241"


@pytest.fixture(scope="module")
def house() -> Iterator[Installation]:
    if not (Path(agent_console.__file__).parent / "static" / "index.html").exists():
        missing("the console is not built (make setup)")
    with running_installation(Plan(agents=1, ring_seconds=60, wrap_up_seconds=120)) as house:
        yield house


async def send(http: httpx.AsyncClient, method: str, path: str, body: Any) -> Any:
    answer = await http.request(method, f"/api/v1{path}", json=body, headers={"If-Match": "*"})
    assert answer.is_success, answer.text
    return answer.json()


async def family(house: Installation, http: httpx.AsyncClient) -> tuple[str, str]:
    """A husband of whom everything is known, and a wife of whom only the number is; their ids."""
    entered = []
    for name in ("Bob Stone", "Ada Stone"):
        body = {"display_name": name, "contact_points": [{"value": SHARED}], "preferred_language": "zh"}
        entered.append((await send(http, "POST", "/customers", body))["id"])
    bob, ada = entered
    database = Database(house.settings.store_url)
    async with database.begin() as session:
        await define_level(session, "key", name="Key account", rank=90, colour="#aa0000", rule=None)
    await send(http, "PUT", f"/customers/{bob}/level", {"code": "key", "reason": "ten years"})
    wish = {"purpose": "service", "channel": "sms", "language": "zh"}
    await send(http, "PUT", f"/customers/{bob}/preferences", {"preferences": [wish]})
    await send(http, "POST", f"/customers/{bob}/relations", {"to_id": ada, "type": "spouse"})
    yesterday = datetime.now(UTC) - timedelta(days=1)
    promise = {"what": "Send the refund", "due_at": yesterday.isoformat()}
    await send(http, "POST", f"/customers/{bob}/promises", promise)
    before = [
        call(f"before-{n}", from_value=SHARED, customer_id=int(bob), started_at=yesterday - timedelta(hours=n))
        for n in range(2)
    ]
    async with database.begin() as session:
        asked = SurveyRecord(
            call_id=before[0].call_id, agent_id=before[0].agent_id or "", kind="csat", asked_at=yesterday, score=4,
            answered_at=yesterday, journal_seq=11,
        )  # fmt: skip
        await record_batch(session, [*before, asked], region="US")
    await database.close()
    return bob, ada


async def test_who_it_is_among_several_is_chosen_while_it_rings(house: Installation, tmp_path: Path) -> None:
    async with house.signed_in() as http:
        async with house.signed_in(BOSS) as boss:
            bob, ada = await family(house, boss)
        async with console_page(house, tmp_path) as desk, AgentPhone(house, "agent1", answers=False) as phone:
            await desk.sign_in("agent1")
            await desk.go_ready()
            async with calling(house, SHARED) as customer:
                ringing = await phone.rings()
                ring = desk.part("ring-customer")
                await expect(ring).to_have_attribute("data-match", "many")
                await expect(ring.get_by_test_id("choose-customer")).to_have_count(2)
                await expect(ring.get_by_test_id("level-badge")).to_have_count(1)
                await is_accessible(desk)
                await ring.get_by_role("button", name="Bob Stone").click()
                await expect(ring.get_by_test_id("customer-name")).to_have_text("Bob Stone")
                await expect(ring.get_by_test_id("level-badge")).to_have_text("Key account")
                await expect(ring.get_by_test_id("repeat-caller")).to_contain_text("2")
                await expect(ring.get_by_test_id("card-promises")).to_contain_text("Overdue Send the refund")
                await expect(ring.get_by_test_id("card-preferences")).to_contain_text("Service SMS")
                await expect(ring.get_by_test_id("card-related")).to_contain_text("Spouse of Ada Stone")
                await expect(ring.get_by_test_id("recent-interactions").get_by_role("listitem")).to_have_count(2)
                await expect(ring.get_by_test_id("recent-interactions")).to_contain_text("Satisfaction 4 of 5")
                await desk.page.screenshot(path=tmp_path / "ring.png", full_page=True)
                await is_accessible(desk)
                assert not phone.talks
                await phone.answer(ringing)
                await expect(desk.part("customer-pane").get_by_test_id("customer-name")).to_have_text("Bob Stone")
                await customer.hang_up()
            await expect(desk.part("wrap-up")).to_be_visible()

        async def attached() -> bool:
            return len([each for each in await interactions(http) if each["customer_id"] == bob]) == 3

        await until("the call is Bob's", attached)
        assert not [each for each in await interactions(http) if each["customer_id"] == ada]
