"""Real calls, really recorded: what is heard in the files."""

import asyncio
import hashlib
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from callcenter.errors import MediaError
from callcenter.media.audio import tone, write_wav
from callcenter.media.endpoint import RtpEndpoint
from callcenter.media.law import SAMPLE_RATE, Law
from callcenter.media.recordings import KeyRing, ensure_key_file
from callcenter.media.traffic import in_real_time
from callcenter.ports import LegProfile, RecordingAction, RecordingFinished, Route
from tests.support.heard_recordings import HeardRecording, listen
from tests.support.mediad_process import LOOPS, MediaProcess, running_mediad
from tests.support.waiting import together
from tests.support.who_hears import falls_silent

pytestmark = pytest.mark.interop

TWO_WAY = [Route("caller", "agent"), Route("agent", "caller")]
SLACK = 0.04


@pytest.fixture(params=LOOPS)
async def media(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[MediaProcess]:
    options = ("--standby", "0", "--loop", request.param, "--recordings", str(tmp_path / "rec"))
    async with running_mediad(*options) as process:
        yield process


@pytest.fixture
async def caller(media: MediaProcess) -> AsyncIterator[RtpEndpoint]:
    await media.plane.create("s")
    phone = await media.calling("s", "caller")
    yield phone
    await phone.close()


@pytest.fixture
async def agent(media: MediaProcess, caller: RtpEndpoint) -> AsyncIterator[RtpEndpoint]:
    phone = await media.called("s", "agent")
    yield phone
    await phone.close()


async def start(media: MediaProcess, recording_id: str = "r") -> None:
    await media.plane.record("s", recording_id, RecordingAction.START, left="caller", right="agent")


async def stop(media: MediaProcess, recording_id: str = "r") -> RecordingFinished:
    await media.plane.record("s", recording_id, RecordingAction.STOP)
    return await media.sink.finished(recording_id)


class Watch:
    """How long something took at least and at most: it begins within ``begins`` and ends within ``ends``."""

    def __init__(self) -> None:
        self._begun, self._ended = [0.0, 0.0], [0.0, 0.0]

    @contextmanager
    def begins(self) -> Iterator[None]:
        self._begun[0] = time.monotonic()
        yield
        self._begun[1] = time.monotonic()

    @contextmanager
    def ends(self) -> Iterator[None]:
        self._ended[0] = time.monotonic()
        yield
        self._ended[1] = time.monotonic()

    def agrees_with(self, seconds: float) -> bool:
        """Whether that is how long it took, give or take two frames."""
        least, most = self._ended[0] - self._begun[1], self._ended[1] - self._begun[0]
        return least - SLACK <= seconds <= most + SLACK


def is_only(heard: HeardRecording, channel: bytes, frequency: float, *others: float) -> bool:
    """Whether all that is said in a channel is this tone, and none of the others ever.

    What a phone sent too late, because it did not get the processor, is silence; that nothing else is missing show the
    tests whose phones send in real time.
    """
    return heard.clear(channel, frequency) > 0.9 and all(max(heard.tones(channel, other)) < 0.01 for other in others)


async def test_each_party_is_heard_in_its_own_channel_and_nowhere_else(
    media: MediaProcess, caller: RtpEndpoint, agent: RtpEndpoint
) -> None:
    """Two relayed parties; a supervisor who whispers to the agent is in neither channel."""
    supervisor = await media.called("s", "supervisor")
    for phone, pitch in ((caller, 440), (agent, 620), (supervisor, 2000)):
        phone.start(pitch)
    monitor = [Route("caller", "supervisor"), Route("agent", "supervisor"), Route("supervisor", "agent", -6.0)]
    await media.plane.route("s", [*TWO_WAY, *monitor])
    await caller.wait_heard(620)
    watch = Watch()
    with watch.begins():
        await start(media)
    await agent.wait_frames(150)
    with watch.ends():
        finished = await stop(media)
    assert finished.truncated is None
    assert watch.agrees_with(finished.duration_ms / 1000)
    heard = listen(finished)
    assert hashlib.sha256(heard.file).hexdigest() == finished.sha256
    assert is_only(heard, heard.left, 440, 620, 2000)
    assert is_only(heard, heard.right, 620, 440, 2000)
    assert (heard.sidecar.opened.left, heard.sidecar.opened.right) == ("caller", "agent")
    await supervisor.close()


async def test_a_recorded_call_stays_on_the_relay(media: MediaProcess, caller: RtpEndpoint, agent: RtpEndpoint) -> None:
    """When the caller stops sending, a relayed agent gets nothing; a mixed one would get silence."""
    caller.start(440)
    agent.start(620)
    await media.plane.route("s", TWO_WAY)
    await start(media)
    await agent.wait_heard(440, share=0.9)
    await caller.pause()
    await falls_silent(agent, meanwhile=caller)
    await stop(media)


async def test_what_is_said_in_a_pause_is_not_there_and_the_length_is(
    media: MediaProcess, caller: RtpEndpoint, agent: RtpEndpoint
) -> None:
    """In the pause both say something else, which must not be found anywhere."""
    caller.start(440)
    agent.start(620)
    await media.plane.route("s", TWO_WAY)
    await caller.wait_heard(620)
    await start(media)
    await caller.wait_frames(60)
    watch = Watch()
    with watch.begins():
        await media.plane.record("s", "r", RecordingAction.PAUSE)
    caller.start(1000)
    agent.start(1300)
    await together(agent.wait_heard(1000), caller.wait_heard(1300))
    await caller.wait_frames(50)
    caller.start(440)
    agent.start(620)
    await together(agent.wait_heard(440), caller.wait_heard(620))  # nothing else is on its way
    with watch.ends():
        await media.plane.record("s", "r", RecordingAction.RESUME)
    await caller.wait_frames(60)
    finished = await stop(media)
    heard = listen(finished)
    ((first, last),) = heard.sidecar.pauses
    assert last is not None
    begin, end = first / SAMPLE_RATE, last / SAMPLE_RATE
    assert watch.agrees_with(end - begin)
    for channel, frequency, secret in ((heard.left, 440, 1000), (heard.right, 620, 1300)):
        assert heard.is_silent(channel, first=begin, last=end)
        assert max(heard.tones(channel, secret)) < 0.01
        assert heard.clear(channel, frequency, last=begin) > 0.9
        assert heard.clear(channel, frequency, first=end) > 0.9
    assert abs(finished.duration_ms - heard.seconds * 1000) <= 1
    assert finished.truncated is None


async def test_a_recording_that_is_paused_to_the_end_is_silent_to_the_end(
    media: MediaProcess, caller: RtpEndpoint, agent: RtpEndpoint
) -> None:
    caller.start(440)
    watch = Watch()
    with watch.begins():
        await start(media)
    await media.plane.record("s", "r", RecordingAction.PAUSE)
    await caller.wait_frames(60)
    with watch.ends():
        await media.plane.destroy("s")
    finished = await media.sink.finished("r")
    heard = listen(finished)
    assert watch.agrees_with(finished.duration_ms / 1000)
    ((first, _),) = heard.sidecar.pauses
    assert heard.is_silent(heard.left, first=first / SAMPLE_RATE, last=heard.seconds)
    assert heard.sidecar.is_paused


def click(path: Path) -> str:
    """Two seconds of silence that begin with a tone of 100 ms."""
    samples = np.concatenate([tone(1000, 0.1, level=0.8), np.zeros(15_200, dtype=np.int16)])
    path.write_bytes(write_wav(samples))
    return str(path)


async def test_both_channels_are_aligned_within_20_ms(
    media: MediaProcess, caller: RtpEndpoint, agent: RtpEndpoint, tmp_path: Path
) -> None:
    """Each phone's click is known by the clock; so is the distance between them, to 20 ms."""
    sound = click(tmp_path / "click.wav")
    await start(media)
    loop = asyncio.get_running_loop()
    begun = []
    with in_real_time():  # no other process may come between the clock and the first packet
        for phone in (caller, agent):
            phone.start(sound)
            begun.append(loop.time())
            await caller.wait_frames(30)
    await caller.wait_frames(60)
    heard = listen(await stop(media))
    distance = (heard.onset(heard.right) - heard.onset(heard.left)) / SAMPLE_RATE
    assert abs(distance - (begun[1] - begun[0])) <= 0.02


async def test_segments_of_one_call_are_files_of_their_own(
    media: MediaProcess, caller: RtpEndpoint, agent: RtpEndpoint, tmp_path: Path
) -> None:
    """Two recordings one after the other and one across both; no file name holds what a caller could choose."""
    caller.start(440)
    agent.start(620)
    await media.plane.route("s", TWO_WAY)
    evil = "../../etc/cron.d/x"
    await start(media, "whole")
    await start(media, evil)
    await agent.wait_frames(30)
    first = await stop(media, evil)
    await start(media, "second")
    await agent.wait_frames(30)
    second, whole = await stop(media, "second"), await stop(media, "whole")
    assert len({first.path, second.path, whole.path}) == 3
    for finished in (first, second, whole):
        assert listen(finished).path.is_relative_to(tmp_path / "rec")
        assert "cron" not in finished.path
        assert finished.truncated is None
    assert whole.duration_ms >= first.duration_ms + second.duration_ms
    assert listen(first).sidecar.opened.recording_id == evil


async def test_an_encrypted_recording_is_read_back_with_its_key_only(tmp_path: Path) -> None:
    key = tmp_path / "recordings.key"
    keys = ensure_key_file(key)
    options = ("--standby", "0", "--recordings", str(tmp_path / "rec"), "--recording-key", str(key))
    async with running_mediad(*options) as media:
        await media.plane.create("s")
        caller, agent = await media.calling("s", "caller"), await media.called("s", "agent")
        caller.start(440)
        agent.start(620)
        await media.plane.route("s", TWO_WAY)
        await caller.wait_heard(620)
        await start(media)
        await caller.wait_frames(100)
        finished = await stop(media)
        heard = listen(finished, keys)
        assert is_only(heard, heard.left, 440, 620)
        assert heard.sidecar.opened.key_name == keys.current
        assert len(set(heard.file)) == 256
        with pytest.raises(MediaError):
            listen(finished, KeyRing(keys.current, {keys.current: bytes(32)}))
        await caller.close()
        await agent.close()


async def test_the_key_file_must_not_lie_beside_the_recordings(tmp_path: Path) -> None:
    with pytest.raises(MediaError):
        async with running_mediad("--recordings", str(tmp_path), "--recording-key", str(tmp_path / "k"), patience=2):
            pass


async def test_without_a_recorder_recording_is_refused(tmp_path: Path) -> None:
    """Not set up, or set up with a key that is not there."""
    for options in ((), ("--recordings", str(tmp_path / "rec"), "--recording-key", str(tmp_path / "nowhere"))):
        async with running_mediad("--standby", "0", *options) as media:
            await media.plane.create("s")
            await media.plane.make_offer("s", "caller")
            await media.plane.make_offer("s", "agent")
            async with asyncio.timeout(20):
                while options and (await media.plane.status()).recorder_deaths < 2:
                    pass
            with pytest.raises(MediaError, match="no recorder"):
                await start(media)
            await media.plane.route("s", TWO_WAY)


async def test_the_laws_of_both_parties_meet_in_one_file(media: MediaProcess, caller: RtpEndpoint) -> None:
    """The caller speaks PCMA, the agent PCMU: the file is PCMA and both are heard."""
    pcma = await RtpEndpoint.open()
    offer = pcma.sdp_offer().replace("RTP/AVP 0 8 101", "RTP/AVP 8 101")
    pcma.accept(await media.plane.answer_offer("s", "pcma", offer, LegProfile("127.0.0.1")))
    pcma.start(440)
    caller.start(620)
    await caller.wait_frames(20)
    await media.plane.record("s", "r", RecordingAction.START, left="pcma", right="caller")
    await caller.wait_frames(80)
    heard = listen(await stop(media))
    assert heard.law is Law.PCMA
    assert is_only(heard, heard.left, 440, 620)
    assert is_only(heard, heard.right, 620, 440)
    await pcma.close()


async def test_keyed_digits_are_not_in_the_recording(
    media: MediaProcess, caller: RtpEndpoint, agent: RtpEndpoint
) -> None:
    """Telephone events are no sound: the channel is silent while they are sent."""
    caller.start(0)
    await start(media)
    await caller.send_digits("4242#")
    heard = listen(await stop(media))
    assert heard.silent_samples(heard.left) >= len(heard.left) - 400


async def test_a_message_is_of_one_leg_alone(media: MediaProcess, caller: RtpEndpoint) -> None:
    """Nobody is there but the caller: left holds what is said, right nothing at all."""
    caller.start(440)
    await media.plane.record("s", "v", RecordingAction.START, left="caller", retention="voicemail")
    await caller.wait_frames(100)
    heard = listen(await stop(media, "v"))
    assert is_only(heard, heard.left, 440, 620)
    assert heard.is_silent(heard.right, first=0, last=heard.seconds)
