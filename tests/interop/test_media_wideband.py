"""Phones of different codecs in one call: what they hear of each other through real media processes."""

import itertools
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from callcenter.media.audio import tone, write_wav
from callcenter.media.codecs import EVERY, TELEPHONE, Codec
from callcenter.media.endpoint import RtpEndpoint
from callcenter.media.masking import MASK_HERTZ
from callcenter.media.wideband import has_opus
from callcenter.ports import DigitPressed, LegProfile, RecordingAction, Route
from tests.support.heard_recordings import listen
from tests.support.media_contract import OFFER, PROFILE
from tests.support.mediad_process import LOOPS, MediaProcess, plane_of_its_own, running_mediad
from tests.support.waiting import until

pytestmark = [pytest.mark.interop, pytest.mark.asyncio(loop_scope="module")]

TWO_WAY = [Route("caller", "agent"), Route("agent", "caller")]
HIGH = 5000
"""Hertz: only wideband carries it."""


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=LOOPS)
async def process(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[MediaProcess]:
    folder = str(tmp_path_factory.mktemp("rec"))
    async with running_mediad(
        "--standby", "0", "--loop", request.param, "--recordings", folder, "--quarantine", "10"
    ) as process:
        yield process


@pytest_asyncio.fixture(loop_scope="module")
async def media(process: MediaProcess) -> AsyncIterator[MediaProcess]:
    async with plane_of_its_own(process) as media:
        await media.plane.create("s")
        yield media


async def wide_caller(media: MediaProcess) -> RtpEndpoint:
    caller = await RtpEndpoint.open(codecs=TELEPHONE)
    caller.accept(await media.plane.answer_offer("s", "caller", caller.sdp_offer(), PROFILE))
    return caller


async def called(media: MediaProcess, *codecs: Codec) -> RtpEndpoint:
    agent = await RtpEndpoint.open(codecs=codecs)
    await media.plane.accept_answer("s", "agent", agent.sdp_answer(await media.plane.make_offer("s", "agent")), PROFILE)
    return agent


async def test_two_wideband_phones_hear_what_a_telephone_cannot(media: MediaProcess) -> None:
    caller = await wide_caller(media)
    assert " RTP/AVP 9 0 8 101\r\n" in await media.plane.make_offer("s", "agent")
    agent = await called(media, Codec.G722)
    caller.start(HIGH)
    agent.start(6000)
    await media.plane.route("s", TWO_WAY)
    await agent.wait_heard(HIGH, share=0.9)
    await caller.wait_heard(6000, share=0.9)
    assert {packet.payload_type for packet in caller.packets} == {9}
    figures = await media.plane.destroy("s")
    assert figures["caller"].heard
    await caller.close()
    await agent.close()


async def test_a_wideband_caller_and_a_narrowband_agent_are_transcoded(media: MediaProcess) -> None:
    caller = await wide_caller(media)
    agent = await called(media, Codec.PCMA)
    caller.start(440)
    agent.start(620)
    await media.plane.route("s", TWO_WAY)
    await agent.wait_heard(440, share=0.9)
    await caller.wait_heard(620, share=0.9)
    assert {packet.payload_type for packet in agent.packets} == {8}
    caller.start(HIGH)
    await agent.wait_frames(30)
    assert agent.heard_tone(8000 - HIGH) < 0.3, "what does not fit into 8 kHz is filtered, not folded"
    await caller.close()
    await agent.close()


async def test_digits_pass_between_codecs_but_not_from_a_secured_leg(media: MediaProcess) -> None:
    caller = await wide_caller(media)
    agent = await called(media, Codec.PCMA)
    caller.start(440)
    agent.start(620)
    await media.plane.route("s", TWO_WAY)
    await agent.wait_heard(440)
    await agent.send_digits("27")
    await caller.wait_digits("27")
    await caller.send_digits("5")
    await agent.wait_digits("5")
    await media.plane.secure("s", "caller", on=True)
    await caller.send_digits("4")
    await until("the digit is told", lambda: DigitPressed("s", "caller", "4", secret=True) in media.sink.events)
    await agent.send_digits("1")
    await caller.wait_digits("271")
    await agent.wait_frames(30)
    assert agent.digits == "5"
    await agent.wait_heard(MASK_HERTZ)
    await media.plane.secure("s", "caller", on=False)
    await agent.wait_heard(440)
    await caller.close()
    await agent.close()


async def test_a_browser_hears_a_wideband_caller_in_opus(media: MediaProcess) -> None:
    if not has_opus():
        pytest.skip("this machine has no libopus")
    caller = await wide_caller(media)
    browser = await RtpEndpoint.open(codecs=EVERY)
    profile = LegProfile("127.0.0.1", browser=True)
    browser.accept(await media.plane.answer_offer("s", "agent", browser.sdp_offer(), profile))
    caller.start(HIGH)
    browser.start(6000)
    await media.plane.route("s", TWO_WAY)
    await browser.wait_heard(HIGH, share=0.8)
    await caller.wait_heard(6000, share=0.8)
    packets = list(browser.packets)[-40:]
    assert {packet.payload_type for packet in packets} == {111}
    steps = {(later.timestamp - earlier.timestamp) % 2**32 for earlier, later in itertools.pairwise(packets)}
    assert steps == {960}
    await caller.close()
    await browser.close()


async def test_a_browser_is_met_with_a_telephone_codec_when_the_caller_is_narrowband(media: MediaProcess) -> None:
    await media.plane.answer_offer("s", "caller", OFFER, PROFILE)
    browser = await RtpEndpoint.open(codecs=EVERY)
    answer = await media.plane.answer_offer("s", "agent", browser.sdp_offer(), LegProfile("127.0.0.1", browser=True))
    assert "opus" not in answer
    await browser.close()


async def test_prompts_mixes_and_recordings_reach_wideband_legs(media: MediaProcess, tmp_path: Path) -> None:
    """One loop: prompt in G.722, a mix with gain, and the recording holds the right party in each channel."""
    path = tmp_path / "prompt.wav"
    path.write_bytes(write_wav(tone(1000, 10.0)))
    caller = await wide_caller(media)
    agent = await called(media, Codec.PCMU)
    caller.start(440)
    agent.start(620)
    await media.plane.play("s", "caller", "p", [str(path)], loop=True)
    await caller.wait_heard(1000, share=0.9)
    await media.plane.route("s", [Route("caller", "agent"), Route("agent", "caller", -1.0)])
    await caller.wait_heard(620, share=0.3)
    await media.plane.stop_play("s", "p")
    await caller.wait_heard(620, share=0.9)
    await media.plane.record("s", "r", RecordingAction.START, left="caller", right="agent")
    await agent.wait_frames(80)
    await media.plane.record("s", "r", RecordingAction.STOP)
    finished = await media.sink.finished("r")
    recording = listen(finished)
    assert max(recording.tones(recording.left, 440)) > 0.9
    assert max(recording.tones(recording.right, 620)) > 0.9
    await caller.close()
    await agent.close()
