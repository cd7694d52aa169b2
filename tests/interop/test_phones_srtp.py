"""Encrypted media (SRTP, keys by SDES over TLS) with phones of others, by the agent's policy."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.support.baresip import TONE_HZ, Account, Baresip, baresip
from tests.support.floor_people import CUSTOMER_HZ, Talk, calling, ready_at_console
from tests.support.installation import PASSWORD, REALM, Installation, Plan, running_installation
from tests.support.linphone import TONE_HZ as LINPHONE_HZ
from tests.support.linphone import Linphone, LinphoneAccount, linphone
from tests.support.ports import free_sip_port
from tests.support.sip_certificates import new_certificate
from tests.support.waiting import until

pytestmark = pytest.mark.interop

CLEAR = 0.8
"""Share of a tone in what baresip hears when it hears nothing else."""
OPTIONAL, REQUIRED, NEVER = "agent1", "agent2", "agent3"
"""Agents by the policy of their phones."""


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
    )
    policies = ((REQUIRED, 'srtp = "required"'), (NEVER, 'srtp = "never"'))
    with running_installation(Plan(agents=4, sip_lines=lines, agent_lines=policies)) as house:
        yield house


@asynccontextmanager
async def at_baresip(
    house: Installation, agent: str, encryption: str, port: int, authority: Path
) -> AsyncIterator[Baresip]:
    """baresip is the phone of a ready agent, over TLS."""
    parameters = f"mediaenc={encryption}" if encryption else ""
    account = Account(agent, PASSWORD, (house.sip[0], port), transport="tls", parameters=parameters)
    async with baresip(account, authority=authority) as phone:
        await phone.until_registered()
        async with ready_at_console(house, agent):
            yield phone


async def until_both_hear(customer: Talk, phone: Baresip) -> None:
    await customer.sound.wait_frames(25)
    await customer.sound.wait_heard(TONE_HZ)
    await until("the agent hears the customer", lambda: phone.share_of(CUSTOMER_HZ) > CLEAR)


CASES = [
    (OPTIONAL, "srtp", True),
    (OPTIONAL, "srtp-mand", True),
    (OPTIONAL, "", False),
    (REQUIRED, "srtp", True),
    (REQUIRED, "srtp-mand", True),
    (NEVER, "srtp", False),
    (NEVER, "", False),
]


@pytest.mark.parametrize(("agent", "encryption", "encrypted"), CASES)
async def test_baresip_over_tls_talks_as_the_agents_policy_and_its_own_allow(
    house, certificate, tls_port, agent, encryption, encrypted
):
    async with (
        at_baresip(house, agent, encryption, tls_port, certificate) as phone,
        calling(house, "+12025550151") as customer,
    ):
        await phone.until_event("CALL_INCOMING")
        await phone.command("accept")
        await phone.until_event("CALL_ESTABLISHED")
        await until_both_hear(customer, phone)
        await phone.command("hold")
        await until("the hold is confirmed", lambda: "a=recvonly" in phone.output)
        await phone.command("resume")
        await until_both_hear(customer, phone)
        assert ("SRTP is Enabled" in phone.output) is encrypted
        await phone.command("hangup")
        await customer.ended()


@pytest.mark.parametrize(("agent", "encryption", "status"), [(REQUIRED, "", 488), (NEVER, "srtp-mand", 488)])
async def test_a_call_that_breaks_the_policy_is_refused_both_ways(
    house, certificate, tls_port, agent, encryption, status
):
    async with at_baresip(house, agent, encryption, tls_port, certificate) as phone:
        async with calling(house, "+12025550152") as customer:
            await until("the phone's agent is not asked on", lambda: f"{status} " in phone.output)
            assert phone.told("CALL_ESTABLISHED") == 0
            await customer.sound.wait_frames(25)  # music
        await phone.dial(OPTIONAL)
        await until("the phone is told why", lambda: "399 callcenter" in phone.output)
        assert phone.told("CALL_ESTABLISHED") == 0


@asynccontextmanager
async def at_linphone(
    house: Installation, agent: str, encryption: str, insists: bool, port: int, authority: Path
) -> AsyncIterator[Linphone]:
    """linphone is the phone of a ready agent, over TLS."""
    account = LinphoneAccount(
        agent, PASSWORD, REALM, (house.sip[0], port), transport="tls", encryption=encryption, insists=insists,
        authorities=authority,
    )  # fmt: skip
    async with linphone(account) as phone:
        await phone.until_registered()
        async with ready_at_console(house, agent):
            yield phone


@pytest.mark.parametrize(
    ("agent", "encryption", "insists"),
    [
        (OPTIONAL, "srtp", False),
        (OPTIONAL, "srtp", True),
        (OPTIONAL, "none", False),
        (REQUIRED, "srtp", True),
        (NEVER, "srtp", False),
    ],
)
async def test_linphone_over_tls_talks_as_the_agents_policy_and_its_own_allow(
    house, certificate, tls_port, agent, encryption, insists
):
    async with (
        at_linphone(house, agent, encryption, insists, tls_port, certificate) as phone,
        calling(house, "+12025550153") as customer,
    ):
        await phone.until_event("LinphoneCallIncomingReceived")
        await phone.command("answer")
        await phone.until_event("LinphoneCallStreamsRunning")
        await phone.say_tone()
        await customer.sound.wait_heard(LINPHONE_HZ)
        await phone.command("terminate")
        await customer.ended()
