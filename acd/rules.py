"""The rules themselves, said as plainly as possible: scan everybody, every time.

``acd.matching`` answers the same questions by indexes. Explanations come from here, and the tests hold the two
against each other.
"""

from collections.abc import Iterable, Sequence

import msgspec

from acd.agent_orders import KEYS
from acd.agents import Agent
from acd.capacity import Lane, most
from acd.contacts import Contact
from acd.events import AgentOrder, AgentSpec, Channel
from acd.lines import Key
from acd.outcomes import AgentState
from acd.queues import FOREVER_MS, Demand, demand_of, profile_of
from acd.route_plans import StepGuard
from acd.shared_work import has_room
from acd.skills import Person, asked_skills, means, parse, speaks_of_queues


def lacks_skills(spec: AgentSpec, demand: Demand) -> bool:
    """Whether a required skill is not held at its level."""
    return not all(
        any(held.skill == wanted.skill and held.level >= wanted.level for held in spec.skills)
        for wanted in demand.required
    )


def lacks_queue(spec: AgentSpec, demand: Demand) -> bool:
    """Whether the queue is not the agent's, and the step asks only for agents of the queue."""
    return demand.queue_id not in spec.queue_ids and not speaks_of_queues(parse(demand.expression))


def delayed(spec: AgentSpec, demand: Demand) -> bool:
    """Whether the agent is a second line for the queue, and the contact has not waited long enough."""
    return any(delay.queue_id == demand.queue_id and delay.delay_ms > demand.delay_ms for delay in spec.delays)


def person(spec: AgentSpec) -> Person:
    """The agent as expressions see one: each skill at its highest level."""
    levels: dict[str, int] = {}
    for held in spec.skills:
        levels[held.skill] = max(held.level, levels.get(held.skill, held.level))
    return Person(spec.agent_id, spec.queue_ids, levels)


def lacks_channel(spec: AgentSpec, channel: Channel) -> bool:
    """Whether the agent takes no work of this channel at all."""
    return most(spec, channel) == 0


def fits(spec: AgentSpec, demand: Demand, channel: Channel = Channel.VOICE) -> bool:
    """Whether the agent has what is demanded, whatever the agent does at the moment."""
    return not lacks_channel(spec, channel) and suits(spec, demand)


def suits(spec: AgentSpec, demand: Demand) -> bool:
    """The same among agents who take work of the channel."""
    if lacks_queue(spec, demand) or lacks_skills(spec, demand) or delayed(spec, demand):
        return False
    return means(parse(demand.expression), person(spec))


def barred(agent: Agent, contact: Contact, agents: Iterable[Agent]) -> bool:
    """The agent refused this contact, and somebody else who did not is at work and could take it."""
    demand = demand_of(contact)
    return agent.agent_id in contact.excluded and any(
        other.at_work and other.agent_id not in contact.excluded and fits(other.spec, demand, contact.channel)
        for other in agents
    )


def may_take(agent: Agent, contact: Contact, agents: Iterable[Agent]) -> bool:
    """Whether this contact may be offered to this agent, were he idle and it waiting and nobody kept in reserve."""
    return fits(agent.spec, demand_of(contact), contact.channel) and not barred(agent, contact, agents)


def candidates(contact: Contact, lane: Lane, agents: Iterable[Agent]) -> list[Agent]:
    """Everybody with room for its lane who may take the contact, in configured order."""
    everybody = list(agents)
    return [agent for agent in everybody if has_room(agent, lane) and may_take(agent, contact, everybody)]


def has_somebody(contact: Contact, lane: Lane, agents: Iterable[Agent]) -> bool:
    """Whether the contact must not wait: more idle agents may take it than its step keeps in reserve."""
    return len(candidates(contact, lane, agents)) > contact.route_step.min_idle


def guard_holds(contact: Contact, agents: Iterable[Agent]) -> bool:
    """Whether somebody is there for the contact's step, as the step's guard wants."""
    demand = msgspec.structs.replace(demand_of(contact), delay_ms=FOREVER_MS)
    match contact.route_step.guard:
        case StepGuard.SIGNED_IN:
            return any(
                agent.state is not AgentState.OFFLINE and fits(agent.spec, demand, contact.channel) for agent in agents
            )
        case StepGuard.AT_WORK:
            return any(agent.at_work and fits(agent.spec, demand, contact.channel) for agent in agents)
        case _:
            return True


def rank(agent: Agent, demand: Demand, order: AgentOrder, everybody: Sequence[AgentSpec]) -> Key:
    """The agent's key for a demand of a queue with this order, smallest first. A random order draws among places."""
    if order is AgentOrder.MOST_SKILLED:
        asked = {wanted.skill for wanted in demand.required} | set(asked_skills(parse(demand.expression)))
        levels = person(agent.spec).levels
        return (-sum(levels.get(skill, 0) for skill in asked), *KEYS[order](agent))
    if order is AgentOrder.RANDOM:
        alike = [profile_of(spec) == profile_of(agent.spec) for spec in everybody]
        return (alike.index(True), *KEYS[order](agent))
    return KEYS[order](agent)
