"""What follows is done within the turn, in order; tasks are woken by it, begin by it, and can be cancelled."""

import asyncio
from contextvars import ContextVar

import pytest

from callcenter.consequences import SPARES, Consequences, Starters, Wait
from callcenter.inbox import Inbox

pytestmark = pytest.mark.unit

WHOSE: ContextVar[str] = ContextVar("whose", default="")


async def test_tasks_that_tell_each_other_go_on_within_one_turn_of_the_loop() -> None:
    """As a call that tells routing and hears of it; others of the loop have no turn in between."""
    consequences = Consequences()
    call, routing = Inbox[str](consequences), Inbox[str](consequences)
    seen: list[str] = []

    async def live() -> None:
        while True:
            told = await call.next()
            seen.append(f"call: {told}")
            if told == "invite":
                routing.put("wants an agent")
            else:
                consequences.once_quiet(lambda: seen.append("to disk"))

    async def route() -> None:
        while True:
            seen.append(f"routing: {await routing.next()}")
            call.put("agent found")

    tasks = [asyncio.create_task(each()) for each in (live, route)]
    await asyncio.sleep(0)
    loop = asyncio.get_running_loop()

    def receive() -> None:
        loop.call_soon(seen.append, "another turn")
        call.put("invite")
        consequences.settle()
        assert seen == ["call: invite", "routing: wants an agent", "call: agent found", "to disk"]
        seen.append("received")

    loop.call_soon(receive)
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert seen[4:] == ["received", "another turn"]
    call.put("invite")
    consequences.settle()
    assert len(seen) == 6, "no task goes on within another, which this test is"
    await asyncio.sleep(0)
    assert seen[6:] == seen[:4]
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def test_without_being_asked_it_settles_in_the_next_turn_and_one_failure_harms_nobody() -> None:
    consequences, seen = Consequences(), list[str]()
    consequences.follow(lambda: 1 // 0)
    consequences.follow(lambda: (consequences.settle(), consequences.follow(lambda: seen.append("later"))))
    consequences.once_quiet(lambda: consequences.follow(lambda: seen.append("of quiet")))
    consequences.follow(lambda: seen.append("first"))
    assert seen == []
    await asyncio.sleep(0)
    assert seen == ["first", "later", "of quiet"]
    await asyncio.sleep(0)
    assert seen == ["first", "later", "of quiet"]


async def test_who_waits_may_be_called_off_before_and_after_being_woken_and_keeps_its_context() -> None:
    consequences, seen = Consequences(), list[str]()

    async def wait(wait: Wait) -> None:
        WHOSE.set("mine")
        try:
            await wait
            seen.append(WHOSE.get())
        except asyncio.CancelledError:
            seen.append("called off")
            raise

    for end, cancel in ((True, False), (False, True), (True, True)):
        waiting = Wait(consequences)
        task = asyncio.create_task(wait(waiting))
        await asyncio.sleep(0)
        if end:
            waiting.end()
            waiting.end()
        if cancel:
            task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    assert seen == ["mine", "called off", "called off"]
    assert WHOSE.get() == ""
    over = Wait(consequences)
    over.end()
    await over


async def test_work_begins_at_once_also_more_than_there_are_spares_for() -> None:
    consequences = Consequences()
    starters, begun = Starters(consequences), list[int]()

    async def work(number: int) -> None:
        begun.append(number)
        if number == 2:
            raise ValueError("two")

    first = starters.start(work(0), "the first")
    assert first.get_name() == "the first"
    await first
    tasks = [starters.start(work(number), f"call {number}") for number in range(1, SPARES + 1)]
    await asyncio.sleep(0)
    assert begun == list(range(SPARES + 1)), "in the next turn"
    many = [starters.start(work(number), f"call {number}") for number in range(10, 10 + 3 * SPARES)]
    results = await asyncio.gather(*tasks, *many, return_exceptions=True)
    assert [type(each) for each in results if each is not None] == [ValueError]
    assert sorted(begun[SPARES + 1 :]) == list(range(10, 10 + 3 * SPARES))
    starters.close()
