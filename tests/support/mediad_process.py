"""A real ``mediad`` with its workers, for tests."""

import asyncio
import os
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from callcenter.errors import MediaError
from callcenter.media.endpoint import RtpEndpoint
from callcenter.media.plane import EmbeddedMediaPlane
from callcenter.nursery.births import Child, ForkedChild
from tests.support.media_contract import PROFILE, EventSink
from tests.support.ports import media_range
from tests.support.warm_nursery import forked

PORTS = 1000
"""Of its own, unless a test wants others."""
LOOPS = ("compiled", "python")
"""What may relay in a worker; the first is what there is unless something else is ordered."""


@dataclass(slots=True)
class MediaProcess:
    """A running ``mediad``, a plane connected to it, and what the plane told."""

    process: Child
    socket_path: str
    plane: EmbeddedMediaPlane
    sink: EventSink

    async def calling(self, session_id: str, leg_id: str) -> RtpEndpoint:
        """A phone that calls in: its offer is answered."""
        phone = await RtpEndpoint.open()
        phone.accept(await self.plane.answer_offer(session_id, leg_id, phone.sdp_offer(), PROFILE))
        return phone

    async def called(self, session_id: str, leg_id: str) -> RtpEndpoint:
        """A phone that is called: it answers our offer."""
        phone = await RtpEndpoint.open()
        answer = phone.sdp_answer(await self.plane.make_offer(session_id, leg_id))
        await self.plane.accept_answer(session_id, leg_id, answer, PROFILE)
        return phone


@asynccontextmanager
async def running_mediad(
    *options: str, request_timeout: float = 20.0, patience: float = 60.0, alone: bool = False
) -> AsyncIterator[MediaProcess]:
    """Start ``mediad`` on a short path (Unix sockets have a limit) and stop it with SIGTERM. ``alone``: executed, where
    what it loads at its start matters; else it is forked from what the tester has imported already."""
    first = media_range(PORTS)
    with tempfile.TemporaryDirectory(prefix="media-") as folder:
        socket_path = str(Path(folder) / "media.sock")
        command = [
            *(sys.executable, "-m", "callcenter.media.mediad", "--socket", socket_path, "--most-busy", "10"),
            *("--port-min", str(first), "--port-max", str(first + PORTS - 1)),
            *("--quarantine", "100"),  # a new plane takes an eighth of the ports, and the next test has another at once
            *options,
        ]
        process: Child
        if alone:
            process = await asyncio.create_subprocess_exec(*command)
        else:
            process = ForkedChild(forked(command, dict(os.environ)))
        sink = EventSink()
        plane = EmbeddedMediaPlane(socket_path, sink, recording_sink=sink.on_recording, request_timeout=request_timeout)
        try:
            await plane.start(patience=patience)
            await plane.ready(0.1)
            yield MediaProcess(process, socket_path, plane, sink)
        finally:
            await plane.stop()
            if process.returncode is None:
                process.terminate()
            async with asyncio.timeout(10):
                await process.wait()


@asynccontextmanager
async def plane_of_its_own(process: MediaProcess) -> AsyncIterator[MediaProcess]:
    """Another plane at a ``mediad`` that tests share, with a sink of its own. Its session ``s`` ends with it."""
    sink = EventSink()
    plane = EmbeddedMediaPlane(process.socket_path, sink, recording_sink=sink.on_recording, request_timeout=10)
    await plane.start()
    try:
        yield MediaProcess(process.process, process.socket_path, plane, sink)
    finally:
        with suppress(MediaError):
            await plane.destroy("s")
        await plane.stop()
