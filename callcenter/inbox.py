"""What one task is to take, in order: a queue with one reader, who may have to look at the clock meanwhile.

``asyncio.Queue`` under ``asyncio.timeout`` does the same at several times the price, and each call waits a dozen times.
The reader goes on before the loop does (``Consequences``).
"""

from collections import deque
from typing import Generic, TypeVar

from callcenter.consequences import Consequences, Wait

ItemT = TypeVar("ItemT")


class Inbox(Generic[ItemT]):
    """At most ``most`` items wait. Used from one loop."""

    def __init__(self, consequences: Consequences, most: int = 1 << 30) -> None:
        self._consequences = consequences
        self._most = most
        self._items: deque[ItemT] = deque()
        self._reader: Wait | None = None

    def __len__(self) -> int:
        return len(self._items)

    def put(self, item: ItemT) -> bool:
        """Lay something in; ``False`` when there is no room."""
        if len(self._items) >= self._most:
            return False
        self._items.append(item)
        self._call_reader()
        return True

    def take(self) -> ItemT:
        """The oldest item. Raises ``IndexError`` when there is none."""
        return self._items.popleft()

    async def next(self, within_seconds: float | None = None) -> ItemT | None:
        """The oldest item once there is one; ``None`` when none came in time. One task may wait at a time."""
        if not self._items:
            self._reader = Wait(self._consequences)
            alarm = (
                None
                if within_seconds is None
                else self._consequences.loop.call_later(max(0.0, within_seconds), self._call_off)
            )
            try:
                await self._reader
            finally:
                self._reader = None
                if alarm is not None:
                    alarm.cancel()
        return self._items.popleft() if self._items else None

    def _call_reader(self) -> None:
        if self._reader is not None:
            self._reader.end()

    def _call_off(self) -> None:
        self._consequences.do(self._call_reader)
