"""What the routing engine must do, said as plainly as possible: scan everybody, every time.

``BruteForceMatching`` stands in for ``acd.matching.Matching``; ``may_take`` and ``barred`` are the rules themselves.
"""

from collections.abc import Collection, Iterable, Sequence

from acd.agents import Agent
from acd.contacts import Contact
from acd.events import AgentSpec, SkillLevel
from acd.ids import AgentId, ContactId, QueueId
from acd.lines import Item, Key
from acd.matching import Choice
from acd.queues import Demand


def fits(spec: AgentSpec, queue_id: QueueId, required: Iterable[SkillLevel]) -> bool:
    """The queue is the agent's, and each required skill is held at its level."""
    return queue_id in spec.queue_ids and all(
        any(held.skill == wanted.skill and held.level >= wanted.level for held in spec.skills) for wanted in required
    )


def barred(agent: Agent, contact: Contact, agents: Iterable[Agent]) -> bool:
    """The agent refused this contact, and somebody else who did not is at work and could take it."""
    return agent.agent_id in contact.excluded and any(
        other.at_work
        and other.agent_id not in contact.excluded
        and fits(other.spec, contact.queue_id, contact.required_skills)
        for other in agents
    )


def may_take(agent: Agent, contact: Contact, agents: Iterable[Agent]) -> bool:
    """Whether this contact may be offered to this agent, were he idle and it waiting."""
    return fits(agent.spec, contact.queue_id, contact.required_skills) and not barred(agent, contact, agents)


class BruteForceMatching:
    """The same questions as ``Matching``, answered by scanning."""

    def __init__(self, specs: Sequence[AgentSpec]) -> None:
        self._specs = {spec.agent_id: spec for spec in specs}
        self._idle: dict[AgentId, Key] = {}
        self._waiting: dict[ContactId, tuple[Key, Demand]] = {}
        self._at_work: dict[AgentId, bool] = {}

    def idle(self, agent_id: AgentId, key: Key) -> None:
        self._idle[agent_id] = key

    def not_idle(self, agent_id: AgentId) -> None:
        self._idle.pop(agent_id, None)

    def set_at_work(self, agent_id: AgentId, *, at_work: bool) -> None:
        self._at_work[agent_id] = at_work

    def forget_agent(self, agent_id: AgentId) -> None:
        self._idle.pop(agent_id, None)
        self._at_work.pop(agent_id, None)

    def wait(self, contact_id: ContactId, demand: Demand, key: Key) -> None:
        self._waiting[contact_id] = (key, demand)

    def not_waiting(self, contact_id: ContactId) -> None:
        self._waiting.pop(contact_id, None)

    def pick_agent(self, contact_id: ContactId, barred: Collection[AgentId] = ()) -> Choice[AgentId] | None:
        demand = self._waiting[contact_id][1]
        found = [(key, a) for a, key in self._idle.items() if a not in barred and self._fits(a, demand)]
        choice = _choose(found)
        if choice is not None:
            del self._idle[choice.winner]
        return choice

    def pick_contact(self, agent_id: AgentId, barred: Collection[ContactId] = ()) -> Choice[ContactId] | None:
        found = [
            (key, c) for c, (key, demand) in self._waiting.items() if c not in barred and self._fits(agent_id, demand)
        ]
        choice = _choose(found)
        if choice is not None:
            del self._waiting[choice.winner]
        return choice

    def others_at_work(self, contact_id: ContactId, excluded: Sequence[AgentId]) -> bool:
        demand = self._waiting[contact_id][1]
        return any(w and a not in excluded and self._fits(a, demand) for a, w in self._at_work.items())

    def _fits(self, agent_id: AgentId, demand: Demand) -> bool:
        return fits(self._specs[agent_id], demand.queue_id, demand.required)


def _choose(found: list[tuple[Key, Item]]) -> Choice[Item] | None:
    if not found:
        return None
    ranked = sorted(found)
    second_key, second = ranked[1] if len(ranked) > 1 else (None, None)
    return Choice(ranked[0][1], ranked[0][0], second, second_key, len(ranked))
