"""Through a TURN server: what an agent's page is told opens it, and a browser that may use nothing else has a call."""

import asyncio
import time
from pathlib import Path

import pytest
from aioice.turn import create_turn_endpoint

import agent_console
from agent_console.softphone import IceServer
from callcenter.media.webrtc.servers import IceServers
from tests.support.browser_phone import BROWSER_HZ, browser_phone
from tests.support.floor_people import CUSTOMER_HZ, calling
from tests.support.installation import Plan, running_installation
from tests.support.peers import missing
from tests.support.turn_server import TurnServer, running_turn_server

pytestmark = [pytest.mark.interop, pytest.mark.timeout(120)]

RELAY_ONLY = """
(() => {
  const Original = window.RTCPeerConnection;
  window.RTCPeerConnection = class extends Original {
    constructor(configuration) { super({ ...configuration, iceTransportPolicy: 'relay' }); }
  };
})();
"""
NOMINATED = """async () => {
  const peer = window.peers.findLast((each) => each.connectionState === 'connected');
  const all = new Map();
  (await peer.getStats()).forEach((stat) => all.set(stat.id, stat));
  const pair = [...all.values()].find((stat) => stat.type === 'candidate-pair' && stat.nominated);
  return all.get(pair?.localCandidateId)?.candidateType ?? '';
}"""


@pytest.fixture(scope="module")
def console() -> None:
    if not (Path(agent_console.__file__).parent / "static" / "index.html").exists():
        missing("the console is not built (make setup)")


def credentials(server: TurnServer, *, now: float, secret: str = "") -> IceServer:
    """What a page is told at this instant (seconds since the epoch)."""
    servers = IceServers(turn_urls=(server.url,), turn_secret=(secret or server.secret).encode(), password_seconds=60)
    (told,) = servers.for_agent("agent1", now=round(now * 1000))
    return told


async def allocate(server: TurnServer, told: IceServer) -> None:
    """Ask for a relayed address. Raises what the server answers otherwise."""
    async with asyncio.timeout(10):
        transport, _ = await create_turn_endpoint(
            asyncio.DatagramProtocol,
            server_addr=("127.0.0.1", server.port),
            username=told.username,
            password=told.credential,
        )
    transport.close()


async def test_the_server_takes_what_a_page_is_told_for_as_long_as_it_is_good(tmp_path: Path):
    async with running_turn_server(tmp_path) as server:
        await allocate(server, credentials(server, now=time.time()))
        for refused in (
            credentials(server, now=time.time() - 3600),
            credentials(server, now=time.time(), secret="another"),
        ):
            with pytest.raises(Exception, match="401"):
                await allocate(server, refused)


@pytest.mark.usefixtures("console")
async def test_a_browser_that_may_only_use_the_relay_has_its_call_and_survives_a_reload(tmp_path: Path):
    async with running_turn_server(tmp_path) as server:
        plan = Plan(agents=1, ring_seconds=60, browsers=True, environment=server.environment)
        with running_installation(plan) as house:
            async with browser_phone(house, tmp_path, script=RELAY_ONLY) as phone:
                await phone.ready("agent1")
                async with calling(house, "+12125550321") as customer:
                    await phone.accept()
                    await customer.sound.wait_heard(BROWSER_HZ, timeout=15, share=0.9)
                    await phone.hears(CUSTOMER_HZ)
                    assert await phone.desk.page.evaluate(NOMINATED) == "relay"
                    assert ":agent1>" in server.said(), "the user name of the page's own password"
                    await phone.desk.page.reload()
                    await phone.until_phase("up")
                    await customer.sound.wait_frames(50)
                    await customer.sound.wait_heard(BROWSER_HZ, timeout=15, share=0.9)
                    assert await phone.desk.page.evaluate(NOMINATED) == "relay"
                    await customer.hang_up()
            assert server.secret not in house.output
