"""One clock-work for every timer of the stack: a heap of deadlines with cheap resetting.

Pure: it is told the time. A key has at most one deadline; setting it again moves it.
"""

import heapq
from collections.abc import Hashable
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)


class Alarms(Generic[Key]):
    """Deadlines in milliseconds by key."""

    def __init__(self) -> None:
        self._heap: list[tuple[int, int, Key]] = []
        self._current: dict[Key, tuple[int, int]] = {}
        self._count = 0

    def set(self, key: Key, at: int) -> None:
        """Ring for ``key`` at this instant, and at no earlier set one."""
        self._count += 1
        self._current[key] = (at, self._count)
        heapq.heappush(self._heap, (at, self._count, key))
        if len(self._heap) > 2 * len(self._current) + 256:
            self._heap = [(at, count, key) for key, (at, count) in self._current.items()]
            heapq.heapify(self._heap)

    def cancel(self, key: Key) -> None:
        """Forget a key; harmless when it is not set."""
        self._current.pop(key, None)

    def none_before(self, at: int) -> bool:
        """Whether nothing rings before this instant, as far as one look tells: what was cancelled may still count."""
        return not self._heap or self._heap[0][0] >= at

    def next_deadline(self) -> int | None:
        """The instant of the next alarm, ``None`` when none is set."""
        heap = self._heap
        while heap:
            at, count, key = heap[0]
            if self._current.get(key) == (at, count):
                return at
            heapq.heappop(heap)
        return None

    def pop_due(self, now: int) -> Key | None:
        """Take the earliest alarm that is due, ``None`` when there is none. Ask again until then."""
        at = self.next_deadline()
        if at is None or at > now:
            return None
        key = heapq.heappop(self._heap)[2]
        del self._current[key]
        return key

    def __len__(self) -> int:
        return len(self._current)
