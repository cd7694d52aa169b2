"""Matching: who is next for whom.

Agents with the same queues and skills share a profile, contacts of the same queue and requirement share a demand
class; which profile serves which demand is computed once and kept as bitsets (Python integers, one bit for each
profile or demand). Lines hold the individuals. An arriving contact looks at the heads of the idle profiles that serve
it, a ready agent at the heads of the non-empty demands it serves, so the cost is in the number of different profiles
or demands concerned and not in the number of agents or contacts.

One total order: contacts by ``(-priority, arrived_at, seq)``, agents by ``(idle_since, seq)``, smallest first.
"""

from collections.abc import Collection, Sequence
from typing import Generic, NamedTuple

from acd.events import AgentSpec
from acd.ids import AgentId, ContactId, QueueId
from acd.lines import Item, Key, Line
from acd.queues import Demand, Profile, meets, profile_of

_WORD_BITS = 60
_WORD = (1 << _WORD_BITS) - 1

DEMAND_LIMIT = 4096
"""Demand classes kept before the empty ones are forgotten."""


class Choice(NamedTuple, Generic[Item]):
    """The one that was picked, the one that came second, and among how many."""

    winner: Item
    winner_key: Key
    runner_up: Item | None
    runner_up_key: Key | None
    candidates: int


class _ProfileLine(Line[AgentId]):
    """The idle agents of one profile."""

    __slots__ = ("at_work", "bit", "demands", "levels")

    def __init__(self, profile: Profile, bit: int) -> None:
        super().__init__()
        self.levels = {held.skill: held.level for held in profile.skills}
        self.bit = bit
        self.demands = 0
        """Bitset of the demands this profile serves."""
        self.at_work = 0
        """How many agents of this profile are at work, idle or not."""


class _DemandLine(Line[ContactId]):
    """The waiting contacts of one demand class."""

    __slots__ = ("bit", "demand", "profiles")

    def __init__(self, demand: Demand, bit: int) -> None:
        super().__init__()
        self.demand = demand
        self.bit = bit
        self.profiles = 0
        """Bitset of the profiles that serve this demand."""


