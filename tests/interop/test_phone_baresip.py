"""baresip as an agent's phone and as a caller, against a whole installation: signalling, sound, keys, hold, TLS."""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from callcenter.calls.quality_facts import LegMeasured
from tests.support.baresip import TONE_HZ, Account, Baresip, baresip
from tests.support.floor_people import (
    AGENT_HZ,
    CUSTOMER_HZ,
    ENGLISH_SUPPORT,
    Seat,
    Talk,
    calling,
    hear_each_other,
    ready_at_console,
    seats,
)
from tests.support.installation import PASSWORD, SERVICE_NUMBER, Installation, Plan, running_installation
from tests.support.outside_gateway import GATEWAY_HOST, OUTSIDE, called_outside, out_to
from tests.support.ports import free_sip_port
from tests.support.sip_certificates import new_certificate
from tests.support.waiting import until
from tests.support.watching import watching

pytestmark = pytest.mark.interop

TRUNK_PORT = free_sip_port()
GATEWAY = (GATEWAY_HOST, free_sip_port())
CLEAR = 0.8
"""Share of a tone in what baresip hears when it hears nothing else."""


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tls")
    new_certificate(folder, "127.0.0.1")
    return folder / "chain.pem"


@pytest.fixture(scope="module")
def tls_port() -> int:
    return free_sip_port()


@pytest.fixture(scope="module")
def house(certificate: Path, tls_port: int) -> Iterator[Installation]:
    lines = (
        'digest_algorithms = ["MD5"]',
        f'tls_certificate = "{certificate}"',
        f'tls_key = "{certificate.with_name("key.pem")}"',
        f"tls_port = {tls_port}",
        'other_hosts = ["::1"]',
    )
    plan = Plan(agents=2, sip_lines=lines, trunk_ports=(TRUNK_PORT,), more_site=out_to(GATEWAY))
    with running_installation(plan) as house:
        yield house


@asynccontextmanager
async def at_desk(
    house: Installation, *, port: int | None = None, authority: Path | None = None, **more: object
) -> AsyncIterator[Baresip]:
    """baresip is the phone of a ready agent."""
    account = Account("agent1", PASSWORD, (house.sip[0], port or house.sip[1]), **more)
    async with baresip(account, authority=authority) as phone:
        await phone.until_registered()
        async with ready_at_console(house, "agent1"):
            yield phone


@asynccontextmanager
async def talking(house: Installation, phone: Baresip, number: str) -> AsyncIterator[Talk]:
    """A customer and the agent at baresip hear each other."""
    async with calling(house, number) as customer:
        await phone.until_event("CALL_INCOMING")
        await phone.command("accept")
        await phone.until_event("CALL_ESTABLISHED")
        await until_both_hear(customer, phone)
        yield customer


async def until_both_hear(customer: Talk, phone: Baresip) -> None:
    await customer.sound.wait_frames(25)
    await customer.sound.wait_heard(TONE_HZ)
    await until("the agent hears the customer", lambda: phone.share_of(CUSTOMER_HZ) > CLEAR)


@pytest.mark.parametrize("codec", ["pcmu", "pcma"])
async def test_an_agent_at_baresip_talks_holds_resumes_and_hangs_up(house, codec):
    async with at_desk(house, codecs=(codec,)) as phone, talking(house, phone, "+12025550111") as customer:
        assert f"Set audio encoder: {codec.upper()}" in phone.output
        await phone.command("hold")
        await until("baresip is on hold", lambda: "a=sendonly" in phone.output)
        await until("the hold is confirmed", lambda: "a=recvonly" in phone.output)
        await customer.sound.wait_frames(50)
        assert customer.sound.heard_tone(TONE_HZ) < 1 - CLEAR  # music instead
        await phone.command("resume")
        await until_both_hear(customer, phone)
        await phone.command("reinvite")
        await until_both_hear(customer, phone)
        await phone.command("hangup")
        await customer.ended()


async def test_a_phone_that_vanishes_takes_its_seat_out_of_the_pool_when_its_registration_is_over(house):
    """baresip is killed, and says nothing by SIP; its console stays. No customer waits for a phone that is gone."""
    async with at_desk(house, registers_for=30) as phone, watching(house) as boss:

        def seat() -> tuple[object, object]:
            agent = boss.agents.get("agent1") or {}
            return agent.get("state"), agent.get("reason")

        await until("the seat is in the pool", lambda: seat() == ("ready", None))
        phone.process.kill()
        await phone.process.wait()
        await until("the seat is out of the pool", lambda: seat() == ("not_ready", "phone_gone"), within=60)
        async with Seat(house, "agent2") as other, calling(house, "+12025550119") as customer:
            await other.go_ready()
            await other.talking()
            await customer.hang_up()


async def test_baresip_is_told_when_the_customer_gives_up_while_it_rings(house):
    async with at_desk(house) as phone:
        async with calling(house, "+12025550112") as customer:
            await phone.until_event("CALL_INCOMING")
            await customer.hang_up()
        await phone.until_event("CALL_CLOSED")
        assert phone.told("CALL_ESTABLISHED") == 0


