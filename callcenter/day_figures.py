"""A day in figures, by queue, by channel and for all agents together: a fold of the engine's outcomes. Pure."""

from collections import defaultdict
from dataclasses import dataclass, field

from acd.events import Channel
from acd.ids import QueueId
from acd.outcomes import (
    AgentState,
    AgentStateChanged,
    ContactDequeued,
    ContactQueued,
    CustomerCame,
    DequeueReason,
    OfferEnded,
    OfferResult,
    Outcome,
)
from callcenter.service_targets import ServiceTargets


@dataclass(slots=True)
class QueueFigures:
    """One queue, or all. Waits are those of contacts that were answered, in milliseconds."""

    offered: int = 0
    answered: int = 0
    in_target: int = 0
    abandoned: int = 0
    sent_away: int = 0
    rang_out: int = 0
    called_back: int = 0
    """Customers who were there when they were called back; they are among the offered."""
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
    """A whole day by queue, and what the agents did, in milliseconds.

    A customer who is called back is offered when the customer is there, and waits from then on.
    """

    targets: ServiceTargets = field(default_factory=ServiceTargets)
    """What is promised at this point of the day."""
    queues: dict[str, QueueFigures] = field(default_factory=lambda: defaultdict(QueueFigures))
    channels: dict[Channel, QueueFigures] = field(default_factory=lambda: defaultdict(QueueFigures))
    states_ms: dict[AgentState, int] = field(default_factory=lambda: defaultdict(int))
    _place_of: dict[str, tuple[QueueId, Channel]] = field(default_factory=dict)
    _since: dict[str, tuple[AgentState, int]] = field(default_factory=dict)
    _came_at: dict[str, int] = field(default_factory=dict)
    """Since when those wait who were away."""

    def take(self, outcome: Outcome, now: int) -> None:
        """Count one outcome that was told at ``now``."""
        match outcome:
            case ContactQueued(contact_id=contact_id, returned=False, queue_id=queue_id):
                self._place_of[contact_id] = queue_id, outcome.channel
                for each in self._both(queue_id, outcome.channel):
                    each.offered += not outcome.is_away
            case CustomerCame():
                self._come(outcome, now)
            case OfferEnded(contact_id=contact_id, result=OfferResult.EXPIRED):
                for each in self._both(*self._place_of[contact_id]):
                    each.rang_out += 1
            case ContactDequeued():
                self._dequeue(outcome, now)
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
            whole.called_back += each.called_back
            whole.waits += each.waits
        return whole

    @property
    def occupancy(self) -> float:
        """Time with contacts and in wrap-up over that and idle time."""
        busy = self.states_ms[AgentState.BUSY] + self.states_ms[AgentState.WRAP_UP] + self.states_ms[AgentState.OFFERED]
        there = busy + self.states_ms[AgentState.READY]
        return busy / there if there else 0.0

    def _both(self, queue_id: QueueId, channel: Channel) -> tuple[QueueFigures, QueueFigures]:
        return self.queues[queue_id], self.channels[channel]

    def _come(self, came: CustomerCame, now: int) -> None:
        for each in self._both(came.queue_id, Channel.VOICE):
            each.offered += 1
            each.called_back += 1
        if came.connected:
            self._answer(came.queue_id, Channel.VOICE, 0)
        else:
            self._came_at[came.contact_id] = now

    def _dequeue(self, left: ContactDequeued, now: int) -> None:
        if left.is_away:
            return
        came_at = self._came_at.pop(left.contact_id, None)
        waited_ms = left.waited_ms if came_at is None else now - came_at
        if left.reason is DequeueReason.ASSIGNED:
            self._answer(left.queue_id, left.channel, waited_ms)
            return
        for each in self._both(left.queue_id, left.channel):
            if left.reason is DequeueReason.ABANDONED:
                each.abandoned += 1
            else:
                each.sent_away += 1

    def _answer(self, queue_id: QueueId, channel: Channel, waited_ms: int) -> None:
        in_target = waited_ms <= self.targets.of(queue_id, channel).within_seconds * 1000
        for each in self._both(queue_id, channel):
            each.answered += 1
            each.in_target += in_target
            each.waits.append(waited_ms)

    def _pass(self, agent_id: str, now: int) -> None:
        known = self._since.get(agent_id)
        if known is not None:
            self.states_ms[known[0]] += now - known[1]
            self._since[agent_id] = (known[0], now)
