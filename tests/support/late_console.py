"""Consoles that hear of everything late, so that a test which looks before it waits is found out.

``CONSOLE_LAG=0.7 pytest tests/interop tests/faults``: each frame of the socket is taken so many seconds after it came.
"""

import asyncio
from typing import Any

from callcenter.demo.console_client import ConsoleClient


def make_consoles_late(seconds: float) -> None:
    """From now on, in this process. Order is kept; what came over a socket that has closed meanwhile is dropped."""
    take = ConsoleClient._take
    going_on: set[asyncio.Task[None]] = set()

    def taken(console: ConsoleClient, frame: dict[str, Any], socket: object) -> None:
        if console._socket is socket:
            task = asyncio.create_task(take(console, frame))
            going_on.add(task)
            task.add_done_callback(going_on.discard)

    async def take_late(console: ConsoleClient, frame: dict[str, Any]) -> None:
        asyncio.get_running_loop().call_later(seconds, taken, console, frame, console._socket)

    setattr(ConsoleClient, ConsoleClient._take.__name__, take_late)
