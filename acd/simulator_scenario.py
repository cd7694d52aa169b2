"""What is simulated: queues, customers, agents and how people behave, as plain data."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from heapq import merge
from random import Random
from typing import Protocol

from acd.errors import AcdError
from acd.events import AgentOrder, AgentSpec, Capacity, Channel, Interrupt, QueueDelay, QueueSpec, SkillLevel
from acd.ids import AgentId, QueueId
from acd.route_plans import RoutePlan
from acd.simulator_laws import Arrivals, Deterministic, Exponential, Law, Poisson, Recorded

OPEN_ENDED_MS = 24 * 3_600_000
"""Longest wrap-up when its length is drawn: agents end it themselves, the engine's own clock never does."""


class ScenarioError(AcdError):
    """A scenario cannot be simulated; the text says what is wrong and where."""

    code = "scenario-error"


class Calendar(Protocol):
    """When something is open. Instants are milliseconds from the start of the simulation."""

    def is_open(self, at: int) -> bool:
        """Whether it is open at this instant."""
        ...

    def opens_at(self, at: int) -> int | None:
        """The first instant from this one on at which it is open; ``None``: none for a year."""
        ...


@dataclass(frozen=True, slots=True)
class CallbackPlan:
    """How a queue calls back customers who gave up their place on the line, but not in it."""

    most: int
    """So many promises at once; one more is not made."""
    attempts: int = 3
    retry_s: float = 300.0
    within_s: float = 14_400.0
    """Who was not reached by then is called no more."""
    customer_first: bool = False
    """The customer's phone rings first, while an agent is kept; else the agent is there first."""
    ring_s: float = 30.0
    """How long the customer's phone rings."""
    hours: Calendar | None = None
    """When customers are called."""


@dataclass(frozen=True, slots=True)
class QueuePlan:
    """A queue of the scenario. ``target_s`` is the service level's threshold."""

    queue_id: QueueId
    target_s: float = 20.0
    ring_timeout_s: float = 20.0
    wrap_up: Law | None = None
    """Work after a contact. A fixed length is timed by the engine, a drawn one is ended by the agent."""
    order: AgentOrder = AgentOrder.LONGEST_IDLE
    """Which of several idle agents its contacts get."""
    weight: int = 0
    """Added to the priority of its contacts."""
    treatment: QueueSpec | None = None
    """All the rest the engine can be told of a queue; given, its order, weight, ring and wrap-up times hold."""
    targets: tuple[tuple[Channel, float], ...] = ()
    """Thresholds of channels other than voice, in seconds; those not named have the queue's."""
    hours: Calendar | None = None
    """When contacts are let in; ``None``: always."""
    callbacks: CallbackPlan | None = None
    closings: tuple[tuple[float, float], ...] = ()
    """When somebody has it closed by hand, from and until, in seconds: nobody is let in, whoever waits may stay."""

    def target_of(self, channel: Channel) -> float:
        """The threshold of the service level, in seconds."""
        return dict(self.targets).get(channel, self.target_s)

    @property
    def wrap_up_is_drawn(self) -> bool:
        """Whether agents end the wrap-up of a call themselves, after as long as the law says."""
        return self.wrap_up is not None and not isinstance(self.wrap_up, Deterministic)

    def spec(self) -> QueueSpec:
        """The queue as the engine is told."""
        if self.treatment is not None:
            return replace(self.treatment, wrap_up_ms=OPEN_ENDED_MS) if self.wrap_up_is_drawn else self.treatment
        wrap_up_ms = 0
        if self.wrap_up is not None:
            fixed = isinstance(self.wrap_up, Deterministic)
            wrap_up_ms = round(1000 * self.wrap_up.mean_s) if fixed else OPEN_ENDED_MS
        ring_timeout_ms = round(1000 * self.ring_timeout_s)
        return QueueSpec(
            self.queue_id, str(self.queue_id), ring_timeout_ms, wrap_up_ms, order=self.order, weight=self.weight
        )


@dataclass(frozen=True, slots=True)
class Redialling:
    """Customers who gave up waiting call again."""

    share: float
    after: Law
    most: int = 1
    """How often one customer does so."""


