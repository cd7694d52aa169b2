"""Answers that come, that fail, that do not come in time, and who no longer waits for one."""

import asyncio

import pytest

from callcenter.awaiting import in_time
from tests.support.virtual_time import in_virtual_time, pass_seconds

pytestmark = pytest.mark.unit


@in_virtual_time
async def test_an_answer_in_time_is_given_and_a_late_one_is_none() -> None:
    loop = asyncio.get_running_loop()
    answers: list[asyncio.Future[str]] = [loop.create_future() for _ in range(4)]
    waiting = [asyncio.create_task(in_time(answer, 2.0)) for answer in answers]
    await pass_seconds(1)
    answers[0].set_result("here")
    answers[1].set_exception(ValueError("no"))
    waiting[2].cancel()
    begun = loop.time()
    results = await asyncio.gather(*waiting, return_exceptions=True)
    assert results[0] == "here"
    assert [type(each) for each in results[1:]] == [ValueError, asyncio.CancelledError, TimeoutError]
    assert loop.time() - begun == pytest.approx(1.0)
    assert answers[2].cancelled()
    await pass_seconds(5)
