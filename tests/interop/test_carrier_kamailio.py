"""Kamailio as a carrier: we register with it by digest, are called through it, and call out through it."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
import pytest_asyncio

from callcenter.demo.console_client import IntentRefusedError
from callcenter.media.endpoint import RtpEndpoint
from callcenter.sip.phone import CallRefused, PhoneCall, SoftPhone
from tests.support.floor_people import CUSTOMER_HZ, Seat, Talk, hear_each_other
from tests.support.installation import CARRIER_HOST, SERVICE_NUMBER, Installation, Plan, running_installation
from tests.support.kamailio import HOST, kamailio_carrier
from tests.support.ports import free_sip_port
from tests.support.sip_certificates import new_certificate
from tests.support.waiting import until

pytestmark = [pytest.mark.interop, pytest.mark.asyncio(loop_scope="module")]

ACCOUNT = SERVICE_NUMBER
SECRET = "a carrier's secret"
CARRIER_PORT, CUSTOMER_PORT, STREAM_PORT = free_sip_port(), free_sip_port(), free_sip_port()
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


@pytest_asyncio.fixture(params=["udp", "tcp", "tls"], scope="module", loop_scope="module")
async def world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    """The carrier is there first: we register as soon as we are up. By TLS each believes the other's certificate."""
    transport = request.param
    tls = new_certificate(tmp_path_factory.mktemp("tls"), HOST, "127.0.0.1") if transport == "tls" else None
    lines: tuple[str, ...] = ()
    variables = [("CARRIER_SECRET", SECRET)]
    if tls is not None:
        variables.append(("SSL_CERT_FILE", str(tls.certificate)))
        lines = (
            f'tls_certificate = "{tls.certificate}"', f'tls_key = "{tls.key}"', f"tls_port = {free_sip_port()}",
        )  # fmt: skip
    stream = None if transport == "udp" else (transport, STREAM_PORT)
    site = SITE if stream is None else SITE.replace(f":{CARRIER_PORT}", f":{STREAM_PORT}").replace("udp", transport)
    plan = Plan(agents=1, more_site=site, environment=tuple(variables), sip_lines=lines)
    customer = CARRIER_HOST, CUSTOMER_PORT
    async with kamailio_carrier(CARRIER_PORT, customer, ACCOUNT, SECRET, stream=stream, tls=tls):
        with running_installation(plan) as house:
            phone = SoftPhone(
                host=CARRIER_HOST, port=CUSTOMER_PORT, server=(HOST, CARRIER_PORT), username=CUSTOMER_NUMBER
            )
            await phone.start()
            yield World(house, phone)
            await phone.stop()


async def once_registered(world: World, sound: RtpEndpoint) -> PhoneCall:
    """A customer's call that is answered: we register as soon as we are up, and the carrier may not know us yet."""
    found: list[PhoneCall] = []

    async def is_answered() -> bool:
        call = await world.customer.call(SERVICE_NUMBER, sound.sdp_offer())
        try:
            sound.accept(await call.answered())
        except CallRefused:
            return False
        found.append(call)
        return True

    await until("the carrier knows where we are", is_answered, within=40)
    return found[0]


async def test_a_number_we_are_registered_for_rings_here(world):
    async with Seat(world.house, "agent1") as seat:
        await seat.go_ready()
        sound = await RtpEndpoint.open(CARRIER_HOST)
        call = await once_registered(world, sound)
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
        async with asyncio.timeout(30):
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
