"""pyVoIP as an agent's phone in a whole installation hands a customer on. It knows no REFER and no second line, so the
desk orders what a phone would; its part is to stay in the call, to talk with whom it is connected, and to be let go."""

import importlib.util
import os
import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest

from callcenter.demo.company import PASSWORD_VARIABLE
from tests.support.floor_people import AGENT_HZ, Seat, calling, hear_each_other, ready_at_console
from tests.support.installation import PASSWORD, Installation, Plan, running_installation
from tests.support.waiting import until
from tests.support.watching import watching

pytestmark = [
    pytest.mark.interop,
    pytest.mark.timeout(180),
    pytest.mark.skipif(importlib.util.find_spec("pyVoIP") is None, reason="pyVoIP is not installed"),
]


@pytest.fixture(scope="module")
def house() -> Iterator[Installation]:
    with running_installation(Plan(agents=2)) as house:
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
        contact_id = contact_of(console)
        await colleague.go_ready()
        intent = "contact.transfer" if how == "blind" else "contact.consult"
        await console.intend(intent, contact_id=contact_id, target_kind="agent", target="agent2")
        other = await colleague.talking(within=40)
        if how == "attended":
            await other.sound.wait_heard(AGENT_HZ, timeout=10)  # pyVoIP's tone: they talk, the customer waits
            await console.intend("consult.complete", contact_id=contact_id)
        await hear_each_other(customer, other, within=40)
        await until("pyVoIP's agent is let go", lambda: contact_of(console) != contact_id)
        await customer.hang_up()
        await other.ended(within=40)
    await until_clear(house)