class Matching:
    """The idle agents and the waiting contacts. Holds nothing that cannot be rebuilt from their records."""

    def __init__(self, specs: Sequence[AgentSpec]) -> None:
        self._profiles: list[_ProfileLine] = []
        self._demands: list[_DemandLine] = []
        self._demand_lines: dict[Demand, _DemandLine] = {}
        self._line_of_agent: dict[AgentId, _ProfileLine] = {}
        self._line_of_contact: dict[ContactId, _DemandLine] = {}
        self._at_work: set[AgentId] = set()  # for membership only, never iterated
        self._idle_bits = 0
        self._waiting_bits = 0
        self._at_work_bits = 0
        self._profiles_of_queue: dict[QueueId, list[_ProfileLine]] = {}
        known: dict[Profile, _ProfileLine] = {}
        for spec in specs:
            profile = profile_of(spec)
            if profile not in known:
                known[profile] = _ProfileLine(profile, 1 << len(known))
                self._profiles.append(known[profile])
                for queue_id in profile.queue_ids:
                    self._profiles_of_queue.setdefault(queue_id, []).append(known[profile])
            self._line_of_agent[spec.agent_id] = known[profile]

    def idle(self, agent_id: AgentId, key: Key) -> None:
        """An agent is idle from now on."""
        line = self._line_of_agent[agent_id]
        line.add(key, agent_id)
        self._idle_bits |= line.bit

    def not_idle(self, agent_id: AgentId) -> None:
        """An agent is not idle any more; harmless when it was not."""
        line = self._line_of_agent[agent_id]
        line.remove(agent_id)
        if not line:
            self._idle_bits &= ~line.bit

    def set_at_work(self, agent_id: AgentId, *, at_work: bool) -> None:
        """Whether an agent counts as somebody who will take further contacts."""
        if at_work is (agent_id in self._at_work):
            return
        line = self._line_of_agent[agent_id]
        if at_work:
            self._at_work.add(agent_id)
            line.at_work += 1
            self._at_work_bits |= line.bit
            return
        self._at_work.remove(agent_id)
        line.at_work -= 1
        if not line.at_work:
            self._at_work_bits &= ~line.bit

    def forget_agent(self, agent_id: AgentId) -> None:
        """An agent is gone for good."""
        self.not_idle(agent_id)
        self.set_at_work(agent_id, at_work=False)
        del self._line_of_agent[agent_id]

    def wait(self, contact_id: ContactId, demand: Demand, key: Key) -> None:
        """A contact waits from now on."""
        line = self._demand_lines.get(demand)
        if line is None:  # an empty line is falsy
            line = self._new_demand(demand)
        line.add(key, contact_id)
        self._line_of_contact[contact_id] = line
        self._waiting_bits |= line.bit

    def not_waiting(self, contact_id: ContactId) -> None:
        """A contact does not wait any more; harmless when it did not."""
        line = self._line_of_contact.pop(contact_id, None)
        if line is None:
            return
        line.remove(contact_id)
        if not line:
            self._waiting_bits &= ~line.bit

    def pick_agent(self, contact_id: ContactId, barred: Collection[AgentId] = ()) -> Choice[AgentId] | None:
        """The agent for a waiting contact, nobody of ``barred``; it is not idle any more."""
        bits = self._line_of_contact[contact_id].profiles & self._idle_bits
        if not bits:
            return None
        choice = _pick(self._profiles, bits, barred)
        if choice is not None:
            self.not_idle(choice.winner)
        return choice

    def pick_contact(self, agent_id: AgentId, barred: Collection[ContactId] = ()) -> Choice[ContactId] | None:
        """The contact for an idle agent, none of ``barred``; it does not wait any more."""
        bits = self._line_of_agent[agent_id].demands & self._waiting_bits
        if not bits:
            return None
        choice = _pick(self._demands, bits, barred)
        if choice is not None:
            self.not_waiting(choice.winner)
        return choice

    def others_at_work(self, contact_id: ContactId, excluded: Sequence[AgentId]) -> bool:
        """Whether an agent who is not excluded is at work and could take this waiting contact."""
        counted: dict[int, int] = {}
        for agent_id in excluded:
            if agent_id in self._at_work:
                bit = self._line_of_agent[agent_id].bit
                counted[bit] = counted.get(bit, 0) + 1
        bits = self._line_of_contact[contact_id].profiles & self._at_work_bits
        while bits:  # ends early: each round but the last uses up somebody excluded
            bit = bits & -bits
            if self._profiles[bit.bit_length() - 1].at_work > counted.get(bit, 0):
                return True
            bits ^= bit
        return False

    def _new_demand(self, demand: Demand) -> _DemandLine:
        if len(self._demands) >= DEMAND_LIMIT:
            self._forget_empty_demands()
        line = _DemandLine(demand, 1 << len(self._demands))
        for profile_line in self._profiles_of_queue.get(demand.queue_id, ()):
            if meets(profile_line.levels, demand.required):
                profile_line.demands |= line.bit
                line.profiles |= profile_line.bit
        self._demands.append(line)
        self._demand_lines[demand] = line
        return line

    def _forget_empty_demands(self) -> None:
        self._demands = [line for line in self._demands if line]
        self._demand_lines = {line.demand: line for line in self._demands}
        self._waiting_bits = (1 << len(self._demands)) - 1
        for place, line in enumerate(self._demands):
            line.bit = 1 << place
        for profile_line in self._profiles:
            served = (line.bit for line in self._demands if line.profiles & profile_line.bit)
            profile_line.demands = sum(served)


def _pick(lines: Sequence[Line[Item]], bits: int, barred: Collection[Item]) -> Choice[Item] | None:
    """Take the smallest among the heads of the lines that ``bits`` names, and see who would have been next."""
    best: tuple[Key, Item] | None = None
    second: tuple[Key, Item] | None = None
    best_line = lines[0]
    candidates = 0
    for place in places(bits):
        line = lines[place]
        candidates += len(line)
        entry = line.head
        if barred:
            candidates -= sum(item in line for item in barred)
            entry = line.first(barred)
        if entry is None:
            continue
        if best is None or entry < best:
            best, second, best_line = entry, best, line
        elif second is None or entry < second:
            second = entry
    if best is None:
        return None
    best_line.remove(best[1])
    entry = best_line.first(barred) if barred else best_line.head
    if entry is not None and (second is None or entry < second):
        second = entry
    runner_up_key, runner_up = second or (None, None)
    return Choice(best[1], best[0], runner_up, runner_up_key, candidates)


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
