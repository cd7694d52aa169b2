"""The real clock."""

import time


class SystemClock:
    """Milliseconds since the epoch: read from the wall once, then carried on by the monotonic clock.

    A step of the wall clock while the process runs therefore never makes a wait negative. ``not_before`` (milliseconds)
    is an instant that lies in the past for certain, such as the last journal entry.
    """

    def __init__(self, *, not_before: int = 0) -> None:
        self._offset_ns = time.time_ns() - time.monotonic_ns()
        behind = not_before * 1_000_000 - time.time_ns()
        if behind > 0:
            self._offset_ns += behind

    def now(self) -> int:
        """Milliseconds since the Unix epoch, never going backwards."""
        return (time.monotonic_ns() + self._offset_ns) // 1_000_000