@dataclass(frozen=True, slots=True)
class CallbackWish:
    """What customers make of the offer to be called back."""

    accept_share: float
    offered_after_s: float | None = None
    """When it is offered to who still waits; ``None``: not while they wait."""
    when_sent_away: bool = False
    """Whether it is offered to who is not let in, or whose route plan came to its end."""
    reached_share: float = 1.0
    """Share of calls to the customer that are answered."""
    answer: Law = field(default_factory=lambda: Deterministic(5.0))
    """How long the customer's phone rings before it is."""


@dataclass(frozen=True, slots=True)
class CustomerClass:
    """Customers who are alike."""

    name: str
    queue_id: QueueId
    arrivals: Arrivals
    handle: Law
    """Time with the agent, without wrap-up."""
    patience: Law | None = None
    """How long they wait before they leave; ``None``: for ever."""
    priority: int = 0
    required_skills: tuple[SkillLevel, ...] = ()
    channel: Channel = Channel.VOICE
    plan: RoutePlan | None = None
    """The route plan, instead of the queue's."""
    redialling: Redialling | None = None
    callback: CallbackWish | None = None
    """``None``: nobody is offered one."""
    slowed_by: float = 0.0
    """How much longer it takes for each other contact that the agent deals with meanwhile: 0.5 is half as long again, 1
    is taking turns. Of shared channels."""
    kept: Law | None = None
    """How long the agent has it after it was dealt with, until it is closed by hand: it takes up room and no attention.
    Of shared channels."""

    def stream(self, number: int, seed: int) -> "Iterator[tuple[int, int, int, int | None]]":
        """``(arrives_at, class number, handle_ms, patience_ms)`` in order of arrival.

        Every law draws from dice of its own, and every contact draws everything: another staffing meets the very same
        customers, so that two scenarios differ by what was changed and not by luck.
        """
        dice = {what: Random(f"{seed}/{self.name}/{what}") for what in ("arrivals", "handle", "patience")}  # noqa: S311
        handle = self.handle.sampler(dice["handle"])
        patience = self.patience.sampler(dice["patience"]) if self.patience is not None else None
        if isinstance(self.arrivals, Recorded):
            for contact in self.arrivals.contacts:
                drawn, limit = handle(), patience() if patience is not None else None
                yield (
                    contact.at_ms,
                    number,
                    contact.handle_ms if contact.handle_ms is not None else drawn,
                    contact.patience_ms if contact.patience_ms is not None else limit,
                )
        elif patience is None:
            for at in self.arrivals.instants(dice["arrivals"]):
                yield at, number, handle(), None
        else:
            for at in self.arrivals.instants(dice["arrivals"]):
                yield at, number, handle(), patience()


@dataclass(frozen=True, slots=True)
class Habits:
    """How agents behave."""

    answer: Law | None = None
    """How long it rings before an agent answers; ``None``: at once."""
    no_answer_share: float = 0.0
    """Share of offers that the agent lets ring out."""
    pause_share: float = 0.0
    """Share of contacts after which the agent takes a pause."""
    pause: Law = field(default_factory=lambda: Exponential(300.0))
    """How long a pause lasts, also one that followed an unanswered offer."""
    own_calls_per_hour: float = 0.0
    """Calls that an agent makes in an hour of being ready with nothing in hand."""
    own_call: Law = field(default_factory=lambda: Exponential(120.0))
    """How long such a call takes, until the agent is ready again."""

    @property
    def answers_at_once(self) -> bool:
        """Whether every offer is accepted in the instant it is made."""
        return self.answer is None and self.no_answer_share == 0


@dataclass(frozen=True, slots=True)
class AgentGroup:
    """Agents who are alike. ``shifts`` are pairs of seconds from the start; none means always there."""

    name: str
    count: int
    queue_ids: tuple[QueueId, ...]
    skills: tuple[SkillLevel, ...] = ()
    shifts: tuple[tuple[float, float], ...] = ()
    capacity: tuple[Capacity, ...] = ()
    interrupts: tuple[Interrupt, ...] = ()
    breaks: tuple[tuple[float, float], ...] = ()
    """Like ``shifts``; one that comes during a contact or its wrap-up begins when that is over, and ends as planned."""
    delays: tuple[QueueDelay, ...] = ()
    habits: Habits | None = None
    """How these agents behave; ``None``: like all others."""

    def specs(self) -> Iterator[AgentSpec]:
        """The agents as the engine is told."""
        for number in range(self.count):
            name = f"{self.name}-{number + 1}"
            yield AgentSpec(
                AgentId(name), name, self.queue_ids, self.skills, self.delays, self.capacity, self.interrupts
            )


