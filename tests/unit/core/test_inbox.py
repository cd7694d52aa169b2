"""The inbox of a task: order, room, waiting with and without a clock, and a reader who is called off."""

import asyncio

import pytest

from callcenter.consequences import Consequences
from callcenter.inbox import Inbox
from tests.support.virtual_time import in_virtual_time, pass_seconds

pytestmark = pytest.mark.unit


@in_virtual_time
async def test_items_come_in_order_and_a_waiting_reader_gets_the_next_one_at_once() -> None:
    inbox: Inbox[str] = Inbox(Consequences())
    reading = asyncio.create_task(inbox.next())
    await pass_seconds(1)
    assert inbox.put("a")
    assert inbox.put("b")
    assert await reading == "a"
    assert [len(inbox), inbox.take(), len(inbox)] == [1, "b", 0]
    with pytest.raises(IndexError):
        inbox.take()


@in_virtual_time
async def test_nothing_in_time_is_none_and_what_comes_in_time_ends_the_wait() -> None:
    inbox: Inbox[str] = Inbox(Consequences())
    loop = asyncio.get_running_loop()
    begun = loop.time()
    assert await inbox.next(2.0) is None
    assert loop.time() - begun == pytest.approx(2.0)
    assert await inbox.next(-1.0) is None
    reading = asyncio.create_task(inbox.next(5.0))
    await pass_seconds(1)
    inbox.put("a")
    assert await reading == "a"
    assert loop.time() - begun == pytest.approx(3.0)
    assert await inbox.next(5.0) is None, "the alarm of an earlier wait rings nobody"
    assert loop.time() - begun == pytest.approx(8.0)


@in_virtual_time
async def test_a_full_inbox_takes_nothing_and_a_reader_called_off_loses_nothing() -> None:
    inbox: Inbox[int] = Inbox(Consequences(), 2)
    reading = asyncio.create_task(inbox.next())
    await pass_seconds(1)
    reading.cancel()
    await asyncio.gather(reading, return_exceptions=True)
    assert [inbox.put(1), inbox.put(2), inbox.put(3)] == [True, True, False]
    assert [await inbox.next(), await inbox.next(0.0)] == [1, 2]
