"""Card entry at the desk, in a real browser that is the agent's phone, with a payment system over TLS.

The agent sees counts and hears a flat tone; the page is told no digit, the recording holds none, nor does any file.
"""

import asyncio
import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.async_api import WebSocket, expect

import agent_console
from callcenter.media.g711 import decode
from callcenter.media.masking import MASK_HERTZ
from tests.support.browser_phone import BROWSER_HZ, BrowserPhone, browser_phone
from tests.support.card_numbers import digits_in, loudest_key, the_recording, traces
from tests.support.floor_people import CUSTOMER_HZ, Talk, calling
from tests.support.installation import Installation, Plan, running_installation
from tests.support.payment_site import PaymentSite, running_payment_site
from tests.support.peers import missing

pytestmark = pytest.mark.interop

NUMBER, MISTYPED, EXPIRY, CODE = "4929135708246933", "4929135708246932", "1128", "7351"
PATIENCE = 8
"""Seconds in which the payment system may answer: what is seen meanwhile is looked at."""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PaymentSite]:
    """It lives in a thread of its own, as it outlives each test."""
    given: list[PaymentSite] = []
    up, end = threading.Event(), asyncio.Event()
    loop = asyncio.new_event_loop()

    async def live() -> None:
        async with running_payment_site(tmp_path_factory.mktemp("payments")) as site:
            given.append(site)
            up.set()
            await end.wait()

    thread = threading.Thread(target=lambda: loop.run_until_complete(live()))
    thread.start()
    assert up.wait(10)
    yield given[0]
    loop.call_soon_threadsafe(end.set)
    thread.join(10)
    loop.close()


@pytest.fixture(scope="module")
def house(site: PaymentSite) -> Iterator[Installation]:
    if not (Path(agent_console.__file__).parent / "static" / "index.html").exists():
        missing("the console is not built (make setup)")
    payments = (
        ("CALLCENTER_PAYMENTS__URL", site.url),
        ("CALLCENTER_PAYMENTS__SECRET", "the-secret-of-this-test"),
        ("CALLCENTER_PAYMENTS__CA_FILE", str(site.ca_file)),
        ("CALLCENTER_PAYMENTS__TIMEOUT_SECONDS", str(PATIENCE)),
    )
    lines = ('recording = "on"',)
    plan = Plan(agents=2, records=True, browsers=True, wrap_up_seconds=120, queue_lines=lines, environment=payments)
    with running_installation(plan) as house:
        yield house


async def test_a_card_is_typed_unheard_corrected_sent_and_answered(
    house: Installation, site: PaymentSite, tmp_path: Path
) -> None:
    site.answer({"result": "stored", "token": "tok_77", "last4": "6933", "message": "Card stored"})
    async with browser_phone(house, tmp_path) as phone:
        told = frames_told(phone)
        await phone.ready("agent1")
        async with calling(house, "+12125550321") as customer:
            await phone.accept()
            await phone.hears(CUSTOMER_HZ)
            desk = phone.desk
            await desk.part("card-entry-on").click()
            await expect(desk.part("secured")).to_be_visible()
            await phone.hears(MASK_HERTZ)
            await customer.sound.send_digits(MISTYPED)
            number = desk.part("card-field-number")
            await expect(number).to_contain_text("16 digits, not right yet")
            await expect(desk.part("card-entry-send")).to_be_disabled()
            await customer.sound.send_digits("*" + NUMBER)
            await expect(number).to_contain_text("16 digits, complete")
            await phone.hears(MASK_HERTZ)
            await desk.part("card-field-expiry").click()
            await expect(desk.part("card-field-expiry")).to_have_attribute("aria-pressed", "true")
            await customer.sound.send_digits(EXPIRY)
            await desk.part("card-field-code").click()
            await expect(desk.part("card-field-code")).to_have_attribute("aria-pressed", "true")
            await customer.sound.send_digits(CODE)
            await expect(desk.part("card-field-code")).to_contain_text("4 digits, complete")
            await expect(desk.part("card-field-expiry")).to_contain_text("4 digits, complete")
            await customer.sound.wait_heard(BROWSER_HZ, share=0.9)  # the customer hears the agent all the time
            await desk.part("card-entry-send").click()
            answer = desk.part("card-answer")
            await expect(answer).to_have_attribute("data-result", "stored")
            await expect(answer).to_contain_text("card ending in 6933 · reference tok_77 · Card stored")
            await expect(desk.part("secured")).to_have_count(0)
            await phone.hears(CUSTOMER_HZ)
            shown = await desk.page.content()
            await customer.hang_up()
        await expect(desk.part("wrap-up")).to_be_visible()
    ((_, body),) = site.requests
    assert json.loads(body)["card"] == {"number": NUMBER, "expiry": EXPIRY, "code": CODE}
    for where, text in {"the screen": shown, "what the page was told": "\n".join(told)}.items():
        assert not [secret for secret in (NUMBER, MISTYPED, EXPIRY, CODE) if secret in text], where
    assert any("card_typed" in frame for frame in told), "frames were looked at"
    recording = await the_recording(house)
    for channel in (recording.left, recording.right):
        assert digits_in(decode(channel, recording.law)) == ""
    assert loudest_key(decode(recording.left, recording.law)) < 1000
    assert recording.sidecar.pauses, "the recording was silent meanwhile"
    assert traces(house.folder, NUMBER, MISTYPED) == []


