"""The roster: stretches of time in which agents are planned for something, as the journal's facts make it. Pure.

Instants are milliseconds. A plan says all there is to say about its agents between its two instants, so what was
planned there before is gone, and where it names no shift the agent is off.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from callcenter.workforce.activities import Activity

REACH_BACK_MS = 35 * 86_400_000
"""How far back a plan may reach: absences are excused, and forgotten rosters brought in, within five weeks."""
_NO_END = 1 << 62


@dataclass(frozen=True, slots=True)
class Shift:
    """An agent is planned for this from ``start`` up to and without ``end``."""

    agent_id: str
    start: int
    end: int
    activity: Activity
    paid: bool = True


@dataclass(frozen=True, slots=True)
class ShiftsPlanned:
    """This is the plan of these agents from ``start`` up to and without ``end``, instead of any earlier one."""

    at: int
    by: str
    agent_ids: tuple[str, ...]
    start: int
    end: int
    shifts: tuple[Shift, ...]


class Roster:
    """Everybody's plan as far as facts told it; the newest one holds."""

    def __init__(self) -> None:
        self._plans: dict[str, list[Shift]] = {}
        """By agent, in order, without gaps inside of what was planned."""

    def take(self, fact: ShiftsPlanned) -> None:
        """A plan was made."""
        for agent_id in fact.agent_ids:
            shifts = (each for each in fact.shifts if each.agent_id == agent_id)
            planned = list(_without_gaps(agent_id, shifts, fact.start, fact.end))
            kept = _outside(self._plans.get(agent_id, ()), fact.start, fact.end)
            self._plans[agent_id] = sorted([*kept, *planned], key=lambda each: each.start)

    def drop(self, agent_id: str, at: int) -> None:
        """The agent is gone: nothing is planned from here on."""
        if agent_id in self._plans:
            self._plans[agent_id] = _outside(self._plans[agent_id], at, _NO_END)

    def forget(self, before: int) -> None:
        """Let go of what ended before this instant."""
        self._plans = {
            agent_id: kept
            for agent_id, plan in self._plans.items()
            if (kept := [each for each in plan if each.end > before])
        }

    def agents(self) -> Sequence[str]:
        """Who has a plan."""
        return tuple(self._plans)

    def between(self, agent_id: str, start: int, end: int) -> Iterator[Shift]:
        """The agent's plan within these instants, cut at them; stretches off within a plan are told as ``OFF``, and
        times that nobody planned are not told."""
        plan = self._plans.get(agent_id)
        if not plan:
            return
        place = max(0, bisect_right(plan, start, key=lambda each: each.start) - 1)
        while place < len(plan) and plan[place].start < end:
            each, place = plan[place], place + 1
            if each.end > start:
                yield replace(each, start=max(start, each.start), end=min(end, each.end))

    def at(self, agent_id: str, instant: int) -> Shift | None:
        """What the agent is planned for at an instant, whole; ``None`` where nobody planned."""
        plan = self._plans.get(agent_id, [])
        place = bisect_right(plan, instant, key=lambda each: each.start) - 1
        return plan[place] if place >= 0 and instant < plan[place].end else None

    def next_turn(self, after: int) -> int | None:
        """The next instant at which somebody's shift begins or ends; ``None`` when there is none."""
        turns = (turn for plan in self._plans.values() for turn in _next_turn(plan, after))
        return min(turns, default=None)


def _without_gaps(agent_id: str, shifts: Iterable[Shift], start: int, end: int) -> Iterator[Shift]:
    there = start
    for each in sorted(shifts, key=lambda each: each.start):
        if each.start > there:
            yield Shift(agent_id, there, each.start, Activity.OFF, paid=False)
        yield each
        there = each.end
    if there < end:
        yield Shift(agent_id, there, end, Activity.OFF, paid=False)


def _outside(plan: Iterable[Shift], start: int, end: int) -> list[Shift]:
    """What of a plan lies before or after these instants."""
    found = []
    for each in plan:
        if each.start < start:
            found.append(replace(each, end=min(each.end, start)))
        if each.end > end:
            found.append(replace(each, start=max(each.start, end)))
    return found


def _next_turn(plan: Sequence[Shift], after: int) -> Iterator[int]:
    place = max(0, bisect_right(plan, after, key=lambda each: each.start) - 1)
    for each in plan[place : place + 2]:
        yield from (turn for turn in (each.start, each.end) if turn > after)
