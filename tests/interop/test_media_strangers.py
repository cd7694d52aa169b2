"""What strangers achieve with RTP to every port, what a phone behind NAT that moves keeps, and a conference of four."""

import asyncio
import itertools
from collections.abc import AsyncIterator

import pytest

from callcenter.media.endpoint import RtpEndpoint
from callcenter.ports import Route
from tests.support.media_contract import PROFILE
from tests.support.mediad_process import LOOPS, MediaProcess, running_mediad
from tests.support.ports import media_range
from tests.support.rtp_stranger import STRANGER_HZ, Stranger

pytestmark = pytest.mark.interop

PORTS = 20
PATIENCE = 20.0
"""Seconds for what is judged by what is heard, and not by when: frames come late on a crowded machine."""
TWO_WAY = [Route("caller", "agent"), Route("agent", "caller")]


@pytest.fixture(params=LOOPS)
async def media(request: pytest.FixtureRequest, ports: range) -> AsyncIterator[MediaProcess]:
    async with running_mediad("--standby", "0", *limits(ports), "--loop", request.param, patience=90) as process:
        await process.plane.create("s")
        yield process


@pytest.fixture
def ports() -> range:
    """Ports that nobody has: tests run beside each other."""
    first = media_range(PORTS)
    return range(first, first + PORTS)


def limits(ports: range) -> tuple[str, ...]:
    """As options of ``mediad``; the last odd one is of the last pair."""
    return "--port-min", str(ports[0]), "--port-max", str(ports[-2])


async def test_a_stranger_hears_nothing_is_not_heard_and_presses_nothing(media: MediaProcess, ports: range) -> None:
    """Before there is a call, while it is set up, before the phones speak, and during it."""
    stranger = Stranger("127.0.0.2", ports)
    stranger.attack()
    caller, agent = await media.calling("s", "caller"), await RtpEndpoint.open()
    stranger.attack()
    offer = await media.plane.make_offer("s", "agent")
    stranger.attack()
    await media.plane.accept_answer("s", "agent", agent.sdp_answer(offer), PROFILE)
    await media.plane.route("s", TWO_WAY)
    for _ in range(3):
        stranger.attack()
    caller.start(440)
    agent.start(620)
    await agent.wait_heard(440, share=0.9)
    for _ in range(5):
        stranger.attack()
        await agent.wait_frames(10)
        assert agent.heard_tone(STRANGER_HZ) < 0.01
    await agent.wait_heard(440, share=0.9)
    assert media.sink.digits == []
    assert (agent.digits, caller.digits) == ("", "")
    assert stranger.bled == 0
    figures = await media.plane.destroy("s")
    for leg_id, phone in (("caller", caller), ("agent", agent)):
        assert figures[leg_id].packets_in <= phone.counters.packets_sent
        assert figures[leg_id].packets_dropped > 0
        assert figures[leg_id].far_loss_percent is None
    stranger.close()
    await caller.close()
    await agent.close()


async def test_a_phone_whose_nat_binding_moves_is_heard_again_within_two_seconds(media: MediaProcess) -> None:
    """The new port's packets are counted: a hundred are two seconds of speech."""
    caller, agent = await media.calling("s", "caller"), await media.called("s", "agent")
    caller.start(440)
    agent.start(620)
    await media.plane.route("s", TWO_WAY)
    await agent.wait_heard(440, share=0.9)
    await caller.pause()
    moved = await RtpEndpoint.open()
    moved.audio, moved.ssrc, moved._sequence = caller.audio, caller.ssrc, caller._sequence
    moved.start(1500)
    heard = agent.counters.audible_frames
    async with asyncio.timeout(PATIENCE):
        while agent.counters.audible_frames == heard:
            await agent.wait_frames(1)
    assert moved.counters.packets_sent <= 100
    await moved.wait_heard(620, share=0.9)
    for phone in (caller, agent, moved):
        await phone.close()


async def test_in_a_conference_of_four_everybody_hears_the_others_and_never_himself(media: MediaProcess) -> None:
    pitches = {"a": 440, "b": 620, "c": 1000, "d": 1700}
    phones = {leg_id: await media.calling("s", leg_id) for leg_id in pitches}
    for leg_id, phone in phones.items():
        phone.start(pitches[leg_id])
    await media.plane.route("s", [Route(one, other) for one, other in itertools.permutations(pitches, 2)])
    for leg_id, phone in phones.items():
        for other in pitches.keys() - {leg_id}:
            await phone.wait_heard(pitches[other], PATIENCE, share=0.2)
        assert phone.heard_tone(pitches[leg_id]) < 0.02
    await media.plane.remove_leg("s", "d")
    await phones["a"].wait_frames(40, PATIENCE)
    await phones["a"].wait_heard(pitches["b"], PATIENCE, share=0.4)
    assert phones["a"].heard_tone(pitches["d"]) < 0.02
    for phone in phones.values():
        await phone.close()
