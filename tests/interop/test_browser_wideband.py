"""A real browser beside a wideband caller speaks Opus and is heard above 4 kHz, both ways; beside others it is not."""

from collections.abc import Iterator
from pathlib import Path

import pytest

import agent_console
from callcenter.calls.quality_facts import LegMeasured
from callcenter.media.codecs import TELEPHONE
from callcenter.media.wideband import has_opus
from tests.support.browser_phone import BROWSER_HZ, browser_phone
from tests.support.floor_people import Seat, calling
from tests.support.installation import Installation, Plan, running_installation
from tests.support.peers import missing
from tests.support.waiting import until

pytestmark = pytest.mark.interop

HIGH_HZ = 5200.0
"""In the browser's microphone, beside ``BROWSER_HZ``."""
CUSTOMERS_HIGH_HZ = 5600.0
HALF = 0.3
"""Share of the energy from which one of two equal tones counts as heard."""


@pytest.fixture(scope="module")
def house() -> Iterator[Installation]:
    if not (Path(agent_console.__file__).parent / "static" / "index.html").exists():
        missing("the console is not built (make setup)")
    if not has_opus():
        missing("no libopus (make setup)")
    with running_installation(Plan(agents=3, ring_seconds=60, wrap_up_seconds=120, browsers=True)) as house:
        yield house


def measured(house: Installation) -> list[LegMeasured]:
    return [row.entry for row in house.journal.read(kinds=("leg.measured",))]


async def test_after_a_transfer_to_a_browser_a_wideband_caller_is_heard_in_opus(house: Installation, tmp_path: Path):
    """The first agent's telephone is narrowband; the browser, to which the call is handed, is not."""
    async with (
        browser_phone(house, tmp_path, hertz=(BROWSER_HZ, HIGH_HZ)) as phone,
        Seat(house, "agent2") as colleague,
    ):
        await colleague.go_ready()
        async with calling(house, "+12125550311", codecs=TELEPHONE) as customer:
            await colleague.talking()
            assert customer.sound.audio.send_codec == "G722"
            customer.sound.start(CUSTOMERS_HIGH_HZ)
            await phone.ready("agent1")
            await colleague.console.intend(
                "contact.transfer", contact_id=await colleague.works_on(), target_kind="agent", target="agent1"
            )
            await phone.accept()
            await customer.sound.wait_heard(HIGH_HZ, timeout=15, share=HALF)
            await customer.sound.wait_heard(BROWSER_HZ, timeout=15, share=HALF)
            await phone.hears(CUSTOMERS_HIGH_HZ)
            assert await phone.codec() == "audio/opus"

            await phone.desk.part("keypad").click()
            await phone.desk.part("digit-7").click()
            await until("the customer gets the digit", lambda: "7" in customer.sound.digits)
            await phone.desk.page.reload()
            await phone.until_phase("up")
            await customer.sound.wait_frames(50)
            await customer.sound.wait_heard(HIGH_HZ, timeout=15, share=HALF)
            assert await phone.codec() == "audio/opus"
            await customer.sound.wait_frames(500, timeout=60)  # the browser reports every few seconds
            await phone.desk.part("hang-up").click()
            await customer.ended()
        await until("all three legs are measured", lambda: len(measured(house)) == 3)
        codecs = {(leg.role, leg.agent_id): leg.codec for leg in measured(house)}
        assert codecs == {("customer", ""): "G722", ("agent", "agent2"): "PCMU", ("agent", "agent1"): "OPUS"}
        (browser,) = (leg for leg in measured(house) if leg.agent_id == "agent1")
        assert browser.round_trip_ms is not None, "the browser's own reports reach the call's record"
        assert browser.mos is not None


async def test_beside_a_narrowband_caller_nothing_above_4_khz_passes(house: Installation, tmp_path: Path):
    async with browser_phone(house, tmp_path, hertz=(BROWSER_HZ, HIGH_HZ)) as phone:
        await phone.ready("agent3")
        async with calling(house, "+12125550312") as customer:
            await phone.accept()
            await customer.sound.wait_heard(BROWSER_HZ, timeout=15, share=0.9)
            assert customer.sound.heard_tone(8000 - HIGH_HZ) < 0.02, "not folded back either"
            assert await phone.codec() == "audio/PCMU"
