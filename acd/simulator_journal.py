"""Journals of invented floors: what the engine is told on a large, mixed floor, to be replayed and measured.

The mix is that of a busy contact center: skewed queues, a few priorities and skill levels, rings that are answered
after a while or not at all, wrap-up, pauses, customers who give up. The floor is born full, so that the journal is
in its steady state as soon as everybody has sat down.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random

from acd.engine import Acd
from acd.events import Capacity, Channel, Event, Interrupt, SkillLevel
from acd.ids import QueueId
from acd.outcomes import Outcome
from acd.simulator_floor import Floor
from acd.simulator_laws import Deterministic, Exponential, Poisson, Recorded, RecordedContact
from acd.simulator_scenario import AgentGroup, CustomerClass, Habits, QueuePlan, Scenario

TALK_S, WRAP_UP_S, ANSWER_S, PATIENCE_S = 236.0, 30.0, 4.0, 120.0
PRIORITIES = (0, 0, 0, 1, 2)
LEVELS = 5
_LANGUAGE = "language"
_SKEW = 17

Entry = tuple[Event | None, int]
"""A fact and its instant; ``None`` is a timer that was due."""


@dataclass(frozen=True, slots=True)
class FloorSize:
    """How large and how diverse the floor is. ``load`` is the offered work over the agents' capacity,
    ``waiting`` how many stand in line from the first second on and never give up.
    """

    agents: int
    queues: int
    profiles: int
    queues_each: int = 20
    load: float = 0.9
    waiting: int = 0
    messages: int = 0
    """How many messages each agent takes besides calls, which may come beside them; there are none on this floor, but
    the engine keeps account of the room for them."""

    def __post_init__(self) -> None:
        few = min(self.agents, self.queues, self.profiles, self.queues_each) < 1
        if few or self.load <= 0 or min(self.waiting, self.messages) < 0:
            raise ValueError(f"a floor has agents, queues and profiles: {self}")


def large_floor(size: FloorSize, *, seed: int) -> Scenario:
    """A floor of that size. No more profiles than agents; each serves ``queues_each`` queues at most."""
    dice = Random(f"{seed}/floor")  # noqa: S311 - an invented floor, not a secret
    names = [QueueId(f"q{number}") for number in range(size.queues)]
    groups = []
    for number in range(min(size.profiles, size.agents)):
        served = tuple(dice.sample(names, min(size.queues_each, size.queues)))
        count = size.agents // size.profiles + (number < size.agents % size.profiles)
        level = SkillLevel(_LANGUAGE, 1 + dice.randrange(LEVELS))
        groups.append(AgentGroup(f"g{number}", max(1, count), served, (level,), (), *_room(size.messages)))
    levels: dict[QueueId, int] = {}
    for group in groups:
        for queue_id in group.queue_ids:
            levels[queue_id] = max(levels.get(queue_id, 0), group.skills[0].level)
    plans = [QueuePlan(name, wrap_up=Deterministic(WRAP_UP_S)) for name in names]
    classes = [_customers(queue_id, levels[queue_id], dice) for queue_id in names if queue_id in levels]
    weights = [1.0 / (1 + number % _SKEW) for number in range(len(classes))]
    per_hour = size.agents * size.load * 3600.0 / (TALK_S + WRAP_UP_S + ANSWER_S) / sum(weights)
    classes = [
        replace(each, arrivals=Poisson(per_hour * weight)) for each, weight in zip(classes, weights, strict=True)
    ]
    present = [
        _present(each, round(size.agents * size.load * weight / sum(weights)))
        for each, weight in zip(classes, weights, strict=True)
    ]
    if size.waiting:
        present += [
            replace(
                _present(each, round(size.waiting * weight / sum(weights))), name=f"{each.name}-line", patience=None
            )
            for each, weight in zip(classes, weights, strict=True)
        ]
    habits = Habits(Exponential(ANSWER_S), no_answer_share=0.01, pause_share=0.03, pause=Exponential(120.0))
    return Scenario(tuple(plans), (*classes, *present), tuple(groups), habits)


def _room(messages: int) -> tuple[tuple[Capacity, ...], tuple[Interrupt, ...]]:
    """The capacity and the interrupts of agents who take so many messages."""
    if not messages:
        return (), ()
    capacity = Capacity(Channel.VOICE, 1), Capacity(Channel.MESSAGE, messages)
    return capacity, (Interrupt(Channel.VOICE, Channel.MESSAGE),)


def plain(scenario: Scenario) -> Scenario:
    """The same floor where everybody answers at once and nobody wraps up or pauses."""
    queues = tuple(replace(queue, wrap_up=None) for queue in scenario.queues)
    return replace(scenario, queues=queues, habits=Habits())


def _customers(queue_id: QueueId, best: int, dice: Random) -> CustomerClass:
    wanted = SkillLevel(_LANGUAGE, 1 + dice.randrange(best))
    return CustomerClass(
        name=str(queue_id),
        queue_id=queue_id,
        arrivals=Poisson(1.0),
        handle=Exponential(TALK_S),
        patience=Exponential(PATIENCE_S),
        priority=dice.choice(PRIORITIES),
        required_skills=(wanted,) if dice.random() < 0.5 else (),
    )


def _present(customers: CustomerClass, count: int) -> CustomerClass:
    """Those who are there from the first second on."""
    arrivals = Recorded(tuple(RecordedContact(number) for number in range(count)))
    return replace(customers, name=f"{customers.name}-present", arrivals=arrivals)


class Recorder:
    """The engine, and everything it was told."""

    def __init__(self) -> None:
        self.engine = Acd()
        self.entries: list[Entry] = []

    def receive(self, event: Event, *, now: int) -> Sequence[Outcome]:
        """Take one fact."""
        self.entries.append((event, now))
        return self.engine.receive(event, now=now)

    def next_deadline(self) -> int | None:
        """When ``handle_timer`` has something to do."""
        return self.engine.next_deadline()

    def handle_timer(self, *, now: int) -> Sequence[Outcome]:
        """Let deadlines pass."""
        self.entries.append((None, now))
        return self.engine.handle_timer(now=now)


@dataclass(frozen=True, slots=True)
class FloorJournal:
    """What an engine was told. The first ``opening`` entries seat the people and fill the floor."""

    entries: tuple[Entry, ...]
    opening: int


def record(scenario: Scenario, *, seed: int, events: int) -> FloorJournal:
    """Run the floor until ``events`` entries have followed its opening."""
    recorder = Recorder()
    floor = Floor(scenario, scenario.customers(seed), seed, recorder)
    floor.open()
    while floor.meter.now < 1000 * (TALK_S + WRAP_UP_S) / 2 and floor.step():
        pass
    opening = len(recorder.entries)
    while len(recorder.entries) < opening + events and floor.step():
        pass
    return FloorJournal(tuple(recorder.entries), opening)
