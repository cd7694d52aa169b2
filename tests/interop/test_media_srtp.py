"""Encrypted phones through real media processes, one of them FFmpeg."""

import asyncio
import os
import re
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import av
import numpy as np
import pytest

from callcenter.media.audio import tone, tone_share
from callcenter.media.endpoint import RtpEndpoint
from callcenter.media.g711 import Samples, encode
from callcenter.media.law import Law
from callcenter.media.rtp import RtpPacket, pack
from callcenter.media.sdes import Suite
from callcenter.ports import DigitPressed, EncryptionPolicy, Route
from tests.support.media_contract import PROFILE
from tests.support.mediad_process import LOOPS, MediaProcess, running_mediad
from tests.support.ports import media_range

pytestmark = pytest.mark.interop

TWO_WAY = [Route("caller", "agent"), Route("agent", "caller")]


@pytest.fixture(params=LOOPS)
async def media(request: pytest.FixtureRequest) -> AsyncIterator[MediaProcess]:
    async with running_mediad("--standby", "0", "--loop", request.param) as process:
        await process.plane.create("s")
        yield process


async def sealed_caller(media: MediaProcess, *suites: Suite) -> RtpEndpoint:
    caller = await RtpEndpoint.open(suites=suites)
    caller.accept(await media.plane.answer_offer("s", "caller", caller.sdp_offer(), PROFILE))
    return caller


async def test_sealed_and_plain_phones_hear_each_other_and_nobody_else(media: MediaProcess) -> None:
    """Every suite, a digit, a forged packet, and a worker that dies: the far ends keep their keys and streams."""
    caller = await sealed_caller(media, Suite.AES_CM_128_HMAC_SHA1_80)
    agent = await RtpEndpoint.open(suites=(Suite.AEAD_AES_128_GCM,))
    offer = await media.plane.make_offer("s", "agent", encryption=EncryptionPolicy.REQUIRED)
    await media.plane.accept_answer("s", "agent", agent.sdp_answer(offer), PROFILE)
    listener = await media.called("s", "listener")
    caller.start(440)
    agent.start(620)
    await media.plane.route("s", [*TWO_WAY, Route("caller", "listener")])
    await agent.wait_heard(440, share=0.9)
    await caller.wait_heard(620, share=0.9)
    await listener.wait_heard(440, share=0.9)
    await caller.send_digits("5")
    await agent.wait_digits("5")
    await media.sink.wait_until(lambda: bool(media.sink.digits))
    assert media.sink.digits == [DigitPressed("s", "caller", "5")]
    for number in range(50):
        payload = encode(tone(2500, 0.02), Law.PCMU)
        caller.send_raw(pack(RtpPacket(0, 40000 + number, 160 * number, caller.ssrc, payload)))
    await agent.wait_frames(30)
    assert agent.heard_tone(2500) < 0.01
    os.kill((await media.plane.status()).worker_pids[0], signal.SIGKILL)
    await agent.wait_frames(100, 30)
    await agent.wait_heard(440, share=0.9)
    await caller.wait_heard(620, share=0.9)
    assert len({packet.ssrc for packet in agent.packets}) == 1
    for phone in (caller, agent, listener):
        await phone.close()


async def test_what_is_on_the_wire_is_not_speech(media: MediaProcess) -> None:
    caller = await sealed_caller(media, Suite.AES_CM_128_HMAC_SHA1_32)
    agent = await media.called("s", "agent")
    agent.start(620)
    await media.plane.route("s", TWO_WAY)
    await caller.wait_heard(620, share=0.9)
    caller._opener = None  # an eavesdropper has no key
    await caller.wait_frames(30)
    assert caller.heard_tone(620) < 0.1
    await caller.close()
    await agent.close()


async def test_ffmpeg_with_our_key_understands_us(media: MediaProcess, tmp_path: Path) -> None:
    """An independent implementation of SRTP hears what we send."""
    port = media_range(2)  # FFmpeg takes it, and the next one, when this phone has let go of it
    phone = await RtpEndpoint.open(port=port, suites=(Suite.AES_CM_128_HMAC_SHA1_80,))
    answer = await media.plane.answer_offer("s", "agent", phone.sdp_offer(), PROFILE)
    await phone.close()
    caller = await media.calling("s", "caller")
    caller.start(440)
    await media.plane.route("s", TWO_WAY)
    path = tmp_path / "stream.sdp"
    path.write_text(re.sub(r"m=audio \d+", f"m=audio {port}", answer))
    heard = await asyncio.to_thread(_hear_with_ffmpeg, str(path), 1.0)
    half = len(heard) // 2
    assert max(tone_share(heard[:half], 440), tone_share(heard[half:], 440)) > 0.9  # it may begin, or stumble, in one
    await caller.close()


def _hear_with_ffmpeg(path: str, seconds: float) -> Samples:
    """So much speech of the stream that a description names."""
    frames: list[Samples] = []
    options = {"protocol_whitelist": "file,udp,rtp,srtp,crypto", "max_delay": "100000"}
    with av.open(path, format="sdp", options=options, timeout=10) as source:
        for frame in source.decode(audio=0):
            frames.append(frame.to_ndarray().reshape(-1).astype(np.int16))
            if sum(map(len, frames)) >= seconds * 8000:
                break
    return np.concatenate(frames)
