"""`callcenter serve`: the supervisor of the three kinds of process. It owns no data; it starts, watches and restarts.

Media starts first, because its sockets outlive the exchange; web may come and go as it likes.
"""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import structlog

from callcenter.calls.recordings import RecordingMode
from callcenter.config import Settings, WebrtcSection
from callcenter.errors import CallCenterError, ConfigError
from callcenter.logs import LEVEL_VARIABLE
from callcenter.media.recordings import RecordingKeyError, ensure_key_file
from callcenter.nursery.births import Births, Child
from callcenter.site.models import Site
from callcenter.site.repository import load_flows, load_site

log = structlog.get_logger(__name__)

RESTART_SECONDS = (0.0, 0.2, 0.5, 1.0, 2.0, 5.0)
"""Pause before each restart in a row."""
QUICK_DEATH_SECONDS = 30.0
"""A process that lived this long starts the row anew."""
MAX_QUICK_DEATHS = 12
STOP_SECONDS = 8.0


class ProcessFailed(CallCenterError):
    """A process of ours does not stay up; its own last lines on standard error say why."""

    code = "process-failed"


@dataclass(slots=True)
class Process:
    """One supervised process."""

    name: str
    command: Sequence[str]
    env: dict[str, str] = field(default_factory=dict)
    essential: bool = False
    """Whether all must end when this one does not come up at all. Others, and this one once it has lived a while, are
    started again for ever: calls go on without a web process, and a full disk is some day emptied."""
    quiet: bool = False
    """Throw away what it writes to standard output."""
    pid: int | None = None
    _stopping: asyncio.Event = field(default_factory=asyncio.Event)
    _child: Child | None = None

    async def supervise(self, births: Births) -> None:
        """Keep it running until ``stop``. Raises ``ProcessFailed`` when an essential one never stays up."""
        deaths, proven = 0, False
        while not self._stopping.is_set():
            started = asyncio.get_running_loop().time()
            self._child = await births.start(self.command, self.env, quiet=self.quiet)
            self.pid = self._child.pid
            status = await self._child.wait()
            if self._stopping.is_set():
                return
            lived = asyncio.get_running_loop().time() - started
            proven = proven or lived > QUICK_DEATH_SECONDS
            deaths = 1 if lived > QUICK_DEATH_SECONDS else deaths + 1
            log.warning("process died", name=self.name, status=status, deaths=deaths)
            if self.essential and not proven and deaths > MAX_QUICK_DEATHS:
                raise ProcessFailed(f"{self.name} died {deaths} times in a row; see its messages above")
            await asyncio.sleep(RESTART_SECONDS[min(deaths, len(RESTART_SECONDS)) - 1])

    async def stop(self) -> None:
        """Ask it to end, and end it when it does not."""
        self._stopping.set()
        child = self._child
        if child is None or child.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            child.terminate()
        try:
            async with asyncio.timeout(STOP_SECONDS):
                await child.wait()
        except TimeoutError:
            log.warning("process did not end; killed", name=self.name)
            with contextlib.suppress(ProcessLookupError):
                child.kill()
            await child.wait()


def server_processes(settings: Settings, config: Path) -> list[Process]:
    """The three kinds of process of one installation, in the order in which they start."""
    python = [sys.executable, "-m"]
    return [
        Process(
            "media",
            [
                *python,
                "callcenter.media.mediad",
                "--socket",
                str(settings.media_socket),
                "--host",
                settings.media.host,
                "--port-min",
                str(settings.media.port_min),
                "--port-max",
                str(settings.media.port_max),
                "--workers",
                str(settings.media.workers),
                "--loop",
                settings.media.loop,
                *_recording_options(settings),
                *_browser_options(settings.media.webrtc),
                "--parent-pid",
                str(os.getpid()),
            ],
            env={LEVEL_VARIABLE: settings.log.level},
        ),
        Process("exchange", [*python, "callcenter", "run-exchange", "--config", str(config)], essential=True),
        Process("web", [*python, "callcenter", "run-web", "--config", str(config)]),
    ]


def _browser_options(section: WebrtcSection) -> list[str]:
    """What ``mediad`` is told of browsers."""
    if not section.enabled:
        return []
    options = ["--browser-port", str(section.port)]
    if section.host is not None:
        options += ["--browser-host", section.host]
    return [*options, *(part for address in section.addresses for part in ("--browser-address", address))]


def _recording_options(settings: Settings) -> list[str]:
    """What ``mediad`` is told of recordings."""
    folder, key_file = settings.recordings.folder, settings.recordings.key_file
    options = [] if folder is None else ["--recordings", str(folder)]
    return options if key_file is None else [*options, "--recording-key", str(key_file)]


def prepare_recordings(settings: Settings, site: Site) -> None:
    """Make the folder and, the first time, the key. Raises ``ConfigError`` when a queue records and nothing can be."""
    recording = [queue.id for queue in site.queues if queue.recording is not RecordingMode.OFF]
    folder, key_file = settings.recordings.folder, settings.recordings.key_file
    if folder is None:
        if recording:
            raise ConfigError(f"queue {recording[0]} records; set recordings.folder in the configuration")
        return
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if key_file is not None:
            ensure_key_file(key_file)
    except (OSError, RecordingKeyError) as error:
        raise ConfigError(f"recordings.folder {folder}: recordings cannot be set up: {error}") from error


class Supervisor:
    """Runs processes together: all until told to stop, or until one of them cannot be kept up."""

    def __init__(self, processes: Sequence[Process], births: Births | None = None) -> None:
        self._births = births or Births()
        self.processes = {process.name: process for process in processes}
        self._tasks: list[asyncio.Task[None]] = []
        self._ended = asyncio.Event()

    def start(self) -> None:
        """Start everything."""
        for process in self.processes.values():
            self.add(process)

    def add(self, process: Process) -> None:
        """Start one more."""
        self.processes[process.name] = process
        task = asyncio.create_task(process.supervise(self._births), name=process.name)
        task.add_done_callback(lambda _: self._ended.set())
        self._tasks.append(task)

    def end(self) -> None:
        """Tell ``wait`` to return."""
        self._ended.set()

    async def wait(self) -> None:
        """Until ``end``, or until a process failed for good. Raises ``ProcessFailed``."""
        await self._ended.wait()
        for task in self._tasks:
            if task.done() and not task.cancelled() and (error := task.exception()) is not None:
                raise error

    async def stop(self) -> None:
        """Stop everything, last started first."""
        for process in reversed(list(self.processes.values())):
            await process.stop()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._births.close()


async def serve(settings: Settings, config: Path, births: Births) -> None:
    """Run an installation until SIGTERM or SIGINT. Raises ``ConfigError`` before anything starts, ``ProcessFailed``."""
    site = load_site(settings.site)
    load_flows(site, settings.site)
    prepare_recordings(settings, site)
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    supervisor = Supervisor(server_processes(settings, config), births)
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, supervisor.end)
    supervisor.start()
    try:
        await supervisor.wait()
    finally:
        await supervisor.stop()
