"""Profiles and demand classes in motion: who of a profile is idle, who of a demand class waits, which fits which."""

from collections.abc import Collection, Sequence

from acd.agent_orders import KEYS, WITHOUT_LINE
from acd.agents import Agent
from acd.events import AgentOrder
from acd.ids import AgentId, ContactId
from acd.lines import Key, Line, PlacedLine, Roster
from acd.queues import Demand, Profile, meets
from acd.skills import Person, asked_skills, means, parse, speaks_of_queues

_WORD_BITS = 60
_WORD = (1 << _WORD_BITS) - 1


class ProfileLine(PlacedLine[AgentId]):
    """The idle agents of one profile, by idle time and by every other order that a queue of the floor wants."""

    __slots__ = (
        "at_work",
        "delays",
        "demands",
        "levels",
        "ordered",
        "place",
        "queue_ids",
        "roster",
        "several",
        "signed_in",
    )

    def __init__(self, profile: Profile, place: int, orders: Collection[AgentOrder]) -> None:
        super().__init__(1 << place)
        self.levels = {held.skill: held.level for held in profile.skills}
        self.queue_ids = profile.queue_ids
        self.delays = {delay.queue_id: delay.delay_ms for delay in profile.delays}
        self.place = place
        self.demands = 0
        """Bitset of the demands this profile serves."""
        self.at_work = 0
        """How many agents of this profile are at work, idle or not."""
        self.signed_in = 0
        """How many are signed in, whatever they do."""
        self.ordered: dict[AgentOrder, Line[AgentId]] = {
            order: Line() for order in KEYS if order in orders and order not in WITHOUT_LINE
        }
        self.roster: Roster[AgentId] | None = Roster() if AgentOrder.RANDOM in orders else None
        self.several = bool(self.ordered) or self.roster is not None
        """Whether anything but idle time is asked for."""

    def sit(self, agent: Agent) -> None:
        """Let an idle agent stand in every order but that by idle time too."""
        for order, line in self.ordered.items():
            line.add(KEYS[order](agent), agent.agent_id)
        if self.roster is not None:
            self.roster.add(KEYS[AgentOrder.RANDOM](agent), agent.agent_id)

    def rise(self, agent_id: AgentId) -> None:
        """Let an agent leave them; harmless when he was not idle."""
        for line in self.ordered.values():
            line.remove(agent_id)
        if self.roster is not None:
            self.roster.remove(agent_id)

    def by(self, order: AgentOrder) -> Line[AgentId]:
        """The idle agents in this order; not for a random one."""
        return self.ordered.get(order, self)

    def fits(self, demand: Demand, agent_id: AgentId | None) -> bool:
        """Whether an agent of this profile fits; ``None`` is one whom the demand does not name."""
        if self.delays.get(demand.queue_id, 0) > demand.delay_ms or not meets(self.levels, demand.required):
            return False
        expression = parse(demand.expression)
        if demand.queue_id not in self.queue_ids and not speaks_of_queues(expression):
            return False
        return means(expression, Person(agent_id, self.queue_ids, self.levels))


class DemandLine(PlacedLine[ContactId]):
    """The waiting contacts of one demand class."""

    __slots__ = ("asked", "demand", "extras", "left_out", "min_idle", "order", "plain", "profiles")

    def __init__(self, demand: Demand, bit: int, order: AgentOrder) -> None:
        super().__init__(bit)
        self.demand = demand
        self.profiles = 0
        """Bitset of the profiles that serve this demand."""
        self.extras: tuple[AgentId, ...] = ()
        """Who fits, though the profile does not."""
        self.left_out: tuple[AgentId, ...] = ()
        """Who does not fit, though the profile does."""
        self.min_idle = demand.min_idle
        self.order = order
        self.asked: tuple[str, ...] = asked_of(demand) if order is AgentOrder.MOST_SKILLED else ()
        self.plain = False
        self.settle_exceptions((), ())

    def settle_exceptions(self, extras: Sequence[AgentId], left_out: Sequence[AgentId]) -> None:
        """Say whom the demand treats otherwise than the rest of their profiles."""
        self.extras, self.left_out = tuple(extras), tuple(left_out)
        self.plain = self.order is AgentOrder.LONGEST_IDLE and not (extras or left_out or self.min_idle)

    def rank(self, profile: ProfileLine) -> Key:
        """What goes before the key of an agent of this profile."""
        if self.order is not AgentOrder.MOST_SKILLED:
            return ()
        return (-sum(profile.levels.get(skill, 0) for skill in self.asked),)


class Exceptions:
    """The demands that treat one agent otherwise than the rest of the profile, as bitsets."""

    __slots__ = ("extra", "left_out")

    def __init__(self) -> None:
        self.extra = 0
        self.left_out = 0


def asked_of(demand: Demand) -> tuple[str, ...]:
    """The skills that count when the most skilled agent is looked for, each once."""
    required = (wanted.skill for wanted in demand.required)
    return tuple(dict.fromkeys((*required, *asked_skills(parse(demand.expression)))))


def places(bits: int) -> list[int]:
    """Which bits are set, lowest first. Goes by words, so that the work is done on small numbers."""
    found = []
    base = 0
    while bits:
        word = bits & _WORD
        while word:
            bit = word & -word
            found.append(base + bit.bit_length() - 1)
            word ^= bit
        bits >>= _WORD_BITS
        base += _WORD_BITS
    return found
