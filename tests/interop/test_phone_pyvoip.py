"""pyVoIP as an agent's phone in a whole installation hands a customer on, is handed one, and is itself handed on. It
knows no REFER and no second line, so the desk orders what a phone would; its part is to stay in the call, to talk with
whom it is connected, and to be let go."""

import asyncio
import importlib.util
import os
import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest

from callcenter.demo.company import PASSWORD_VARIABLE
from tests.support.floor_people import AGENT_HZ, CUSTOMER_HZ, Seat, calling, hear_each_other, ready_at_console
from tests.support.installation import PASSWORD, Installation, Plan, running_installation
from tests.support.outside_gateway import GATEWAY_HOST, OUTSIDE, called_outside, out_to
from tests.support.ports import free_sip_port
from tests.support.waiting import until
from tests.support.watching import watching

pytestmark = [
    pytest.mark.interop,
    pytest.mark.filterwarnings("ignore"),
    pytest.mark.skipif(importlib.util.find_spec("pyVoIP") is None, reason="pyVoIP is not installed"),
]


GATEWAY = (GATEWAY_HOST, free_sip_port())


@pytest.fixture(scope="module")
def house() -> Iterator[Installation]:
    """Phones are not asked whether they live: pyVoIP takes an OPTIONS for the answer to its INVITE, and gives up."""
    plan = Plan(agents=4, more_site=out_to(GATEWAY), sip_lines=("watch_phones_seconds = 0",))
    with running_installation(plan) as house:
        yield house


@pytest.fixture(scope="module")
def heard(house: Installation) -> Iterator[list[str]]:
    """A process of pyVoIP that answers agent1's calls and speaks a tone; a line for each call in which it heard."""
    arguments = ["--login", "agent1", "--sip-port", str(house.sip[1]), "--fast"]
    process = subprocess.Popen(
        [sys.executable, "-m", "callcenter.demo.foreign_phone", *arguments],
        env={**os.environ, PASSWORD_VARIABLE: PASSWORD},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    lines: list[str] = []
    reading = threading.Thread(target=lines.extend, args=(process.stdout,))
    reading.start()
    try:
        yield lines
    finally:
        process.terminate()
        process.wait()
        reading.join()
        process.stdout.close()


async def until_clear(house: Installation) -> None:
    async with watching(house) as boss:
        await until("no contact is left on the floor", lambda: not boss.contacts)


def contact_of(console) -> str:
    return str((console.agent or {}).get("contact_id") or "")


@pytest.mark.parametrize("how", ["blind", "attended"])
async def test_a_customer_at_pyvoip_is_handed_to_a_colleague(house: Installation, heard: list[str], how: str) -> None:
    before = len(heard)
    async with (
        ready_at_console(house, "agent1") as console,
        Seat(house, "agent2") as colleague,
        calling(house, f"+1202555013{len(how)}") as customer,
    ):
        await customer.sound.wait_heard(AGENT_HZ, timeout=40)
        await until("pyVoIP heard the customer", lambda: len(heard) > before, within=40)
        await until("the console has the contact", lambda: contact_of(console))
        contact_id = contact_of(console)
        await colleague.go_ready()
        intent = "contact.transfer" if how == "blind" else "contact.consult"
        await console.intend(intent, contact_id=contact_id, target_kind="agent", target="agent2")
        other = await colleague.talking(within=40)
        if how == "attended":
            await other.sound.wait_heard(AGENT_HZ, timeout=40)  # pyVoIP's tone: they talk, the customer waits
            await console.intend("consult.complete", contact_id=contact_id)
        await hear_each_other(customer, other, within=40)
        await until("pyVoIP's agent is let go", lambda: contact_of(console) != contact_id)
        await customer.hang_up()
        await other.ended(within=40)
    await until_clear(house)


@pytest.mark.parametrize("how", ["blind", "attended"])
async def test_a_colleagues_customer_is_handed_to_pyvoip(house: Installation, heard: list[str], how: str) -> None:
    """The colleague says nothing, so what is heard is pyVoIP's, and what pyVoIP hears is the customer's."""
    before = len(heard)
    async with ready_at_console(house, "agent1") as console, Seat(house, "agent2", speaks=False) as colleague:
        await console.intend("agent.not_ready", reason="lunch")
        await colleague.go_ready()
        async with calling(house, f"+1202555014{len(how)}") as customer:
            mine = await colleague.talking()
            await mine.sound.wait_heard(CUSTOMER_HZ)
            contact_id = await colleague.works_on()
            await console.intend("agent.ready")
            intent = "contact.transfer" if how == "blind" else "contact.consult"
            await colleague.console.intend(intent, contact_id=contact_id, target_kind="agent", target="agent1")
            if how == "attended":
                await mine.sound.wait_heard(AGENT_HZ, timeout=40)
                assert len(heard) == before
                await colleague.console.intend("consult.complete", contact_id=contact_id)
            await customer.sound.wait_heard(AGENT_HZ, timeout=40)
            await until("pyVoIP heard the customer", lambda: len(heard) > before, within=40)
            await mine.ended()
            await customer.hang_up()
    await until_clear(house)


async def test_who_called_pyvoip_hands_it_on_to_somebody_else(house: Installation, heard: list[str]) -> None:
    before = len(heard)
    async with (
        ready_at_console(house, "agent1"),
        Seat(house, "agent2", speaks=False) as caller,
        Seat(house, "agent3") as third,
    ):
        await caller.console.intend("call.dial", target_kind="agent", target="agent1")
        own = await caller.talking(within=40)
        await own.sound.wait_heard(AGENT_HZ, timeout=40)
        await third.go_ready()
        await caller.console.intend(
            "contact.transfer", contact_id=await caller.works_on(), target_kind="agent", target="agent3"
        )
        talk = await third.talking(within=40)
        await talk.sound.wait_heard(AGENT_HZ, timeout=40)
        await until("pyVoIP heard the third", lambda: len(heard) > before, within=40)
        await own.ended()
        await talk.hang_up()
    await until_clear(house)


async def test_pyvoip_calls_a_number_outside(house: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    from pyVoIP.VoIP import CallState, VoIPPhone

    from callcenter.demo.foreign_phone import FOREIGN_HOST, free_port, is_audible, tone, unblocked_while_locked

    monkeypatch.setattr("pyVoIP.SIP.acquired_lock_and_unblocked_socket", unblocked_while_locked)
    phone = VoIPPhone(
        "127.0.0.1", house.sip[1], "agent4", PASSWORD, myIP=FOREIGN_HOST, sipPort=free_port(),
        rtpPortLow=13400, rtpPortHigh=13500, callCallback=lambda call: None,
    )  # fmt: skip
    await asyncio.to_thread(phone.start)
    try:
        async with ready_at_console(house, "agent4"), called_outside(house, GATEWAY) as outside:
            call = await asyncio.to_thread(phone.call, OUTSIDE)
            other = await outside()
            await until("pyVoIP sees the answer", lambda: call.state is CallState.ANSWERED)
            call.write_audio(tone(30.0))
            await other.sound.wait_heard(AGENT_HZ)
            await until("pyVoIP hears", lambda: is_audible(call.read_audio(160, blocking=False)))
            await asyncio.to_thread(call.hangup)
            await other.ended()
    finally:
        await asyncio.to_thread(phone.stop)
    await until_clear(house)
