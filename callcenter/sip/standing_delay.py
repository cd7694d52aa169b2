"""How long messages really wait: the least delay of the last moments. Pure.

One late moment is a hiccup: somebody else's burst on the machine, a collection of garbage. Calls go through it. Only
a delay that does not go away for half a second is a queue that grows (the idea of CoDel, RFC 8289 section 3.1).
"""

from collections import deque

MOMENTS = 10
"""Measurements that are looked at; the station takes one every 50 milliseconds."""


class StandingDelay:
    """The smallest of the last measurements; 0 until there are enough of them."""

    def __init__(self, moments: int = MOMENTS) -> None:
        self._measured: deque[float] = deque(maxlen=moments)

    def take(self, milliseconds: float) -> float:
        """Take a measurement and return the delay that stands."""
        self._measured.append(milliseconds)
        return min(self._measured) if len(self._measured) == self._measured.maxlen else 0.0


class ServiceTime:
    """What a message costs, smoothed: with the messages that wait it tells how long the last of them will."""

    def __init__(self) -> None:
        self.milliseconds = 0.1

    def took(self, milliseconds: float) -> None:
        """One message was served."""
        self.milliseconds += (milliseconds - self.milliseconds) / 64
