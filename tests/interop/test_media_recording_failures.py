"""What becomes of recordings, and of the calls themselves, when processes are killed and disks fail."""

import asyncio
import contextlib
import itertools
import os
import shutil
import signal
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from callcenter.media.endpoint import RtpEndpoint
from callcenter.media.plane import EmbeddedMediaPlane
from callcenter.media.recordings import ensure_key_file, load_keys
from callcenter.media.rtp import sequence_distance
from callcenter.media.sdp import build_answer, build_offer, read_answer, read_offer
from callcenter.media.traffic import TrafficLeg, exchange, stamps_in
from callcenter.ports import RecordingAction, RecordingDegraded, RecordingFinished, Route, SessionLost
from tests.support.heard_recordings import listen
from tests.support.media_contract import PROFILE, EventSink
from tests.support.mediad_process import LOOPS, MediaProcess, running_mediad
from tests.support.peers import peer
from tests.support.waiting import until

pytestmark = pytest.mark.faults

TWO_WAY = [Route("caller", "agent"), Route("agent", "caller")]
FRAME, HALF_A_FRAME = 160, 80
BYTES_PER_SECOND = 16_000
LATELY = 1.6
"""Seconds of the end that are listened to: a phone that does not get the processor may be silent for one of them."""
MOST = 0.9
"""How much of what was said must be the tone of who said it."""
TAIL = 2000
"""Samples at the end of a recording that a phone may not have sent yet when it is stopped: phones are on the same
crowded machine."""


class Call:
    """A recorded call: the caller says 440 Hz, the agent 620 Hz."""

    def __init__(self, media: MediaProcess, session_id: str, caller: RtpEndpoint, agent: RtpEndpoint) -> None:
        self.media, self.session_id, self.caller, self.agent = media, session_id, caller, agent

    async def order(self, action: RecordingAction) -> None:
        await self.media.plane.record(self.session_id, self.session_id, action, left="caller", right="agent")

    async def stop(self) -> RecordingFinished:
        await self.order(RecordingAction.STOP)
        return await self.media.sink.finished(self.session_id)

    def may_lack(self, phone: RtpEndpoint, samples: int = 0) -> int:
        """How much silence a channel may hold: so much, and what this phone itself sent too late to be placed."""
        return samples + HALF_A_FRAME + FRAME * phone.counters.late_frames

    async def talk(self, frames: int) -> None:
        """Go on for so many frames of the other side."""
        await self.caller.wait_frames(frames, 30)

    async def grows(self, folder: Path, seconds: float) -> None:
        """Go on until so much is in the file: frames may come late, and then many at once."""

        def is_long() -> bool:
            parts = [*(folder / "open").glob("*.wav.part")]
            return bool(parts) and parts[0].stat().st_size >= seconds * BYTES_PER_SECOND

        await until(f"{seconds} seconds are recorded", is_long, within=30)

    def worst_gap(self) -> int:
        """The largest number of packets the agent missed in a row, among the last ones heard."""
        packets = [*self.agent.packets]
        return max(
            sequence_distance(later.sequence, earlier.sequence) for earlier, later in itertools.pairwise(packets)
        )


@asynccontextmanager
async def recorded_call(media: MediaProcess, session_id: str = "s") -> AsyncIterator[Call]:
    """Bridge two phones and start recording them."""
    await media.plane.create(session_id)
    caller, agent = await media.calling(session_id, "caller"), await media.called(session_id, "agent")
    try:
        caller.start(440)
        agent.start(620)
        await media.plane.route(session_id, TWO_WAY)
        await caller.wait_heard(620, 15)
        await agent.wait_heard(440, 15)
        call = Call(media, session_id, caller, agent)
        await call.order(RecordingAction.START)
        yield call
    finally:
        await caller.close()
        await agent.close()


async def until_status(media: MediaProcess, field: str, least: int) -> None:
    """Wait until a figure of the status has grown to ``least``; between two looks the phones of this process speak."""

    async def has_grown() -> bool:
        return int(getattr(await media.plane.status(), field)) >= least

    await until(f"{field} is {least}", has_grown, within=20)


