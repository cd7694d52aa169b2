"""What the media processes of this machine carry: ``callcenter bench media``.

A ``mediad`` of its own with one worker; generator and worker each on a core of their own where there are two.
"""

import asyncio
import os
import signal
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from callcenter.media.mediad.browsers_line import browsers_socket
from callcenter.media.mediad.settings import RelayLoop
from callcenter.media.music import music_path
from callcenter.media.plane import EmbeddedMediaPlane
from callcenter.media.protocol import MediaStatus
from callcenter.media.sdp import build_answer, build_offer, read_answer, read_offer
from callcenter.media.traffic import TrafficFigures, TrafficLeg, exchange
from callcenter.media.webrtc.measuring import (
    BrowserTraffic,
    close_browsers,
    connect_browsers,
    exchange_browsers,
)
from callcenter.ports import LegProfile, RecordingAction, Route

TrafficT = TypeVar("TrafficT")

_PROFILE = LegProfile("127.0.0.1")
_SETTLE = 0.5
"""Seconds for reading sound files before music is measured."""
_PATIENCE = 60.0
"""Seconds for media processes to start."""


@dataclass(frozen=True, slots=True)
class MediaFigures:
    """One run. Delays are added by the media process, in milliseconds; CPU is of one core."""

    relayed_calls: int
    relayed_p50_ms: float | None
    relayed_p99_ms: float | None
    relayed_cpu_percent: float
    mixed_calls: int
    mixed_p50_ms: float | None
    mixed_p99_ms: float | None
    """Through jitter buffer and tick, so 10 to 30 ms by design: a packet waits for half a frame at least and for the
    next tick. What is beyond that is lateness."""
    mixed_late_p50_ms: float | None
    """How long after its time the last packet of a tick left: of the delays above, the part that is not by design."""
    mixed_late_p99_ms: float | None
    mixed_cpu_percent: float
    recorded_calls: int
    recorded_p99_ms: float | None
    recorded_cpu_percent: float
    music_callers: int
    music_500_cpu_percent: float | None
    """Of a core while 500 callers wait with music, measured with ``music_callers`` and scaled."""
    browser_agents: int
    """Browsers that spoke and heard at the same time."""
    browser_p50_ms: float | None
    browser_p99_ms: float | None
    """Through the process for browsers and back."""
    browser_cpu_percent: float
    """Of that process; each agent costs a worker as much as a phone besides."""
    browser_lost_packets: int
    lost_packets: int
    """Of relayed and recorded calls."""
    ticks_skipped: int
    real_time: bool
    """Whether the worker was given real-time scheduling."""
    cores: int
    load: float
    """Load average of the machine at the beginning."""


@dataclass(slots=True)
class _Running:
    """The process under measurement."""

    plane: EmbeddedMediaPlane
    folder: str

    async def cpu(self, measured: Callable[[], TrafficFigures]) -> tuple[TrafficFigures, float]:
        """Run traffic and tell the worker's share of a core meanwhile, in percent."""
        return await self.cpu_of((await self.plane.status()).worker_pids[0], measured)

    async def cpu_of(self, pid: int, measured: Callable[[], TrafficT]) -> tuple[TrafficT, float]:
        """Run traffic and tell a process's share of a core meanwhile, in percent."""
        before, wall = _cpu_seconds(pid), time.monotonic()
        figures = await asyncio.to_thread(measured)
        share = (_cpu_seconds(pid) - before) / (time.monotonic() - wall)
        return figures, round(100 * share, 1)


def measure(
    *, relayed: int, mixed: int, recorded: int, waiting: int, browsers: int, seconds: float, loop: RelayLoop = "auto"
) -> MediaFigures:
    """Run each kind of call for ``seconds`` after a second of warming up. Raises ``MediaError``.

    ``loop`` is what relays in the worker, see ``MediaSettings``.
    """
    return asyncio.run(_measure(relayed, mixed, recorded, waiting, browsers, seconds, loop))


