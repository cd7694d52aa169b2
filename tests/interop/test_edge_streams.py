"""Phones and carriers that speak TCP and TLS with Kamailio, which speaks UDP with the exchange."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from callcenter.sip.tls import TlsSettings
from tests.support.baresip import TONE_HZ, Account, Baresip, baresip
from tests.support.floor_people import (
    AGENT_HZ,
    ENGLISH_SUPPORT,
    Seat,
    calling,
    hear_each_other,
    ready_at_console,
)
from tests.support.installation import (
    PASSWORD,
    REALM,
    SERVICE_NUMBER,
    Installation,
    Plan,
    running_installation,
)
from tests.support.kamailio import HOST, Edge, kamailio
from tests.support.linphone import TONE_HZ as LINPHONE_HZ
from tests.support.linphone import LinphoneAccount, linphone
from tests.support.ports import free_sip_port
from tests.support.sip_certificates import new_certificate
from tests.support.waiting import until
from tests.support.watching import watching

pytestmark = pytest.mark.interop

PHONES, CARRIERS = free_sip_port(), free_sip_port()
PHONES_BY = {"tcp": free_sip_port(), "tls": free_sip_port()}
CARRIERS_BY = {"tcp": free_sip_port(), "tls": free_sip_port()}
TRANSPORTS = ("tcp", "tls")
CLEAR = 0.8


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> TlsSettings:
    return new_certificate(tmp_path_factory.mktemp("tls"), HOST)


@pytest.fixture(scope="module")
def house() -> Iterator[Installation]:
    plan = Plan(agents=2, trunk_host=HOST, trunk_ports=(CARRIERS,), sip_lines=('digest_algorithms = ["MD5"]',))
    with running_installation(plan) as house:
        yield house


@pytest.fixture
async def edge(house: Installation, tls: TlsSettings) -> AsyncIterator[Edge]:
    ports = (*PHONES_BY.values(), *CARRIERS_BY.values())
    async with kamailio(house.sip, PHONES, CARRIERS, tls=tls, ports=ports) as edge:
        yield edge


@asynccontextmanager
async def baresip_at_desk(
    house: Installation, tls: TlsSettings, transport: str, **more: object
) -> AsyncIterator[Baresip]:
    """baresip, registered through the edge, is the phone of a ready agent."""
    account = Account("agent1", PASSWORD, (HOST, PHONES_BY[transport]), transport=transport, **more)
    async with baresip(account, authority=Path(tls.certificate)) as phone:
        await phone.until_registered()
        async with ready_at_console(house, "agent1"):
            yield phone


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_baresip_behind_the_edge_is_rung_holds_resumes_and_hears_the_end(house, edge, tls, transport):
    async with (
        baresip_at_desk(house, tls, transport) as phone,
        calling(house, "+12025550151", server=edge.carriers) as customer,
    ):
        await phone.until_event("CALL_INCOMING")
        await phone.command("accept")
        await phone.until_event("CALL_ESTABLISHED")
        await customer.sound.wait_heard(TONE_HZ)
        await phone.command("hold")
        await until("the hold is confirmed", lambda: "a=recvonly" in phone.output)
        await customer.sound.wait_frames(50)
        assert customer.sound.heard_tone(TONE_HZ) < 1 - CLEAR
        await phone.command("resume")
        await customer.sound.wait_frames(25)
        await customer.sound.wait_heard(TONE_HZ)
        await customer.hang_up()
        await phone.until_event("CALL_CLOSED")


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_linphone_behind_the_edge_is_rung_and_hangs_up(house, edge, tls, transport):
    account = LinphoneAccount(
        "agent1", PASSWORD, REALM, (HOST, PHONES_BY[transport]), transport=transport, authorities=Path(tls.certificate)
    )
    async with linphone(account) as phone:
        await phone.until_registered()
        async with (
            ready_at_console(house, "agent1"),
            calling(house, "+12025550152", server=edge.carriers) as customer,
        ):
            await phone.until_event("LinphoneCallIncomingReceived")
            await phone.command("answer")
            await phone.until_event("LinphoneCallStreamsRunning")
            await phone.say_tone()
            await customer.sound.wait_heard(LINPHONE_HZ)
            await phone.command("terminate")
            await customer.ended()


async def test_keys_by_info_and_both_transfers_go_through_the_edge(house, edge, tls):
    """linphone speaks TLS with the edge; the colleague's phone is behind it, too."""
    account = LinphoneAccount(
        "agent1", PASSWORD, REALM, (HOST, PHONES_BY["tls"]), transport="tls", authorities=Path(tls.certificate),
        keys_by_info=True,
    )  # fmt: skip
    async with linphone(account) as phone, Seat(house, "agent2", server=edge.phones) as colleague:
        await phone.until_registered()
        for number, how in ((1, "blind"), (2, "attended")):
            async with ready_at_console(house, "agent1"):
                async with calling(house, f"+1202555016{number}", server=edge.carriers) as customer:
                    await phone.until_event("LinphoneCallIncomingReceived")
                    await phone.command("answer")
                    await phone.until_event("LinphoneCallStreamsRunning")
                    await phone.say_tone(number)
                    await customer.sound.wait_heard(LINPHONE_HZ)
                    await phone.command("dtmf 4")
                    await customer.sound.wait_digits("4")
                    await colleague.go_ready()
                    await customer.sound.wait_frames(
                        25
                    )  # right behind its INFO linphone may send no REFER, nor anything
                    if how == "blind":
                        await phone.command(f"call-transfer 1 sip:agent2@{HOST}:{PHONES_BY['tls']};transport=tls")
                    else:
                        await phone.dial("agent2")
                        await colleague.talking(number)
                        await phone.until_event("LinphoneCallStreamsRunning")
                        await phone.command("call-transfer 2 3")
                    await hear_each_other(customer, await colleague.talking(number))
                    await customer.hang_up()
                await colleague.console.intend("agent.not_ready", reason="break")


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_a_customer_who_gives_up_is_heard_of_behind_the_edge(house, edge, tls, transport):
    async with baresip_at_desk(house, tls, transport) as phone:
        async with calling(house, "+12025550153", server=edge.carriers) as customer:
            await phone.until_event("CALL_INCOMING")
            await customer.hang_up()
        await phone.until_event("CALL_CLOSED")
        assert phone.told("CALL_ESTABLISHED") == 0


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_a_carrier_calls_by_a_stream_and_hears_when_the_agent_hangs_up(house, edge, tls, transport):
    account = Account("+12025550154", "none", (HOST, CARRIERS_BY[transport]), transport=transport, registers=False)
    async with (
        Seat(house, "agent1", server=edge.phones) as seat,
        baresip(account, authority=Path(tls.certificate)) as customer,
    ):
        await seat.go_ready()
        await customer.dial(SERVICE_NUMBER)
        await customer.until_event("CALL_ESTABLISHED")
        for digit in ENGLISH_SUPPORT:
            await customer.command("sndcode", digit)
        talk = await seat.talking()
        await until("the customer hears the agent", lambda: customer.share_of(AGENT_HZ) > CLEAR)
        await talk.hang_up()
        await customer.until_event("CALL_CLOSED")


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_a_phone_whose_connection_to_the_edge_is_gone_is_forgotten_with_the_first_call(
    house, edge, tls, transport
):
    """Its registration would last ten minutes. The edge opens no connection to where it was; it says so (430)."""
    async with baresip_at_desk(house, tls, transport, registers_for=600) as phone, watching(house) as boss:
        phone.process.kill()
        await phone.process.wait()
        async with calling(house, "+12025550155", server=edge.carriers) as customer:

            def seat() -> tuple[object, object]:
                agent = boss.agents.get("agent1") or {}
                return agent.get("phone_registered"), agent.get("state")

            await until("the phone is forgotten", lambda: seat() == (False, "not_ready"), within=30)
            await customer.sound.wait_frames(25)  # the customer waits on
            await customer.hang_up()
