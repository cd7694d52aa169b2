"""What is simulated: queues, customers, agents and how people behave, as plain data."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from heapq import merge
from random import Random

from acd.errors import AcdError
from acd.events import AgentOrder, AgentSpec, Capacity, Interrupt, QueueSpec, SkillLevel
from acd.ids import AgentId, QueueId
from acd.simulator_laws import Arrivals, Deterministic, Exponential, Law, Poisson, Recorded

OPEN_ENDED_MS = 24 * 3_600_000
"""Longest wrap-up when its length is drawn: agents end it themselves, the engine's own clock never does."""


class ScenarioError(AcdError):
    """A scenario cannot be simulated; the text says what is wrong and where."""

    code = "scenario-error"


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

    def spec(self) -> QueueSpec:
        """The queue as the engine is told."""
        wrap_up_ms = 0
        if self.wrap_up is not None:
            fixed = isinstance(self.wrap_up, Deterministic)
            wrap_up_ms = round(1000 * self.wrap_up.mean_s) if fixed else OPEN_ENDED_MS
        ring_timeout_ms = round(1000 * self.ring_timeout_s)
        return QueueSpec(
            self.queue_id, str(self.queue_id), ring_timeout_ms, wrap_up_ms, order=self.order, weight=self.weight
        )


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
class AgentGroup:
    """Agents who are alike. ``shifts`` are pairs of seconds from the start; none means always there."""

    name: str
    count: int
    queue_ids: tuple[QueueId, ...]
    skills: tuple[SkillLevel, ...] = ()
    shifts: tuple[tuple[float, float], ...] = ()
    capacity: tuple[Capacity, ...] = ()
    interrupts: tuple[Interrupt, ...] = ()

    def specs(self) -> Iterator[AgentSpec]:
        """The agents as the engine is told."""
        for number in range(self.count):
            name = f"{self.name}-{number + 1}"
            yield AgentSpec(
                AgentId(name), name, self.queue_ids, self.skills, capacity=self.capacity, interrupts=self.interrupts
            )


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


@dataclass(frozen=True, slots=True)
class Scenario:
    """Everything the simulated floor consists of. Raises ``ScenarioError`` when the parts do not fit together."""

    queues: tuple[QueuePlan, ...]
    classes: tuple[CustomerClass, ...]
    groups: tuple[AgentGroup, ...]
    habits: Habits = Habits()

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