async def test_given_up_not_answered_and_hung_up_in_it_leave_nothing_behind(
    house: Installation, site: PaymentSite, tmp_path: Path
) -> None:
    site.requests.clear()
    async with browser_phone(house, tmp_path) as phone:
        desk = phone.desk
        await phone.ready("agent2")
        async with calling(house, "+12125550322") as customer:
            await phone.accept()
            await in_card_entry(phone, customer, NUMBER[:7])
            await expect(desk.part("card-field-number")).to_contain_text("7 digits, not right yet")
            await desk.part("card-entry-off").click()
            await phone.hears(CUSTOMER_HZ)
            await expect(desk.part("secured")).to_have_count(0)

            await in_card_entry(phone, customer, NUMBER)
            await expect(desk.part("card-field-number")).to_contain_text("16 digits, complete")
            site.is_silent = True
            await desk.part("card-entry-send").click()
            await expect(desk.part("card-sending")).to_be_visible()
            await expect(desk.part("card-entry-on")).to_be_disabled()
            await phone.hears(CUSTOMER_HZ)
            await expect(desk.part("card-answer")).to_contain_text(
                "It did not answer in time. · It is not known whether it took the card."
            )
            await expect(desk.part("card-answer")).to_have_attribute("data-result", "failed_timeout")
            assert len(site.requests) == 1
            site.is_silent = False

            site.answer({"result": "declined", "message": "Not enough money"})
            await in_card_entry(phone, customer, NUMBER)
            await desk.part("card-entry-send").click()
            await expect(desk.part("card-answer")).to_contain_text("Not enough money")
            assert len(site.requests) == 2

            await in_card_entry(phone, customer, NUMBER[:9])
            await customer.hang_up()
        await expect(desk.part("wrap-up")).to_be_visible()
        await expect(desk.part("phone-panel")).to_have_count(0)
    assert len(site.requests) == 2
    ended = [row.entry.reason for row in house.journal.read(kinds=("card_entry.ended",))]
    assert ended[-4:] == ["agent", "sent", "sent", "ended"]
    assert traces(house.folder, NUMBER) == []


async def in_card_entry(phone: BrowserPhone, customer: Talk, digits: str) -> None:
    """Begin card entry and let the customer type; the agent hears the flat tone."""
    await phone.desk.part("card-entry-on").click()
    await phone.hears(MASK_HERTZ)
    await customer.sound.send_digits(digits)
    await expect(phone.desk.part("card-field-number")).to_contain_text(f"{len(digits)} digits")


def frames_told(phone: BrowserPhone) -> list[str]:
    """Everything that the page's socket receives from now on."""
    told: list[str] = []

    def on_socket(socket: WebSocket) -> None:
        socket.on("framereceived", lambda frame: told.append(frame if isinstance(frame, str) else frame.decode()))

    phone.desk.page.on("websocket", on_socket)
    return told