async def test_the_customer_of_a_call_refused_at_baresip_waits_on(house):
    async with at_desk(house) as phone, calling(house, "+12025550113") as customer:
        await phone.until_event("CALL_INCOMING")
        await phone.command("hangup")
        await phone.until_event("CALL_CLOSED")
        assert phone.told("CALL_ESTABLISHED") == 0
        await customer.sound.wait_frames(50)  # music


async def test_baresip_speaks_tls(house, certificate, tls_port):
    async with at_desk(house, port=tls_port, authority=certificate, transport="tls") as phone:
        async with talking(house, phone, "+12025550114") as customer:
            await customer.hang_up()
        await phone.until_event("CALL_CLOSED")


OPTIONS = (
    "OPTIONS sip:[::1] SIP/2.0\r\nVia: SIP/2.0/UDP [::1]:{port};branch=z9hG4bK6;rport\r\nFrom: <sip:a@[::1]>;tag=1\r\n"
    "To: <sip:[::1]>\r\nCall-ID: six\r\nCSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
)


async def test_the_house_answers_by_ipv6_too(house):
    """baresip's own flow is IPv4; a stranger that asks by IPv6 gets the answer a stranger gets."""
    ours = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    with ours:
        ours.bind(("::1", 0))
        ours.setblocking(False)
        port = ours.getsockname()[1]
        ours.sendto(OPTIONS.format(port=port).encode(), ("::1", house.sip[1]))
        async with asyncio.timeout(15):
            answer = await asyncio.get_running_loop().sock_recv(ours, 4_096)
    assert answer.startswith(b"SIP/2.0 200 OK")


@pytest.mark.parametrize("mode", ["rtpevent", "info"])
async def test_a_customer_at_baresip_finds_the_way_through_the_menu_by_keys(house, mode):
    account = Account(
        "+12025550115", "none", house.sip, registers=False, port=TRUNK_PORT, parameters=f"dtmfmode={mode}"
    )
    async with seats(house, 1) as (seat,), baresip(account) as phone:
        await phone.dial(SERVICE_NUMBER)
        await phone.until_event("CALL_ESTABLISHED")
        for digit in ENGLISH_SUPPORT:
            await phone.command("sndcode", digit)
        talk = await seat.talking()
        await until("the customer hears the agent", lambda: phone.share_of(AGENT_HZ) > CLEAR)
        await talk.sound.wait_heard(TONE_HZ)
        await phone.command("hangup")
        await talk.ended()


async def test_two_baresips_talk_wideband_through_us(house):
    wide = {"codecs": ("g722/16000/1", "pcmu")}
    outside = Account("+12025550116", "none", house.sip, registers=False, port=TRUNK_PORT, **wide)
    async with at_desk(house, **wide) as phone, baresip(outside) as customer:
        await customer.dial(SERVICE_NUMBER)
        await customer.until_event("CALL_ESTABLISHED")
        for digit in ENGLISH_SUPPORT:
            await customer.command("sndcode", digit)
        await phone.until_event("CALL_INCOMING")
        await phone.command("accept")
        await phone.until_event("CALL_ESTABLISHED")
        for each in (phone, customer):
            assert "Set audio encoder: G722 " in each.output
            await until("both hear each other", lambda each=each: each.share_of(TONE_HZ) > CLEAR)
        await customer.command("hangup")
        await phone.until_event("CALL_CLOSED")


async def test_an_agent_at_baresip_hands_the_customer_to_a_colleague(house):
    async with (
        at_desk(house) as phone,
        talking(house, phone, "+12025550117") as customer,
        Seat(house, "agent2") as colleague,
    ):
        await colleague.go_ready()
        await phone.command("transfer", f"sip:agent2@{house.sip[0]}:{house.sip[1]}")
        talk = await colleague.talking()
        await hear_each_other(customer, talk)
        await phone.until_event("CALL_CLOSED")
        await customer.hang_up()
        await talk.ended()


async def test_baresip_over_tcp_calls_a_number_outside_and_is_called(house):
    async with at_desk(house, transport="tcp") as phone:
        async with called_outside(house, GATEWAY) as outside:
            await phone.dial(OUTSIDE)
            other = await outside()
            await phone.until_event("CALL_ESTABLISHED")
            await until_both_hear(other, phone)
            await phone.command("hangup")
            await other.ended()
        async with talking(house, phone, "+12025550118") as customer:
            await customer.hang_up()


async def test_a_phone_that_has_its_reports_on_the_port_after_its_sound_tells_and_is_told_the_quality(house):
    async with at_desk(house) as phone, talking(house, phone, "+12025550117") as customer:
        answer = phone.output[phone.output.rindex("SIP/2.0 200 OK") :]
        assert "a=rtcp-mux" not in answer.partition("\r\n\r\n")[2].partition("SIP/2.0")[0]
        await customer.sound.wait_frames(600, timeout=60)  # both report every five seconds, and twice for a round trip
        await phone.command("hangup")
        await customer.ended()

    def measured() -> list[LegMeasured]:
        rows = [row.entry for row in house.journal.read() if isinstance(row.entry, LegMeasured)]
        return [each for each in rows if each.agent_id == "agent1" and each.round_trip_ms is not None]

    await until("the agent's line is measured", measured)
    line = measured()[-1]
    assert line.round_trip_ms is not None
    assert line.round_trip_ms < 10_000
    assert line.far_loss_percent is not None, "it told what it lacked of our stream"
    assert line.mos is not None
