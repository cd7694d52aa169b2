"""An answer that somebody else gives, or not in time."""

import asyncio
from typing import TypeVar

AnswerT = TypeVar("AnswerT")


async def in_time(answer: "asyncio.Future[AnswerT]", seconds: float) -> AnswerT:
    """The answer. Raises ``TimeoutError`` when it takes longer; a task that is cancelled meanwhile is (``wait_for`` may
    swallow that on Python 3.11), at a quarter of the price of ``asyncio.timeout``: each call waits so twice."""
    alarm = asyncio.get_running_loop().call_later(seconds, _give_up, answer)
    try:
        return await answer
    finally:
        alarm.cancel()


def _give_up(answer: "asyncio.Future[AnswerT]") -> None:
    if not answer.done():
        answer.set_exception(TimeoutError())
