"""A real rtpengine in userspace, for tests: started in front of a ``mediad`` on ports of its own."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from callcenter.media.plane import EmbeddedMediaPlane
from callcenter.media.rtpengine import RtpenginePlane, RtpengineSettings
from callcenter.media.rtpengine_control import RtpengineControl
from tests.support.media_contract import EventSink
from tests.support.mediad_process import MediaProcess, running_mediad
from tests.support.peers import peer
from tests.support.ports import free_port, media_range
from tests.support.process_table import udp_sockets
from tests.support.waiting import until

CONFIGURATION = Path(__file__).parents[2] / "sip_configs" / "rtpengine" / "rtpengine.conf"
"""The one that is shipped; only its addresses are others here."""
_PORTS = 100


@asynccontextmanager
async def running_rtpengine(
    control: tuple[str, int] | None = None, *, but: range = range(0)
) -> AsyncIterator[tuple[tuple[str, int], range]]:
    """Start one with one thread on loopback, killed at the end; gives the address of its control port and RTP ports.

    ``control`` is where one listened that is gone, ``but`` the ports that it had: this one has others.
    """
    program = peer("rtpengine", "/usr/bin/rtpengine")
    if control is None:
        control = ("127.0.0.1", free_port(socket.SOCK_DGRAM))
    first = _free_range(but)
    process = await asyncio.create_subprocess_exec(
        program,
        f"--config-file={CONFIGURATION}",
        "--table=-1",
        "--interface=127.0.0.1",
        f"--listen-ng={control[0]}:{control[1]}",
        f"--port-min={first}",
        f"--port-max={first + _PORTS}",
        "--num-threads=1",
        "--foreground",
        "--log-level=4",
        "--log-stderr",
        stderr=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
    )
    try:
        await until("rtpengine listens", lambda: bool(udp_sockets(control[0], control[1], control[1] + 1)))
        yield control, range(first, first + _PORTS + 1)
    finally:
        if process.returncode is None:
            process.kill()
        async with asyncio.timeout(10):
            await process.wait()


@dataclass(slots=True)
class RtpengineHouse:
    """A ``mediad`` with an rtpengine to stand in front of it. ``inner`` is the plane that was connected last."""

    media: MediaProcess
    control: tuple[str, int]
    inner: EmbeddedMediaPlane
    edge_ports: range


@asynccontextmanager
async def rtpengine_house(*options: str) -> AsyncIterator[RtpengineHouse]:
    """Start both processes."""
    async with (
        running_rtpengine() as (control, ports),
        running_mediad("--standby", "0", "--quarantine", "10", *options) as media,
    ):
        yield RtpengineHouse(media, control, media.plane, ports)


@asynccontextmanager
async def fresh_plane(house: RtpengineHouse) -> AsyncIterator[tuple[RtpenginePlane, EventSink]]:
    """A new exchange's plane on the same processes: what earlier ones left at ``mediad`` is destroyed."""
    sink = EventSink()
    house.inner = EmbeddedMediaPlane(
        house.media.socket_path, sink, recording_sink=sink.on_recording, request_timeout=10
    )
    plane = RtpenginePlane(house.inner, RtpengineSettings(house.control), sink)
    await plane.start()
    try:
        yield plane, sink
    finally:
        await plane.destroy("s")
        await plane.stop()


async def calls_at(address: tuple[str, int]) -> int:
    """How many calls an rtpengine has open."""
    control = RtpengineControl(address)
    await control.open()
    try:
        calls = (await control.ask("list", limit=1000))["calls"]
    finally:
        await control.close()
    assert isinstance(calls, list)
    return len(calls)


def _free_range(but: range) -> int:
    while True:
        first = media_range(_PORTS + 1)
        if first not in but and first + _PORTS not in but:
            return first
