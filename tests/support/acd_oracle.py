"""What the routing engine must do, by the plain rules: scan everybody, every time.

``BruteForceMatching`` stands in for ``acd.matching.Matching``; the rules are those of ``acd.rules``.
"""

from collections.abc import Collection, Sequence

from acd.agent_orders import draw
from acd.agents import Agent
from acd.events import AgentOrder, AgentSpec, QueueSpec
from acd.ids import AgentId, ContactId
from acd.lines import Item, Key
from acd.matching import Choice
from acd.queues import Demand
from acd.rules import rank, suits


class BruteForceMatching:
    """The same questions as ``Matching``, answered by scanning."""

    def __init__(self, specs: Sequence[AgentSpec], queues: Sequence[QueueSpec] = (), seed: int = 0) -> None:
        self._everybody = list(specs)
        self._specs = {spec.agent_id: spec for spec in specs}
        self._orders = {queue.queue_id: queue.order for queue in queues}
        self._seed = seed
        self.anybody_idle = True
        self.reserves = True
        self._idle: dict[AgentId, Agent] = {}
        self._waiting: dict[ContactId, tuple[Key, Demand]] = {}
        self._at_work: dict[AgentId, bool] = {}
        self._signed_in: dict[AgentId, bool] = {}

    def idle(self, agent: Agent) -> None:
        self._idle[agent.agent_id] = agent

    def not_idle(self, agent_id: AgentId) -> None:
        self._idle.pop(agent_id, None)

    def set_at_work(self, agent_id: AgentId, *, at_work: bool) -> None:
        self._at_work[agent_id] = at_work

    def set_signed_in(self, agent_id: AgentId, *, signed_in: bool) -> None:
        self._signed_in[agent_id] = signed_in

    def forget_agent(self, agent_id: AgentId) -> None:
        for book in (self._idle, self._at_work, self._signed_in):
            book.pop(agent_id, None)

    def wait(self, contact_id: ContactId, demand: Demand, key: Key) -> None:
        self._waiting[contact_id] = (key, demand)

    def not_waiting(self, contact_id: ContactId) -> None:
        self._waiting.pop(contact_id, None)

    def pick_agent(
        self, contact_id: ContactId, barred: Collection[AgentId] = (), number: int = 0
    ) -> Choice[AgentId] | None:
        return self.pick_another(self._waiting[contact_id][1], barred, number)

    def pick_another(self, demand: Demand, barred: Collection[AgentId], number: int) -> Choice[AgentId] | None:
        order = self._orders[demand.queue_id]
        found = [
            (rank(agent, demand, order, self._everybody), a)
            for a, agent in self._idle.items()
            if a not in barred and self._fits(a, demand)
        ]
        if len(found) <= demand.min_idle:
            return None
        if order is AgentOrder.RANDOM:
            drawn = draw(self._seed, number, len(found))
            choice = Choice(sorted(found)[drawn][1], (drawn,), None, None, len(found))
        else:
            choice = _choose(found)
        del self._idle[choice.winner]
        return choice

    def pick_contact(self, agent_id: AgentId, barred: Collection[ContactId] = ()) -> Choice[ContactId] | None:
        found = [
            (key, c) for c, (key, demand) in self._waiting.items() if c not in barred and self._fits(agent_id, demand)
        ]
        if not found:
            return None
        choice = _choose(found)
        del self._waiting[choice.winner]
        return choice

    def reserve_waits(self, agent_id: AgentId) -> bool:
        return any(demand.min_idle and self._fits(agent_id, demand) for _, demand in self._waiting.values())

    def first_waiting(self, passed_over: Collection[ContactId], closed: Collection[Demand]) -> ContactId | None:
        left = [(key, c) for c, (key, demand) in self._waiting.items() if c not in passed_over and demand not in closed]
        return min(left)[1] if left else None

    def others_at_work(self, contact_id: ContactId, excluded: Sequence[AgentId]) -> bool:
        demand = self._waiting[contact_id][1]
        return any(w and a not in excluded and self._fits(a, demand) for a, w in self._at_work.items())

    def staffed(self, demand: Demand, *, at_work: bool) -> bool:
        book = self._at_work if at_work else self._signed_in
        return any(there and self._fits(a, demand) for a, there in book.items())

    def _fits(self, agent_id: AgentId, demand: Demand) -> bool:
        return suits(self._specs[agent_id], demand)


def _choose(found: list[tuple[Key, Item]]) -> Choice[Item]:
    ranked = sorted(found)
    second_key, second = ranked[1] if len(ranked) > 1 else (None, None)
    return Choice(ranked[0][1], ranked[0][0], second, second_key, len(ranked))
