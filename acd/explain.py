"""Why? The full table behind a decision, why not that agent, and why somebody still waits.

Nothing of this is kept while routing. It is worked out when asked, by the plain rules (``acd.rules``), from an engine
in the state that is asked about: the live one, or one restored from a snapshot and led through the journal up to there.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from acd.agents import Agent, Pending
from acd.capacity import Lane, beside, lane_of, most
from acd.contacts import Contact, ContactState
from acd.engine import Acd
from acd.errors import UnknownAgent, UnknownContact
from acd.events import AgentOrder, Channel
from acd.ids import AgentId, ContactId, QueueId
from acd.lines import Key
from acd.outcomes import AgentState
from acd.queues import Demand, demand_of
from acd.rules import (
    barred,
    candidates,
    delayed,
    fits,
    guard_holds,
    lacks_channel,
    lacks_queue,
    lacks_skills,
    person,
    rank,
)
from acd.shared_work import blocking, has_room, runs
from acd.skills import means, parse


class Reason(StrEnum):
    """What stands between an agent and a contact."""

    OTHER_QUEUE = "other_queue"
    """The contact's queue is not the agent's, and the step asks for nobody else."""
    LACKS_SKILL = "lacks_skill"
    """A required skill is not held at its level."""
    NOT_MEANT = "not_meant"
    """The step's expression is not true of the agent."""
    SECOND_LINE = "second_line"
    """The contact has not waited long enough for this agent."""
    REFUSED = "refused"
    """The agent refused it or let it ring, and somebody else is at work who has not."""
    OFFLINE = "offline"
    NOT_READY = "not_ready"
    RINGING = "ringing"
    """The agent's phone rings for another contact."""
    BUSY = "busy"
    NO_CHANNEL = "no_channel"
    """The agent takes no work of the contact's channel."""
    NO_ROOM = "no_room"
    """The agent has as much of the channel as may be, or is at work that the channel may not interrupt, or rings."""
    NO_DESK = "no_desk"
    """The agent has no client open, and what is no call needs one."""
    WRAP_UP = "wrap_up"
    RESERVED = "reserved"
    """So few who fit are idle that they stay in reserve."""
    OUTRANKED = "outranked"
    """Idle and fitting, but somebody else goes first by the order of the queue."""


_STATES = {
    AgentState.OFFLINE: Reason.OFFLINE,
    AgentState.NOT_READY: Reason.NOT_READY,
    AgentState.OFFERED: Reason.RINGING,
    AgentState.BUSY: Reason.BUSY,
    AgentState.WRAP_UP: Reason.WRAP_UP,
}


@dataclass(frozen=True, slots=True)
class Candidate:
    """One agent in the table. No reason: the agent rings for the contact, or is the next to."""

    agent_id: AgentId
    state: AgentState
    reasons: tuple[Reason, ...]
    """Everything that stands between them, not only the first thing."""
    detail: str
    """The reasons in words, for people; personal data is not in it."""
    key: Key | None
    """The agent's key in the order of the queue, smallest first; for those who may be asked."""


@dataclass(frozen=True, slots=True)
class WhyWaiting:
    """Why a contact still waits."""

    contact_id: ContactId
    queue_id: QueueId
    step: int
    demand: str
    """The step's expression; empty is anybody of the queue."""
    guard_holds: bool
    """Whether the people whom the step is for are there; false only in the last step of a plan without a way out."""
    ahead: int
    """Contacts before it that somebody who fits this one would take first."""
    fitting: dict[AgentState, int]
    """Those who fit, by what they do."""
    idle_but: dict[Reason, int]
    """Idle agents, by what keeps them from it."""
    changes_at: int | None
    """When its demand changes by itself: the next step, or a second line; milliseconds."""
    next_free_at: int | None
    """The earliest end of a wrap-up of somebody who fits; talks have no known end."""


