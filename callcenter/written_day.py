"""What a written day tells of the people in it: customers, agents and their habits, whatever the policy was. Pure.

From a journal come the arrivals as they were, each conversation's length, each wrap-up's, who gave up after how long,
when agents signed in, went ready, paused or took up work of their own, and which calls each let ring or refused, for
how long that kept the agent away.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from statistics import median

from acd.engine import Acd
from acd.errors import AcdError
from acd.events import (
    AgentClientLost,
    AgentEngaged,
    AgentMadeNotReady,
    AgentMadeReady,
    AgentSignedIn,
    AgentSignedOut,
    ContactArrived,
    ContactFinished,
    DeclineCause,
    Event,
    FloorConfigured,
    OfferDeclined,
    QueueClosed,
    QueueOpened,
)
from acd.ids import AgentId, ContactId
from acd.outcomes import (
    AgentState,
    AgentStateChanged,
    ContactAssigned,
    ContactDequeued,
    CustomerCame,
    DequeueReason,
    OfferContact,
    OfferEnded,
    OfferResult,
    Outcome,
)
from callcenter.calls.facts import TimersFired
from callcenter.day_figures import Figures
from callcenter.journal import JournalRow
from callcenter.service_targets import ServiceTargets, TargetsConfigured

AgentDeed = AgentSignedIn | AgentSignedOut | AgentMadeReady | AgentMadeNotReady | AgentClientLost | AgentEngaged
"""What agents do, or what happens to them, of their own accord."""
DOORS = (QueueClosed, QueueOpened)


@dataclass(frozen=True, slots=True)
class Customer:
    """One contact as the day had it. ``None`` is what the day does not tell."""

    arrived: ContactArrived
    at: int
    gave_up_ms: int | None
    waited_ms: int
    talk_ms: int | None
    came: bool = True
    """Whether anybody was at the other end: a callback may reach nobody."""


@dataclass(slots=True)
class Refusal:
    """An offer that an agent did not take. Times in milliseconds."""

    cause: DeclineCause | None
    """``None``: it rang out."""
    after_ms: int
    away_ms: int | None = None
    """Until the agent asked for work again; ``None`` when something else came first."""


@dataclass(slots=True)
class OfferHabits:
    """What an agent did with the offers of the day. Those that were withdrawn say nothing."""

    offers: int = 0
    refusals: list[Refusal] = field(default_factory=list)


@dataclass(slots=True)
class WrittenDay:
    """What is taken from the journal, and what was recorded of it."""

    policy: FloorConfigured | None = None
    customers: list[Customer] = field(default_factory=list)
    deeds: list[tuple[int, Event]] = field(default_factory=list)
    """What agents did and who closed a queue, each with its instant."""
    agents: set[AgentId] = field(default_factory=set)
    """Everybody who did anything."""
    habits: dict[AgentId, OfferHabits] = field(default_factory=dict)
    wrap_ups_ms: dict[ContactId, int] = field(default_factory=dict)
    answer_ms: int = 3_000
    recorded: Figures = field(default_factory=Figures)
    targets: ServiceTargets = field(default_factory=ServiceTargets)
    """What was promised on that day, at its end."""
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
        self.ended: dict[ContactId, tuple[int, bool]] = {}
        self.never_there: set[ContactId] = set()
        """Customers who were to be called back and were not there, with no agent busy for it: no policy can serve
        them."""
        self.came: set[ContactId] = set()
        """Contacts with somebody at the other end."""
        self.talked: dict[ContactId, tuple[int, int | None]] = {}
        self.own_work: set[ContactId] = set()
        self.states: dict[AgentId, AgentState] = {}
        self.wrapping: dict[AgentId, tuple[ContactId, int]] = {}
        self.rung: dict[str, int] = {}
        self.away: dict[AgentId, tuple[Refusal, int]] = {}
        """Agents who refused and have done nothing since, and since when."""
        self.answers: list[int] = []

    def read(self, rows: Iterable[JournalRow]) -> WrittenDay:
        for row in rows:
            if isinstance(row.entry, TargetsConfigured):
                self.day.targets = self.day.recorded.targets = ServiceTargets(row.entry.targets)
            elif isinstance(row.entry, TimersFired):
                self._note(self.engine.handle_timer(now=row.at), row.at, None)
            elif type(row.entry).__module__ == "acd.events":
                self._event(row.entry, row.at)
        self.day.recorded.close(self.day.ends_at)
        self.day.customers = [self._customer(each) for each in self.arrived if each not in self.never_there]
        if self.answers:
            self.day.answer_ms = round(median(self.answers))
        return self.day

    def _event(self, event: Event, at: int) -> None:
        before = self.states.get(event.agent_id) if isinstance(event, AgentDeed) else None
        try:
            outcomes = self.engine.receive(event, now=at)
        except AcdError:
            return
        match event:
            case FloorConfigured():
                self.day.policy = event
            case ContactArrived(contact_id=contact_id):
                self.arrived.setdefault(contact_id, (event, at))
                if not _is_away(event):
                    self.came.add(contact_id)
            case ContactFinished(contact_id=contact_id) if contact_id in self.talked:
                self.talked[contact_id] = (self.talked[contact_id][0], at)
            case ContactFinished(contact_id=contact_id) if contact_id in self.own_work:
                self.day.deeds.append((at, event))
            case QueueClosed() | QueueOpened():
                self.day.deeds.append((at, event))
            case _ if isinstance(event, AgentDeed):
                self._deed(event, before, at)
        self._note(outcomes, at, event)

    def _deed(self, event: AgentDeed, before: AgentState | None, at: int) -> None:
        """Keep what the agent did by the clock; coming back after a refusal belongs to the refusal, the end of a
        wrap-up to the wrap-up."""
        self.day.agents.add(event.agent_id)
        refusal, since = self.away.pop(event.agent_id, (None, 0))
        if isinstance(event, AgentMadeReady) and (refusal is not None or before is AgentState.WRAP_UP):
            if refusal is not None:
                refusal.away_ms = at - since
            return
        if isinstance(event, AgentEngaged):
            self.own_work.add(event.contact_id)
        self.day.deeds.append((at, event))

    def _note(self, outcomes: Sequence[Outcome], at: int, event: Event | None) -> None:
        self.day.ends_at = max(self.day.ends_at, at)
        for outcome in outcomes:
            self.day.recorded.take(outcome, at)
            match outcome:
                case OfferContact(offer_id=offer_id):
                    self.rung[offer_id] = at
                case OfferEnded():
                    self._offer_ended(outcome, at, event)
                case ContactAssigned(contact_id=contact_id):
                    self.talked[contact_id] = (at, None)
                case ContactDequeued(contact_id=contact_id, reason=reason, waited_ms=waited_ms):
                    self.ended[contact_id] = (waited_ms, reason is DequeueReason.ABANDONED)
                    known = self.arrived.get(contact_id)
                    if reason is DequeueReason.WITHDRAWN and known is not None and contact_id not in self.came:
                        self.never_there.add(contact_id)
                case CustomerCame(contact_id=contact_id):
                    self.came.add(contact_id)
                case AgentStateChanged():
                    self._agent_changed(outcome, at)
                case _:
                    pass

    def _offer_ended(self, ended: OfferEnded, at: int, event: Event | None) -> None:
        rang_ms = at - self.rung.pop(ended.offer_id, at)
        habits = self.day.habits.setdefault(ended.agent_id, OfferHabits())
        refused = isinstance(event, OfferDeclined)
        if ended.result is OfferResult.ACCEPTED:
            habits.offers += 1
            self.answers.append(rang_ms)
        elif ended.result is OfferResult.EXPIRED or refused:
            habits.offers += 1
            habits.refusals.append(Refusal(event.cause if isinstance(event, OfferDeclined) else None, rang_ms))
            self.away[ended.agent_id] = (habits.refusals[-1], at)

    def _agent_changed(self, change: AgentStateChanged, at: int) -> None:
        agent_id = change.agent_id
        self.states[agent_id] = change.state
        if change.state is AgentState.WRAP_UP:
            if change.contact_id is not None:
                self.wrapping.setdefault(agent_id, (change.contact_id, at))
        elif agent_id in self.wrapping:
            contact_id, since = self.wrapping.pop(agent_id)
            self.day.wrap_ups_ms[contact_id] = at - since

    def _customer(self, contact_id: ContactId) -> Customer:
        event, at = self.arrived[contact_id]
        waited_ms, gave_up = self.ended.get(contact_id, (0, False))
        since, until = self.talked.get(contact_id, (0, None))
        talk_ms = None if until is None else until - since
        if _is_away(event):  # an agent is there first, whoever was called first then
            event = replace(event, reserve_ms=None, is_away=True)
        return Customer(event, at, waited_ms if gave_up else None, waited_ms, talk_ms, contact_id in self.came)


def _is_away(event: ContactArrived) -> bool:
    return event.is_away or event.reserve_ms is not None
