"""Virtual time: an asyncio loop whose clock moves only when nothing else can, so that minutes pass in milliseconds.

No sockets and no threads: a scenario that would wait for the outside world for ever is stopped with a clear error.
"""

import asyncio
import selectors
from collections.abc import Awaitable, Callable
from typing import TypeVar

EPOCH_MS = 1_760_000_000_000
"""Where every scenario starts: milliseconds since the Unix epoch."""

ResultT = TypeVar("ResultT")


class NothingLeft(RuntimeError):
    """Every task waits for something that can never happen."""


class _IdleSelector(selectors.SelectSelector):
    """Instead of waiting it moves the clock by as long as the loop would have waited."""

    loop: "VirtualLoop"

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """What is ready now; when there is nothing, time passes."""
        ready = super().select(0)
        if not ready and timeout is None:
            raise NothingLeft("every task waits for something that can never happen")
        if not ready and timeout:
            self.loop.pass_time(timeout)
        return ready


class VirtualLoop(asyncio.SelectorEventLoop):
    """A loop that starts at second 0 and never waits."""

    def __init__(self) -> None:
        self._now = 0.0
        selector = _IdleSelector()
        selector.loop = self
        super().__init__(selector)

    def time(self) -> float:
        """Seconds since the start of the scenario."""
        return self._now

    def pass_time(self, seconds: float) -> None:
        """Move the clock."""
        self._now += seconds


class FakeClock:
    """Implements ``Clock`` on a virtual loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop

    def now(self) -> int:
        """Milliseconds since the epoch, as the scenario sees them."""
        return EPOCH_MS + round(self._loop.time() * 1000)


def run_virtual(main: Callable[[], Awaitable[ResultT]]) -> ResultT:
    """Run a coroutine function to its end under virtual time."""

    async def call() -> ResultT:
        return await main()

    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(call())


async def pass_seconds(seconds: float) -> None:
    """Let virtual time pass."""
    await asyncio.sleep(seconds)


async def settle() -> None:
    """Let everything happen that can happen now: a microsecond passes only when nothing else is left to do."""
    await asyncio.sleep(1e-6)
