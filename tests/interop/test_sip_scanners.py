"""sipvicious finds nothing: no server, no extension, no password."""

import asyncio
from collections.abc import Callable
from dataclasses import replace

import pytest

from callcenter.sip.defence import DefenceLimits
from callcenter.sip.settings import SipSettings
from tests.support.peers import peer
from tests.support.sip_agent import live_agent
from tests.support.sip_wire import REALM
from tests.support.waiting import until

pytestmark = pytest.mark.interop

GOES_ON_SECONDS = 5.0
"""For which a scanner goes on after it was met: some never end."""


@pytest.fixture(autouse=True)
def scanners() -> None:
    """sipvicious, or no test."""
    peer("svmap")


async def output_of(*command: str, met: Callable[[], object]) -> str:
    """What a program says until it ends, or until it has gone on for a while after we have ``met`` it."""
    process = await asyncio.create_subprocess_exec(
        *command, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    assert process.stdout is not None
    reading = asyncio.create_task(process.stdout.read())
    try:
        await until(f"{command[0]} is met", lambda: met() or reading.done(), within=60)
        await asyncio.wait({reading}, timeout=GOES_ON_SECONDS)
    finally:
        if process.returncode is None:
            process.kill()
        said = await reading
        await process.wait()
    process._transport.close()  # type: ignore[attr-defined]
    return said.decode("utf-8", "replace")


async def test_svmap_finds_no_server():
    async with live_agent(SipSettings(port=0, realm=REALM)) as live:
        said = await output_of(
            "svmap", "-p", str(live.agent.port), "127.0.0.1", "--randomize",
            met=lambda: live.agent.counters().get("dropped scanner"),
        )  # fmt: skip
        assert f"127.0.0.1:{live.agent.port}" not in said
        assert live.agent.counters().get("dropped scanner")


OPEN = SipSettings(port=0, realm=REALM, defence=DefenceLimits(drop_scanners=False))
"""The scanners' names pass: what is left is what guards against those that use another."""


@pytest.mark.parametrize("method", ["REGISTER", "INVITE", "OPTIONS"])
async def test_svwar_cannot_tell_who_exists(method):
    agents = {"101": "a1", "104": "a4"}
    async with live_agent(OPEN, **agents) as live:
        port = str(live.agent.port)
        said = await output_of(
            "svwar", "-p", port, "-e", "100-110", "-m", method, "--force", "127.0.0.1",
            met=lambda: live.agent.counters().get(f"in {method}", 0) >= 2,
        )  # fmt: skip
        assert live.agent.counters()[f"in {method}"] >= 2  # it gives up when a name it made up is asked for a password
        answers = {line.split("|")[2].strip() for line in said.splitlines() if line.startswith("| 1")}
        found = {line.split("|")[1].strip() for line in said.splitlines() if line.startswith("| 1")}
        assert len(answers) <= 1
        assert found in (set(), {str(number) for number in range(100, 111)})


async def test_svcrack_gets_no_password_although_it_is_in_its_list():
    md5 = replace(OPEN, algorithms=("MD5",))  # it knows nothing else
    async with live_agent(md5, **{"731": "a1"}) as live:
        said = await output_of(
            "svcrack", "-p", str(live.agent.port), "-u", "731", "-r", "100-999", "127.0.0.1",
            met=lambda: live.agent.counters().get("dropped banned"),
        )  # fmt: skip
        assert "| 731 " not in said
        counters = live.agent.counters()
        assert counters["bans"] >= 1
        assert counters["dropped banned"] >= 1
        assert not counters.get("out 200")
