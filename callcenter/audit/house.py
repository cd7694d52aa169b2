"""I10, the part that is about the house: what calls hold comes back when they are over. Pure.

Judged are the counts that were taken while no call was up, by the entries and by the exchange itself, and none had
ended shortly before. What belongs to a call must be gone then. What the process holds besides must not grow with the
calls that came and went, but it may with phones that are connected.
"""

from collections.abc import Iterator, Sequence

from callcenter.calls.facts import CallArrived, CallClosed
from callcenter.housekeeping import HouseCounted
from callcenter.journal import JournalRow

QUIET_MS = 120_000
"""How long the last call must be over: transactions linger for 64*T1 (RFC 3261, section 17), phones that had the call
hear an announcement to its end."""
OF_CALLS = ("legs", "sessions", "ports")
OF_THE_PROCESS = ("tasks", "descriptors")
SPARE = 64
"""How much more than at the first quiet count is nobody's business."""
EACH_CONNECTION = 4
"""What a connection may hold for itself."""


def house_breaches(rows: Sequence[JournalRow]) -> Iterator[str]:
    """I10 by the counts of the house; nothing where there are none."""
    first: HouseCounted | None = None
    open_calls: set[str] = set()
    quiet_since = rows[0].at - QUIET_MS if rows else 0
    for row in rows:
        entry = row.entry
        if isinstance(entry, CallArrived):
            open_calls.add(entry.call_id)
        elif isinstance(entry, CallClosed):
            open_calls.discard(entry.record.call_id)
            quiet_since = row.at
        elif isinstance(entry, HouseCounted) and not open_calls and row.at - quiet_since >= QUIET_MS:
            if first is None or first.started_at != entry.started_at:
                first = entry
            yield from (f"I10: entry {row.seq}: {wrong}" for wrong in _left_over(entry, first))


def _left_over(count: HouseCounted, first: HouseCounted) -> Iterator[str]:
    if count.calls:
        return
    for name in OF_CALLS:
        held = getattr(count, name)
        if held > 0:
            yield f"{held} {name} are held though no call is up"
    more = max(0, count.connections - first.connections)
    for name in OF_THE_PROCESS:
        before, now = getattr(first, name), getattr(count, name)
        if before >= 0 and now > before + SPARE + EACH_CONNECTION * more:
            yield f"{now} {name} are held, {before} were at the first quiet count"
