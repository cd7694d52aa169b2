"""Who does otherwise than planned at this moment, and since when. Pure; the floor shows it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from acd.outcomes import AgentState, AgentStateChanged
from callcenter.workforce.activities import Activity, PauseMeanings, keeps_to
from callcenter.workforce.shifts import Roster, ShiftsPlanned


@dataclass(frozen=True, slots=True)
class AdherenceChanged:
    """What an agent is planned for, and whether the agent keeps to it, is now so. Told, never journaled: it follows."""

    agent_id: str
    planned: Activity | None = None
    """``None`` outside of shifts."""
    until: int | None = None
    out_since: int | None = None
    """Doing otherwise since then."""


class AdherenceWatch:
    """Follows states, plans and the clock. ``due`` is to be asked at ``next_deadline``."""

    def __init__(self, meanings: PauseMeanings, roster: Roster) -> None:
        self._meanings = meanings
        self._roster = roster
        self._doing: dict[str, tuple[Activity, int]] = {}
        self._told: dict[str, AdherenceChanged] = {}
        self._looked_at = 0

    def begin(self, agent_id: str, state: AgentState, reason: str | None, since: int) -> None:
        """Where an agent stands when the watch begins."""
        self._doing[agent_id] = (self._meanings.doing(state, reason), since)

    def take(self, change: AgentStateChanged, now: int) -> Iterable[AdherenceChanged]:
        """An agent's state changed."""
        doing = self._meanings.doing(change.state, change.reason)
        if self._doing.get(change.agent_id, (None, 0))[0] is not doing:
            self._doing[change.agent_id] = (doing, change.since)
        planned = change.agent_id in self._told or self._roster.at(change.agent_id, now) is not None
        return self._look([change.agent_id], now) if planned else ()

    def plan(self, fact: ShiftsPlanned, now: int) -> Iterable[AdherenceChanged]:
        """A plan was made."""
        self._roster.take(fact)
        return self._look(fact.agent_ids, now)

    def due(self, now: int) -> Iterable[AdherenceChanged]:
        """What the clock alone changed."""
        self._looked_at = now
        return self._look(self._roster.agents(), now)

    def next_deadline(self) -> int | None:
        """When somebody's shift begins or ends next."""
        return self._roster.next_turn(self._looked_at)

    def _look(self, agent_ids: Iterable[str], now: int) -> list[AdherenceChanged]:
        return list(self._changes(agent_ids, now))

    def _changes(self, agent_ids: Iterable[str], now: int) -> Iterator[AdherenceChanged]:
        for agent_id in agent_ids:
            stands = self._standing(agent_id, now)
            if stands != self._told.get(agent_id, AdherenceChanged(agent_id)):
                self._told[agent_id] = stands
                yield stands

    def _standing(self, agent_id: str, now: int) -> AdherenceChanged:
        shift = self._roster.at(agent_id, now)
        if shift is None or shift.activity is Activity.OFF:
            return AdherenceChanged(agent_id)
        doing, since = self._doing.get(agent_id, (Activity.OFF, shift.start))
        if keeps_to(shift.activity, doing):
            return AdherenceChanged(agent_id, shift.activity, shift.end)
        before = self._told.get(agent_id)
        out_since = before.out_since if before is not None else None
        return AdherenceChanged(agent_id, shift.activity, shift.end, out_since or max(shift.start, since))
