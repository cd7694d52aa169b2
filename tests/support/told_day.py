"""A day as journal and bus tell it: who waited, who talked, who was in which state. Every list is kept whole.

Read from the facts for the recount of reports (``recount``); it shares nothing with ``callcenter.reporting``. States of
agents are taken from what the living exchange told on its bus, not from a replay.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from acd.events import FloorConfigured
from acd.outcomes import AgentStateChanged, ContactDequeued, DequeueReason, OfferContact, OfferEnded
from callcenter.bus import Bus
from callcenter.calls.callback_facts import CallbackDialled, CallbackRequested
from callcenter.calls.facts import (
    CallConnected,
    CallEnded,
    CallHeld,
    CallOverflowed,
    CallQueued,
    CallResumed,
    Outcome,
)
from callcenter.journal import JournalRow

Told = list[tuple[int, object]]


@contextmanager
def bus_heard() -> Iterator[dict[Bus, Told]]:
    """While this is open: everything that is told on any bus, by bus."""
    heard: dict[Bus, Told] = defaultdict(list)
    publish_all = Bus.publish_all

    def listen(self: Bus, facts: Iterable[object], at: int) -> None:
        told = tuple(facts)
        heard[self] += [(at, fact) for fact in told]
        publish_all(self, told, at)

    Bus.publish_all = listen  # type: ignore[method-assign]
    try:
        yield heard
    finally:
        Bus.publish_all = publish_all  # type: ignore[method-assign]


@dataclass
class Stay:
    """A contact in a queue."""

    queue: str
    start: int
    end: int | None = None
    how: str = "waiting"
    agent: str = ""


@dataclass
class Talk:
    """Customer and agent, bridged."""

    call: str
    queue: str
    agent: str
    start: int
    end: int | None = None
    transferred: bool = False
    holds: list[tuple[int, int | None]] = field(default_factory=list)
    """From and to."""


@dataclass
class Spell:
    """An agent in a state."""

    agent: str
    state: str
    reason: str | None
    contact: str | None
    start: int
    end: int | None = None
    queue: str = ""
    """Whose work the contact is."""


class ToldDay:
    """One journal. ``told`` are the instants and facts of the bus, in order."""

    def __init__(self, rows: Sequence[JournalRow], told: Told) -> None:
        self.rows, self.told = rows, told
        self.first = rows[0].at
        self.horizon = max(row.at for row in rows)
        self.stays: list[Stay] = []
        self.talks: list[Talk] = []
        self._read_calls()
        self.spells = self._read_states(told)
        self.made = [(at, fact) for at, fact in told if isinstance(fact, OfferContact)]
        self.closed = [(at, fact) for at, fact in told if isinstance(fact, OfferEnded)]

    def within(self, start: int, end: int | None, lower: int, upper: int) -> int:
        """How much of a time lies in an interval."""
        return max(0, min(self.horizon if end is None else end, upper) - max(start, lower))

    def handling(self, talk: Talk) -> tuple[list[Spell], int, int | None]:
        """The wrap-ups of a conversation, and when the agent took it and was done with it."""
        spells = [spell for spell in self.spells if spell.agent == talk.agent]
        taken = [
            number
            for number, spell in enumerate(spells)
            if spell.state == "busy" and spell.contact == talk.call and spell.start <= talk.start
        ]
        wraps: list[Spell] = []
        for spell in spells[taken[-1] :]:
            if spell.contact != talk.call or spell.state not in ("busy", "wrap_up"):
                return wraps, spells[taken[-1]].start, spell.start
            if spell.state == "wrap_up":
                wraps.append(spell)
        return wraps, spells[taken[-1]].start, None

    def _read_calls(self) -> None:
        calls: dict[str, list[Any]] = defaultdict(list)
        for row in self.rows:
            if isinstance(row.entry, CallbackDialled):
                calls[row.entry.contact_id].append(row.entry)
            elif isinstance(
                row.entry,
                CallHeld | CallResumed | CallQueued | CallConnected | CallEnded | CallOverflowed | CallbackRequested,
            ):
                calls[row.entry.call_id].append(row.entry)
        for facts in calls.values():
            self._read_call([fact for fact in facts if not isinstance(fact, CallHeld | CallResumed)])
            self._read_holds(facts)

    def _read_holds(self, facts: list[Any]) -> None:
        """Each hold, in the talk that was going on, until it was resumed or all was over."""
        talks = [talk for talk in self.talks if talk.call == facts[0].call_id]
        for place, fact in enumerate(facts):
            if isinstance(fact, CallHeld):
                after = (each.at for each in facts[place:] if isinstance(each, CallResumed | CallEnded | CallQueued))
                talk = [each for each in talks if each.start <= fact.at][-1]
                talk.holds.append((fact.at, next(after, None)))

    @staticmethod
    def _entering(facts: list[Any]) -> list[Any]:
        """The facts of a call; who is called back after an agent was there enters the queue on being connected."""
        first = next((each for each in facts if isinstance(each, CallQueued | CallConnected)), None)
        if not isinstance(first, CallConnected) or not any(isinstance(each, CallbackDialled) for each in facts):
            return facts
        place = facts.index(first)
        return [*facts[:place], CallQueued(first.call_id, first.at, first.queue_id, 0, None), *facts[place:]]

    def _read_call(self, facts: list[Any]) -> None:
        stay: Stay | None = None
        talk: Talk | None = None
        left: Stay | None = None
        for fact in self._entering(facts):
            if isinstance(fact, CallQueued):
                if stay is not None and stay.queue == fact.queue_id:
                    continue
                left = None
                if stay is not None:
                    stay.end, stay.how = fact.at, "flowed"
                if talk is not None:
                    talk.end, talk.transferred, talk = fact.at, True, None
                stay = Stay(fact.queue_id, fact.at)
                self.stays.append(stay)
            elif isinstance(fact, CallConnected) and stay is not None:
                stay.end, stay.how, stay.agent, stay = fact.at, "answered", fact.agent_id, None
                talk = Talk(fact.call_id, fact.queue_id, fact.agent_id, fact.at)
                self.talks.append(talk)
            elif isinstance(fact, CallOverflowed) and stay is not None:
                stay.end, stay.how, left, stay = fact.at, "flowed", stay, None
            elif isinstance(fact, CallbackRequested) and left is not None:
                left.how, left = "converted", None
            elif isinstance(fact, CallEnded):
                if stay is not None:
                    stay.end, stay.how = fact.at, "abandoned" if fact.outcome is Outcome.ABANDONED else "lost"
                if talk is not None:
                    talk.end = fact.at

    def _read_states(self, told: Told) -> list[Spell]:
        found: list[Spell] = []
        present: dict[str, Spell] = {}
        for row in self.rows:
            if isinstance(row.entry, FloorConfigured):
                for spec in row.entry.agents:
                    if spec.agent_id not in present:
                        present[spec.agent_id] = Spell(spec.agent_id, "offline", None, None, row.at)
                        found.append(present[spec.agent_id])
        given: dict[str, str] = {}
        for at, fact in told:
            if isinstance(fact, ContactDequeued) and fact.reason is DequeueReason.ASSIGNED:
                given[fact.contact_id] = fact.queue_id
            if isinstance(fact, AgentStateChanged):
                before = present[fact.agent_id]
                after = Spell(fact.agent_id, str(fact.state), fact.reason, fact.contact_id, at)
                if (before.state, before.reason, before.contact) != (after.state, after.reason, after.contact):
                    before.end = at
                    if after.state in ("busy", "wrap_up") and after.contact is not None:
                        same = before.contact == after.contact and before.state in ("busy", "wrap_up")
                        after.queue = before.queue if same else given.pop(after.contact, "")
                    present[fact.agent_id] = after
                    found.append(after)
        return found


def share(part: float, whole: float) -> float | None:
    """``None`` of nothing."""
    return part / whole if whole else None