def table(acd: Acd, contact_id: ContactId, *, winner: AgentId | None = None) -> tuple[Candidate, ...]:
    """Every agent of the floor for this contact: who rings, then the idle who fit in their order, then the others.

    ``winner`` is who was chosen, when that is known (``Acd.live_until``); else the next to be chosen is worked out.
    Raises ``UnknownContact`` when it is not on the floor.
    """
    contact = _contact(acd, contact_id)
    agents = acd.agents()
    order = _order(acd, contact)
    lane = _lane(acd, contact)
    able = candidates(contact, lane, agents)
    ringing = [agent for agent in agents if _rings_for(agent, contact)]
    specs = [agent.spec for agent in agents]
    keys = {agent.agent_id: rank(agent, demand_of(contact), order, specs) for agent in (*ringing, *able)}
    first = winner
    if first is None and not ringing and len(able) > contact.route_step.min_idle:
        first = _first(able, keys, order)
    rows = [_candidate(agent, contact, lane, agents, keys.get(agent.agent_id), first, len(able)) for agent in agents]
    return tuple(sorted(rows, key=lambda row: (bool(row.reasons), row.key is None, row.key or ())))


def why_not(acd: Acd, contact_id: ContactId, agent_id: AgentId) -> Candidate:
    """Why this agent does not have this contact. Raises ``UnknownContact`` or ``UnknownAgent``."""
    for row in table(acd, contact_id):
        if row.agent_id == agent_id:
            return row
    raise UnknownAgent(f"agent {agent_id!r} is not on the floor")


def why_waiting(acd: Acd, contact_id: ContactId) -> WhyWaiting:
    """Why this contact still waits. Raises ``UnknownContact`` when it is not on the floor."""
    contact = _contact(acd, contact_id)
    agents = acd.agents()
    demand = demand_of(contact)
    fitting = [agent for agent in agents if fits(agent.spec, demand, contact.channel)]
    idle = [row for row in table(acd, contact_id) if row.state is AgentState.READY]
    wrapping = [agent.until for agent in fitting if agent.state is AgentState.WRAP_UP]
    wrapping += [work.until for agent in fitting for work in agent.works if work.over]
    return WhyWaiting(
        contact_id=contact_id,
        queue_id=contact.queue_id,
        step=contact.step,
        demand=demand.expression,
        guard_holds=guard_holds(contact, agents),
        ahead=_ahead(acd, contact, fitting),
        fitting=dict(Counter(agent.state for agent in fitting)),
        idle_but=dict(Counter(reason for row in idle for reason in row.reasons)),
        changes_at=contact.moves_at,
        next_free_at=min((until for until in wrapping if until is not None), default=None),
    )


def _contact(acd: Acd, contact_id: ContactId) -> Contact:
    for contact in acd.contacts():
        if contact.contact_id == contact_id:
            return contact
    raise UnknownContact(f"contact {contact_id!r} is not on the floor")


def _order(acd: Acd, contact: Contact) -> AgentOrder:
    orders = {queue.spec.queue_id: queue.spec.order for queue in acd.queues()}
    return orders.get(contact.queue_id, AgentOrder.LONGEST_IDLE)


def _lane(acd: Acd, contact: Contact) -> Lane:
    specs = {queue.spec.queue_id: queue.spec for queue in acd.queues()}
    return lane_of(specs.get(contact.queue_id), contact.channel)


def _first(able: list[Agent], keys: dict[AgentId, Key], order: AgentOrder) -> AgentId | None:
    """Who would be asked next; a draw has not been made before it is."""
    if order is AgentOrder.RANDOM:
        return able[0].agent_id if len(able) == 1 else None
    return min((agent.agent_id for agent in able), key=lambda agent_id: keys[agent_id])


def _ahead(acd: Acd, contact: Contact, fitting: list[Agent]) -> int:
    return sum(
        other.state is ContactState.WAITING
        and other.key < contact.key
        and any(fits(agent.spec, demand_of(other), other.channel) for agent in fitting)
        for other in acd.contacts()
    )


def _candidate(
    agent: Agent,
    contact: Contact,
    lane: Lane,
    agents: tuple[Agent, ...],
    key: Key | None,
    first: AgentId | None,
    able: int,
) -> Candidate:
    demand = demand_of(contact)
    found = list(_unfit(agent, demand))
    if lacks_channel(agent.spec, contact.channel):
        found.append((Reason.NO_CHANNEL, f"takes no {contact.channel}"))
    if barred(agent, contact, agents):
        found.append((Reason.REFUSED, "refused it before, and somebody else is at work"))
    rings_for_it = _rings_for(agent, contact)
    if not rings_for_it:
        found += _occupied(agent, lane)
    if not found and not rings_for_it and agent.agent_id != first:
        found.append(_behind(contact, able))
    reasons = tuple(reason for reason, _ in found)
    return Candidate(agent.agent_id, agent.state, reasons, "; ".join(text for _, text in found), key)


