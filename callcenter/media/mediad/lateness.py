"""How late ticks are done, counted by the millisecond: in a worker, and by the keeper over all it is told."""

from collections.abc import Mapping

LATEST = 60
"""Milliseconds; what is later counts as that."""


class Lateness:
    """Counts how many milliseconds after its time the last packet of a tick left."""

    def __init__(self) -> None:
        self._counts: dict[int, int] = {}

    def note(self, milliseconds: int) -> None:
        """One tick is done."""
        late = min(max(0, milliseconds), LATEST)
        self._counts[late] = self._counts.get(late, 0) + 1

    def take(self) -> dict[int, int]:
        """Ticks by their lateness, since this was asked last."""
        counts, self._counts = self._counts, {}
        return counts


def percentile(counts: Mapping[int, int], share: float) -> float | None:
    """The lateness that this share of ticks did not exceed, ``None`` without any."""
    left = share * sum(counts.values())
    for late in sorted(counts):
        left -= counts[late]
        if left <= 0:
            return float(late)
    return None