@dataclass(frozen=True, slots=True)
class FloorRules:
    """What holds for the whole floor; as in ``FloorConfigured``."""

    priority_worth_ms: int | None = None
    seed: int = 0
    quarantine_after: int | None = None
    quarantine_ms: int = 300_000


@dataclass(frozen=True, slots=True)
class Scenario:
    """Everything the simulated floor consists of. Raises ``ScenarioError`` when the parts do not fit together."""

    queues: tuple[QueuePlan, ...]
    classes: tuple[CustomerClass, ...]
    groups: tuple[AgentGroup, ...]
    habits: Habits = Habits()
    rules: FloorRules = FloorRules()
    ways_out: Mapping[str, QueueId] = field(default_factory=dict)
    """What the engine says of contacts that a queue sends away (``ContactOverflowed.target``), where that is another
    queue; what is not named here leads out of the simulation."""

    def __post_init__(self) -> None:
        known = {queue.queue_id for queue in self.queues}
        named: tuple[tuple[str, list[str]], ...] = (
            ("queue", [str(queue.queue_id) for queue in self.queues]),
            ("class", [each.name for each in self.classes]),
            ("group", [group.name for group in self.groups]),
        )
        for kind, names in named:
            if not names:
                raise ScenarioError(f"a scenario has at least one {kind}")
            twice = next((name for name in names if names.count(name) > 1), None)
            if twice is not None:
                raise ScenarioError(f"{kind} {twice!r} is given twice")
        asked = [(f"class {each.name!r}", each.queue_id) for each in self.classes]
        asked += [(f"group {group.name!r}", queue_id) for group in self.groups for queue_id in group.queue_ids]
        asked += [(f"otherwise {target!r}", queue_id) for target, queue_id in self.ways_out.items()]
        for who, queue_id in asked:
            if queue_id not in known:
                raise ScenarioError(f"{who} names queue {queue_id!r}, which the scenario does not have")

    @property
    def load(self) -> float:
        """Offered load in erlangs of all classes with a steady rate, wrap-up included."""
        wrap_up = {queue.queue_id: queue.wrap_up.mean_s if queue.wrap_up else 0.0 for queue in self.queues}
        return sum(
            each.arrivals.per_hour / 3600.0 * (each.handle.mean_s + wrap_up[each.queue_id])
            for each in self.classes
            if isinstance(each.arrivals, Poisson)
        )

    @property
    def endless(self) -> bool:
        """Whether customers never stop coming."""
        return any(isinstance(each.arrivals, Poisson) for each in self.classes)

    def customers(self, seed: int) -> "Iterator[tuple[int, int, int, int | None]]":
        """All contacts in order of arrival, as ``CustomerClass.stream`` gives them."""
        streams = [each.stream(number, seed) for number, each in enumerate(self.classes)]
        return streams[0] if len(streams) == 1 else merge(*streams)


def single_queue(
    arrivals_per_hour: float,
    aht_s: float,
    agents: int,
    *,
    patience_s: float | None = None,
    target_s: float = 20.0,
    wrap_up_s: float = 0.0,
) -> Scenario:
    """The floor of the Erlang formulas: one queue, equal agents, everything exponential.

    ``patience_s`` ``None``: nobody gives up; 0: who is not served at once is lost (Erlang B). ``wrap_up_s`` is the part
    of the handle time ``aht_s`` that is spent after the contact, always that long.
    """
    queue_id = QueueId("queue")
    patience: Law | None = None
    if patience_s is not None:
        patience = Exponential(patience_s) if patience_s > 0 else Deterministic(0.0)
    queue = QueuePlan(queue_id, target_s, wrap_up=Deterministic(wrap_up_s) if wrap_up_s > 0 else None)
    customers = CustomerClass("all", queue_id, Poisson(arrivals_per_hour), Exponential(aht_s - wrap_up_s), patience)
    return Scenario((queue,), (customers,), (AgentGroup("agent", agents, (queue_id,)),))
