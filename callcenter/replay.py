"""Replaying a journal: the same inputs at the same instants must give the same decisions and the same states.

Pure: it takes entries, it returns what it found. Decisions (``offer.made``) and snapshots in the journal were written
by the exchange as it ran; the replay compares each of them with its own.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import msgspec

from acd.engine import Acd
from acd.errors import AcdError
from acd.outcomes import OfferContact, Outcome
from callcenter.calls.facts import RoutingSnapshot, TimersFired
from callcenter.entries import KIND_OF
from callcenter.journal import JournalRow

MAX_REPORTED = 20


@dataclass(slots=True)
class Replay:
    """What a replay found. ``divergences`` name the journal entry at which the two lives differ."""

    inputs: int = 0
    outcomes: int = 0
    decisions: int = 0
    snapshots: int = 0
    divergences: list[str] = field(default_factory=list)
    digest: str = ""
    """SHA-256 over every outcome in order: equal for equal lives."""


def replay(rows: Iterable[JournalRow]) -> Replay:
    """Run every routing input of a whole journal through a new engine."""
    engine, found, digest = Acd(), Replay(), hashlib.sha256()
    expected: list[OfferContact] = []
    for row in rows:
        match row.entry:
            case OfferContact():
                _compare_decision(row, expected, found)
            case RoutingSnapshot():
                engine = _compare_snapshot(row, engine, found)
            case TimersFired():
                _take(engine.handle_timer(now=row.at), expected, found, digest)
            case entry if type(entry).__module__ == "acd.events":
                try:
                    outcomes = engine.receive(entry, now=row.at)
                except AcdError as error:
                    _diverge(found, row, f"refused: {error}")
                    continue
                _take(outcomes, expected, found, digest)
            case _:
                pass
    found.divergences += [f"decided now, but not then: {offer}" for offer in expected][:MAX_REPORTED]
    found.digest = digest.hexdigest()
    return found


def _take(outcomes: Iterable[Outcome], expected: list[OfferContact], found: Replay, digest: "hashlib._Hash") -> None:
    found.inputs += 1
    for outcome in outcomes:
        found.outcomes += 1
        digest.update(type(outcome).__name__.encode() + msgspec.msgpack.encode(outcome))
        if isinstance(outcome, OfferContact):
            expected.append(outcome)


def _compare_decision(row: JournalRow, expected: list[OfferContact], found: Replay) -> None:
    found.decisions += 1
    mine = expected.pop(0) if expected else None
    if mine != row.entry:
        _diverge(found, row, f"then {row.entry}, now {mine}")


def _compare_snapshot(row: JournalRow, engine: Acd, found: Replay) -> Acd:
    """Compare, and go on from what the exchange went on from."""
    found.snapshots += 1
    then: RoutingSnapshot = row.entry
    restored = Acd.restore(then.engine)
    if found.inputs and _plain(engine.snapshot()) != _plain(restored.snapshot()):  # an older one has fewer fields
        _diverge(found, row, "the engine's state differs from the snapshot")
    return restored


def _plain(state: object) -> Any:
    """A state as it is read back from disk: tuples are lists there."""
    return msgspec.msgpack.decode(msgspec.msgpack.encode(state))


def _diverge(found: Replay, row: JournalRow, what: str) -> None:
    if len(found.divergences) < MAX_REPORTED:
        found.divergences.append(f"entry {row.seq} ({KIND_OF[type(row.entry)]}): {what}")
