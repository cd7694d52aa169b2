"""Through a TURN server: what a page is told opens it, and a call that may go no other way survives that it dies."""

import asyncio
import time
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from aioice.turn import create_turn_endpoint

import agent_console
from agent_console.softphone import IceServer
from callcenter.journal import JournalRow
from callcenter.media.webrtc.servers import IceServers
from tests.support.browser_phone import BROWSER_HZ, browser_phone
from tests.support.floor_people import CUSTOMER_HZ, FRESH_FRAMES, calling
from tests.support.installation import Installation, Plan, running_installation
from tests.support.peers import missing
from tests.support.turn_server import RELAYED_PORTS, TurnServer, running_turn_server
from tests.support.waiting import until

pytestmark = pytest.mark.interop

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


RELAYED_PORT = """async () => {
  const peer = window.peers.at(-1);
  const all = new Map();
  (await peer.getStats()).forEach((stat) => all.set(stat.id, stat));
  const transport = [...all.values()].find((stat) => stat.type === 'transport');
  return all.get(all.get(transport?.selectedCandidatePairId)?.localCandidateId)?.port ?? 0;
}"""
COMFORT_HZ = 425.0


def returns(house: Installation) -> list[JournalRow]:
    """What the exchange noted each time the browser was back."""
    return house.journal.read(kinds=("leg.returned",))


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


@pytest.mark.usefixtures("console")
async def test_a_call_survives_that_its_path_dies_and_another_one_comes(tmp_path: Path):
    """The relay between browser and exchange is killed, and comes back with other ports and no memory."""
    async with AsyncExitStack() as path:
        server = await path.enter_async_context(running_turn_server(tmp_path))
        plan = Plan(agents=1, ring_seconds=60, browsers=True, environment=server.environment)
        with running_installation(plan) as house:
            async with browser_phone(house, tmp_path, script=RELAY_ONLY) as phone:
                await phone.ready("agent1")
                async with calling(house, "+12125550322") as customer:
                    await phone.accept()
                    await customer.sound.wait_heard(BROWSER_HZ, timeout=15, share=0.9)
                    peers = await phone.desk.page.evaluate("window.peers.length")
                    before = await phone.desk.page.evaluate(RELAYED_PORT)

                    assert before in range(server.first, server.first + RELAYED_PORTS)

                    await path.aclose()
                    await until("comfort", lambda: customer.sound.heard_tone(COMFORT_HZ) > 0.5)
                    await phone.until_phase("reconnecting")
                    hiccups = len(returns(house))
                    await customer.sound.wait_frames(400, timeout=60)
                    assert len(returns(house)) == hiccups, "nobody came back by a path that is dead"
                    async with running_turn_server(tmp_path, after=server) as another:
                        await until("the exchange notes that the browser is back", lambda: returns(house)[hiccups:])
                        await customer.sound.wait_frames(FRESH_FRAMES)
                        await customer.sound.wait_heard(BROWSER_HZ, timeout=15, share=0.9)
                        await phone.hears(CUSTOMER_HZ)
                        await phone.until_phase("up")
                        after = await phone.desk.page.evaluate(RELAYED_PORT)
                        assert after in range(another.first, another.first + RELAYED_PORTS)
                        assert await phone.desk.page.evaluate("window.peers.length") == peers, "ICE restarts, no more"
                        await customer.hang_up()
