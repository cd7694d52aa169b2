"""What would have been: the customers and agents of a written day on a floor of another policy. Pure.

From the journal come the arrivals as they were, each conversation's length, each wrap-up's, who gave up after how long,
and when agents signed in, went ready and paused. What the day does not tell is filled in so that the same journal gives
the same answer: customers who were served would have gone on waiting for an exponential time of the mean that the
day's own abandonments give (maximum likelihood, censored data); who was never served would have talked as long as
somebody else of the queue. Agents answer after the day's median time to answer.

The day is lived twice, once by its own policy: the difference between that and what was recorded is the error of the
model, and only what is clearly larger than it means anything.
"""

import hashlib
import heapq
import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from statistics import median

from acd.engine import Acd
from acd.errors import AcdError
from acd.events import (
    AgentMadeNotReady,
    AgentMadeReady,
    AgentSignedIn,
    AgentSignedOut,
    ContactArrived,
    ContactFinished,
    ContactLeft,
    Event,
    FloorConfigured,
    OfferAccepted,
    WrapUpFinished,
)
from acd.ids import ContactId, QueueId
from acd.outcomes import (
    AgentState,
    AgentStateChanged,
    ContactAssigned,
    ContactDequeued,
    ContactOverflowed,
    ContactQueued,
    DequeueReason,
    OfferContact,
    Outcome,
)
from callcenter.calls.facts import TimersFired
from callcenter.calls.queueing import QUEUE_PREFIX
from callcenter.journal import JournalRow

TARGET_MS = 20_000
"""Answered within this time counts for the service level."""
DEEDS = (AgentSignedIn, AgentSignedOut, AgentMadeReady, AgentMadeNotReady)


@dataclass(slots=True)
class QueueFigures:
    """One queue, or all. Waits are those of contacts that were answered, in milliseconds."""

    offered: int = 0
    answered: int = 0
    in_target: int = 0
    abandoned: int = 0
    sent_away: int = 0
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
    _since: dict[str, tuple[AgentState, int]] = field(default_factory=dict)

    def take(self, outcome: Outcome, now: int) -> None:
        """Count one outcome that was told at ``now``."""
        match outcome:
            case ContactQueued(returned=False, queue_id=queue_id):
                self.queues[queue_id].offered += 1
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


@dataclass(frozen=True, slots=True)
class Customer:
    """One contact as the day had it. ``None`` is what the day does not tell."""

    arrived: ContactArrived
    at: int
    gave_up_ms: int | None
    waited_ms: int
    talk_ms: int | None
    wrap_up_ms: int | None


@dataclass(slots=True)
class WrittenDay:
    """What is taken from the journal, and what was recorded of it."""

    policy: FloorConfigured | None = None
    customers: list[Customer] = field(default_factory=list)
    deeds: list[tuple[int, Event]] = field(default_factory=list)
    answer_ms: int = 3_000
    recorded: Figures = field(default_factory=Figures)
    ends_at: int = 0


def read_day(rows: Iterable[JournalRow]) -> WrittenDay:
    """Everything of a journal that another policy would have met. Later configurations replace earlier ones."""
    return _Reader().read(rows)


