"""What follows from what happened is done before anything else is looked at.

A message comes in, its call takes it, tells routing, hears of it, and gives an order: each step is another task. Handed
on by futures, each step waits for a turn of the loop, and so behind all other calls; a caller waited for five of those.
Here they are done at once, one after the other, until nothing more follows. Only then is it known what all goes to disk
together.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine, Generator
from contextvars import Context
from typing import Any

import structlog

log = structlog.get_logger(__name__)

SPARES = 8
"""Tasks that have begun beforehand: so many calls may come in one turn of the loop, and each begins at once."""


class Consequences:
    """Those of one loop, the one that runs when it is first used. Acts are done in the order in which they were told,
    none within another."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._acts: deque[Callable[[], object]] = deque()
        self._when_quiet: list[Callable[[], object]] = []
        self._coming: asyncio.Handle | None = None
        self._settling = False

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """Whose they are; kept, since asking which one runs is a system call."""
        if self._loop is None:
            self._loop = asyncio.get_running_loop()
        return self._loop

    def follow(self, act: Callable[[], object]) -> None:
        """Do this as soon as what is being done now is done, in the next turn at the latest."""
        self._acts.append(act)
        self._come()

    def once_quiet(self, act: Callable[[], object]) -> None:
        """Do this when nothing more follows."""
        self._when_quiet.append(act)
        self._come()

    def do(self, act: Callable[..., object], *arguments: object) -> None:
        """Do this, and then all that follows from it. For callbacks of the loop, which get what it raises; within a
        task what follows comes in the next turn, since no task goes on within another."""
        if self._settling or asyncio.current_task(self.loop) is not None:
            act(*arguments)
            return
        self._settling = True
        try:
            act(*arguments)
        finally:
            self._work_off()

    def settle(self) -> None:
        """Do all that follows now, as ``do`` does."""
        if not self._settling and asyncio.current_task(self.loop) is None:
            self._work_off()

    def _work_off(self) -> None:
        self._settling = True
        try:
            while self._acts or self._when_quiet:
                while self._acts:
                    _do(self._acts.popleft())
                quiet, self._when_quiet = self._when_quiet, []
                for act in quiet:
                    _do(act)
        finally:
            self._settling = False
            if self._coming is not None:
                self._coming.cancel()
                self._coming = None

    def _come(self) -> None:
        if self._coming is None and not self._settling:
            self._coming = self.loop.call_soon(self.settle)


def _do(act: Callable[[], object]) -> None:
    try:
        act()
    except Exception:  # the edge: what follows for one must not keep it from the others
        log.exception("consequence failed")


class Wait:
    """A future for one task that is woken by ``Consequences``, where asyncio's own takes a turn of the loop.

    A task awaits whatever has the methods of a future (``asyncio.isfuture``).
    """

    __slots__ = ("_asyncio_future_blocking", "_cancelled", "_consequences", "_context", "_done", "_loop", "_wake")

    def __init__(self, consequences: Consequences) -> None:
        self._asyncio_future_blocking = False
        self._consequences = consequences
        self._loop = consequences.loop
        self._wake: Callable[[Wait], object] | None = None
        self._context: Context | None = None
        self._done = self._cancelled = False

    def __await__(self) -> Generator[Any, None, None]:
        if not self._done:
            self._asyncio_future_blocking = True
            yield self
        self.result()

    def end(self) -> None:
        """The task may go on."""
        if not self._done:
            self._done = True
            self._consequences.follow(self._call)

    def _call(self) -> None:
        wake, context = self._wake, self._context
        self._wake = None
        if wake is not None and context is not None:
            context.run(wake, self)

    # What a task asks of a future

    def get_loop(self) -> asyncio.AbstractEventLoop:
        """See ``asyncio.Future``, as of all that follow."""
        return self._loop

    def done(self) -> bool:
        """See there."""
        return self._done

    def cancelled(self) -> bool:
        """See there."""
        return self._cancelled

    def result(self) -> None:
        """See there."""
        if self._cancelled:
            raise asyncio.CancelledError

    def add_done_callback(self, wake: "Callable[[Wait], object]", *, context: Context) -> None:
        """See there; one task waits."""
        self._wake, self._context = wake, context

    def cancel(self, msg: object = None) -> bool:  # noqa: ARG002 - as asyncio calls it
        """See there."""
        if self._done:
            return False
        self._done = self._cancelled = True
        self._loop.call_soon(self._call)
        return True


class Starters:
    """Tasks that begin as consequences: one of asyncio's own begins with the next turn of the loop. So some have begun
    beforehand, and wait for what they are to do."""

    def __init__(self, consequences: Consequences) -> None:
        self._consequences = consequences
        self._waiting: deque[tuple[asyncio.Task[None], Wait, list[Coroutine[Any, Any, None]]]] = deque()

    def start(self, work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
        """A task that does this work."""
        while len(self._waiting) <= SPARES:
            wait, given = Wait(self._consequences), list[Coroutine[Any, Any, None]]()
            self._waiting.append((asyncio.create_task(_begin(wait, given), name="spare"), wait, given))
        task, wait, given = self._waiting.popleft()
        task.set_name(name)
        given.append(work)
        wait.end()
        return task

    def close(self) -> None:
        """No more tasks are wanted."""
        for task, _, _ in self._waiting:
            task.cancel()
        self._waiting.clear()


async def _begin(wait: Wait, given: list[Coroutine[Any, Any, None]]) -> None:
    await wait
    await given.pop()
