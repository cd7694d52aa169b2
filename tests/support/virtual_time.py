"""Virtual time: an asyncio loop whose clock moves only when nothing else can, so that minutes pass in milliseconds.

Whenever every task waits, the clock jumps to the next timer. A scenario runs the same way every time; one that waits
for something that can never happen fails at once with ``NothingLeft``. There are two ways in::

    run_virtual(scenario)              # runs a coroutine function to its end

    @in_virtual_time                   # makes a test of one
    async def test_an_offer_expires() -> None: ...

Threads live in real time. While a job of ``run_in_executor`` (also ``asyncio.to_thread``) is under way the clock stands
still. Of other threads the loop knows nothing: wrap waiting for one in ``with real_work():``. Fixtures of pytest reach
a decorated test, but asynchronous ones belong to another loop: build what needs the loop inside of the test.
"""

import asyncio
import functools
import selectors
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from typing import Any, ParamSpec, TypeVar

EPOCH_MS = 1_760_000_000_000
"""Where every scenario starts: milliseconds since the Unix epoch (Thursday 9 October 2025, 08:53:20 UTC)."""

REAL_LIMIT_SECONDS = 30.0
"""How long, in real time, a thread may keep the clock standing still."""

P = ParamSpec("P")
ResultT = TypeVar("ResultT")


class NothingLeft(RuntimeError):
    """Every task waits for something that can never happen."""


class _IdleSelector(selectors.SelectSelector):
    """Instead of waiting: threads at work may finish, or the clock moves by as long as the loop would have waited."""

    def __init__(self) -> None:
        super().__init__()
        self.elapsed = 0.0
        self.at_work = 0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """What is ready now; when there is nothing, time passes."""
        ready = super().select(0)
        if ready or timeout == 0:
            return ready
        if self.at_work:
            ready = super().select(REAL_LIMIT_SECONDS)
            if not ready:
                raise NothingLeft(f"a thread has been at work for {REAL_LIMIT_SECONDS:g} real seconds")
        elif timeout is None:
            raise NothingLeft("every task waits for something that can never happen")
        else:
            self.elapsed += max(timeout, 0.0)
        return ready


class VirtualLoop(asyncio.SelectorEventLoop):
    """A loop that starts at second 0 and never waits."""

    def __init__(self) -> None:
        self._idle = _IdleSelector()
        super().__init__(self._idle)

    def time(self) -> float:
        """Seconds since the start of the scenario."""
        return self._idle.elapsed

    def work_begins(self) -> None:
        """Something that lives in real time begins: the clock stands still."""
        self._idle.at_work += 1

    def work_ends(self) -> None:
        """One such thing is over."""
        self._idle.at_work -= 1

    def run_in_executor(  # type: ignore[override]
        self, executor: Executor | None, func: Callable[..., ResultT], *args: Any
    ) -> asyncio.Future[ResultT]:
        """Run in a thread; the clock stands still until it is done."""
        future = super().run_in_executor(executor, func, *args)
        self.work_begins()
        future.add_done_callback(lambda _: self.work_ends())
        return future

    async def shutdown_default_executor(self, *args: Any) -> None:
        """Wait for the threads to end, in real time."""
        self.work_begins()
        try:
            await super().shutdown_default_executor(*args)
        finally:
            self.work_ends()


@contextmanager
def real_work() -> Iterator[None]:
    """While this is open the clock stands still, and the loop waits for what threads bring."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop), "this is not virtual time"
    loop.work_begins()
    try:
        yield
    finally:
        loop.work_ends()


class FakeClock:
    """Implements ``callcenter.ports.Clock`` on a virtual loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop

    def now(self) -> int:
        """Milliseconds since the epoch, as the scenario sees them."""
        return EPOCH_MS + round(self._loop.time() * 1000)


def run_virtual(main: Callable[[], Awaitable[ResultT]]) -> ResultT:
    """Run a coroutine function to its end under virtual time.

    Tasks left over are cancelled. An exception that only the loop came to see fails the scenario.
    """
    lost: list[BaseException] = []

    async def call() -> ResultT:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: lost.append(_failure(context)))
        return await main()

    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        result = runner.run(call())
    if lost:
        raise lost[0]
    return result


def in_virtual_time(scenario: Callable[P, Coroutine[Any, Any, ResultT]]) -> Callable[P, ResultT]:
    """Turn an ``async def`` into a function that runs it under virtual time, with its arguments."""

    @functools.wraps(scenario)
    def run(*args: P.args, **kwargs: P.kwargs) -> ResultT:
        return run_virtual(lambda: scenario(*args, **kwargs))

    return run


async def pass_seconds(seconds: float) -> None:
    """Let virtual time pass."""
    await asyncio.sleep(seconds)


async def settle() -> None:
    """Let everything happen that can happen now: a microsecond passes only when nothing else is left to do."""
    await asyncio.sleep(1e-6)


def _failure(context: dict[str, Any]) -> BaseException:
    failure = context.get("exception")
    return failure if isinstance(failure, BaseException) else RuntimeError(str(context.get("message")))