@pytest.mark.parametrize("standby", ["0", "1"])
async def test_a_killed_worker_costs_a_recording_a_second_at_most(tmp_path: Path, standby: str) -> None:
    async with (
        running_mediad("--standby", standby, "--recordings", str(tmp_path)) as media,
        recorded_call(media) as call,
    ):
        await call.talk(125)
        os.kill((await media.plane.status()).worker_pids[0], signal.SIGKILL)
        await until_status(media, "worker_deaths", 1)
        await call.agent.wait_frames(125, 30)
        finished = await call.stop()
        heard = listen(finished)
        assert finished.truncated == "interrupted"
        assert sum(missing.samples for missing in heard.sidecar.missing) <= 8000
        sides = ((heard.left, call.caller, 440, 620), (heard.right, call.agent, 620, 440))
        for channel, phone, frequency, other in sides:
            assert heard.silent_samples(channel[:-TAIL]) <= call.may_lack(phone, 8000)
            assert max(heard.tones(channel, other)) < 0.01
            assert heard.clear(channel, frequency, first=heard.seconds - LATELY, last=heard.seconds - 0.25) > MOST
            assert heard.clear(channel, frequency, first=0.2, last=1.2) > MOST
        assert finished.duration_ms >= 4000


async def test_a_worker_lost_in_a_pause_gives_nothing_of_it_away(tmp_path: Path) -> None:
    """It hangs for seconds; resumed while there is none, its successor finds in the sockets what was said in the
    pause."""
    async with running_mediad("--standby", "0", "--recordings", str(tmp_path)) as media, recorded_call(media) as call:
        await call.talk(25)
        await call.order(RecordingAction.PAUSE)
        call.caller.start(1000)
        call.agent.start(1300)
        await call.talk(25)
        os.kill((await media.plane.status()).worker_pids[0], signal.SIGSTOP)
        await until_status(media, "worker_deaths", 1)
        call.caller.start(440)
        call.agent.start(620)
        await call.order(RecordingAction.RESUME)
        await call.talk(250)  # most of them at once: they waited in the sockets
        heard = listen(await call.stop())
        assert max(heard.tones(heard.left, 1000)) < 0.02
        assert max(heard.tones(heard.right, 1300)) < 0.02
        assert heard.clear(heard.left, 440, first=heard.seconds - LATELY) > MOST
        assert len(heard.sidecar.pauses) == 1
        assert not heard.sidecar.is_paused


async def test_a_killed_recorder_is_replaced_and_goes_on_in_the_same_file(tmp_path: Path) -> None:
    key = tmp_path / "key"
    ensure_key_file(key)
    for options in ((), ("--recording-key", str(key))):
        folder = tmp_path / f"rec{len(options)}"
        async with (
            running_mediad("--standby", "0", "--recordings", str(folder), *options) as media,
            recorded_call(media) as call,
        ):
            await call.talk(100)
            os.kill((await media.plane.status()).recorder_pid, signal.SIGKILL)
            await until_status(media, "recorder_deaths", 1)
            await call.talk(100)
            finished = await call.stop()
            assert call.worst_gap() == 1, "the call noticed nothing"
            heard = listen(finished, load_keys(key))
            assert heard.silent_samples(heard.left[:-TAIL]) <= call.may_lack(call.caller, 8000)
            missing = sum(missing.samples for missing in heard.sidecar.missing)
            assert (finished.truncated is None) == (missing == 0)
            assert heard.silent_samples(heard.left[:-TAIL]) <= call.may_lack(call.caller, missing)
            assert heard.clear(heard.left, 440, first=heard.seconds - LATELY, last=heard.seconds - 0.25) > MOST
            assert len([*folder.glob("2*/*/*/*.wav*")]) == 1


async def test_a_recorder_killed_as_a_recording_ends_still_closes_it(tmp_path: Path) -> None:
    async with running_mediad("--standby", "0", "--recordings", str(tmp_path)) as media, recorded_call(media) as call:
        await call.talk(75)
        os.kill((await media.plane.status()).recorder_pid, signal.SIGSTOP)
        await call.order(RecordingAction.STOP)
        os.kill((await media.plane.status()).recorder_pid, signal.SIGKILL)
        finished = await media.sink.finished("s")
        assert finished.path
        assert finished.sha256
        assert listen(finished).clear(listen(finished).left, 440, first=0.1, last=0.5) > MOST


@pytest.mark.parametrize("killed", ["keeper", "all"])
async def test_what_a_killed_mediad_left_is_closed_and_told_by_the_next(tmp_path: Path, killed: str) -> None:
    """The exchange that comes later learns of the recording; a recorder that lives on leaves the folder first."""
    folder = tmp_path / "rec"
    async with running_mediad("--standby", "0", "--recordings", str(folder)) as media, recorded_call(media) as call:
        await call.grows(folder, 2)
        status = await media.plane.status()
        for pid in (media.process.pid, *((*status.worker_pids, status.recorder_pid) if killed == "all" else ())):
            with contextlib.suppress(ProcessLookupError):  # it left by itself when the keeper was gone
                os.kill(pid, signal.SIGKILL)
        await media.process.wait()
        assert media.sink.recordings == []
    assert len([*(folder / "open").glob("*.part")]) == 2
    async with running_mediad("--standby", "0", "--recordings", str(folder)) as media:
        finished = await media.sink.finished("s")
        assert (finished.session_id, finished.truncated) == ("s", "interrupted")
        heard = listen(finished)
        assert heard.seconds >= 1.5
        assert heard.clear(heard.left, 440, first=0.2) > MOST
        assert [*(folder / "open").glob("*.part")] == []