def _rings_for(agent: Agent, contact: Contact) -> bool:
    if contact.channel is Channel.VOICE:
        return agent.state is AgentState.OFFERED and agent.contact_id == contact.contact_id
    return any(work.contact_id == contact.contact_id and work.offer_id is not None for work in agent.works)


def _occupied(agent: Agent, lane: Lane) -> list[tuple[Reason, str]]:
    """What an agent without room for the lane does instead."""
    channel = lane.channel
    if has_room(agent, lane) or lacks_channel(agent.spec, channel):
        return [] if agent.state is AgentState.READY or has_room(agent, lane) else [_state(agent)]
    if channel is not Channel.VOICE and agent.desk_closed:
        return [(Reason.NO_DESK, "has no console open")]
    in_the_way = blocking(agent, lane)
    on_a_call = agent.state in {AgentState.BUSY, AgentState.WRAP_UP}
    beside_the_call = on_a_call and agent.pending is Pending.NONE and Channel.VOICE not in {channel, *in_the_way}
    if agent.state is not AgentState.READY and not beside_the_call:
        return [_state(agent)]
    if in_the_way:
        return [(Reason.NO_ROOM, _may_not_interrupt(agent, lane, in_the_way))]
    if runs(agent, channel) >= most(agent.spec, channel):
        return [(Reason.NO_ROOM, f"has {runs(agent, channel)} of {most(agent.spec, channel)} {channel}")]
    return [(Reason.NO_ROOM, "is rung for another contact")]


def _may_not_interrupt(agent: Agent, lane: Lane, in_the_way: Sequence[Channel]) -> str:
    whose = "" if lane.interrupts is None else " in this queue"
    parts = []
    for over in in_the_way:
        most_beside = beside(agent.spec, lane, over)
        parts.append(f"more than {most_beside} {over} (has {runs(agent, over)})" if most_beside else str(over))
    return f"{lane.channel} may not interrupt {', '.join(parts)}{whose}"


def _state(agent: Agent) -> tuple[Reason, str]:
    return _STATES[agent.state], _doing(agent)


def _unfit(agent: Agent, demand: Demand) -> list[tuple[Reason, str]]:
    found = []
    spec = agent.spec
    if lacks_queue(spec, demand):
        found.append((Reason.OTHER_QUEUE, f"does not serve {demand.queue_id}"))
    if lacks_skills(spec, demand):
        held = person(spec).levels
        missing = [
            f"{wanted.skill} >= {wanted.level} (has {held.get(wanted.skill, 'none')})"
            for wanted in demand.required
            if held.get(wanted.skill, wanted.level - 1) < wanted.level
        ]
        found.append((Reason.LACKS_SKILL, "lacks " + ", ".join(missing)))
    if not means(parse(demand.expression), person(spec)):
        found.append((Reason.NOT_MEANT, f"is not meant by {demand.expression}"))
    if delayed(spec, demand):
        found.append((Reason.SECOND_LINE, f"is second line for {demand.queue_id}"))
    return found


def _doing(agent: Agent) -> str:
    """What the agent does, with the reason and the end as far as they are known."""
    parts = [agent.state.value.replace("_", " ")]
    parts += [f"({agent.reason})"] if agent.reason else []
    parts += [f"until {agent.until}"] if agent.until is not None else []
    parts += [f"then {agent.pending_text}"] if agent.pending_text else []
    return " ".join(parts)


def _behind(contact: Contact, able: int) -> tuple[Reason, str]:
    reserve = contact.route_step.min_idle
    if able <= reserve:
        return Reason.RESERVED, f"{able} who fit are idle, {reserve} stay in reserve"
    return Reason.OUTRANKED, "idle and fitting, but somebody else goes first"
