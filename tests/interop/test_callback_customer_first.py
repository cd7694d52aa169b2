"""A callback that dials the customer first, with real SIP and sound: the gateway is called while no agent's phone
rings, the customer is greeted, and then the agent who was kept is rung. The console shows for whom."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.async_api import expect

import agent_console
from callcenter.calls.callback_facts import CallbackClosed, CallbackDialled
from callcenter.media.endpoint import RtpEndpoint
from callcenter.sip.phone import SoftPhone
from tests.support.browser_page import console_page
from tests.support.floor_people import CUSTOMER_HZ, AgentPhone, Talk, calling, hear_each_other
from tests.support.installation import BOSS, Installation, Plan, running_installation
from tests.support.outside_gateway import free_gateway, out_to
from tests.support.peers import missing
from tests.support.waiting import until

pytestmark = pytest.mark.interop

ADA = "+12025550177"
GATEWAY = free_gateway("127.0.0.6")


OUT = out_to(GATEWAY)


@pytest.fixture(scope="module")
def house() -> Iterator[Installation]:
    if not (Path(agent_console.__file__).parent / "static" / "index.html").exists():
        missing("the console is not built (make setup)")
    rules = ("callback_most = 5", 'callback_order = "customer"', "callback_retry_seconds = 2")
    with running_installation(Plan(agents=1, more_site=OUT, queue_lines=rules)) as house:
        yield house


def facts(house: Installation, kind: type) -> list[object]:
    return [row.entry for row in house.journal.read() if isinstance(row.entry, kind)]


async def test_the_customers_phone_rings_first_and_the_agents_when_the_customer_was_greeted(house, tmp_path):
    outside = SoftPhone(host=GATEWAY[0], port=GATEWAY[1], server=house.sip, username=ADA)
    await outside.start()
    try:
        async with (
            console_page(house, tmp_path) as desk,
            console_page(house, tmp_path) as floor,
            AgentPhone(house, "agent1") as phone,
        ):
            await floor.sign_in(BOSS)
            await desk.sign_in("agent1")
            await desk.go_ready()
            async with calling(house, ADA) as customer:
                await phone.talking()
                await desk.part("promise-callback").click()
                await expect(desk.part("callback-promised")).to_be_visible()
                await customer.hang_up()
            async with asyncio.timeout(15):
                refused = await outside.next_call()
            refused.refuse(486)
            async with asyncio.timeout(15):
                call = await outside.next_call()
            call.ring()
            await expect(desk.part("kept-card")).to_be_visible()
            await expect(desk.part("kept-caller")).to_contain_text(ADA)
            await expect(desk.part("agent-state")).to_contain_text("Kept for a callback")
            await expect(floor.part("callback-row")).to_contain_text("1 / 3")
            await desk.page.screenshot(path=tmp_path / "kept.png")
            await floor.page.screenshot(path=tmp_path / "floor.png", full_page=True)
            assert len(phone.talks) == 1, "nobody rings the agent yet"
            sound = await RtpEndpoint.open(GATEWAY[0])
            call.answer(sound.sdp_answer(call.sdp))
            sound.start(CUSTOMER_HZ)
            agent = await phone.talking(2)
            await hear_each_other(Talk(call, sound), agent)
            await call.hang_up()
            await sound.close()
            await until("the promise is kept", lambda: facts(house, CallbackClosed))
    finally:
        await outside.stop()
    assert len(facts(house, CallbackDialled)) == 2
    assert facts(house, CallbackClosed)[0].result == "reached"
