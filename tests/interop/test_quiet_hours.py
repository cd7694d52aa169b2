"""Quiet hours hold for phones as for desks, on the customer's clock; who answers for the hour may then call."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

import pytest

from callcenter.calls.clearance import CallOutChecked, Way
from callcenter.demo.console_client import IntentRefusedError
from callcenter.media.endpoint import RtpEndpoint
from callcenter.sip.doors import Refused
from callcenter.sip.phone import CallRefused, PhoneCall, SoftPhone
from tests.support.floor_people import Seat
from tests.support.installation import PHONE_HOST, Installation, Plan, running_installation
from tests.support.outside_gateway import GATEWAY_HOST, out_to
from tests.support.ports import free_sip_port

pytestmark = pytest.mark.interop

GATEWAY = (GATEWAY_HOST, free_sip_port())
NUMBERS = {
    "America/New_York": ("+12125550177", "(212) 555-0177"),
    "Asia/Tokyo": ("+81312345678", "+81 3-1234-5678"),
    "Europe/London": ("+442079460123", "+44 20 7946 0123"),
}
"""Of cities that are never all awake: as dialled on the line, and as people write it."""


def asleep() -> tuple[str, str]:
    """A number where it is night now."""
    now = datetime.now(UTC)
    for zone, number in NUMBERS.items():
        there = now.astimezone(ZoneInfo(zone)).time()
        if there >= time(21, 30) or there < time(7, 30):
            return number
    raise AssertionError("nobody sleeps")


@pytest.fixture(scope="module")
def house() -> Iterator[Installation]:
    out = out_to(GATEWAY) + 'countries = ["JP", "GB"]\n'
    lines = ("agents_override_quiet_hours = true",)
    with running_installation(Plan(agents=1, site_lines=lines, more_site=out)) as house:
        yield house


@asynccontextmanager
async def dialled(seat: Seat, number: str) -> AsyncIterator[PhoneCall]:
    sound = await RtpEndpoint.open(PHONE_HOST)
    yield await seat._phone.call(number, sound.sdp_offer())
    await sound.close()


async def status_of(call: PhoneCall) -> int:
    with pytest.raises(CallRefused) as refused:
        await call.answered()
    return refused.value.status


async def test_at_night_a_phone_is_refused_until_its_agent_answers_for_the_hour(house: Installation) -> None:
    number, written = asleep()
    called: list[str] = []
    gateway = SoftPhone(host=GATEWAY[0], port=GATEWAY[1], server=house.sip, username="carrier")
    await gateway.start()
    gateway.endpoint.admit = lambda request, flow, now: (called.append(request.uri.username), Refused(486))[1]
    async with Seat(house, "agent1") as seat:
        await seat.go_ready()
        with pytest.raises(IntentRefusedError) as asked:
            await seat.console.intend("call.dial", target_kind="number", target=written)
        assert asked.value.code == "quiet-hours"
        async with dialled(seat, number) as call:
            assert await status_of(call) == 403
        told: list[CallOutChecked] = [row.entry for row in house.journal.read(kinds=("call.out_checked",))]
        assert [(each.way, each.code) for each in told] == [(Way.DESK, "quiet-hours"), (Way.PHONE, "quiet-hours")]
        assert called == []
        await seat.console.intend("call.override_hours", target=written, reason="she asked me to")
        async with dialled(seat, number) as call:
            assert await status_of(call) == 486, "the carrier's word: the call left"
        assert called == [number]
    await gateway.stop()