async def _measure(
    relayed: int, mixed: int, recorded: int, waiting: int, browsers: int, seconds: float, loop: RelayLoop
) -> MediaFigures:
    load = round(os.getloadavg()[0], 1)
    async with _mediad(loop) as running:
        plain, plain_cpu = await _bridged(running, "relayed", relayed, seconds)
        blended, blended_cpu = await _bridged(running, "mixed", mixed, seconds, mixed=True)
        late = await running.plane.status()
        taped, taped_cpu = await _bridged(running, "recorded", recorded, seconds, recorded=True)
        music = await _waiting(running, waiting, seconds)
        spoken, spoken_cpu = await _browsers(running, browsers, seconds)
        status = await running.plane.status()
        return MediaFigures(
            relayed_calls=relayed,
            relayed_p50_ms=plain.percentile_ms(0.5),
            relayed_p99_ms=plain.percentile_ms(0.99),
            relayed_cpu_percent=plain_cpu,
            mixed_calls=mixed,
            mixed_p50_ms=blended.percentile_ms(0.5),
            mixed_p99_ms=blended.percentile_ms(0.99),
            mixed_late_p50_ms=late.late_p50_ms,
            mixed_late_p99_ms=late.late_p99_ms,
            mixed_cpu_percent=blended_cpu,
            recorded_calls=recorded,
            recorded_p99_ms=taped.percentile_ms(0.99),
            recorded_cpu_percent=taped_cpu,
            music_callers=waiting,
            music_500_cpu_percent=round(music * 500 / waiting, 1) if waiting else None,
            browser_agents=browsers,
            browser_p50_ms=spoken.percentile_ms(0.5),
            browser_p99_ms=spoken.percentile_ms(0.99),
            browser_cpu_percent=spoken_cpu,
            browser_lost_packets=spoken.lost,
            lost_packets=plain.lost + taped.lost,
            ticks_skipped=status.ticks_skipped,
            real_time=os.sched_getscheduler(status.worker_pids[0]) == os.SCHED_RR,
            cores=os.cpu_count() or 1,
            load=load,
        )


@dataclass(frozen=True, slots=True)
class FailoverFigures:
    """What calls noticed when their worker was killed in the middle of them."""

    sent: int
    lost: int
    longest_ms: float
    """The greatest delay that a packet was given: the gap that was heard."""


def measure_failover(*, calls: int, seconds: float, standby: int, loop: RelayLoop = "auto") -> FailoverFigures:
    """Kill the worker of so many relayed calls (``kill -9``) halfway through ``seconds``. Raises ``MediaError``."""
    return asyncio.run(_measure_failover(calls, seconds, standby, loop))


async def _measure_failover(calls: int, seconds: float, standby: int, loop: RelayLoop) -> FailoverFigures:
    async with _mediad(loop, standby) as running:
        legs: list[TrafficLeg] = []
        for number in range(calls):
            legs += await _call(running.plane, f"killed-{number}", gain_db=0.0)
        async with asyncio.timeout(_PATIENCE):
            while (await running.plane.status()).standbys < standby:  # noqa: ASYNC110 - another process is asked
                await asyncio.sleep(0.05)
        traffic = asyncio.create_task(asyncio.to_thread(exchange, legs, seconds=seconds))
        await asyncio.sleep(1.0 + seconds / 2)
        os.kill((await running.plane.status()).worker_pids[0], signal.SIGKILL)
        figures = await traffic
        await _clear(running.plane, "killed", calls, legs)
    return FailoverFigures(figures.sent, figures.lost, round(1000 * max(figures.delays, default=0.0), 1))


