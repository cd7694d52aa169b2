"""A nursery as its owner sees it, and the children that it forks for the owner."""

import asyncio
import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Iterable
from contextlib import suppress

import msgspec

from callcenter.nursery.forking import serve
from callcenter.nursery.kinship import adopting
from callcenter.nursery.needs import needed
from callcenter.nursery.protocol import BORN, KNOWN, READY, Birth
from callcenter.process_titles import show_command

LOAD_SECONDS = 60.0
"""A nursery has so long for imports, also on a crowded machine,"""
FORK_SECONDS = 5.0
"""and so long for a fork; one that takes longer is given up."""
_LARGEST_ANSWER = 4_096
_MODULE = "callcenter.nursery"
_ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
"""Whoever is to fork has no threads."""


class Born:
    """A child of this process, however it came to it; to be waited for by whoever holds this. As ``Popen`` is."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.returncode: int | None = None
        """Exit status, or the number of a signal with a minus before it."""
        self._descriptor = os.pidfd_open(pid)

    def poll(self) -> int | None:
        """The exit status, ``None`` while it lives."""
        if self.returncode is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.returncode = os.waitstatus_to_exitcode(status)
                os.close(self._descriptor)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """The exit status, once it has ended. Raises ``subprocess.TimeoutExpired`` after so many seconds."""
        ended = select.poll()
        if self.returncode is None:
            ended.register(self._descriptor, select.POLLIN)
            ended.poll(None if timeout is None else timeout * 1_000)
        if (status := self.poll()) is None:
            raise subprocess.TimeoutExpired(str(self.pid), timeout or 0.0)
        return status

    async def ended(self) -> int:
        """The exit status, once it has ended. For one task at a time."""
        if self.returncode is None:
            loop = asyncio.get_running_loop()
            gone = asyncio.Event()
            loop.add_reader(self._descriptor, gone.set)
            try:
                await gone.wait()
            finally:
                loop.remove_reader(self._descriptor)
        return self.wait()

    def send_signal(self, number: int) -> None:
        """Send a signal, unless it has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)  # nobody else can have its number before it was waited for

    def terminate(self) -> None:
        """SIGTERM."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """SIGKILL."""
        self.send_signal(signal.SIGKILL)


class Nursery:
    """A process that forks others for this one. Not for two threads at once; ``close`` may come from another."""

    def __init__(self, process: Born, line: socket.socket) -> None:
        self.process = process
        self._line = line
        self._loaded: set[str] = set()

    @classmethod
    def forked(cls) -> "Nursery":
        """Fork one from this process, which has a single thread and no event loop yet. It imports what is wanted
        when it is wanted. Raises ``OSError``."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            pid = os.fork()
            if pid == 0:
                _serve_forked(ours, theirs)
        found = cls(Born(pid), ours)
        found.wait_ready()
        return found

    @classmethod
    def executed(cls, beforehand: Iterable[str]) -> "Nursery":
        """Start one from nothing, with these modules. Raises ``OSError``."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        modules = tuple(dict.fromkeys(beforehand))
        with theirs:
            process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
                [sys.executable, "-m", _MODULE, "--line", str(theirs.fileno()), "--load", ",".join(modules)],
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                env={**os.environ, **_ONE_THREAD},
                process_group=0,
            )
        process.returncode = 0  # it is waited for below, and by nobody else
        found = cls(Born(process.pid), ours)
        found._loaded.update(modules)
        return found

    def wait_ready(self, *, within: float = LOAD_SECONDS) -> None:
        """Until it has imported what it was told to. Raises ``OSError`` when it dies or does not come to it."""
        if (said := self._hear(within)) != READY:
            raise ConnectionError(f"the nursery says {said!r}")

    def bear(self, birth: Birth, descriptors: tuple[int, int, int], *, within: float | None = None) -> Born:
        """A new process, forked after the imports of its command, with these as standard input, output and error.
        Raises ``OSError``: the nursery is dead, hangs, or refuses; then nothing was born, nor will be, if it is killed.
        """
        modules = set(needed(birth.command))
        within = FORK_SECONDS if within is None else within
        with adopting():
            socket.send_fds(self._line, [msgspec.msgpack.encode(birth)], list(descriptors))
            answer = self._hear(within if modules <= self._loaded else max(within, LOAD_SECONDS))
            if not answer.startswith(BORN):
                raise ConnectionError(f"the nursery says {answer.decode(errors='replace')!r}")
            self._loaded |= modules
            born = Born(int(answer.removeprefix(BORN)))
            try:
                self._line.send(KNOWN)
            except OSError:  # the nursery died just now: who waits for its word ends
                born.wait()
                raise
            return born

    def close(self) -> None:
        """End it; its children live on. A thread that waits for an answer is told that there is none."""
        with suppress(OSError):
            self._line.shutdown(socket.SHUT_RDWR)
        self.process.kill()
        self.process.wait()
        self._line.close()

    def _hear(self, within: float) -> bytes:
        self._line.settimeout(within)
        answer = self._line.recv(_LARGEST_ANSWER)
        if not answer:
            raise ConnectionError("the nursery is gone")
        return answer


def _serve_forked(ours: socket.socket, theirs: socket.socket) -> None:
    """A nursery's life; it ends here, whatever happens."""
    try:
        ours.close()
        os.setpgrp()
        os.environ.update(_ONE_THREAD)
        show_command([sys.executable, "-m", _MODULE, "--line", str(theirs.fileno())])
        serve(theirs, ())
    finally:
        os._exit(0)