class _Reader:
    """Lives the day as it was, and notes what belongs to whom."""

    def __init__(self) -> None:
        self.day = WrittenDay()
        self.engine = Acd()
        self.arrived: dict[ContactId, tuple[ContactArrived, int]] = {}
        self.ended: dict[str, tuple[int, bool]] = {}
        self.talked: dict[str, tuple[int, int | None]] = {}
        self.wrapping: dict[str, tuple[str, int]] = {}
        self.wrapped: dict[str, int] = {}
        self.rung: dict[str, int] = {}
        self.answers: list[int] = []

    def read(self, rows: Iterable[JournalRow]) -> WrittenDay:
        for row in rows:
            if isinstance(row.entry, TimersFired):
                self._note(self.engine.handle_timer(now=row.at), row.at)
            elif type(row.entry).__module__ == "acd.events":
                self._event(row.entry, row.at)
        self.day.recorded.close(self.day.ends_at)
        self.day.customers = [self._customer(contact_id) for contact_id in self.arrived]
        if self.answers:
            self.day.answer_ms = round(median(self.answers))
        return self.day

    def _event(self, event: Event, at: int) -> None:
        states = {agent.agent_id: agent.state for agent in self.engine.agents()} if isinstance(event, DEEDS) else {}
        try:
            outcomes = self.engine.receive(event, now=at)
        except AcdError:
            return
        if isinstance(event, FloorConfigured):
            self.day.policy = event
        elif isinstance(event, DEEDS) and states.get(event.agent_id) is not AgentState.WRAP_UP:
            self.day.deeds.append((at, event))
        elif isinstance(event, ContactArrived):
            self.arrived.setdefault(event.contact_id, (event, at))
        elif isinstance(event, ContactFinished) and event.contact_id in self.talked:
            self.talked[event.contact_id] = (self.talked[event.contact_id][0], at)
        self._note(outcomes, at)

    def _note(self, outcomes: Sequence[Outcome], at: int) -> None:
        self.day.ends_at = max(self.day.ends_at, at)
        for outcome in outcomes:
            self.day.recorded.take(outcome, at)
            match outcome:
                case OfferContact(offer_id=offer_id):
                    self.rung[offer_id] = at
                case ContactAssigned(contact_id=contact_id, offer_id=offer_id):
                    self.talked[contact_id] = (at, None)
                    self.answers.append(at - self.rung.pop(offer_id, at))
                case ContactDequeued(contact_id=contact_id, reason=reason, waited_ms=waited_ms):
                    self.ended[contact_id] = (waited_ms, reason is DequeueReason.ABANDONED)
                case AgentStateChanged(agent_id=agent_id, state=AgentState.WRAP_UP) if outcome.contact_id is not None:
                    self.wrapping.setdefault(agent_id, (outcome.contact_id, at))
                case AgentStateChanged(agent_id=agent_id) if agent_id in self.wrapping:
                    wrapped, since = self.wrapping.pop(agent_id)
                    self.wrapped[wrapped] = at - since
                case _:
                    pass

    def _customer(self, contact_id: ContactId) -> Customer:
        event, at = self.arrived[contact_id]
        waited_ms, gave_up = self.ended.get(contact_id, (0, False))
        since, until = self.talked.get(contact_id, (0, None))
        talk_ms = None if until is None else until - since
        return Customer(event, at, waited_ms if gave_up else None, waited_ms, talk_ms, self.wrapped.get(contact_id))


def live_again(day: WrittenDay, policy: FloorConfigured) -> Figures:
    """The day by this policy. Agents the day did not know are there, and ready, from the first deed on."""
    return _Life(day, policy).live()


