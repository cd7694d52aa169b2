"""The roster in the exchange: takes plans, journals them, tells the floor who keeps to them. One task for the clock."""

import asyncio
from collections.abc import Callable, Iterable

import structlog

from acd.outcomes import AgentState as RoutingState
from acd.outcomes import AgentStateChanged
from agent_console.messages import FloorView
from agent_console.ports import IntentError
from callcenter.ports import Clock, Journal
from callcenter.workforce.activities import PLANNED, PauseMeanings
from callcenter.workforce.shifts import REACH_BACK_MS, Roster, Shift, ShiftsPlanned
from callcenter.workforce.watch import AdherenceWatch

log = structlog.get_logger(__name__)

MAX_SHIFTS = 100_000


class RosterKeeper:
    """``hear`` is for the bus; ``run`` waits for the turns of shifts until cancelled."""

    def __init__(
        self,
        *,
        clock: Clock,
        journal: Journal,
        tell: Callable[[object, int], None],
        agents: Iterable[str],
        meanings: PauseMeanings,
    ) -> None:
        """``tell`` puts a fact on the bus; ``agents`` are those of the site."""
        self._clock, self._journal, self._tell = clock, journal, tell
        self._agents = frozenset(agents)
        self._meanings = meanings
        self._watch = AdherenceWatch(meanings, Roster())
        self._news = asyncio.Event()

    def resume(self, plans: Iterable[ShiftsPlanned], floor: FloorView) -> None:
        """Take up what was planned in earlier lives, with agents as the floor has them."""
        roster, now = Roster(), self._clock.now()
        for plan in plans:
            roster.take(plan)
        roster.forget(now - REACH_BACK_MS)
        for agent_id in set(roster.agents()) - self._agents:
            roster.drop(agent_id, 0)
        self._watch = AdherenceWatch(self._meanings, roster)
        for agent in floor.agents:
            self._watch.begin(agent.agent_id, RoutingState(agent.state), agent.reason, agent.since)
        self._say(self._watch.due(now), now)
        self._news.set()

    async def plan(self, wanted: ShiftsPlanned) -> None:
        """Journal a plan and follow it. Raises ``IntentError`` for one that cannot be."""
        now = self._clock.now()
        check_plan(wanted, self._agents, now)
        plan = ShiftsPlanned(now, wanted.by, wanted.agent_ids, wanted.start, wanted.end, wanted.shifts)
        await self._journal.committed(self._journal.append(plan, at=now))
        log.info("shifts planned", agents=len(plan.agent_ids), shifts=len(plan.shifts))
        self._say(self._watch.plan(plan, now), now)
        self._news.set()

    def hear(self, fact: AgentStateChanged, at: int) -> None:
        """An agent's state changed."""
        if changed := self._watch.take(fact, at):
            self._say(changed, at)

    async def run(self) -> None:
        """Tell what the clock changes, when it does."""
        while True:
            deadline = self._watch.next_deadline()
            seconds = None if deadline is None else max(0, deadline - self._clock.now()) / 1000
            self._news.clear()
            try:
                async with asyncio.timeout(seconds):
                    await self._news.wait()
            except TimeoutError:
                now = self._clock.now()
                self._say(self._watch.due(now), now)

    def _say(self, facts: Iterable[object], at: int) -> None:
        for fact in facts:
            self._tell(fact, at)


def check_plan(plan: ShiftsPlanned, agents: Iterable[str], now: int) -> None:
    """Raise ``IntentError`` for a plan that contradicts itself, the site or the clock."""
    strange = sorted(set(plan.agent_ids) - set(agents))
    if strange:
        raise IntentError("unknown-agent", f"No agent of the site has the id {strange[0]!r}.")
    if plan.start < now - REACH_BACK_MS:
        days = REACH_BACK_MS // 86_400_000
        raise IntentError("too-late", f"A plan reaches back {days} days at most.")
    if plan.end <= plan.start or not plan.agent_ids or len(plan.shifts) > MAX_SHIFTS:
        raise IntentError("invalid-plan", f"A plan is about some time, some agents and at most {MAX_SHIFTS} shifts.")
    free_from: dict[str, int] = {}
    for each in sorted(plan.shifts, key=lambda each: each.start):
        _check_shift(each, plan, free_from.get(each.agent_id, plan.start))
        free_from[each.agent_id] = each.end


def _check_shift(shift: Shift, plan: ShiftsPlanned, free_from: int) -> None:
    fits = free_from <= shift.start < shift.end <= plan.end and shift.agent_id in plan.agent_ids
    if not fits or shift.activity not in PLANNED:
        raise IntentError("invalid-plan", f"A shift of {shift.agent_id} overlaps another one or leaves the plan.")
