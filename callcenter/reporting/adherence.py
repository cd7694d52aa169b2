"""Adherence, conformance and shrinkage: what agents did laid over what was planned for them. Pure.

A plan may be changed for the past (``shifts.REACH_BACK_MS``): what was counted there by the old one is taken back, and
counted anew. For that what each agent did is kept as long as a plan may reach back, and no longer.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from acd.events import FloorConfigured
from acd.outcomes import AgentState, AgentStateChanged
from callcenter.reporting.intervals import pieces
from callcenter.reporting.postings import Measure, Posting, of_agent
from callcenter.workforce.activities import Activity, PauseMeanings, is_away, keeps_to
from callcenter.workforce.shifts import REACH_BACK_MS, Roster, Shift, ShiftsPlanned


@dataclass(slots=True)
class Doings:
    """What one agent did, from each instant on, and the state of routing that the last of them comes from."""

    spells: list[tuple[int, Activity]]
    counted_until: int
    state: tuple[AgentState, str | None] = (AgentState.OFFLINE, None)

    def between(self, start: int, end: int) -> Iterator[tuple[int, int, Activity]]:
        """The doings within these instants, cut at them."""
        for place, (since, doing) in enumerate(self.spells):
            until = self.spells[place + 1][0] if place + 1 < len(self.spells) else end
            if since < end and until > start:
                yield max(since, start), min(until, end), doing


@dataclass(slots=True)
class Adherence:
    """Every agent's doings and plan. Holds no more of the past than a plan may reach back."""

    meanings: PauseMeanings = field(default_factory=PauseMeanings)
    roster: Roster = field(default_factory=Roster)
    _doings: dict[str, Doings] = field(default_factory=dict)

    def configure(self, event: FloorConfigured, at: int) -> list[Posting]:
        """New agents begin signed out; of those who are gone nothing is expected any more."""
        configured = frozenset(spec.agent_id for spec in event.agents)
        for each in configured:
            self._doings.setdefault(each, Doings([(at, Activity.OFF)], at))
        found: list[Posting] = []
        for agent_id in self.roster.agents():
            if agent_id not in configured:
                found += self._count(agent_id, at)
                self.roster.drop(agent_id, at)
        return found

    def mean(self, meanings: PauseMeanings, at: int) -> list[Posting]:
        """From here on the reasons of pauses mean this."""
        self.meanings = meanings
        return [
            posting
            for agent_id, doings in self._doings.items()
            for posting in self._do(agent_id, meanings.doing(*doings.state), at)
        ]

    def take(self, change: AgentStateChanged, at: int) -> list[Posting]:
        """An agent's state changed."""
        doings = self._doings.setdefault(change.agent_id, Doings([(at, Activity.OFF)], at))
        doings.state = (change.state, change.reason)
        return self._do(change.agent_id, self.meanings.doing(change.state, change.reason), at)

    def plan(self, fact: ShiftsPlanned) -> list[Posting]:
        """A plan was made; what it changes of the past is counted anew."""
        found = [posting for agent_id in fact.agent_ids for posting in self._count(agent_id, fact.at)]
        past = max(fact.start, fact.at - REACH_BACK_MS), min(fact.end, fact.at)
        found += [
            posting._replace(amount=-posting.amount)
            for agent_id in fact.agent_ids
            for posting in self._between(agent_id, *past)
        ]
        self.roster.take(fact)
        return found + [posting for agent_id in fact.agent_ids for posting in self._between(agent_id, *past)]

    def up_to(self, horizon: int) -> list[Posting]:
        """What goes on adds up to this at ``horizon``. Changes nothing."""
        return [
            posting
            for agent_id, doings in self._doings.items()
            for posting in self._between(agent_id, doings.counted_until, horizon)
        ]

    def _do(self, agent_id: str, doing: Activity, at: int) -> list[Posting]:
        doings = self._doings[agent_id]
        if doings.spells[-1][1] is doing:
            return []
        found = self._count(agent_id, at)
        doings.spells.append((at, doing))
        self._forget(doings, at - REACH_BACK_MS)
        return found

    def _forget(self, doings: Doings, before: int) -> None:
        gone = 0
        while gone + 1 < len(doings.spells) and doings.spells[gone + 1][0] <= before:
            gone += 1
        if gone:
            del doings.spells[:gone]
            self.roster.forget(before)

    def _count(self, agent_id: str, at: int) -> list[Posting]:
        doings = self._doings.get(agent_id)
        if doings is None or at <= doings.counted_until:
            return []
        since, doings.counted_until = doings.counted_until, at
        return self._between(agent_id, since, at)

    def _between(self, agent_id: str, start: int, end: int) -> list[Posting]:
        doings = self._doings.get(agent_id)
        if doings is None or start >= end:
            return []
        return [
            posting
            for shift in self.roster.between(agent_id, start, end)
            for since, until, doing in doings.between(shift.start, shift.end)
            for measure in measures(shift, doing)
            for posting in _laid(agent_id, measure, since, until)
        ]


def measures(shift: Shift, doing: Activity) -> Sequence[Measure]:
    """What every instant counts as in which an agent who is planned for ``shift`` does this."""
    return tuple(_measures(shift.activity, doing, shift.paid))


def _measures(planned: Activity, doing: Activity, paid: bool) -> Iterable[Measure]:
    if doing is Activity.ON_QUEUE:
        yield Measure.ON_QUEUE_SPLIT_MS
    if planned is Activity.ON_QUEUE:
        yield Measure.SCHEDULED_ON_QUEUE_SPLIT_MS
    if planned is Activity.ON_QUEUE or is_away(planned):
        yield Measure.SCHEDULED_SPLIT_MS
    if not keeps_to(planned, doing):
        yield Measure.OUT_OF_SCHEDULE_SPLIT_MS
    if paid:
        yield Measure.PAID_SPLIT_MS
        if planned is not Activity.ON_QUEUE:
            yield Measure.PAID_PLANNED_AWAY_SPLIT_MS
        if doing is not Activity.ON_QUEUE:
            absent = Activity.LEAVE in {planned, doing} or (planned is Activity.ON_QUEUE and doing is Activity.OFF)
            yield Measure.PAID_ABSENT_SPLIT_MS if absent else Measure.PAID_AWAY_SPLIT_MS


def _laid(agent_id: str, measure: Measure, start: int, end: int) -> Iterator[Posting]:
    agent = of_agent(agent_id)
    return (Posting(interval, agent, measure, length) for interval, length in pieces(start, end))
