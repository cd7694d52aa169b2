"""Kamailio as a carrier: we register with it by digest, are called through it, and call out through it."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from callcenter.demo.console_client import IntentRefusedError
from callcenter.media.endpoint import RtpEndpoint
from callcenter.sip.phone import SoftPhone
from tests.support.floor_people import CUSTOMER_HZ, Seat, Talk, hear_each_other
from tests.support.installation import (
    CARRIER_HOST,
    SERVICE_NUMBER,
    Installation,
    Plan,
    free_sip_port,
    running_installation,
)
from tests.support.kamailio import HOST, kamailio_carrier

pytestmark = pytest.mark.interop

ACCOUNT = SERVICE_NUMBER
SECRET = "a carrier's secret"
CARRIER_PORT, CUSTOMER_PORT = free_sip_port(), free_sip_port()
CUSTOMER_NUMBER = "+12025550141"

SITE = f"""
[[trunks]]
id = "kamailio"
addresses = ["{HOST}"]
gateways = ["{HOST}:{CARRIER_PORT}"]
transport = "udp"
username = "{ACCOUNT}"
password_env = "CARRIER_SECRET"
registers = true
options_seconds = 5
caller_number = "{SERVICE_NUMBER}"

[outbound]
national = true
trunks = ["kamailio"]
"""


@dataclass(frozen=True, slots=True)
class World:
    """We, and a customer whose carrier is Kamailio."""

    house: Installation
    customer: SoftPhone


@pytest.fixture
async def world() -> AsyncIterator[World]:
    """The carrier is there first: we register as soon as we are up."""
    plan = Plan(agents=1, more_site=SITE, environment=(("CARRIER_SECRET", SECRET),))
    async with kamailio_carrier(CARRIER_PORT, (CARRIER_HOST, CUSTOMER_PORT), ACCOUNT, SECRET):
        with running_installation(plan) as house:
            phone = SoftPhone(
                host=CARRIER_HOST, port=CUSTOMER_PORT, server=(HOST, CARRIER_PORT), username=CUSTOMER_NUMBER
            )
            await phone.start()
            yield World(house, phone)
            await phone.stop()


async def test_a_number_we_are_registered_for_rings_here(world):
    async with Seat(world.house, "agent1") as seat:
        await seat.go_ready()
        sound = await RtpEndpoint.open(CARRIER_HOST)
        call = await world.customer.call(SERVICE_NUMBER, sound.sdp_offer())
        async with asyncio.timeout(15):
            sound.accept(await call.answered())
        sound.start(CUSTOMER_HZ)
        await sound.wait_frames(1)
        await sound.send_digits("12")
        talk = await seat.talking()
        await hear_each_other(Talk(call, sound), talk)
        await call.hang_up()
        await talk.ended()
        await sound.close()


async def test_an_agent_calls_a_customer_through_the_carrier(world):
    async with Seat(world.house, "agent1") as seat:
        await seat.go_ready()
        with pytest.raises(IntentRefusedError) as barred:
            await seat.console.intend("call.dial", target_kind="number", target="+8821600000")
        assert barred.value.code == "international_denied"
        await seat.console.intend("call.dial", target_kind="number", target="(202) 555-0141")
        own = await seat.talking()
        async with asyncio.timeout(15):
            ringing = await world.customer.next_call()
        assert ringing.caller.number == SERVICE_NUMBER
        ringing.ring()
        sound = await RtpEndpoint.open(CARRIER_HOST)
        ringing.answer(sound.sdp_answer(ringing.sdp))
        sound.start(CUSTOMER_HZ)
        await hear_each_other(Talk(ringing, sound), own)
        await ringing.hang_up()
        await own.ended()
        await sound.close()
