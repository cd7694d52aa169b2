"""The pool of RTP ports: even numbers in random order, each with a rest after use. Pure."""

import random
from collections import deque


class PortPool:
    """Which ports are free. ``now`` is in milliseconds of any one clock."""

    def __init__(self, first: int, last: int, *, quarantine: int, seed: int | None = None) -> None:
        self._free = list(range(first + first % 2, last + 1, 2))
        self._resting: deque[tuple[int, int]] = deque()
        self._used: set[int] = set()
        self._quarantine = quarantine
        self._random = random.Random(seed)  # noqa: S311 - spreads ports; security rests on source locking
        self.first = first + first % 2
        self.size = len(self._free)

    def take(self, *, now: int) -> int | None:
        """A free port, ``None`` when there is none."""
        self._wake(now)
        if not self._free:
            return None
        index = self._random.randrange(len(self._free))
        self._free[index], self._free[-1] = self._free[-1], self._free[index]
        port = self._free.pop()
        self._used.add(port)
        return port

    def give_back(self, port: int, *, now: int) -> None:
        """Release a port, or report that it could not be bound; it rests for the quarantine."""
        self._used.discard(port)
        self._resting.append((now + self._quarantine, port))

    def counts(self, *, now: int) -> tuple[int, int, int]:
        """Ports free, in use and resting."""
        self._wake(now)
        return len(self._free), len(self._used), len(self._resting)

    def _wake(self, now: int) -> None:
        while self._resting and self._resting[0][0] <= now:
            self._free.append(self._resting.popleft()[1])
