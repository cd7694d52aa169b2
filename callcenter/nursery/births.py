"""How a supervisor starts its processes: forked by a nursery while there is one, else executed, which always works."""

import asyncio
import os
import sys
from asyncio.subprocess import DEVNULL
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

import structlog

from callcenter.nursery.client import Born, Nursery
from callcenter.nursery.needs import SERVERS, needed
from callcenter.nursery.protocol import Birth

log = structlog.get_logger(__name__)

QUICK_DEATH_SECONDS = 30.0
PAUSE_SECONDS = 5.0
"""Before a nursery takes the place of one that did not live so long."""


class Child(Protocol):
    """A process that was started, as ``asyncio.subprocess.Process`` is."""

    @property
    def pid(self) -> int:
        """Its number."""

    @property
    def returncode(self) -> int | None:
        """Its exit status, ``None`` while it lives."""

    async def wait(self) -> int:
        """Its exit status, once it has ended."""

    def terminate(self) -> None:
        """SIGTERM."""

    def kill(self) -> None:
        """SIGKILL."""


class ForkedChild:
    """See ``Child``; several tasks may wait."""

    def __init__(self, born: Born) -> None:
        self._born = born
        self._end = asyncio.ensure_future(born.ended())
        self.pid = born.pid
        self.terminate, self.kill = born.terminate, born.kill

    @property
    def returncode(self) -> int | None:
        """See ``Child``."""
        return self._born.returncode

    async def wait(self) -> int:
        """See ``Child``."""
        return await asyncio.shield(self._end)


class Births:
    """Starts processes. ``nursery``: one that was forked before there was an event loop; ``None``: all are executed.

    A nursery that dies, hangs or refuses is replaced in the background, by one that has imported everything before it
    is asked; nobody waits for that.
    """

    def __init__(self, nursery: Nursery | None = None) -> None:
        self._nursery = self._newest = nursery
        """The one that is asked, and the one that will be."""
        self._keeping: asyncio.Task[None] | None = None

    async def start(self, command: Sequence[str], env: Mapping[str, str], *, quiet: bool) -> Child:
        """A new process, in a group of its own. ``env``: what it has beside this process's environment; ``quiet``:
        what it writes to standard output is thrown away."""
        environment = {**os.environ, **env}
        if self._keeping is None and self._newest is not None:
            self._keeping = asyncio.create_task(self._keep(self._newest), name="nursery")
        nursery = self._nursery
        if nursery is not None and list(command[:2]) == [sys.executable, "-m"]:
            try:
                return ForkedChild(await asyncio.to_thread(_forked, nursery, command, environment, quiet))
            except OSError as error:
                log.warning("nursery failed", error=f"{type(error).__name__}: {error}")
                nursery.process.kill()
        return await asyncio.create_subprocess_exec(
            *command,
            env=environment,
            preexec_fn=os.setpgrp,  # Ctrl+C is for the supervisor alone, which ends the others in order
            stdin=DEVNULL,
            stdout=DEVNULL if quiet else None,
        )

    async def close(self) -> None:
        """End the nursery; whom it forked lives on."""
        if self._keeping is not None:
            self._keeping.cancel()
            await asyncio.gather(self._keeping, return_exceptions=True)
        if self._newest is not None:
            self._newest.close()
        self._nursery = self._newest = None

    async def _keep(self, nursery: Nursery) -> None:
        """Replace a nursery that is gone, as long as the next one comes up."""
        clock = asyncio.get_running_loop().time
        while True:
            began = clock()
            status = await nursery.process.ended()
            self._nursery = None
            nursery.close()
            log.warning("nursery died", status=status)
            if clock() - began < QUICK_DEATH_SECONDS:
                await asyncio.sleep(PAUSE_SECONDS)
            nursery = self._newest = Nursery.executed(needed(SERVERS))
            try:
                await asyncio.to_thread(nursery.wait_ready)
            except OSError as error:
                log.error("nursery does not come up; processes are executed", error=f"{type(error).__name__}: {error}")
                return
            self._nursery = nursery


def births_from_here() -> Births:
    """Births by a nursery that is forked from this process, which has neither an event loop nor a second thread."""
    try:
        return Births(Nursery.forked())
    except OSError as error:
        log.warning("no nursery; processes are executed", error=f"{type(error).__name__}: {error}")
        return Births()


def _forked(nursery: Nursery, command: Sequence[str], environment: Mapping[str, str], quiet: bool) -> Born:
    with Path(os.devnull).open("r+b") as nothing:
        output = nothing.fileno() if quiet else 1
        birth = Birth(tuple(command), dict(environment), str(Path.cwd()))
        return nursery.bear(birth, (nothing.fileno(), output, 2))
