"""A day in figures, by queue and for all agents together: a fold of the routing engine's outcomes. Pure."""

from collections import defaultdict
from dataclasses import dataclass, field

from acd.ids import QueueId
from acd.outcomes import (
    AgentState,
    AgentStateChanged,
    ContactDequeued,
    ContactQueued,
    DequeueReason,
    OfferEnded,
    OfferResult,
    Outcome,
)

TARGET_MS = 20_000
"""Answered within this time counts for the service level."""


@dataclass(slots=True)
class QueueFigures:
    """One queue, or all. Waits are those of contacts that were answered, in milliseconds."""

    offered: int = 0
    answered: int = 0
    in_target: int = 0
    abandoned: int = 0
    sent_away: int = 0
    rang_out: int = 0
    waits: list[int] = field(default_factory=list)

    @property
    def service_level(self) -> float:
        """Answered in target over offered (1 when nothing was offered)."""
        return self.in_target / self.offered if self.offered else 1.0

    @property
    def asa_ms(self) -> float:
        """Mean wait of the answered."""
        return sum(self.waits) / len(self.waits) if self.waits else 0.0


@dataclass(slots=True)
class Figures:
    """A whole day by queue, and what the agents did, in milliseconds."""

    queues: dict[str, QueueFigures] = field(default_factory=lambda: defaultdict(QueueFigures))
    states_ms: dict[AgentState, int] = field(default_factory=lambda: defaultdict(int))
    _queue_of: dict[str, QueueId] = field(default_factory=dict)
    _since: dict[str, tuple[AgentState, int]] = field(default_factory=dict)

    def take(self, outcome: Outcome, now: int) -> None:
        """Count one outcome that was told at ``now``."""
        match outcome:
            case ContactQueued(contact_id=contact_id, returned=False, queue_id=queue_id):
                self.queues[queue_id].offered += 1
                self._queue_of[contact_id] = queue_id
            case OfferEnded(contact_id=contact_id, result=OfferResult.EXPIRED):
                self.queues[self._queue_of[contact_id]].rang_out += 1
            case ContactDequeued(queue_id=queue_id, reason=reason, waited_ms=waited_ms):
                figures = self.queues[queue_id]
                if reason is DequeueReason.ASSIGNED:
                    figures.answered += 1
                    figures.in_target += waited_ms <= TARGET_MS
                    figures.waits.append(waited_ms)
                elif reason is DequeueReason.ABANDONED:
                    figures.abandoned += 1
                else:
                    figures.sent_away += 1
            case AgentStateChanged(agent_id=agent_id, state=state):
                self._pass(agent_id, now)
                self._since[agent_id] = (state, now)
            case _:
                pass

    def close(self, now: int) -> None:
        """The day is over: count the states that agents are in still."""
        for agent_id in list(self._since):
            self._pass(agent_id, now)

    def total(self) -> QueueFigures:
        """All queues together."""
        whole = QueueFigures()
        for each in self.queues.values():
            whole.offered += each.offered
            whole.answered += each.answered
            whole.in_target += each.in_target
            whole.abandoned += each.abandoned
            whole.sent_away += each.sent_away
            whole.rang_out += each.rang_out
            whole.waits += each.waits
        return whole

    @property
    def occupancy(self) -> float:
        """Time with contacts and in wrap-up over that and idle time."""
        busy = self.states_ms[AgentState.BUSY] + self.states_ms[AgentState.WRAP_UP] + self.states_ms[AgentState.OFFERED]
        there = busy + self.states_ms[AgentState.READY]
        return busy / there if there else 0.0

    def _pass(self, agent_id: str, now: int) -> None:
        known = self._since.get(agent_id)
        if known is not None:
            self.states_ms[known[0]] += now - known[1]
            self._since[agent_id] = (known[0], now)
