"""The journal of a simulated floor, as the exchange would have written it: inputs, fired timers, decisions."""

from typing import Any

import msgspec

from acd.engine import Acd
from acd.outcomes import OfferContact
from acd.simulator_journal import record
from acd.simulator_scenario import Scenario
from callcenter.calls.facts import RoutingSnapshot, TimersFired
from callcenter.entries import KIND_OF
from callcenter.journal import JournalRow


def simulated_rows(scenario: Scenario, *, seed: int, events: int) -> list[JournalRow]:
    """The opening of the floor and so many inputs after it, with a snapshot at the end."""
    engine, rows = Acd(), list[JournalRow]()

    def write(entry: object, at: int) -> None:
        rows.append(JournalRow(len(rows) + 1, at, KIND_OF[type(entry)], entry))

    for event, now in record(scenario, seed=seed, events=events).entries:
        if event is None:
            write(TimersFired(now), now)
            outcomes = engine.handle_timer(now=now)
        else:
            write(event, now)
            outcomes = engine.receive(event, now=now)
        for outcome in outcomes:
            if isinstance(outcome, OfferContact):
                write(outcome, now)
    write(RoutingSnapshot(rows[-1].at, plain(engine.snapshot()), {}), rows[-1].at)
    return rows


def plain(state: object) -> Any:
    """A state as it is read back from disk."""
    return msgspec.msgpack.decode(msgspec.msgpack.encode(state))