class _Life:
    """One day under virtual time: a heap of what comes, and the engine."""

    def __init__(self, day: WrittenDay, policy: FloorConfigured) -> None:
        self.day, self.policy = day, policy
        self.engine, self.figures = Acd(), Figures()
        self.coming: list[tuple[int, int, Event]] = []
        self.counter = 0
        self.customers = {each.arrived.contact_id: each for each in day.customers}
        self.talking: set[ContactId] = set()
        self.visited: dict[ContactId, set[QueueId]] = {}
        self.talks: dict[str, list[int]] = defaultdict(list)
        waiting = gave_up = 0
        for each in day.customers:
            if each.talk_ms is not None:
                self.talks[each.arrived.queue_id].append(each.talk_ms)
            waiting += each.waited_ms
            gave_up += each.gave_up_ms is not None
        self.patience_ms = waiting / gave_up if gave_up else math.inf

    def live(self) -> Figures:
        start = min([at for at, _ in self.day.deeds] + [each.at for each in self.day.customers], default=0)
        self._tell(self.policy, start)
        known = {event.agent_id for _, event in self.day.deeds if isinstance(event, DEEDS)}
        for agent in self.policy.agents:
            if agent.agent_id not in known:
                self._later(start, AgentSignedIn(agent.agent_id))
                self._later(start, AgentMadeReady(agent.agent_id))
        for at, event in self.day.deeds:
            self._later(at, event)
        for each in self.day.customers:
            self._later(each.at, each.arrived)
        while self.coming:
            at, _, event = heapq.heappop(self.coming)
            self._pass_time(at)
            if not (isinstance(event, ContactLeft) and event.contact_id in self.talking):
                self._tell(event, at)
        self.figures.close(max(self.day.ends_at, start))
        return self.figures

    def _later(self, at: int, event: Event) -> None:
        self.counter += 1
        heapq.heappush(self.coming, (at, self.counter, event))

    def _pass_time(self, until: int) -> None:
        while (deadline := self.engine.next_deadline()) is not None and deadline <= until:
            self._take(self.engine.handle_timer(now=deadline), deadline)

    def _tell(self, event: Event, at: int) -> None:
        try:
            self._take(self.engine.receive(event, now=at), at)
        except AcdError:  # of an agent or a queue that this policy does not have, or too late for this life
            return

    def _take(self, outcomes: Sequence[Outcome], at: int) -> None:
        for outcome in outcomes:
            self.figures.take(outcome, at)
            match outcome:
                case ContactOverflowed(contact_id=contact_id, target=target) if target.startswith(QUEUE_PREFIX):
                    self._move(contact_id, QueueId(target.removeprefix(QUEUE_PREFIX)), at)
                case ContactQueued(contact_id=contact_id, returned=False) if contact_id not in self.visited:
                    patience_ms = self._patience_ms(contact_id)
                    if patience_ms is not None:
                        self._later(at + patience_ms, ContactLeft(contact_id))
                case OfferContact(offer_id=offer_id, expires_at=expires_at):
                    if at + self.day.answer_ms < expires_at:
                        self._later(at + self.day.answer_ms, OfferAccepted(offer_id))
                case ContactAssigned(contact_id=contact_id, agent_id=agent_id):
                    self.talking.add(contact_id)  # patience is over with waiting
                    self._later(at + self._talk_ms(contact_id), ContactFinished(contact_id))
                    wrap_up_ms = self.customers[contact_id].wrap_up_ms
                    if wrap_up_ms is not None:
                        self._later(at + self._talk_ms(contact_id) + wrap_up_ms, WrapUpFinished(agent_id))
                case _:
                    pass

    def _move(self, contact_id: ContactId, queue_id: QueueId, at: int) -> None:
        """To another queue with the same age, each queue once, as calls do."""
        visited = self.visited.setdefault(contact_id, {self.customers[contact_id].arrived.queue_id})
        if queue_id not in visited:
            visited.add(queue_id)
            self._later(at, replace(self.customers[contact_id].arrived, queue_id=queue_id, plan=None))

    def _patience_ms(self, contact_id: ContactId) -> int | None:
        customer = self.customers[contact_id]
        if customer.gave_up_ms is not None:
            return customer.gave_up_ms
        if math.isinf(self.patience_ms):
            return None
        return customer.waited_ms + 1 + round(-math.log(1.0 - _share(contact_id)) * self.patience_ms)

    def _talk_ms(self, contact_id: ContactId) -> int:
        customer = self.customers[contact_id]
        if customer.talk_ms is not None:
            return customer.talk_ms
        others = self.talks[customer.arrived.queue_id] or [180_000]
        return others[int(_share(contact_id) * len(others))]


def _share(contact_id: str) -> float:
    """A number below 1 that is always the same for this contact."""
    return int.from_bytes(hashlib.blake2b(contact_id.encode(), digest_size=6).digest(), "big") / (1 << 48)
