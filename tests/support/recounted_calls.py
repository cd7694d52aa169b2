"""Calls out and the sound of lines, counted anew: every call is looked up in the whole journal."""

from collections.abc import Sequence
from typing import Any

from callcenter.calls.callback_facts import CallbackDialled, CallbackRequested
from callcenter.calls.facts import CallAnswered, CallConnected, CallEnded, CallQueued
from callcenter.calls.quality_facts import LegMeasured
from callcenter.journal import JournalRow
from tests.support.told_day import share


def dialled(rows: Sequence[JournalRow], kind: str, who: str, lower: int, upper: int) -> dict[str, Any]:
    """Callbacks that were dialled, each looked up in the whole journal; agents of these floors dial nobody."""
    queue_of = {row.entry.call_id: row.entry.queue_id for row in rows if isinstance(row.entry, CallbackRequested)}
    dials = live = dropped = after_greeting = 0
    for dial in (row.entry for row in rows if isinstance(row.entry, CallbackDialled)):
        facts = [row.entry for row in rows if getattr(row.entry, "call_id", "") == dial.contact_id]
        met = next((each for each in facts if isinstance(each, CallConnected)), None)
        there = min((each.at for each in facts if isinstance(each, CallAnswered | CallConnected)), default=None)
        greeted = min((each.at for each in facts if isinstance(each, CallQueued)), default=there)
        ended = any(isinstance(each, CallEnded) for each in facts)
        mine = queue_of[dial.call_id] == who if kind == "queue" else met is not None and met.agent_id == who
        dialled_at = dial.at if kind == "queue" else there
        if not mine or dialled_at is None:
            continue
        dials += lower <= dialled_at < upper
        if there is None or not lower <= there < upper:
            continue
        live += 1
        if met is not None or ended:
            dropped += met is None or met.at - there > 2_000
            after_greeting += met is None or met.at - (greeted or there) > 2_000
    return {
        "dials": dials, "live_answers": live, "dropped": dropped, "dropped_after_greeting": after_greeting,
        "drop_rate": share(dropped, live), "drop_rate_after_greeting": share(after_greeting, live),
        "right_party": 0, "right_party_rate": share(0, dials),
    }  # fmt: skip


def sounded(rows: Sequence[JournalRow], kind: str, who: str, lower: int, upper: int) -> dict[str, Any]:
    """How the lines of a queue's customers, or an agent's own, sounded."""
    connected: dict[str, CallConnected] = {}
    found: list[float] = []
    for row in rows:
        fact = row.entry
        if isinstance(fact, CallConnected):
            connected[fact.call_id] = fact
        if not isinstance(fact, LegMeasured) or fact.mos is None or not lower <= fact.at < upper:
            continue
        last = connected.get(fact.call_id)
        if last is None or not fact.role or (fact.leg == "customer") != (kind == "queue"):
            continue
        if (last.queue_id if kind == "queue" else fact.agent_id) == who:
            found.append(fact.mos)
    poor = sum(mos < 3.6 for mos in found)
    return {
        "lines_measured": len(found),
        "lines_poor": poor,
        "poor_line_rate": share(poor, len(found)),
        "mean_mos": share(sum(round(mos * 100) for mos in found) / 100, len(found)),
    }
