"""A conversation is scored in a real browser, and a program tells the customer's answer; in both languages."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.async_api import expect

import agent_console
from tests.support.browser_page import console_page
from tests.support.console_looks import LOOKS, Scheme, dress, look_at
from tests.support.floor_people import Seat, calling
from tests.support.installation import BOSS, Installation, Plan, interactions, running_installation
from tests.support.peers import missing
from tests.support.waiting import until

pytestmark = pytest.mark.interop

FORM = """\
[[quality_forms]]
id = "calls"
labels = { en = "Calls", zh = "通话" }

[[quality_forms.criteria]]
id = "solution"
labels = { en = "Solved what was asked", zh = "解决问题" }
weight = 3
most = 5

[[quality_forms.criteria]]
id = "privacy"
labels = { en = "Checked who called", zh = "核实身份" }
fatal = true

[[quality_forms.criteria]]
id = "offer"
labels = { en = "Made the offer", zh = "推荐产品" }
weight = 2
may_not_apply = true
"""


@pytest.fixture(scope="module")
def house() -> Iterator[Installation]:
    if not (Path(agent_console.__file__).parent / "static" / "index.html").exists():
        missing("the console is not built (make setup)")
    with running_installation(Plan(agents=2, more_site=FORM)) as house:
        yield house


@pytest.mark.parametrize(("language", "scheme"), LOOKS)
async def test_a_supervisor_scores_a_conversation_at_its_place_in_the_record(
    house: Installation, tmp_path: Path, language: str, scheme: Scheme
) -> None:
    number, agent = {"en": ("+12125550701", "agent1"), "zh": ("+12125550702", "agent2")}[language]
    words = {"en": ("85%", "Satisfaction 4 of 5"), "zh": ("85%", "满意度 4/5")}[language]
    async with house.signed_in() as http:
        body = {"display_name": f"Cara {language}", "contact_points": [{"value": number}]}
        customer_id = (await http.post("/api/v1/customers", json=body)).raise_for_status().json()["id"]
        async with Seat(house, agent) as seat:
            await seat.go_ready()
            async with calling(house, number) as call:
                await seat.talking()
                await seat.until_state("busy")
                await call.hang_up()

        found: list[str] = []

        async def is_recorded() -> bool:
            found[:] = [each["contact_id"] for each in await interactions(http) if each["from_value"] == number]
            return bool(found)

        await until("the call is in the record", is_recorded)
        (contact_id,) = found
        path = f"/api/v1/interactions/{contact_id}/survey"
        for said, status in (({"score": 6}, 409), ({}, 204), ({"score": 4}, 204), ({"score": 1}, 409)):
            assert (await http.post(path, json={"kind": "csat", "how": "sms", **said})).status_code == status
        async with console_page(house, tmp_path) as page:
            await dress(page, language, scheme)
            await page.sign_in(BOSS)
            await expect(page.part("nav-customers")).to_be_visible()
            await page.page.goto(f"{house.base_url}/#/customers/{customer_id}")
            await page.part("open-appraisal").first.click()
            await expect(page.part("survey-answer")).to_contain_text(words[1])
            await page.part("mark-solution").select_option("4")
            await page.part("mark-privacy").select_option("1")
            await page.part("mark-offer").select_option("none")
            await page.part("score-notes").fill("Calm and clear.")
            await look_at(page, f"score-form-{language}-{scheme}")
            await page.part("give-score").click()
            await expect(page.part("score")).to_contain_text(words[0])
            await expect(page.part("score")).to_contain_text("Calm and clear.")
            await look_at(page, f"scored-{language}-{scheme}")
        async with house.signed_in(agent) as own:
            shown = (await own.get(f"/api/v1/interactions/{contact_id}/appraisal")).raise_for_status().json()
            assert (shown["scores"][0]["score"], shown["form"]) == (85.0, None)
            answer = await own.post(f"/api/v1/interactions/{contact_id}/scores", json={"form": "calls", "marks": []})
            assert answer.status_code == 403
