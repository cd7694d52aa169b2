"""Calls between phones that speak IPv6, on loopback: sound in the right leg, digits, and a worker that dies."""

import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from callcenter.errors import MediaError
from callcenter.media.endpoint import RtpEndpoint
from callcenter.ports import DigitPressed, LegProfile, RecordingAction, Route
from tests.support.heard_recordings import listen
from tests.support.mediad_process import LOOPS, MediaProcess, running_mediad
from tests.support.waiting import until

pytestmark = pytest.mark.interop

HOST = "::1"
PROFILE = LegProfile(HOST)
CLEAR = 0.9


@pytest.fixture(params=LOOPS)
async def media(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[MediaProcess]:
    options = ("--host", HOST, "--loop", request.param, "--recordings", str(tmp_path))
    async with running_mediad(*options, patience=60) as process:
        await process.plane.create("s")
        yield process


@pytest.fixture
async def phones(media: MediaProcess) -> AsyncIterator[tuple[RtpEndpoint, RtpEndpoint]]:
    """Caller (440 Hz) and agent (620 Hz), who hear each other."""
    caller, agent = await RtpEndpoint.open(HOST), await RtpEndpoint.open(HOST)
    caller.accept(await media.plane.answer_offer("s", "caller", caller.sdp_offer(), PROFILE))
    offer = await media.plane.make_offer("s", "agent")
    assert "c=IN IP6 ::1\r\n" in offer
    await media.plane.accept_answer("s", "agent", agent.sdp_answer(offer), PROFILE)
    await media.plane.route("s", [Route("caller", "agent"), Route("agent", "caller")])
    caller.start(440)
    agent.start(620)
    await caller.wait_heard(620, 20, share=CLEAR)
    await agent.wait_heard(440, 20, share=CLEAR)
    yield caller, agent
    await caller.close()
    await agent.close()


async def test_each_hears_the_other_and_nobody_else_and_a_recording_holds_both(
    media: MediaProcess, phones: tuple[RtpEndpoint, RtpEndpoint]
) -> None:
    caller, agent = phones
    assert caller.audio is not None
    stranger = await RtpEndpoint.open(HOST)
    stranger.audio = caller.audio
    stranger.start(2500)
    await media.plane.record("s", "r", RecordingAction.START, left="caller", right="agent")
    await caller.send_digits("7")
    await media.sink.wait(DigitPressed("s", "caller", "7"))
    await caller.wait_frames(50, 20)
    await agent.wait_frames(25, 20)
    await agent.wait_heard(440, 20, share=CLEAR)
    await caller.wait_heard(620, 20, share=CLEAR)
    assert agent.heard_tone(2500) < 0.05
    assert caller.heard_tone(440) < 0.05
    await media.plane.record("s", "r", RecordingAction.STOP)
    heard = listen(await media.sink.finished("r"))
    assert heard.clear(heard.left, 440) > CLEAR
    assert heard.clear(heard.right, 620) > CLEAR
    await stranger.close()


async def test_a_successor_goes_on_and_a_phone_that_moves_is_followed(
    media: MediaProcess, phones: tuple[RtpEndpoint, RtpEndpoint]
) -> None:
    caller, agent = phones
    await until("one is in reserve", lambda: _has_standby(media))
    os.kill((await media.plane.status()).worker_pids[0], signal.SIGKILL)
    await until("it is replaced", lambda: _has_died(media))
    for phone, hertz in ((agent, 440), (caller, 620)):
        await phone.wait_frames(50, 20)
        await phone.wait_heard(hertz, 20, share=CLEAR)
    moved = await RtpEndpoint.open(HOST)
    moved.audio, silent = caller.audio, caller
    await silent.close()
    moved.start(880)
    await agent.wait_heard(880, 20, share=CLEAR)
    await moved.wait_heard(620, 20, share=CLEAR)
    await moved.close()


async def _has_standby(media: MediaProcess) -> bool:
    return (await media.plane.status()).standbys > 0


async def _has_died(media: MediaProcess) -> bool:
    return (await media.plane.status()).worker_deaths > 0


async def test_a_phone_of_the_other_version_is_refused_and_told_why(media: MediaProcess) -> None:
    phone = await RtpEndpoint.open()
    with pytest.raises(MediaError, match=r"not IPv6, as ours is"):
        await media.plane.answer_offer("s", "caller", phone.sdp_offer(), LegProfile("127.0.0.1"))
    await phone.close()
