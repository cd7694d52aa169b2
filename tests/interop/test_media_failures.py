"""What callers notice when media processes are killed, hang, or lose the exchange."""

import asyncio
import itertools
import os
import signal
from pathlib import Path

import pytest

from callcenter.errors import MediaError, NoFreePorts
from callcenter.media.audio import tone, write_wav
from callcenter.media.plane import EmbeddedMediaPlane
from callcenter.media.protocol import LegSpec
from callcenter.media.rtp import sequence_distance
from callcenter.ports import PlayFinished, Route, SessionLost
from tests.support.installation import NURSERY
from tests.support.media_contract import EventSink
from tests.support.mediad_process import MediaProcess, running_mediad
from tests.support.ports import media_range
from tests.support.process_table import descendants, is_alive
from tests.support.waiting import until

pytestmark = pytest.mark.faults

TWO_WAY = [Route("caller", "agent"), Route("agent", "caller")]


async def kill_worker(media: MediaProcess, number: signal.Signals = signal.SIGKILL) -> None:
    """Kill the active worker and wait until the keeper has noticed."""
    before = await media.plane.status()
    os.kill(before.worker_pids[0], number)

    async def is_noticed() -> bool:
        return (await media.plane.status()).worker_deaths > before.worker_deaths

    await until("the keeper has noticed", is_noticed, within=20)


def nursery_of(media: MediaProcess) -> int:
    """The process that forks workers, and is none itself."""
    rows = [row for row in descendants(media.process.pid) if NURSERY in row.command]
    (pid,) = [row.pid for row in rows if row.parent == media.process.pid]
    return pid


def is_forked(media: MediaProcess, worker: int) -> bool:
    """Whether a worker is a child of the nursery."""
    rows = {row.pid: row for row in descendants(media.process.pid)}
    return worker in rows and rows[worker].parent == nursery_of(media)


async def test_workers_are_forked_and_started_from_nothing_where_the_nursery_is_dead() -> None:
    """A call goes on over both; a nursery that was killed is there again, and forks the worker after the next."""
    async with running_mediad("--standby", "0") as media:
        await media.plane.create("s")
        caller, agent = await media.calling("s", "caller"), await media.called("s", "agent")
        caller.start(440)
        agent.start(620)
        await media.plane.route("s", TWO_WAY)
        await agent.wait_heard(440)
        assert is_forked(media, (await media.plane.status()).worker_pids[0])
        nursery = nursery_of(media)
        os.kill(nursery, signal.SIGSTOP)  # hangs: whoever asks it gives it up
        await kill_worker(media)
        for phone in (caller, agent):
            await phone.wait_frames(40, 20)
        await agent.wait_heard(440)
        assert not is_forked(media, (await media.plane.status()).worker_pids[0])
        await until("there is a nursery again", lambda: nursery_of(media) != nursery)
        assert not is_alive(nursery)
        for phone in (caller, agent):
            await phone.close()


@pytest.mark.parametrize(("standby", "loop"), [("0", "python"), ("0", "compiled"), ("1", "python"), ("1", "compiled")])
async def test_a_killed_worker_is_replaced_and_the_same_stream_goes_on(standby: str, loop: str, tmp_path: Path) -> None:
    """Both parties hear each other again: same SSRC, and sequence numbers that go on where they stopped."""
    path = tmp_path / "music.wav"
    path.write_bytes(write_wav(tone(1500, 5)))
    async with running_mediad("--standby", standby, "--loop", loop, patience=90) as media:
        await media.plane.create("s")
        caller, agent = await media.calling("s", "caller"), await media.called("s", "agent")
        waiting = await media.calling("s", "waiting")
        for phone, pitch in ((caller, 440), (agent, 620), (waiting, 0)):
            phone.start(pitch)
        await media.plane.route("s", TWO_WAY)
        await media.plane.play("s", "waiting", "m", [str(path)], loop=True)
        await agent.wait_heard(440)
        await waiting.wait_heard(1500)
        await kill_worker(media)
        for phone in (caller, agent, waiting):
            await phone.wait_frames(40, 30)
        await agent.wait_heard(440)
        await caller.wait_heard(620)
        await waiting.wait_heard(1500)
        for phone in (caller, agent, waiting):
            assert len({packet.ssrc for packet in phone.packets}) == 1
            steps = [
                sequence_distance(later.sequence, earlier.sequence)
                for earlier, later in itertools.pairwise(phone.packets)
            ]
            assert max(steps) <= 3
            assert min(steps) >= 0
        figures = await media.plane.destroy("s")
        assert figures["caller"].packets_in >= 0.8 * caller.counters.packets_sent
        assert media.sink.events == [PlayFinished("s", "m", "stopped")]
        for phone in (caller, agent, waiting):
            await phone.close()