@asynccontextmanager
async def _mediad(loop: RelayLoop, standby: int = 0) -> AsyncIterator[_Running]:
    """A media process with one worker on a core of its own."""
    with tempfile.TemporaryDirectory(prefix="media-") as folder:
        path = str(Path(folder) / "media.sock")
        options = [
            "--socket",
            path,
            "--standby",
            str(standby),
            "--most-busy",
            "10",
            "--recordings",
            f"{folder}/recordings",
        ]
        options += ["--browser-port", "0", "--loop", loop]
        process = await asyncio.create_subprocess_exec(sys.executable, "-m", "callcenter.media.mediad", *options)
        plane = EmbeddedMediaPlane(path, lambda _: None, request_timeout=10.0)
        cores = sorted(os.sched_getaffinity(0))
        try:
            await plane.start(patience=_PATIENCE)
            await plane.ready(0.1)
            status: MediaStatus = await plane.status()
            if len(cores) > 1:
                for pid in (status.worker_pids[0], status.browsers_pid):
                    os.sched_setaffinity(pid, {cores[-1]})
                os.sched_setaffinity(0, set(cores[:-1]))
            yield _Running(plane, folder)
        finally:
            os.sched_setaffinity(0, set(cores))
            await plane.stop()
            process.terminate()
            await process.wait()


async def _bridged(
    running: _Running, kind: str, calls: int, seconds: float, *, mixed: bool = False, recorded: bool = False
) -> tuple[TrafficFigures, float]:
    legs: list[TrafficLeg] = []
    for number in range(calls):
        session_id = f"{kind}-{number}"
        legs += await _call(running.plane, session_id, gain_db=-1.0 if mixed else 0.0)
        if recorded:
            await running.plane.record(session_id, session_id, RecordingAction.START, left="a", right="b")
    if not legs:
        return TrafficFigures(), 0.0
    figures = await running.cpu(lambda: exchange(legs, seconds=seconds, mixed=mixed))
    await _clear(running.plane, kind, calls, legs)
    return figures


async def _call(plane: EmbeddedMediaPlane, session_id: str, *, gain_db: float) -> list[TrafficLeg]:
    await plane.create(session_id)
    caller, agent = TrafficLeg.open(), TrafficLeg.open()
    caller.agree(read_answer(await plane.answer_offer(session_id, "a", build_offer(caller.local), _PROFILE)))
    offer = read_offer(await plane.make_offer(session_id, "b"))
    agent.agree(offer.audio)
    await plane.accept_answer(session_id, "b", build_answer(offer, agent.local), _PROFILE)
    await plane.route(session_id, [Route("a", "b", gain_db), Route("b", "a", gain_db)])
    caller.partner, agent.partner = agent, caller
    return [caller, agent]


async def _waiting(running: _Running, callers: int, seconds: float) -> float:
    """The worker's share of a core, in percent, while callers wait with music; they send like everybody else."""
    music = await asyncio.to_thread(music_path, running.folder)
    legs: list[TrafficLeg] = []
    for number in range(callers):
        leg, session_id = TrafficLeg.open(), f"waiting-{number}"
        await running.plane.create(session_id)
        leg.agree(read_answer(await running.plane.answer_offer(session_id, "a", build_offer(leg.local), _PROFILE)))
        await running.plane.play(session_id, "a", "music", [music], loop=True)
        legs.append(leg)
    if not legs:
        return 0.0
    await asyncio.sleep(_SETTLE)
    _, cpu = await running.cpu(lambda: exchange(legs, seconds=seconds, mixed=True))
    await _clear(running.plane, "waiting", callers, legs)
    return cpu


async def _browsers(running: _Running, agents: int, seconds: float) -> tuple[BrowserTraffic, float]:
    if not agents:
        return BrowserTraffic(), 0.0
    path = browsers_socket(f"{running.folder}/media.sock")
    connected, media = await connect_browsers(path, agents)
    try:
        pid = (await running.plane.status()).browsers_pid
        return await running.cpu_of(pid, lambda: exchange_browsers(connected, media, seconds=seconds))
    finally:
        close_browsers(connected, media)


async def _clear(plane: EmbeddedMediaPlane, kind: str, calls: int, legs: list[TrafficLeg]) -> None:
    for leg in legs:
        leg.sock.close()
    for number in range(calls):
        await plane.destroy(f"{kind}-{number}")


def _cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
