"""Matching: who is next for whom.

Agents with the same queues and skills share a profile, contacts of the same queue and requirement share a demand
class; which profile serves which demand is computed once and kept as bitsets (Python integers, one bit for each
profile or demand). Lines hold the individuals. An arriving contact looks at the heads of the idle profiles that serve
it, a ready agent at the heads of the non-empty demands it serves, so the cost is in the number of different profiles
or demands concerned and not in the number of agents or contacts.

An expression may name agents. Whoever it treats otherwise than the rest of the profile is an exception of that demand:
an extra (fits, though the profile does not) or left out (does not fit, though the profile does).

One total order of pairs: contacts by their place, then agents in the order of the contact's queue, smallest first.
"""

from collections.abc import Collection, Sequence
from typing import Generic

import msgspec

from acd.agent_orders import draw, longest_idle
from acd.agents import Agent
from acd.events import AgentOrder, AgentSpec, QueueSpec
from acd.ids import AgentId, ContactId, QueueId
from acd.lines import Item, Key, PlacedLine
from acd.profiles import DemandLine, Exceptions, ProfileLine, places
from acd.queues import Demand, Profile, meets, profile_of
from acd.skills import named_agents, parse, speaks_of_queues

DEMAND_LIMIT = 4096
"""Demand classes kept before the empty ones are forgotten."""


class Choice(msgspec.Struct, Generic[Item], frozen=True, gc=False):
    """The one that was picked, the one that came second, and among how many."""

    winner: Item
    winner_key: Key
    runner_up: Item | None
    runner_up_key: Key | None
    candidates: int


