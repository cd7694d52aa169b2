"""Waiting for a fact of another process: asked again and again, with a deadline and a name for what never came."""

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

PAUSE_SECONDS = 0.04
"""Between two looks."""
PATIENCE = 30.0
"""Seconds in which everything happens that is to happen at once: a machine that starts twenty programs is slow."""


async def until(what: str, look: Callable[[], object | Awaitable[object]], *, within: float = PATIENCE) -> None:
    """Return once ``look`` says yes. Raises ``AssertionError`` that names ``what`` after ``within`` seconds."""
    try:
        async with asyncio.timeout(within):
            while True:
                answer = look()
                if await answer if inspect.isawaitable(answer) else answer:
                    return
                await asyncio.sleep(PAUSE_SECONDS)
    except TimeoutError:
        raise AssertionError(f"not within {within:.0f} s: {what}") from None


async def together(*checks: Coroutine[Any, Any, object]) -> None:
    """Wait for several facts at the same time; the first that never comes is raised alone."""
    tasks = [asyncio.ensure_future(each) for each in checks]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