async def test_a_session_whose_worker_dies_twice_is_dropped(tmp_path: Path) -> None:
    path = tmp_path / "music.wav"
    path.write_bytes(write_wav(tone(1500, 5)))
    async with running_mediad("--standby", "0") as media:
        await media.plane.create("s")
        phone = await media.calling("s", "caller")
        await media.plane.play("s", "caller", "m", [str(path)])
        await kill_worker(media)
        assert (await media.plane.status()).sessions == 1
        await kill_worker(media)
        await media.sink.wait(SessionLost("s"))
        assert media.sink.events == [PlayFinished("s", "m", "failed"), SessionLost("s")]
        status = await media.plane.status()
        assert (status.sessions, status.ports_used) == (0, 0)
        with pytest.raises(MediaError):
            await media.plane.make_offer("s", "agent")
        await media.plane.create("fresh")
        await phone.close()


async def test_a_worker_that_hangs_is_replaced() -> None:
    async with running_mediad("--standby", "0") as media:
        await media.plane.create("s")
        caller, agent = await media.calling("s", "caller"), await media.called("s", "agent")
        caller.start(440)
        await media.plane.route("s", TWO_WAY)
        await agent.wait_heard(440)
        await kill_worker(media, signal.SIGSTOP)
        await agent.wait_frames(40, 30)
        await agent.wait_heard(440)
        await caller.close()
        await agent.close()


async def test_orders_during_the_change_of_workers_are_carried_out_by_the_next() -> None:
    async with running_mediad("--standby", "0") as media:
        await media.plane.create("s")
        os.kill((await media.plane.status()).worker_pids[0], signal.SIGKILL)
        caller, agent = await media.calling("s", "caller"), await media.called("s", "agent")
        caller.start(440)
        await media.plane.route("s", TWO_WAY)
        await agent.wait_heard(440)
        await caller.close()
        await agent.close()


async def test_a_dead_mediad_loses_its_sessions_and_refuses_orders() -> None:
    async with running_mediad("--standby", "0") as media:
        await media.plane.create("s")
        await media.plane.make_offer("s", "caller")
        media.process.kill()
        await media.sink.wait(SessionLost("s"))
        assert media.sink.events == [SessionLost("s")]
        assert not media.plane.connected
        with pytest.raises(MediaError):
            await media.plane.create("t")
        assert await media.plane.destroy("s") == {}


def is_running(pid: int) -> bool:
    """Whether a process is there and not merely waiting to be reaped."""
    try:
        return " Z " not in Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False


async def test_workers_do_not_outlive_their_keeper() -> None:
    async with running_mediad("--standby", "1") as media:
        pid = (await media.plane.status()).worker_pids[0]
        media.process.kill()
        await media.process.wait()
        async with asyncio.timeout(10):
            while await asyncio.to_thread(is_running, pid):
                pass


async def test_calls_outlive_the_exchange_for_the_grace_time() -> None:
    """The control connection is cut; the parties go on talking, then the sessions are closed."""
    async with running_mediad("--standby", "0", "--grace", "1500") as media:
        await media.plane.create("s")
        caller, agent = await media.calling("s", "caller"), await media.called("s", "agent")
        caller.start(440)
        agent.start(620)
        await media.plane.route("s", TWO_WAY)
        await agent.wait_heard(440)
        await media.plane.stop()
        await agent.wait_frames(40)
        await agent.wait_heard(440)
        with pytest.raises(TimeoutError):  # 1.5 s are 75 packets, and a stream that never ends has 150 by then
            await agent.wait_frames(140, 6)
        await caller.close()
        await agent.close()


