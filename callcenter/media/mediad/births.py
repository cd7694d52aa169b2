"""How workers come into the world, as the keeper sees it: forked by the nursery, else started from nothing."""

import asyncio
import contextlib
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import msgspec
import structlog

from callcenter.media.mediad.checkpoint import Checkpoint
from callcenter.media.mediad.settings import Birth, MediaSettings, RelayLoop
from callcenter.niceness import MEDIA, go_before
from callcenter.nursery.client import Born
from callcenter.process_titles import show_command

log = structlog.get_logger(__name__)

_ANSWER_WITHIN = 0.25
"""Seconds a nursery has for a fork; one that takes longer is given up, and a worker is started the slow way."""
_END_WITHIN = 5_000
"""Milliseconds."""
_READY_WITHIN = 60.0
"""Seconds a nursery has until it can fork; it may have to compile first."""
READY, BORN = b"ready", b"born"
"""What a nursery says: that it can fork; that it has, with the number of the child and a descriptor of it."""
_ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
"""Whoever is to fork has no threads; workers have no use for them either."""


class LivingProcess(Protocol):
    """A worker's process."""

    @property
    def pid(self) -> int:
        """Its number."""

    def kill(self) -> None:
        """End it at once."""

    def wait(self) -> object:
        """Return once it is gone."""


class ForkedProcess:
    """A child of the nursery, held by a descriptor that can never mean another process."""

    def __init__(self, pid: int, descriptor: int) -> None:
        self.pid = pid
        self._descriptor = descriptor

    def kill(self) -> None:
        """See ``LivingProcess``."""
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(self._descriptor, signal.SIGKILL)

    def wait(self) -> None:
        """See ``LivingProcess``; at most some seconds, for one that the kernel cannot end."""
        if self._descriptor < 0:
            return
        ended = select.poll()
        ended.register(self._descriptor, select.POLLIN)
        ended.poll(_END_WITHIN)
        os.close(self._descriptor)
        self._descriptor = -1


def environment_of(settings: MediaSettings) -> dict[str, str]:
    """What a nursery and its workers have as environment: one thread, and a folder for what is compiled, where it
    cannot lie beside the source."""
    found = {**os.environ, **_ONE_THREAD}
    if not os.access(Path(__file__).parent, os.W_OK):
        found.setdefault("NUMBA_CACHE_DIR", str(Path(settings.socket_path).absolute().parent / "compiled"))
    return found


def nursery_command(line: socket.socket, loop: RelayLoop) -> list[str]:
    """How a nursery is executed, and what one that was forked looks like."""
    return [sys.executable, "-m", "callcenter.media.mediad.nursery", "--line", str(line.fileno()), "--loop", loop]


@dataclass(slots=True)
class StartedNursery:
    """A nursery that is coming up."""

    process: "subprocess.Popen[bytes] | Born"
    line: socket.socket


def execute_nursery(settings: MediaSettings) -> StartedNursery:
    """Start one from nothing."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with theirs:
        process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
            nursery_command(theirs, settings.loop),
            stdin=subprocess.DEVNULL,
            pass_fds=[theirs.fileno()],
            env=environment_of(settings),
        )
    return StartedNursery(process, ours)


def fork_nursery(settings: MediaSettings) -> StartedNursery:
    """Fork one from this process, which has neither an event loop nor a second thread yet."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with theirs:
        if (pid := os.fork()) == 0:
            try:
                ours.close()
                os.environ.update(environment_of(settings))
                show_command(nursery_command(theirs, settings.loop))
                from callcenter.media.mediad.nursery import come_up

                come_up(theirs, settings.loop)
            except Exception as error:  # noqa: BLE001 - the keeper hears that it is gone, and executes workers
                log.error("media.nursery_failed", error=f"{type(error).__name__}: {error}")
            finally:
                os._exit(1)
    return StartedNursery(Born(pid), ours)


class Births:
    """Starts workers. ``on_ready`` is called whenever the nursery can fork, or cannot be had."""

    def __init__(
        self, settings: MediaSettings, *, on_ready: Callable[[], None], nursery: StartedNursery | None = None
    ) -> None:
        """``nursery``: the first one, where the keeper has forked it from itself."""
        self._settings, self._hurried, self._on_ready = settings, settings.realtime, on_ready
        self._event_loop = asyncio.get_running_loop()
        self._nursery: subprocess.Popen[bytes] | Born | None = None
        self._line: socket.socket | None = None
        self._is_ready = False
        self._begun_at = 0.0
        self.begin(nursery)

    def begin(self, nursery: StartedNursery | None = None) -> None:
        """Take this nursery, or start one."""
        self._begun_at = time.monotonic()
        begun = nursery or execute_nursery(self._settings)
        self._nursery, self._line = begun.process, begun.line
        if self._hurried:
            go_before(MEDIA, self._nursery.pid)
        self._line.settimeout(_ANSWER_WITHIN)
        self._event_loop.add_reader(self._line.fileno(), self._listen)

    def watch(self) -> None:
        """Give up a nursery that never gets ready; to be called now and then."""
        if self._nursery is not None and not self._is_ready and time.monotonic() - self._begun_at > _READY_WITHIN:
            log.error("media.nursery_hung")
            self.close()
            self._on_ready()

    def bear(self, birth: Birth, control: socket.socket, checkpoint: Checkpoint) -> LivingProcess:
        """A new worker at the other end of ``control``."""
        if self._is_ready:
            try:
                return self._fork(birth, control, checkpoint)
            except OSError as error:
                log.error("media.nursery_failed", error=f"{type(error).__name__}: {error}")
                self.close()
                self.begin()
        arguments = ["--control", str(control.fileno()), "--checkpoint", str(checkpoint.descriptor)]
        arguments += ["--birth", msgspec.json.encode(birth).decode()]
        process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
            [sys.executable, "-m", "callcenter.media.mediad.worker", *arguments],
            stdin=subprocess.DEVNULL,
            pass_fds=[control.fileno(), checkpoint.descriptor],
            env=environment_of(self._settings),
        )
        if self._hurried:
            go_before(MEDIA, process.pid)
        return process

    def close(self) -> None:
        """End the nursery; its children live on."""
        self._is_ready = False
        if self._line is not None:
            self._event_loop.remove_reader(self._line.fileno())
            self._line.close()
            self._line = None
        if self._nursery is not None:
            self._nursery.kill()
            self._nursery.wait()
            self._nursery = None

    def _fork(self, birth: Birth, control: socket.socket, checkpoint: Checkpoint) -> ForkedProcess:
        """Raises ``OSError`` when the nursery is dead, hangs, or could not fork."""
        line = self._line
        if line is None:
            raise ConnectionError("there is no nursery")
        socket.send_fds(line, [msgspec.msgpack.encode(birth)], [control.fileno(), checkpoint.descriptor])
        answer, descriptors, _, _ = socket.recv_fds(line, 64, 1)
        if not descriptors:
            raise ConnectionError("the nursery is gone, or its child died at once")
        return ForkedProcess(int(answer.removeprefix(BORN)), descriptors[0])

    def _listen(self) -> None:
        """The nursery says that it is ready, or is gone."""
        try:
            said = b"" if self._line is None else self._line.recv(64)
        except OSError:
            said = b""
        if said == READY:
            self._is_ready = True
        else:
            log.error("media.nursery_died", was_ready=self._is_ready)
            was_ready = self._is_ready
            self.close()
            if was_ready:
                self.begin()  # one that never came up would not the next time
        self._on_ready()
