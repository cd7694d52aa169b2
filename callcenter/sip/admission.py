"""Admission: whether new calls are taken, by how late the loop runs, how many legs there are, and how long queues are.

Pure. What is inside a dialog is always served (RFC 7339's lesson: shed the work that has cost nothing yet).
"""

from dataclasses import dataclass

from callcenter.sip.transaction_tables import T1

MAX_LAG_MS = T1 / 2
"""How long messages may wait before new calls are refused.

Whoever hears nothing for T1 sends again (RFC 3261 section 17.1.1.2), and what is sent again has to be read again: past
T1 overload feeds itself. Standing delay looks back half a second, in which the queue goes on growing, by 250 ms when
half as much again is offered as can be carried. So half of T1 is for what stands, and half for what still grows."""


@dataclass(frozen=True, slots=True)
class AdmissionLimits:
    """Where overload begins. It ends at the given share of each."""

    lag_ms: float = MAX_LAG_MS
    """How long messages wait (``Station.standing_ms``)."""
    legs: int = 2_000
    queue_depth: int = 10_000
    recovered_at: float = 0.7


@dataclass(frozen=True, slots=True)
class Load:
    """How things stand now."""

    lag_ms: float = 0.0
    legs: int = 0
    queue_depth: int = 0


class Admission:
    """Remembers whether we are overloaded, with hysteresis so that it does not flutter."""

    def __init__(self, limits: AdmissionLimits | None = None) -> None:
        self._limits = limits or AdmissionLimits()
        self.overloaded = False

    def judge(self, load: Load, legs: int = 0) -> bool:
        """Take a look at the load, and at our own legs besides it; whether a new call may come in."""
        limits = self._limits
        legs += load.legs
        worst = max(
            load.lag_ms / limits.lag_ms, legs / max(1, limits.legs), load.queue_depth / max(1, limits.queue_depth)
        )
        self.overloaded = worst >= (limits.recovered_at if self.overloaded else 1.0)
        return not self.overloaded and legs < limits.legs


def retry_after(token: str, *, lowest: int = 5, highest: int = 30) -> int:
    """Seconds for Retry-After, spread so that those who were refused do not come back together."""
    return lowest + int(token[:8], 16) % (highest - lowest + 1)