class Matching:
    """The idle agents and the waiting contacts. Holds nothing that cannot be rebuilt from their records."""

    def __init__(self, specs: Sequence[AgentSpec], queues: Sequence[QueueSpec] = (), seed: int = 0) -> None:
        self._orders = {queue.queue_id: queue.order for queue in queues}
        self._seed = seed
        self._profiles: list[ProfileLine] = []
        self._demands: list[DemandLine] = []
        self._demand_lines: dict[Demand, DemandLine] = {}
        self._line_of_agent: dict[AgentId, ProfileLine] = {}
        self._line_of_contact: dict[ContactId, DemandLine] = {}
        self._at_work: set[AgentId] = set()  # for membership only, never iterated
        self._signed_in: set[AgentId] = set()  # the same
        self._exceptions: dict[AgentId, Exceptions] = {}
        self._idle_bits = 0
        self._waiting_bits = 0
        self._at_work_bits = 0
        self.reserves = 0
        """Bitset of the demands that must leave agents in reserve."""
        self._demand_limit = 0
        self._profiles_of_queue: dict[QueueId, list[ProfileLine]] = {}
        orders = frozenset(self._orders.values())
        known: dict[Profile, ProfileLine] = {}
        for spec in specs:
            profile = profile_of(spec)
            if profile not in known:
                known[profile] = ProfileLine(profile, len(known), orders)
                self._profiles.append(known[profile])
                for queue_id in profile.queue_ids:
                    self._profiles_of_queue.setdefault(queue_id, []).append(known[profile])
            self._line_of_agent[spec.agent_id] = known[profile]

    @property
    def anybody_idle(self) -> bool:
        """Whether there is an idle agent at all."""
        return bool(self._idle_bits)

    def idle(self, agent: Agent) -> None:
        """An agent is idle from now on."""
        agent_id = agent.spec.agent_id
        line = self._line_of_agent[agent_id]
        if line.head is None:  # the bits are wide: change them only when they change
            self._idle_bits |= line.bit
        line.add(longest_idle(agent), agent_id)
        if line.several:
            line.sit(agent)

    def not_idle(self, agent_id: AgentId) -> None:
        """An agent is not idle any more; harmless when it was not."""
        line = self._line_of_agent[agent_id]
        if agent_id in line.live:
            line.remove(agent_id)
            self._risen(line, agent_id)

    def _risen(self, line: ProfileLine, agent_id: AgentId) -> None:
        """An agent has just left the line of the idle."""
        if line.several:
            line.rise(agent_id)
        if line.head is None:
            self._idle_bits ^= line.bit

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

    def set_signed_in(self, agent_id: AgentId, *, signed_in: bool) -> None:
        """Whether an agent has a seat, whatever the agent does there."""
        if signed_in is (agent_id in self._signed_in):
            return
        (self._signed_in.add if signed_in else self._signed_in.remove)(agent_id)
        self._line_of_agent[agent_id].signed_in += 1 if signed_in else -1

    def forget_agent(self, agent_id: AgentId) -> None:
        """An agent is gone for good."""
        self.not_idle(agent_id)
        self.set_at_work(agent_id, at_work=False)
        self.set_signed_in(agent_id, signed_in=False)
        del self._line_of_agent[agent_id]

    def wait(self, contact_id: ContactId, demand: Demand, key: Key) -> None:
        """A contact waits from now on, with this demand and no other."""
        if contact_id in self._line_of_contact:
            self.not_waiting(contact_id)
        line = self._demand_lines.get(demand)
        if line is None:  # an empty line is falsy
            line = self._new_demand(demand)
        if line.head is None:
            self._waiting_bits |= line.bit
        line.add(key, contact_id)
        self._line_of_contact[contact_id] = line

    def not_waiting(self, contact_id: ContactId) -> None:
        """A contact does not wait any more; harmless when it did not."""
        line = self._line_of_contact.pop(contact_id, None)
        if line is None:
            return
        line.remove(contact_id)
        if line.head is None:
            self._waiting_bits ^= line.bit

    def pick_agent(
        self, contact_id: ContactId, barred: Collection[AgentId] = (), number: int = 0
    ) -> Choice[AgentId] | None:
        """The agent for a waiting contact, nobody of ``barred``; it is not idle any more.

        ``number`` is the decision's, for orders that draw.
        """
        return self._pick_for(self._line_of_contact[contact_id], barred, number)

    def pick_another(self, demand: Demand, barred: Collection[AgentId], number: int) -> Choice[AgentId] | None:
        """One more agent for a contact with this demand, that rings already."""
        return self._pick_for(self._demand_line(demand), barred, number)

    def pick_contact(self, agent_id: AgentId, barred: Collection[ContactId] = ()) -> Choice[ContactId] | None:
        """The contact for an idle agent, none of ``barred``; it does not wait any more.

        Reserves are not looked at: only for an agent of whom ``reserve_waits`` says no.
        """
        bits = self._demands_of(agent_id) & self._waiting_bits
        if not bits:
            return None
        choice, line = _pick(self._demands, bits, barred)
        if choice is not None:
            del self._line_of_contact[choice.winner]
            if line.head is None:
                self._waiting_bits ^= line.bit
        return choice

    def reserve_waits(self, agent_id: AgentId) -> bool:
        """Whether a contact waits that this agent fits and that must leave agents in reserve."""
        return bool(self._demands_of(agent_id) & self._waiting_bits & self.reserves)

    def first_waiting(self, passed_over: Collection[ContactId], closed: Collection[Demand]) -> ContactId | None:
        """The first in line of all contacts that somebody idle may fit, none of ``passed_over`` or ``closed``."""
        best: tuple[Key, ContactId] | None = None
        for place in places(self._waiting_bits):
            line = self._demands[place]
            if line.demand in closed:
                continue
            if not line.profiles & self._idle_bits and all(self._idle_line(extra) is None for extra in line.extras):
                continue
            entry = line.first(passed_over) if passed_over else line.head
            if entry is not None and (best is None or entry < best):
                best = entry
        return None if best is None else best[1]

    def others_at_work(self, contact_id: ContactId, excluded: Sequence[AgentId]) -> bool:
        """Whether an agent who is not excluded is at work and could take this waiting contact."""
        line = self._line_of_contact[contact_id]
        if any(agent_id in self._at_work and agent_id not in excluded for agent_id in line.extras):
            return True
        return self._others_of_profiles(line, {*excluded, *line.left_out})

    def staffed(self, demand: Demand, *, at_work: bool) -> bool:
        """Whether anybody who fits is at work, or else is signed in at least."""
        line = self._demand_line(demand)
        there = self._at_work if at_work else self._signed_in
        if any(agent_id in there for agent_id in line.extras):
            return True
        if at_work:
            return self._others_of_profiles(line, set(line.left_out))
        missing = self._count(line.left_out, self._signed_in)
        profiles = (self._profiles[place] for place in places(line.profiles))
        return any(profile.signed_in > missing.get(profile.bit, 0) for profile in profiles)

    def _pick_for(self, line: DemandLine, barred: Collection[AgentId], number: int) -> Choice[AgentId] | None:
        bits = line.profiles & self._idle_bits
        if not line.plain:
            choice = self._pick_by_order(line, bits, barred, number)
            if choice is not None:
                self.not_idle(choice.winner)
            return choice
        if not bits:
            return None
        choice, _ = _pick(self._profiles, bits, barred)
        if choice is not None:
            self._risen(self._line_of_agent[choice.winner], choice.winner)
        return choice

    def _others_of_profiles(self, line: DemandLine, excluded: Collection[AgentId]) -> bool:
        """Whether somebody of the demand's profiles is at work and not excluded."""
        counted = self._count(excluded, self._at_work)
        bits = line.profiles & self._at_work_bits
        while bits:  # ends early: each round but the last uses up somebody excluded
            bit = bits & -bits
            if self._profiles[bit.bit_length() - 1].at_work > counted.get(bit, 0):
                return True
            bits ^= bit
        return False

    def _count(self, agent_ids: Collection[AgentId], among: Collection[AgentId]) -> dict[int, int]:
        counted: dict[int, int] = {}
        for agent_id in agent_ids:
            if agent_id in among:
                bit = self._line_of_agent[agent_id].bit
                counted[bit] = counted.get(bit, 0) + 1
        return counted

    def _demands_of(self, agent_id: AgentId) -> int:
        demands = self._line_of_agent[agent_id].demands
        exceptions = self._exceptions.get(agent_id)
        return demands if exceptions is None else (demands | exceptions.extra) & ~exceptions.left_out

    def _idle_line(self, agent_id: AgentId) -> ProfileLine | None:
        """The line in which the agent stands, ``None`` when the agent is not idle."""
        line = self._line_of_agent.get(agent_id)
        return line if line is not None and agent_id in line else None

    def _pick_by_order(
        self, demand: DemandLine, bits: int, barred: Collection[AgentId], number: int
    ) -> Choice[AgentId] | None:
        """As ``_pick``, for a demand with an order of its own, with exceptions or with a reserve."""
        lines = [self._profiles[place] for place in places(bits)]
        extras = [(line, agent_id) for agent_id in demand.extras if (line := self._idle_line(agent_id)) is not None]
        nobody_of = dict.fromkeys((*barred, *demand.left_out))
        extras = [(line, agent_id) for line, agent_id in extras if agent_id not in nobody_of]
        candidates = len(extras) + sum(len(line) for line in lines)
        candidates -= sum(agent_id in line for agent_id in nobody_of for line in lines)
        if candidates <= demand.min_idle:
            return None
        if demand.order is AgentOrder.RANDOM:
            return self._draw(lines, extras, nobody_of, draw(self._seed, number, candidates), candidates)
        ranked: list[tuple[Key, AgentId]] = []
        for line in lines:
            rank, by_order = demand.rank(line), line.by(demand.order)
            first = by_order.first(nobody_of)
            if first is not None:
                second = by_order.first({*nobody_of, first[1]})
                ranked += [(rank + key, agent_id) for key, agent_id in filter(None, (first, second))]
        for line, agent_id in extras:
            entry = line.by(demand.order).entry(agent_id)
            if entry is not None:
                ranked.append((demand.rank(line) + entry[0], agent_id))
        ranked.sort()
        runner_up_key, runner_up = ranked[1] if len(ranked) > 1 else (None, None)
        return Choice(ranked[0][1], ranked[0][0], runner_up, runner_up_key, candidates)

    def _draw(
        self,
        lines: Sequence[ProfileLine],
        extras: Sequence[tuple[ProfileLine, AgentId]],
        nobody_of: Collection[AgentId],
        drawn: int,
        candidates: int,
    ) -> Choice[AgentId]:
        """The candidate at the drawn place: by profile as configured, then in the order of becoming ready."""
        rosters = [(line.place, line.roster) for line in lines if line.roster is not None]
        if extras or nobody_of:
            listed = [(place, *roster[n]) for place, roster in rosters for n in range(len(roster))]
            asked = [(line.place, line.roster.entry(a)) for line, a in extras if line.roster is not None]
            listed += [(place, *entry) for place, entry in asked if entry is not None]
            left = sorted(entry for entry in listed if entry[2] not in nobody_of)
            return Choice(left[drawn][2], (drawn,), None, None, candidates)
        place = drawn
        for _, roster in rosters:
            if place < len(roster):
                return Choice(roster[place][1], (drawn,), None, None, candidates)
            place -= len(roster)
        raise IndexError(drawn)  # pragma: no cover - the draw is below the number of candidates

    def _demand_line(self, demand: Demand) -> DemandLine:
        line = self._demand_lines.get(demand)
        return self._new_demand(demand) if line is None else line  # an empty line is falsy

    def _new_demand(self, demand: Demand) -> DemandLine:
        if len(self._demands) >= max(DEMAND_LIMIT, self._demand_limit):
            self._forget_empty_demands()
            self._demand_limit = 2 * len(self._demands)
        order = self._orders.get(demand.queue_id, AgentOrder.LONGEST_IDLE)
        line = DemandLine(demand, 1 << len(self._demands), order)
        self._find_profiles(line)
        if demand.expression:
            self._find_exceptions(line)
        self._demands.append(line)
        self._demand_lines[demand] = line
        if line.min_idle:
            self.reserves |= line.bit
        return line

    def _find_profiles(self, line: DemandLine) -> None:
        demand, bit = line.demand, line.bit
        everywhere = bool(demand.expression) and speaks_of_queues(parse(demand.expression))
        profiles = self._profiles if everywhere else self._profiles_of_queue.get(demand.queue_id, [])
        fitting = 0
        for profile in profiles:
            if demand.expression or profile.delays:
                fits = profile.fits(demand, None)
            else:
                fits = meets(profile.levels, demand.required)
            if fits:
                profile.demands |= bit
                fitting |= profile.bit
        line.profiles = fitting

    def _find_exceptions(self, line: DemandLine) -> None:
        extras: list[AgentId] = []
        left_out: list[AgentId] = []
        for agent_id in map(AgentId, named_agents(parse(line.demand.expression))):
            profile = self._line_of_agent.get(agent_id)
            if profile is None:
                continue
            fits = profile.fits(line.demand, agent_id)
            if fits is not bool(line.profiles & profile.bit):
                (extras if fits else left_out).append(agent_id)
        line.settle_exceptions(extras, left_out)
        self._note_exceptions(line)

    def _note_exceptions(self, line: DemandLine) -> None:
        for agent_id in line.extras:
            self._exceptions.setdefault(agent_id, Exceptions()).extra |= line.bit
        for agent_id in line.left_out:
            self._exceptions.setdefault(agent_id, Exceptions()).left_out |= line.bit

    def _forget_empty_demands(self) -> None:
        self._demands = [line for line in self._demands if line]
        self._demand_lines = {line.demand: line for line in self._demands}
        self._waiting_bits = (1 << len(self._demands)) - 1
        self.reserves = 0
        self._exceptions = {}
        for place, line in enumerate(self._demands):
            line.bit = 1 << place
            self.reserves |= line.bit if line.min_idle else 0
            self._note_exceptions(line)
        for profile in self._profiles:
            served = (line.bit for line in self._demands if line.profiles & profile.bit)
            profile.demands = sum(served)


def _pick(
    lines: Sequence[PlacedLine[Item]], bits: int, barred: Collection[Item]
) -> tuple[Choice[Item] | None, PlacedLine[Item]]:
    """Take the smallest among the heads of the lines that ``bits`` names, and see who would have been next.

    Also tells from which line. Bits are taken off from the highest down: one operation on the wide number for each,
    and the number becomes narrower.
    """
    best: tuple[Key, Item] | None = None
    second: tuple[Key, Item] | None = None
    best_line = lines[0]
    candidates = 0
    while bits:
        line = lines[bits.bit_length() - 1]
        bits ^= line.bit
        candidates += len(line.live)
        entry = line.head
        if barred:
            candidates -= sum(item in line.live for item in barred)
            entry = line.first(barred)
        if entry is None:
            continue
        if best is None or entry < best:
            best, second, best_line = entry, best, line
        elif second is None or entry < second:
            second = entry
    if best is None:
        return None, best_line
    best_line.remove(best[1])
    entry = best_line.first(barred) if barred else best_line.head
    if entry is not None and (second is None or entry < second):
        second = entry
    if second is None:
        return Choice(best[1], best[0], None, None, candidates), best_line
    return Choice(best[1], best[0], second[1], second[0], candidates), best_line
