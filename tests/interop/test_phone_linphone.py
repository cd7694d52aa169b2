"""linphone as an agent's phone, against a whole installation: SHA-256 digest, UDP, TCP and TLS, hold, keys, refresh."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.support.floor_people import Seat, Talk, calling, hear_each_other, ready_at_console
from tests.support.installation import PASSWORD, REALM, Installation, Plan, running_installation
from tests.support.linphone import TONE_HZ, Linphone, LinphoneAccount, linphone
from tests.support.ports import free_sip_port
from tests.support.sip_certificates import new_certificate
from tests.support.tracing import header, tracing
from tests.support.waiting import until

pytestmark = pytest.mark.interop

RINGS = "LinphoneCallIncomingReceived"
TALKS = "LinphoneCallStreamsRunning"
ENDS = "LinphoneCallEnd"


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
        f'tls_certificate = "{certificate}"',
        f'tls_key = "{certificate.with_name("key.pem")}"',
        f"tls_port = {tls_port}",
    )
    with running_installation(Plan(agents=2, sip_lines=lines)) as house:
        yield house


@asynccontextmanager
async def at_desk(house: Installation, *, port: int | None = None, **more: object) -> AsyncIterator[Linphone]:
    """linphone is the phone of a ready agent."""
    account = LinphoneAccount("agent1", PASSWORD, REALM, (house.sip[0], port or house.sip[1]), **more)
    async with linphone(account) as phone:
        await phone.until_registered()
        async with ready_at_console(house, "agent1"):
            yield phone


@asynccontextmanager
async def talking(house: Installation, phone: Linphone, number: str) -> AsyncIterator[Talk]:
    """A customer hears the agent at linphone."""
    async with calling(house, number) as customer:
        await phone.until_event(RINGS)
        await phone.command("answer")
        await phone.until_event(TALKS)
        await phone.say_tone()
        await customer.sound.wait_heard(TONE_HZ)
        yield customer


@pytest.mark.parametrize("transport", ["udp", "tcp"])
async def test_an_agent_at_linphone_talks_holds_resumes_and_hangs_up(house, transport):
    async with (
        at_desk(house, transport=transport) as phone,
        talking(house, phone, "+12025550121") as customer,
    ):
        await phone.command("call-pause")
        await phone.until_event("LinphoneCallPaused")
        await phone.command("call-resume 1")
        await phone.until_event(TALKS)
        await phone.say_tone()
        await customer.sound.wait_frames(25)
        await customer.sound.wait_heard(TONE_HZ)
        await phone.command("terminate")
        await customer.ended()


async def test_linphone_speaks_tls_and_is_told_when_the_customer_hangs_up(house, certificate, tls_port):
    async with at_desk(house, port=tls_port, transport="tls", authorities=certificate) as phone:
        async with talking(house, phone, "+12025550122") as customer:
            await customer.hang_up()
        await phone.until_event(ENDS)


async def test_linphone_stops_ringing_when_the_customer_gives_up(house):
    async with at_desk(house) as phone:
        async with calling(house, "+12025550123") as customer:
            await phone.until_event(RINGS)
            await customer.hang_up()
        await phone.until_event(ENDS)


async def test_the_customer_of_a_call_refused_at_linphone_waits_on(house):
    async with at_desk(house) as phone, calling(house, "+12025550124") as customer:
        await phone.until_event(RINGS)
        await phone.command("terminate")
        await phone.until_event(ENDS)
        await customer.sound.wait_frames(50)  # music


async def test_an_agent_at_linphone_asks_a_colleague_and_joins_customer_and_colleague(house):
    async with (
        at_desk(house) as phone,
        talking(house, phone, "+12025550125") as customer,
        Seat(house, "agent2") as colleague,
    ):
        await colleague.go_ready()
        await phone.dial("agent2")  # the customer is put on hold by the phone itself
        asked = await colleague.talking()
        await phone.until_event(TALKS)
        await phone.say_tone(2)
        await asked.sound.wait_heard(TONE_HZ)
        await phone.command("call-transfer 1 2")
        await hear_each_other(customer, asked)
        await customer.hang_up()
        await asked.ended()


async def test_an_agent_at_linphone_presses_a_key_and_hands_the_customer_on_unasked(house):
    async with (
        at_desk(house) as phone,
        talking(house, phone, "+12025550126") as customer,
        Seat(house, "agent2") as colleague,
    ):
        await phone.command("dtmf 5")
        await customer.sound.wait_digits("5")
        await colleague.go_ready()
        await phone.command(f"call-transfer 1 sip:agent2@{house.sip[0]}:{house.sip[1]}")
        talk = await colleague.talking()
        await hear_each_other(customer, talk)
        await phone.until_event(ENDS)
        await customer.hang_up()
        await talk.ended()


async def test_keys_that_linphone_sends_by_info_reach_the_customer(house):
    async with (
        tracing(house) as trace,
        at_desk(house, keys_by_info=True) as phone,
        talking(house, phone, "+12025550127") as customer,
    ):
        await phone.command("dtmf 7")
        await customer.sound.wait_digits("7")
        await until("the key came by INFO", lambda: trace.came("INFO "))
        assert header(trace.came("INFO ")[0], "content-type") == "application/dtmf-relay"
        await customer.hang_up()


async def test_linphone_refreshes_its_session_by_its_own_timer_and_the_talk_goes_on(house):
    """It asks for 90 seconds, the least there is, and refreshes after half of it (RFC 4028)."""
    async with tracing(house) as trace, at_desk(house, session_seconds=90) as phone, Seat(house, "agent2") as colleague:
        await colleague.go_ready()
        await phone.dial("agent2")
        asked = await colleague.talking()
        await phone.until_event(TALKS)

        def agreements() -> list[dict[str, object]]:
            answers = [each for each in trace.went("200 ") if "INVITE" in each["cseq"]]
            return [each for each in answers if header(each, "session-expires")]

        await until("a session timer is agreed upon", agreements)
        agreed = agreements()
        assert [header(each, "session-expires") for each in agreed] == ["90;refresher=uac"]
        sip_call_id = agreed[0]["sip_call_id"]
        await phone.say_tone()  # without, it sends no sound at all, and is taken for gone

        def refreshes() -> list[dict[str, object]]:
            sent = [*trace.came("UPDATE "), *trace.came("INVITE ")]
            return [each for each in sent if each["sip_call_id"] == sip_call_id and each["at"] > agreed[0]["at"]]

        await until("linphone refreshes", refreshes, within=80)
        assert header(refreshes()[0], "session-expires").startswith("90")
        await asked.sound.wait_frames(25)
        await asked.sound.wait_heard(TONE_HZ)
        await phone.command("terminate")
        await asked.ended()


async def test_a_text_from_one_linphone_reaches_the_linphone_of_a_colleague(house):
    other = LinphoneAccount("agent2", PASSWORD, REALM, house.sip)
    async with tracing(house) as trace, at_desk(house) as phone, linphone(other) as colleague:
        await colleague.until_registered()
        await phone.command(f"message sip:agent2@{house.sip[0]}:{house.sip[1]} Who takes the next one?")
        assert "next one" in await colleague.until_event("message")
        await until("the sender is told", lambda: [each for each in trace.went("200 ") if "MESSAGE" in each["cseq"]])