async def test_a_new_exchange_clears_what_the_old_one_left() -> None:
    async with running_mediad("--standby", "0") as media:
        await media.plane.create("s")
        await media.plane.make_offer("s", "caller")
        sink = EventSink()
        successor = EmbeddedMediaPlane(media.socket_path, sink, request_timeout=10)
        await successor.start()
        await successor.create("t")
        await media.sink.wait(SessionLost("s"))
        async with asyncio.timeout(10):
            while (await successor.status()).sessions != 1:
                pass
        assert (await successor.status()).ports_used == 0
        assert sink.events == []
        await successor.stop()


async def test_no_free_port_is_an_error_of_its_own() -> None:
    first = media_range(4)
    async with running_mediad("--standby", "0", "--port-min", str(first), "--port-max", str(first + 3)) as media:
        await media.plane.create("s")
        await media.plane.make_offer("s", "a")
        await media.plane.make_offer("s", "b")
        with pytest.raises(NoFreePorts):
            await media.plane.make_offer("s", "c")
        await media.plane.route("s", [Route("a", "b")])
        assert set(await media.plane.destroy("s")) == {"a", "b"}


async def test_a_port_that_another_program_has_is_passed_over() -> None:
    loop = asyncio.get_running_loop()
    first = media_range(4)
    taken, _ = await loop.create_datagram_endpoint(asyncio.DatagramProtocol, ("127.0.0.1", first))
    async with running_mediad("--standby", "0", "--port-min", str(first), "--port-max", str(first + 3)) as media:
        await media.plane.create("s")
        assert f"m=audio {first + 2} " in await media.plane.make_offer("s", "a")
    taken.close()


async def test_mediad_leaves_when_its_parent_is_gone() -> None:
    parent = await asyncio.create_subprocess_exec("cat", stdin=asyncio.subprocess.PIPE)
    async with running_mediad("--standby", "0", "--parent-pid", str(parent.pid)) as media:
        parent.kill()
        await parent.wait()
        assert await asyncio.wait_for(media.process.wait(), 10) == 0
        assert not await asyncio.to_thread(os.path.exists, media.socket_path)


async def test_an_overloaded_worker_takes_no_new_session() -> None:
    async with running_mediad("--standby", "0", "--most-busy", "-1") as media:
        with pytest.raises(MediaError, match="overloaded"):
            await media.plane.create("s")


async def test_what_nobody_waits_for_and_is_refused_ends_the_session() -> None:
    async with running_mediad("--standby", "0") as media:
        await media.plane.create("s")
        session = media.plane._session("s")
        session.legs["a"] = LegSpec("a", 1, port=1)  # a port that was never granted
        media.plane._orders.post(session)
        await media.sink.wait(SessionLost("s"))
        assert media.sink.events == [SessionLost("s")]


@pytest.mark.parametrize(("ordered", "loop"), [((), "compiled"), (("--loop", "python"), "python")])
async def test_the_loop_that_relays_is_told_and_compiled_unless_ordered_otherwise(
    ordered: tuple[str, ...], loop: str
) -> None:
    async with running_mediad(*ordered, patience=90) as media:
        assert (await media.plane.status()).loops == (loop,)


@pytest.mark.parametrize("ordered", ["auto", "compiled"])
async def test_without_numba_pythons_loop_relays(ordered: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "numba.py").write_text("raise ModuleNotFoundError(\"No module named 'numba'\", name='numba')\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=os.pathsep)
    async with running_mediad("--loop", ordered, alone=True) as media:
        assert (await media.plane.status()).loops == ("python",)


async def test_what_is_compiled_for_the_first_time_is_kept_and_its_compiler_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    memory = []
    for _ in range(2):
        async with running_mediad(patience=100, alone=True) as media:
            status = await media.plane.status()
            assert status.loops == ("compiled",)
            memory.append(_resident_megabytes(status.worker_pids[0]))
        assert "compiled_loop" in " ".join(name for _, _, names in os.walk(tmp_path) for name in names)
    assert memory[0] < memory[1] + 20, "the first one has what the second has, and no compiler besides"


def _resident_megabytes(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") >> 20
