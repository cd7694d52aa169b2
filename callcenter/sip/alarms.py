"""One clock-work for every timer of the stack: a heap of deadlines with cheap resetting.

Pure: it is told the time. A key has at most one deadline; setting it again moves it.
"""

import heapq
from collections.abc import Hashable
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
NEVER = 1 << 62


class Alarms(Generic[Key]):
    """Deadlines in milliseconds by key."""

    def __init__(self) -> None:
        self._heap: list[tuple[int, int, Key]] = []
        self._current: dict[Key, int] = {}
        """By key: the number of its latest setting; what stands in the heap of earlier ones is history."""
        self._count = 0
        self._told = NEVER
        self.has_sooner = False
        """Whether something was set for earlier than what ``next_deadline`` said last."""

    def set(self, key: Key, at: int) -> None:
        """Ring for ``key`` at this instant, and at no earlier set one."""
        self._count = count = self._count + 1
        self._current[key] = count
        heapq.heappush(self._heap, (at, count, key))
        if at < self._told:
            self.has_sooner = True
        if len(self._heap) > 2 * len(self._current) + 256:
            self._heap = [each for each in self._heap if self._current.get(each[2]) == each[1]]
            heapq.heapify(self._heap)

    def cancel(self, key: Key) -> None:
        """Forget a key; harmless when it is not set."""
        self._current.pop(key, None)

    def next_deadline(self) -> int | None:
        """The instant of the next alarm, ``None`` when none is set."""
        heap = self._heap
        while heap and self._current.get(heap[0][2]) != heap[0][1]:
            heapq.heappop(heap)
        self.has_sooner = False
        self._told = heap[0][0] if heap else NEVER
        return heap[0][0] if heap else None

    def pop_due(self, now: int) -> Key | None:
        """Take the earliest alarm that is due, ``None`` when there is none. Ask again until then."""
        heap = self._heap
        while heap and heap[0][0] <= now:
            _, count, key = heapq.heappop(heap)
            if self._current.get(key) == count:
                del self._current[key]
                return key
        return None

    def __len__(self) -> int:
        return len(self._current)
