"""An agent's work on shared channels: when there is room for more, and how it comes and goes.

It stands beside the agent's state, which is about voice and about being there at all. Whoever rings, on whatever
channel, is offered nothing else meanwhile; but for a call, where one may interrupt a patient channel.
"""

import msgspec

from acd.agents import Agent, AgentTrigger, Pending, enter
from acd.capacity import CALLS, PATIENT, Lane, Work, beside, most
from acd.contacts import Contact
from acd.events import Channel, WrapUpMode
from acd.ids import ContactId, OfferId
from acd.outcomes import AgentState
from acd.wrap_ups import takes_time

LEAVING_REASON = "signed_out"
"""The not-ready reason of an agent who signed out and still has contacts of shared channels."""

_ON_VOICE = frozenset({AgentState.OFFERED, AgentState.BUSY, AgentState.WRAP_UP})


def rung_offer(agent: Agent) -> OfferId | None:
    """The one offer that rings at the agent, on any channel."""
    if agent.offer_id is not None:
        return agent.offer_id
    return next((work.offer_id for work in agent.works if work.offer_id is not None), None)


def rung_patiently(agent: Agent, lane: Lane = CALLS) -> Work | None:
    """What rings at the agent and would make way for a contact of this lane: nothing for any but a call."""
    if lane.channel is not Channel.VOICE:
        return None
    for work in agent.works:
        if work.offer_id is not None and work.channel in PATIENT and beside(agent.spec, lane, work.channel):
            return work
    return None


def runs(agent: Agent, channel: Channel) -> int:
    """How many contacts of this channel the agent has, ringing ones and a wrap-up included."""
    if channel is Channel.VOICE:
        return int(agent.state in _ON_VOICE)
    return sum(work.channel is channel for work in agent.works)


def blocking(agent: Agent, lane: Lane) -> tuple[Channel, ...]:
    """The channels with more work of the agent's than a contact of this lane may come beside."""
    makes_way = rung_patiently(agent, lane)
    found = []
    for over in Channel:
        number = runs(agent, over) - (makes_way is not None and makes_way.channel is over)
        if over is not lane.channel and number > beside(agent.spec, lane, over):
            found.append(over)
    return tuple(found)


def has_room(agent: Agent, lane: Lane) -> bool:
    """Whether the agent may be offered one more contact of this lane now."""
    channel = lane.channel
    if channel is Channel.VOICE and not agent.works and not agent.spec.capacity:
        return agent.state is AgentState.READY
    if agent.state is AgentState.READY and not agent.works and agent.pending is Pending.NONE:
        return (channel is Channel.VOICE or not agent.desk_closed) and most(agent.spec, channel) > 0
    there = agent.state is AgentState.READY or agent.state in _ON_VOICE
    if not there or agent.pending is not Pending.NONE:
        return False
    if channel is not Channel.VOICE and agent.desk_closed:
        return False
    if rung_offer(agent) is not None and rung_patiently(agent, lane) is None:
        return False
    if runs(agent, channel) >= most(agent.spec, channel):
        return False
    return not blocking(agent, lane)


def ring_shared(
    agent: Agent, now: int, contact_id: ContactId, channel: Channel, offer_id: OfferId, number: int
) -> Agent:
    """The agent while an offer of a shared channel rings."""
    works = (*agent.works, Work(contact_id, channel, now, offer_id))
    return msgspec.structs.replace(agent, works=works, last_offer=number)


def take_shared(agent: Agent, now: int, contact_id: ContactId, seq: int) -> Agent:
    """The agent after answering it: who took something last is the last to be asked again."""
    works = tuple(
        msgspec.structs.replace(work, offer_id=None, since=now) if work.contact_id == contact_id else work
        for work in agent.works
    )
    return msgspec.structs.replace(agent, works=works, taken=agent.taken + 1, misses=0, idle_since=now, idle_seq=seq)


def drop_work(agent: Agent, contact_id: ContactId) -> Agent:
    """The agent without this contact."""
    return msgspec.structs.replace(agent, works=tuple(work for work in agent.works if work.contact_id != contact_id))


def work_of(agent: Agent, contact_id: ContactId | None) -> Work | None:
    """The agent's work of this contact."""
    return next((work for work in agent.works if work.contact_id == contact_id), None)


def put_work(agent: Agent, changed: Work) -> Agent:
    """The agent with this work in the place of what it was."""
    works = tuple(changed if work.contact_id == changed.contact_id else work for work in agent.works)
    return msgspec.structs.replace(agent, works=works)


def end_work(agent: Agent, contact_id: ContactId, now: int) -> Agent:
    """The agent after the end of a connected one, its time counted; whoever only waited for that to leave is gone."""
    ended = drop_work(_counted(agent, contact_id, now), contact_id)
    if not ended.works and is_leaving(ended):
        return enter(ended, AgentTrigger.SIGNED_OUT, now)
    return ended


def wrap_up_work(agent: Agent, contact: Contact, now: int) -> Agent:
    """The agent after the end of a connected one, with its wrap-up to be done."""
    work = work_of(agent, contact.contact_id)
    if work is None or agent.pending is Pending.OFFLINE or not takes_time(contact.wrap_up, contact.wrap_up_ms):
        return end_work(agent, contact.contact_id, now)
    has_clock = contact.wrap_up is None or contact.wrap_up.mode is not WrapUpMode.MANDATORY
    until = now + contact.wrap_up_ms if has_clock else None
    wrapped = msgspec.structs.replace(work, since=now, over=True, until=until, wrap_up=contact.wrap_up)
    return put_work(_counted(agent, contact.contact_id, now), wrapped)


def _counted(agent: Agent, contact_id: ContactId, now: int) -> Agent:
    """The agent with the time of a connected one counted; a wrap-up is no talk."""
    work = work_of(agent, contact_id)
    if work is None or work.over:
        return agent
    return msgspec.structs.replace(agent, talked_ms=agent.talked_ms + max(0, now - work.since))


def is_leaving(agent: Agent) -> bool:
    """Whether the agent signed out and is there for contacts of shared channels only."""
    return agent.state is AgentState.NOT_READY and agent.pending is Pending.OFFLINE


def leave(agent: Agent, trigger: AgentTrigger, now: int) -> Agent:
    """The agent who signed out (``trigger`` is what the state machine calls it): gone, or there until the last contact
    of a shared channel is over."""
    if not agent.works:
        return enter(agent, trigger, now)
    deferred = agent.state in {AgentState.BUSY, AgentState.WRAP_UP}
    staying = enter(agent, AgentTrigger.PAUSED if deferred else AgentTrigger.MADE_NOT_READY, now, reason=LEAVING_REASON)
    return msgspec.structs.replace(staying, pending=Pending.OFFLINE)
