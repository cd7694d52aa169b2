"""A real browser works messages that real callers left: beside a call, with player, wrap-up and a second item."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.async_api import expect
from twilio.request_validator import RequestValidator

import agent_console
from callcenter.surveys.replies import PATH
from tests.support.browser_page import console_page
from tests.support.console_looks import LOOKS, Scheme, dress, is_accessible, look_at
from tests.support.floor_people import AgentPhone, calling
from tests.support.installation import BOSS, Installation, Plan, running_installation
from tests.support.message_box import BOX_NUMBER, leave_message, site_with_box
from tests.support.peers import missing
from tests.support.waiting import until

pytestmark = pytest.mark.interop


PUBLIC_URL, TOKEN = "https://contact.example", "token of the gateway"
GATEWAY = (
    ("CALLCENTER_MESSAGES__PUBLIC_URL", PUBLIC_URL),
    ("CALLCENTER_MESSAGES__SMS__URL", "http://127.0.0.1:9/messages"),  # nothing is sent
    ("CALLCENTER_MESSAGES__SMS__ACCOUNT", "AC1"),
    ("CALLCENTER_MESSAGES__SMS__SENDER", "+12025550100"),
    ("CALLCENTER_MESSAGES__SMS__QUEUE", "sales"),
    ("CALLCENTER_MESSAGES__SMS__TOKEN", TOKEN),
)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    if not (Path(agent_console.__file__).parent / "static" / "index.html").exists():
        missing("the console is not built (make setup)")
    site = site_with_box(tmp_path_factory.mktemp("flow")) + "\n[routing]\ncapacity = { message = 2, sms = 1 }\n"
    plan = Plan(agents=1, records=True, ring_seconds=60, wrap_up_seconds=120, more_site=site, environment=GATEWAY)
    with running_installation(plan) as house:
        yield house


async def test_messages_are_worked_at_the_desk_beside_a_call(house: Installation, tmp_path: Path) -> None:
    async with console_page(house, tmp_path) as desk, AgentPhone(house, "agent1") as phone:
        await desk.sign_in("agent1")
        for number in ("+12125550171", "+12125550172"):
            async with calling(house, number, "", called=BOX_NUMBER) as caller:
                await leave_message(caller, frames=60, hangs_up=True)
        await expect(desk.part("tile-channel").first).to_contain_text("2")
        await desk.go_ready()

        # The first is offered: no phone rings, the card is taken here.
        await expect(desk.part("item-caller")).to_contain_text("+12125550171")
        await is_accessible(desk)
        await look_at(desk, "offered-en")
        await desk.page.keyboard.press("Alt+Shift+KeyA")
        await expect(desk.part("item-done")).to_be_visible()
        await expect(desk.part("work")).to_have_count(2)
        await desk.part("work-list").get_by_test_id("item-accept").click()
        await expect(desk.part("loads").first).to_contain_text("2 of 2")
        await expect(desk.part("recording-audio")).to_be_visible()

        # A call comes beside them and goes to the front.
        async with calling(house, "+12125550173") as customer:
            await phone.talking()
            await expect(desk.part("call-caller")).to_contain_text("+12125550173")
            await expect(desk.part("work")).to_have_count(3)
            await look_at(desk, "beside-a-call-en")
            await desk.part("work").nth(2).get_by_role("button").click()
            await expect(desk.part("item-caller")).to_contain_text("+12125550172")
            await is_accessible(desk)
            await customer.hang_up()
        await desk.part("work").nth(0).get_by_role("button").click()
        await expect(desk.part("wrap-up")).to_be_visible()
        await desk.part("disposition").select_option("solved")
        await desk.part("finish-wrap-up").click()

        # One is dealt with and wrapped up, the other given back.
        await desk.part("work").nth(0).get_by_role("button").click()
        await desk.part("item-notes").fill("Wants an offer.")
        await desk.part("item-done").click()
        await expect(desk.part("notes")).to_have_value("Wants an offer.")
        await desk.part("disposition").select_option("solved")
        await desk.part("finish-wrap-up").click()
        await expect(desk.part("work")).to_have_count(1)
        await look_at(desk, "item-en")
        await desk.part("item-give-back").click()
        await expect(desk.part("idle-desk")).to_be_visible()
        await expect(desk.part("tile-channel").first).to_contain_text("1")


WORDS = {
    "en": ("Message", "80% in 4 h", "anybody but Agent 1, who gave it back"),
    "zh": ("语音留言", "4 小时内 80%", "除 Agent 1 外任何人"),
}


@pytest.mark.parametrize(("language", "scheme"), LOOKS)
async def test_a_supervisor_sees_what_waits_by_channel_and_why_and_hands_it_on(
    house: Installation, tmp_path: Path, language: str, scheme: Scheme
) -> None:
    word, target, asked = WORDS[language]
    async with console_page(house, tmp_path) as desk:
        await dress(desk, language, scheme)
        await desk.sign_in(BOSS)
        await desk.part("nav-floor").click()
        row = desk.part("queue-row").filter(has_text=word)
        await expect(row).to_have_count(1)
        await expect(row).to_contain_text(target)
        waiting = desk.part("contact-row").filter(has_text="+12125550172")
        await look_at(desk, f"floor-{language}-{scheme}")
        await waiting.get_by_test_id("open-why").click()
        await expect(desk.part("why-waiting")).to_contain_text(asked)
        await expect(desk.part("decision").first).to_be_visible()
        await look_at(desk, f"why-{language}-{scheme}")
        await desk.page.keyboard.press("Escape")
        await desk.part("nav-voicemail").click()
        await expect(desk.part("voicemail")).to_have_count(1)
        await look_at(desk, f"messages-{language}-{scheme}")
        if (language, scheme) == LOOKS[-1]:
            await desk.part("voicemail-done").click()
            await expect(desk.part("voicemail")).to_have_count(0)


async def test_an_agent_works_a_message_in_chinese_and_in_the_dark(house: Installation, tmp_path: Path) -> None:
    async with console_page(house, tmp_path) as desk, AgentPhone(house, "agent1") as phone:
        await desk.page.emulate_media(color_scheme="dark")
        await desk.page.add_init_script("localStorage.setItem('console.language', 'zh')")
        await desk.sign_in("agent1")
        await look_at(desk, "desk-idle-zh-dark")
        if await desk.part("agent-state").get_attribute("data-state") != "ready":
            await desk.go_ready()
        async with calling(house, "+12125550174", "", called=BOX_NUMBER) as caller:
            await leave_message(caller, frames=60, hangs_up=True)
        await expect(desk.part("item-caller")).to_contain_text("+12125550174")
        await expect(desk.part("work")).to_contain_text("待接受")
        await expect(desk.part("work").get_by_test_id("item-accept")).to_have_text("接受")
        await look_at(desk, "desk-offered-zh-dark")
        await desk.part("item-accept").first.click()
        await expect(desk.part("recording-audio")).to_be_visible()
        await look_at(desk, "desk-item-zh-dark")
        async with calling(house, "+12125550175") as customer:
            await phone.talking()
            await expect(desk.part("work")).to_have_count(2)
            await look_at(desk, "desk-beside-a-call-zh-dark")
            await customer.hang_up()
        await desk.part("work").nth(0).get_by_role("button").click()
        await desk.part("disposition").select_option("solved")
        await look_at(desk, "desk-call-wrap-up-zh-dark")
        await desk.part("finish-wrap-up").click()
        await desk.part("work").nth(0).get_by_role("button").click()
        await desk.part("item-done").click()
        await expect(desk.part("wrap-up")).to_be_visible()
        await expect(desk.part("wrap-up")).to_contain_text("收尾处理")
        await look_at(desk, "desk-item-wrap-up-zh-dark")
        await desk.part("disposition").select_option("solved")
        await desk.part("finish-wrap-up").click()
        await expect(desk.part("idle-desk")).to_be_visible()


async def text_message(house: Installation, sender: str, text: str) -> None:
    """The gateway brings one, signed."""
    fields = {"From": sender, "To": "+12025550100", "Body": text, "MessageSid": "SM1"}
    signed = RequestValidator(TOKEN).compute_signature(PUBLIC_URL + PATH, fields)
    async with httpx.AsyncClient(base_url=house.base_url) as gateway:
        answer = await gateway.post(PATH, data=fields, headers={"x-twilio-signature": signed})
    assert answer.status_code == 200


async def test_an_agent_reads_what_a_text_message_says(house: Installation, tmp_path: Path) -> None:
    said = "The piano arrived.\nWhere is the stool? <b>谢谢</b>"
    async with console_page(house, tmp_path) as desk, AgentPhone(house, "agent1"):
        await desk.sign_in("agent1")
        if await desk.part("agent-state").get_attribute("data-state") != "ready":
            await desk.go_ready()
        await text_message(house, "+12125550176", said)
        await expect(desk.part("item-caller")).to_contain_text("+12125550176")
        await desk.part("item-accept").first.click()
        await expect(desk.part("item-text")).to_have_text(said, use_inner_text=True)
        await look_at(desk, "text-message")
        await desk.part("item-done").click()
        await desk.part("disposition").select_option("solved")
        await desk.part("finish-wrap-up").click()
        await expect(desk.part("idle-desk")).to_be_visible()


async def test_what_a_caller_said_is_read_under_the_message_and_found_by_its_words(
    house: Installation, tmp_path: Path
) -> None:
    """Written down by a program outside; the words stand at the customer whose message it is."""
    number = "+12125550179"
    async with house.signed_in() as http, console_page(house, tmp_path) as page:
        body = {"display_name": "Dora Left", "contact_points": [{"value": number}]}
        dora = (await http.post("/api/v1/customers", json=body)).raise_for_status().json()
        async with calling(house, number, "", called=BOX_NUMBER) as caller:
            await leave_message(caller, frames=60, hangs_up=True)
        found = []

        async def is_kept() -> bool:
            left = (await http.get("/api/v1/voicemail?limit=100")).json()
            found[:] = [each for each in left if each["caller"] == number and each["is_playable"]]
            return bool(found) and found[0]["customer_id"] == dora["id"]

        await until("the message is the customer's", is_kept)
        token = (await http.post("/api/v1/tokens", json={"name": "writer", "scopes": ["write"]})).raise_for_status()
        said = [{"start_ms": 0, "end_ms": 900, "text": "Please send the purple umbrella."}]
        path = f"/api/v1/interactions/{found[0]['contact_id']}/transcript"
        headers = {"Authorization": f"Bearer {token.json()['token']}"}
        async with httpx.AsyncClient(base_url=house.base_url, headers=headers, trust_env=False) as program:
            told = {"recording_id": found[0]["recording_id"], "language": "en", "segments": said}
            (await program.put(path, json=told)).raise_for_status()
        await page.sign_in(BOSS)
        await page.page.goto(f"{house.base_url}/#/customers/{dora['id']}")
        await page.part("read-transcript").click()
        await expect(page.part("transcript")).to_contain_text("purple umbrella")
        await look_at(page, "message-transcript-en")
        for typed, count in (("umbrella purple", 1), ("parasol", 0)):
            await page.part("timeline-words").fill(typed)
            await page.page.keyboard.press("Enter")
            await expect(page.part("timeline-item")).to_have_count(count)
