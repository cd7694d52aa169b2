"""The clock that the scenarios live by."""

import asyncio
import threading

import pytest

from callcenter.ports import Clock
from tests.support.virtual_time import (
    EPOCH_MS,
    FakeClock,
    NothingLeft,
    in_virtual_time,
    pass_seconds,
    real_work,
    run_virtual,
    settle,
)

pytestmark = pytest.mark.unit


def running_clock() -> Clock:
    return FakeClock(asyncio.get_running_loop())


def elapsed() -> int:
    return running_clock().now() - EPOCH_MS


@in_virtual_time
async def test_half_an_hour_passes_while_nobody_does_anything() -> None:
    clock = running_clock()
    assert clock.now() == EPOCH_MS
    await pass_seconds(1800)
    assert clock.now() == EPOCH_MS + 1_800_000


@in_virtual_time
async def test_timers_fire_in_their_order_and_at_their_time() -> None:
    fired = []

    async def ring(after: float, name: str) -> None:
        await pass_seconds(after)
        fired.append((name, elapsed()))

    await asyncio.gather(ring(30, "late"), ring(0.02, "early"), ring(7.5, "middle"), ring(0, "now"))
    assert fired == [("now", 0), ("early", 20), ("middle", 7500), ("late", 30_000)]


@in_virtual_time
async def test_a_thousand_ticks_of_twenty_milliseconds_are_twenty_seconds() -> None:
    for _ in range(1000):
        await pass_seconds(0.02)
    assert elapsed() == 20_000


@in_virtual_time
async def test_work_that_is_ready_is_done_before_time_moves() -> None:
    steps = []

    async def work() -> None:
        for _ in range(100):
            steps.append(elapsed())
            await pass_seconds(0)

    worker = asyncio.create_task(work())
    await settle()
    assert steps == [0] * 100
    await worker


@in_virtual_time
async def test_a_time_limit_strikes_in_virtual_time() -> None:
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(asyncio.Event().wait(), timeout=20)
    assert elapsed() == 20_000


@in_virtual_time
async def test_timers_days_ahead_are_reached() -> None:
    await pass_seconds(3 * 86_400)
    assert elapsed() == 3 * 86_400_000


def test_waiting_for_what_can_never_happen_fails_at_once() -> None:
    async def stuck() -> None:
        await asyncio.Event().wait()

    with pytest.raises(NothingLeft):
        run_virtual(stuck)


@in_virtual_time
async def test_the_clock_stands_still_while_a_thread_works() -> None:
    proceed, soon = threading.Event(), threading.Event()
    reminder = asyncio.get_running_loop().call_later(5, soon.set)
    job = asyncio.create_task(asyncio.to_thread(proceed.wait, 10))
    asyncio.get_running_loop().call_soon(threading.Timer(0.01, proceed.set).start)
    assert await job
    assert (elapsed(), soon.is_set()) == (0, False)
    reminder.cancel()


@in_virtual_time
async def test_the_clock_stands_still_for_foreign_threads_where_it_is_told_to() -> None:
    loop, done = asyncio.get_running_loop(), asyncio.Event()
    reminder = loop.call_later(5, done.set)
    with real_work():
        threading.Timer(0.01, loop.call_soon_threadsafe, [done.set]).start()
        await done.wait()
    assert elapsed() == 0
    await pass_seconds(1)
    assert elapsed() == 1000
    reminder.cancel()


@in_virtual_time
async def test_work_that_cannot_begin_does_not_stop_the_clock() -> None:
    await asyncio.get_running_loop().shutdown_default_executor()
    with pytest.raises(RuntimeError):
        await asyncio.to_thread(print)
    await pass_seconds(1)


def test_tasks_left_over_are_cancelled() -> None:
    ended = []

    async def linger() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("lingering")

    async def careless() -> asyncio.Task[None]:
        task = asyncio.create_task(linger())
        await settle()
        return task

    assert run_virtual(careless).cancelled()
    assert ended == ["lingering"]


def test_an_exception_that_only_the_loop_sees_fails_the_scenario() -> None:
    async def scenario() -> None:
        asyncio.get_running_loop().call_later(1, lambda: 1 / 0)
        await pass_seconds(2)

    with pytest.raises(ZeroDivisionError):
        run_virtual(scenario)


@in_virtual_time
async def test_fixtures_reach_a_test_in_virtual_time(request: pytest.FixtureRequest) -> None:
    await pass_seconds(1)
    assert request.node.name.startswith("test_fixtures")


@pytest.mark.parametrize("seconds", [1, 60])
@in_virtual_time
async def test_parameters_reach_a_test_in_virtual_time(seconds: int) -> None:
    await pass_seconds(seconds)
    assert elapsed() == seconds * 1000


def test_a_result_comes_back() -> None:
    async def answer() -> int:
        return 42

    assert run_virtual(answer) == 42
