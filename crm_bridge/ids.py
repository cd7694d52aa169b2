"""Row ids: 64-bit integers made by the application, so that both databases, imports and tests behave alike.

Layout of the 63 usable bits: 41 bits of milliseconds since 2024-01-01 UTC (enough until 2093), then 22 bits that start
at a random value in every millisecond and count up. Ids made later sort later, and two processes rarely collide; when
they do, the primary key refuses the second row. JavaScript cannot hold them, so JSON carries them as strings.
"""

import secrets
import time
from collections.abc import Callable
from datetime import UTC, datetime

EPOCH_MS = int(datetime(2024, 1, 1, tzinfo=UTC).timestamp()) * 1000
MAX_ID = 2**63 - 1

_LOW_BITS = 22
_RANDOM_BITS = 21


class IdMaker:
    """Makes strictly increasing ids. Belongs to one thread: the one that runs the event loop."""

    __slots__ = ("_clock_ms", "_last", "_random_bits")

    def __init__(self, clock_ms: Callable[[], int], random_bits: Callable[[int], int] = secrets.randbits) -> None:
        self._clock_ms = clock_ms
        self._random_bits = random_bits
        self._last = 0

    def __call__(self) -> int:
        """The next id. A clock that stands still or goes back only costs the sort order by time, never uniqueness."""
        millisecond = max(self._clock_ms() - EPOCH_MS, 0)
        if millisecond <= self._last >> _LOW_BITS:
            self._last += 1
        else:
            self._last = millisecond << _LOW_BITS | self._random_bits(_RANDOM_BITS)
        return self._last

    def many(self, count: int) -> range:
        """So many ids, one after the other: for rows by the thousand."""
        first = self()
        self._last += count - 1
        return range(first, first + count)


new_id = IdMaker(lambda: time.time_ns() // 1_000_000)
"""The id maker of this process."""


def parse_id(text: str) -> int | None:
    """The id written in ``text``; ``None`` for anything that no row can have as its id."""
    if not (text.isascii() and text.isdigit() and len(text) <= 19):
        return None
    value = int(text)
    return value if 0 < value <= MAX_ID else None
