"""Where a recounted figure stands: quarter of an hour, ``queue`` or ``agent``, its id, and the metric. Pure."""

from collections import Counter
from collections.abc import Iterator

QUARTER_MS = 900_000
Place = tuple[int, str, str, str]
Counts = Counter[Place]
Found = Iterator[tuple[Place, int]]


def quarter(at: int) -> int:
    """The quarter hour of UTC in which an instant lies, by its first instant. Milliseconds."""
    return at // QUARTER_MS * QUARTER_MS


def laid_out(start: int, end: int) -> Iterator[tuple[int, int]]:
    """Each quarter hour that a time touches, with how much of it lies there."""
    for begin in range(quarter(start), end, QUARTER_MS):
        yield begin, min(end, begin + QUARTER_MS) - max(start, begin)
