"""A supervisor's console that follows the whole floor."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from callcenter.demo.console_client import ConsoleClient
from tests.support.installation import BOSS, PASSWORD, Installation
from tests.support.waiting import until


@asynccontextmanager
async def watching(house: Installation) -> AsyncIterator[ConsoleClient]:
    """The supervisor's console, connected and fed."""
    console = ConsoleClient(house.base_url, BOSS, PASSWORD)
    following = asyncio.create_task(console.run(), name="supervisor's console")
    try:
        await until("the supervisor sees the floor", lambda: bool(console.agents))
        yield console
    finally:
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)