async def test_a_session_lost_with_its_workers_closes_its_recording(tmp_path: Path) -> None:
    async with running_mediad("--standby", "1", "--recordings", str(tmp_path)) as media, recorded_call(media) as call:
        await call.grows(tmp_path, 1.5)
        for deaths in (1, 2):
            os.kill((await media.plane.status()).worker_pids[0], signal.SIGKILL)
            await until_status(media, "worker_deaths", deaths)
        await media.sink.wait(SessionLost("s"))
        finished = await media.sink.finished("s")
        assert finished.truncated == "interrupted"
        assert listen(finished).clear(listen(finished).left, 440, first=0.2, last=1.2) > MOST


async def test_an_exchange_that_was_away_is_told_when_it_comes_back(tmp_path: Path) -> None:
    options = ("--standby", "0", "--recordings", str(tmp_path), "--grace", "500")
    async with running_mediad(*options) as media, recorded_call(media) as call:
        await call.talk(50)
        await media.plane.stop()
        with pytest.raises(TimeoutError):
            await call.agent.wait_frames(500, 4)
        await media.plane.start()
        finished = await media.sink.finished("s")
        assert finished.truncated is None


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of one megabyte."""
    folder = tmp_path / "small"
    folder.mkdir()
    if os.geteuid() != 0 or shutil.which("mount") is None:
        pytest.skip("only root may mount a small file system")
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)], check=False)
    if made.returncode:
        pytest.skip("a small file system cannot be mounted here")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


async def test_a_full_disk_marks_the_recording_and_nothing_else(small_disk: Path) -> None:
    """The call goes on without a gap; the recording keeps what fitted, and goes on when there is space again."""
    async with running_mediad("--standby", "0", "--recordings", str(small_disk)) as media, recorded_call(media) as call:
        await call.grows(small_disk, 1.5)
        filler = small_disk / "filler"
        with filler.open("wb", buffering=0) as file, contextlib.suppress(OSError):
            while True:
                file.write(bytes(4096))
        degraded = RecordingDegraded("s", "s", "disk_full")
        await media.sink.wait_until(lambda: degraded in media.sink.recordings)
        await call.talk(50)
        assert call.worst_gap() == 1
        filler.unlink()
        await call.talk(100)
        finished = await call.stop()
        assert call.worst_gap() == 1
        assert finished.truncated == "disk_full"
        assert finished.sha256
        heard = listen(finished)
        assert heard.clear(heard.left, 440, first=0.2, last=1.2) > MOST
        assert heard.clear(heard.left, 440, first=heard.seconds - LATELY) > MOST
        assert heard.silent_samples(heard.left) > 4000
        assert [fact.reason for fact in heard.sidecar.missing] == ["disk_full"]
        assert media.sink.recordings.count(degraded) == 1


async def test_a_recording_is_closed_on_a_disk_that_stays_full(small_disk: Path) -> None:
    async with running_mediad("--standby", "0", "--recordings", str(small_disk)) as media, recorded_call(media) as call:
        await call.grows(small_disk, 1.5)
        with (small_disk / "filler").open("wb", buffering=0) as file, contextlib.suppress(OSError):
            while True:
                file.write(bytes(4096))
        await media.sink.wait_until(lambda: bool(media.sink.recordings))
        finished = await call.stop()
        assert finished.truncated == "disk_full"
        assert finished.sha256, "it was closed all the same"
        heard = listen(finished)
        assert heard.clear(heard.left, 440, first=0.2, last=1.0) > MOST


@asynccontextmanager
async def injected(pid: int, fault: str) -> AsyncIterator[None]:
    """Let system calls of a process fail or take long, by strace; skips where that is not possible."""
    peer("strace")
    tracer = await asyncio.create_subprocess_exec(
        "strace", "-f", "-q", "-o", "/dev/null", "-e", f"inject={fault}", "-p", str(pid), stderr=asyncio.subprocess.PIPE
    )
    try:
        async with asyncio.timeout(30):
            while f"TracerPid:\t{tracer.pid}" not in await asyncio.to_thread(_status_of, pid):
                if tracer.returncode is not None:
                    pytest.skip("strace may not attach here")
        yield
    finally:
        if tracer.returncode is None:
            tracer.send_signal(signal.SIGINT)
        await tracer.communicate()


def _status_of(pid: int) -> str:
    return "".join(path.read_text() for path in sorted(Path(f"/proc/{pid}/task").glob("*/status"))[-1:])


async def test_a_disk_with_errors_marks_the_recording_and_nothing_else(tmp_path: Path) -> None:
    async with running_mediad("--standby", "0", "--recordings", str(tmp_path)) as media, recorded_call(media) as call:
        await call.talk(75)
        async with injected((await media.plane.status()).recorder_pid, "pwrite64:error=EIO"):
            await media.sink.wait_until(lambda: bool(media.sink.recordings))
            await call.talk(25)
        await call.talk(75)
        finished = await call.stop()
        assert call.worst_gap() == 1
        assert finished.truncated == "disk_error"
        heard = listen(finished)
        assert heard.clear(heard.left, 440, first=heard.seconds - LATELY) > MOST
        assert media.sink.recordings[0] == RecordingDegraded("s", "s", "disk_error")


@pytest.mark.parametrize("loop", LOOPS)
async def test_a_slow_disk_costs_neither_the_call_nor_the_recording_a_packet(tmp_path: Path, loop: str) -> None:
    """Each write and each sync takes three seconds; what was said meanwhile waits in memory.

    The phones send in real time and stamp each packet: all of them must be heard, and be in the recording in order.
    """
    async with running_mediad("--standby", "0", "--loop", loop, "--recordings", str(tmp_path)) as media:
        plane = media.plane
        caller, agent = await bridged_traffic(plane)
        await plane.record("s", "s", RecordingAction.START, left="caller", right="agent")
        pid = (await plane.status()).recorder_pid
        async with injected(pid, "pwrite64,fdatasync,fsync:delay_enter=3000000"):
            figures = await asyncio.to_thread(exchange, [caller, agent], seconds=5.0)
            (part,) = [*(tmp_path / "open").glob("*.wav.part")]
            assert part.stat().st_size < 3 * BYTES_PER_SECOND, "the disk was slow"
        await plane.record("s", "s", RecordingAction.STOP)
        finished = await media.sink.finished("s", seconds=60)
        heard = listen(finished)
        assert (figures.lost, finished.truncated) == (0, None)
        for channel, phone in ((heard.left, caller), (heard.right, agent)):
            stamps = stamps_in(channel)
            assert (len(stamps), stamps) == (phone.sequence, sorted(set(stamps)))
            phone.sock.close()


async def bridged_traffic(plane: EmbeddedMediaPlane) -> tuple[TrafficLeg, TrafficLeg]:
    """Two ends that hear each other and send exactly in time."""
    caller, agent = TrafficLeg.open(), TrafficLeg.open()
    await plane.create("s")
    caller.agree(read_answer(await plane.answer_offer("s", "caller", build_offer(caller.local), PROFILE)))
    offer = read_offer(await plane.make_offer("s", "agent"))
    agent.agree(offer.audio)
    await plane.accept_answer("s", "agent", build_answer(offer, agent.local), PROFILE)
    await plane.route("s", TWO_WAY)
    return caller, agent


async def test_a_recorder_that_hangs_is_replaced(tmp_path: Path) -> None:
    """It is stopped for so long that it is killed; the workers keep what was said meanwhile."""
    async with running_mediad("--standby", "0", "--recordings", str(tmp_path)) as media, recorded_call(media) as call:
        await call.talk(50)
        os.kill((await media.plane.status()).recorder_pid, signal.SIGSTOP)
        await until_status(media, "recorder_deaths", 1)
        await call.talk(50)
        finished = await call.stop()
        assert call.worst_gap() == 1
        heard = listen(finished)
        assert heard.seconds > 10
        assert heard.clear(heard.left, 440, first=heard.seconds - LATELY, last=heard.seconds - 0.25) > MOST


async def test_a_stopped_mediad_keeps_what_was_recorded(tmp_path: Path) -> None:
    """An orderly end in mid-call: the next one closes the recording."""
    async with running_mediad("--standby", "0", "--recordings", str(tmp_path)) as media, recorded_call(media) as call:
        await call.talk(125)
        media.process.terminate()
        await media.process.wait()
    sink = EventSink()
    async with running_mediad("--standby", "0", "--recordings", str(tmp_path)) as media:
        sink = media.sink
        finished = await sink.finished("s")
        assert finished.truncated == "interrupted"
        assert finished.duration_ms >= 1500
