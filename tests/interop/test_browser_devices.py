"""The three devices of a browser phone: each sound has its own; what is pulled out in mid-call is replaced and said."""

from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest
from playwright.async_api import expect

import agent_console
from tests.support.browser_devices import MICROPHONES, PULLING_OUT, SPEAKERS, BrowserDevices
from tests.support.browser_phone import BROWSER_HZ, BrowserPhone, browser_phone
from tests.support.floor_people import CUSTOMER_HZ, FRESH_FRAMES, Talk, calling
from tests.support.installation import Installation, Plan, running_installation
from tests.support.peers import missing
from tests.support.waiting import until

pytestmark = pytest.mark.interop

HEADSET, OTHER_HEADSET = MICROPHONES
EARPHONES, LOUDSPEAKER = SPEAKERS


@pytest.fixture(scope="module")
def house() -> Iterator[Installation]:
    if not (Path(agent_console.__file__).parent / "static" / "index.html").exists():
        missing("the console is not built (make setup)")
    with running_installation(Plan(agents=2, ring_seconds=60, wrap_up_seconds=120, browsers=True)) as house:
        yield house


async def test_each_sound_has_its_device_and_a_pulled_out_one_is_replaced_and_said(
    house: Installation, tmp_path: Path
) -> None:
    async with browser_phone(house, tmp_path, script=PULLING_OUT) as phone:
        desk, devices = phone.desk, BrowserDevices(phone.desk.page)
        await phone.ready("agent1")
        await choose(phone, microphone=HEADSET, speaker=EARPHONES, ringer=LOUDSPEAKER)
        async with calling(house, "+12125550311") as customer:
            await expect(desk.part("accept")).to_be_visible()
            await uses(devices.ringer, LOUDSPEAKER)
            await devices.pull_out(LOUDSPEAKER)
            await uses(devices.ringer, "")
            await devices.plug_in(LOUDSPEAKER)
            await uses(devices.ringer, LOUDSPEAKER)
            await phone.accept()
            await they_hear_each_other(phone, customer)
            await uses(devices.microphone, HEADSET)
            await uses(devices.speaker, EARPHONES)
            await the_meter_follows_the_microphone(phone, customer)

            banner = desk.part("device-missing")
            await devices.pull_out(HEADSET)
            await devices.pull_out(EARPHONES)
            await uses(devices.speaker, "")
            await they_hear_each_other(phone, customer)
            await until("another microphone is used", lambda: has_another(devices))
            for device in (HEADSET, EARPHONES):
                await expect(banner).to_contain_text(f"{device} is unplugged")
                await expect(desk.page.get_by_role("alert").last).to_contain_text(f"{device} is unplugged")

            await devices.plug_in(HEADSET)
            await devices.plug_in(EARPHONES)
            await uses(devices.microphone, HEADSET)
            await uses(devices.speaker, EARPHONES)
            await expect(banner).to_have_count(0)
            await they_hear_each_other(phone, customer)

            await choose(phone, microphone=OTHER_HEADSET)
            await uses(devices.microphone, OTHER_HEADSET)
            await they_hear_each_other(phone, customer)
            await desk.page.reload()
            await phone.until_phase("up")
            await uses(devices.microphone, OTHER_HEADSET)
            await uses(devices.speaker, EARPHONES)
            await they_hear_each_other(phone, customer)
            await desk.part("hang-up").click()
            await customer.ended()


async def test_without_any_microphone_the_agent_hears_on_and_is_heard_again_when_one_is_plugged_in(
    house: Installation, tmp_path: Path
) -> None:
    async with browser_phone(house, tmp_path, script=PULLING_OUT) as phone:
        desk, devices = phone.desk, BrowserDevices(phone.desk.page)
        everything = [HEADSET, OTHER_HEADSET, "Fake Default Audio Input", "Default - Fake Default Audio Input"]
        await phone.ready("agent2")
        for each in everything:
            await devices.pull_out(each)
        await expect(desk.part("device-missing")).to_contain_text("nobody can hear you")
        async with calling(house, "+12125550312") as customer:
            await phone.accept()
            await phone.hears(CUSTOMER_HZ)
            await customer.sound.wait_frames(FRESH_FRAMES)
            assert customer.sound.heard_tone(BROWSER_HZ) < 0.01
            await devices.plug_in(OTHER_HEADSET)
            await uses(devices.microphone, OTHER_HEADSET)
            await they_hear_each_other(phone, customer)
            await expect(desk.part("device-missing")).to_have_count(0)
            await desk.part("hang-up").click()
            await customer.ended()


async def choose(phone: BrowserPhone, **wanted: str) -> None:
    """Choose devices by their names in the dialog."""
    await phone.desk.part("phone").click()
    for use, label in wanted.items():
        await phone.desk.part(f"device-{use}").select_option(label=label)
    await phone.desk.page.keyboard.press("Escape")


async def uses(device: Callable[[], Awaitable[str]], label: str) -> None:
    """Wait until a sound has this device."""

    async def is_it() -> bool:
        return await device() == label

    await until(f"{label or 'the system’s own'} is used", is_it)


async def has_another(devices: BrowserDevices) -> bool:
    """Whether the call is sent from a microphone that is there."""
    return await devices.microphone() not in {"", HEADSET}


async def they_hear_each_other(phone: BrowserPhone, customer: Talk) -> None:
    """In packets that came after now."""
    await customer.sound.wait_frames(FRESH_FRAMES, timeout=15)
    await customer.sound.wait_heard(BROWSER_HZ, timeout=15, share=0.9)
    await phone.hears(CUSTOMER_HZ)


async def the_meter_follows_the_microphone(phone: BrowserPhone, customer: Talk) -> None:
    """It moves with the voice, and lies still while the agent is muted, when the customer hears nothing."""
    meter = phone.desk.page.get_by_role("meter", name="Microphone level")

    async def level() -> float:
        return float(await meter.evaluate("(meter) => meter.value"))

    async def moves() -> bool:
        return await level() > 0.1

    async def lies_still() -> bool:
        return await level() == 0

    await until("the level shows", moves)
    await phone.desk.part("mute").click()
    await until("a muted microphone has no level", lies_still)
    await until("a muted agent is silent", lambda: customer.sound.heard_tone(BROWSER_HZ) < 0.01)
    await phone.desk.part("mute").click()
    await until("the level shows again", moves)
