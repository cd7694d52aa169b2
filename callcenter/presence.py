"""Who is at a seat: agents whose console is open, as the web process tells it, and who is missing for too long. Pure.

Only agents who had a console are watched; whoever works by phone alone is not missed. While nothing is told, because
the web process is away or stalls, nobody is blamed for it.
"""

from collections.abc import Collection

NOTICE_MS = 6_000
"""How long a silent console may be taken for present: it is pinged every 2 s and has 3 s to answer, and who is there is
told every second. A console that says goodbye is missed within that second."""
LEAST_MS = 2_000
"""Reloading a page takes a moment."""


def absence_ms(lease_seconds: float) -> int | None:
    """How long a console may be missed, so that a seat is out of the pool within the lease from its last sign of life;
    ``None`` for a lease of 0: nobody is watched."""
    return None if lease_seconds == 0 else max(LEAST_MS, round(lease_seconds * 1000) - NOTICE_MS)


class SeatPresence:
    """Leases on seats. ``lease_ms`` is how long a console may be away; ``None`` watches nobody."""

    def __init__(self, lease_ms: int | None) -> None:
        self._lease_ms = lease_ms
        self._watched: set[str] = set()
        self._missing_since: dict[str, int] = {}

    def report(self, present: Collection[str], *, now: int) -> tuple[str, ...]:
        """Take the agents who have a console at ``now`` (milliseconds); returns whose lease has run out, each once."""
        if self._lease_ms is None:
            return ()
        self._watched.update(present)
        for agent_id in present:
            self._missing_since.pop(agent_id, None)
        lost = []
        for agent_id in sorted(self._watched.difference(present)):
            if now - self._missing_since.setdefault(agent_id, now) >= self._lease_ms:
                lost.append(agent_id)
                self._watched.discard(agent_id)
                del self._missing_since[agent_id]
        return tuple(lost)

    def expect(self, agent_id: str) -> None:
        """A console of this agent is missed when it does not come, as after a restart."""
        self._watched.add(agent_id)

    def forget(self, agent_id: str) -> None:
        """The agent signed out: nobody waits for that console any more."""
        self._watched.discard(agent_id)
        self._missing_since.pop(agent_id, None)

    def pause(self) -> None:
        """The web process is gone: all leases begin anew when it is back."""
        self._missing_since.clear()
