"""Floors and events with several channels at random, and room counted plainly: from contacts and offers, not from what
agents' records say.
"""

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

from acd.agents import Agent, Pending
from acd.capacity import Work
from acd.contacts import Contact, ContactState
from acd.engine import Acd
from acd.events import (
    AgentDeskClosed,
    AgentDeskOpened,
    AgentMadeReady,
    AgentSignedIn,
    AgentSpec,
    Capacity,
    Channel,
    ChannelRule,
    ContactArrived,
    ContactFinished,
    ContactReturned,
    Event,
    FloorConfigured,
    Interrupt,
    OfferAccepted,
    QueueInterrupts,
    WrapUpExtended,
    WrapUpFinished,
)
from acd.ids import AgentId
from acd.outcomes import AgentState, OfferContact, Outcome
from acd.rules import may_take
from tests.support.acd_random_floor import random_event, random_floor

CHANNELS = (Channel.VOICE, Channel.CHAT, Channel.MESSAGE)
"""One of each sort: exclusive, shared, and shared with nobody who waits at the other end."""
PAIRS = [Interrupt(new, over) for new in CHANNELS for over in CHANNELS if new is not over]


def mixed_floor(dice: random.Random) -> FloorConfigured:
    """Any floor, most of whose agents take chats and e-mails too, and some no calls."""
    floor = random_floor(dice)
    return replace(
        floor,
        agents=tuple(_with_channels(dice, spec) for spec in floor.agents),
        queues=tuple(replace(spec, channels=_rules(dice), interrupts=_word(dice)) for spec in floor.queues),
    )


def _word(dice: random.Random) -> tuple[QueueInterrupts, ...]:
    """What a queue says about interrupts, of some channels or of none."""
    named = [channel for channel in CHANNELS if dice.random() < 0.25]
    return tuple(QueueInterrupts(channel, _pairs(dice, channel)) for channel in named)


def _pairs(dice: random.Random, *channels: Channel) -> tuple[Interrupt, ...]:
    chosen = [pair for pair in PAIRS if pair.channel in channels and dice.random() < 0.6]
    return tuple(replace(pair, up_to=dice.choice([None, None, 0, 1, 2])) for pair in chosen)


def _rules(dice: random.Random) -> tuple[ChannelRule, ...]:
    return tuple(ChannelRule(channel, dice.choice([None, 35]), dice.choice([0, 0, 60])) for channel in CHANNELS[1:])


def _with_channels(dice: random.Random, spec: AgentSpec) -> AgentSpec:
    if dice.random() < 0.2:
        return spec
    capacity = [Capacity(Channel.CHAT, dice.randint(0, 3)), Capacity(Channel.MESSAGE, dice.randint(0, 2))]
    if dice.random() < 0.2:
        capacity.append(Capacity(Channel.VOICE, 0))
    return replace(spec, capacity=tuple(capacity), interrupts=_pairs(dice, *CHANNELS))


def mixed_event(dice: random.Random, acd: Acd, now: int) -> Event | None:
    """Anything that may happen there; arrivals by any channel, and more answers than refusals."""
    offers = acd.offers()
    if offers and dice.random() < 0.35:
        return OfferAccepted(dice.choice(offers).offer_id)
    event = random_event(dice, acd, now)
    if isinstance(event, ContactArrived):
        queue_id = dice.choice([queue.spec.queue_id for queue in acd.queues()])
        return replace(event, channel=dice.choice(CHANNELS), queue_id=queue_id)
    works = [(agent.agent_id, work) for agent in acd.agents() for work in agent.works]
    if works and dice.random() < 0.1:
        return _about_work(dice, acd, *dice.choice(works))
    if dice.random() < 0.02:
        agent_id = dice.choice(acd.agents()).agent_id
        return AgentDeskClosed(agent_id) if dice.random() < 0.4 else AgentDeskOpened(agent_id)
    if isinstance(event, AgentMadeReady) and any(
        a.state == "offline" and a.agent_id == event.agent_id for a in acd.agents()
    ):
        return AgentSignedIn(event.agent_id)
    return event


def _about_work(dice: random.Random, acd: Acd, agent_id: AgentId, work: Work) -> Event:
    queue_id = dice.choice([None, *(queue.spec.queue_id for queue in acd.queues())])
    choices: list[Event] = [
        ContactReturned(work.contact_id, queue_id, refused=dice.random() < 0.5),
        WrapUpFinished(agent_id, work.contact_id),
        WrapUpExtended(agent_id, 20, work.contact_id),
        ContactFinished(work.contact_id),
    ]
    return dice.choice(choices)


def counted(acd: Acd, agent: Agent, *, without: str = "") -> tuple[Counter[Channel], bool]:
    """The contacts the agent has, by channel, but for one; and whether any of them rings."""
    channels = {contact.contact_id: contact.channel for contact in acd.contacts()}
    rings = [offer.contact_id for offer in acd.offers() if offer.agent_id == agent.agent_id]
    talks = [
        contact.contact_id
        for contact in acd.contacts()
        if contact.state is ContactState.CONNECTED and contact.agent_id == agent.agent_id
    ]
    running = Counter(channels[each] for each in (*rings, *talks) if each != without)
    running.update(work.channel for work in agent.works if work.over)
    return running, any(each != without for each in rings)


def may_come_beside(acd: Acd, agent: Agent, contact: Contact) -> Mapping[Channel, int]:
    """Beside how many of each other channel the contact may come: by its queue's word, else by the agent's."""
    queue = next((each.spec for each in acd.queues() if each.spec.queue_id == contact.queue_id), None)
    words = [each.pairs for each in queue.interrupts if each.channel is contact.channel] if queue else []
    pairs = words[0] if words else agent.spec.interrupts
    return {each.over: 99 if each.up_to is None else each.up_to for each in pairs if each.channel is contact.channel}


def makes_way(acd: Acd, agent: Agent, contact: Contact) -> bool:
    """Whether all that rings at the agent is a message, and this is a call that may interrupt messages."""
    channels = {contact.contact_id: contact.channel for contact in acd.contacts()}
    ringing = {channels[offer.contact_id] for offer in acd.offers() if offer.agent_id == agent.agent_id}
    may = may_come_beside(acd, agent, contact).get(Channel.MESSAGE, 0) > 0
    return contact.channel is Channel.VOICE and ringing == {Channel.MESSAGE} and may


def room_by_counting(acd: Acd, agent: Agent, contact: Contact, *, without: str = "") -> bool:
    """Whether the agent may be offered this one more; ``without`` is a contact not to be counted."""
    channel = contact.channel
    running, rings = counted(acd, agent, without=without)
    at_work = agent.state in {AgentState.READY, AgentState.BUSY, AgentState.WRAP_UP}
    at_work = at_work or (agent.state is AgentState.OFFERED and agent.contact_id == without)
    if channel is not Channel.VOICE and agent.desk_closed:
        return False
    way = rings and makes_way(acd, agent, contact)
    if (rings and not way) or not at_work:
        return False
    if agent.pending is not Pending.NONE:
        return False
    running[Channel.VOICE] += agent.state is AgentState.WRAP_UP
    most = {Channel.VOICE: 1} | {each.channel: each.most for each in agent.spec.capacity}
    if running[channel] >= most.get(channel, 0):
        return False
    running[Channel.MESSAGE] -= way
    may = may_come_beside(acd, agent, contact)
    return all(over is channel or number <= may.get(over, 0) for over, number in running.items())


def check_room(acd: Acd, said: Sequence[Outcome]) -> int:
    """Nothing waits for which somebody has room, and whoever was just rung had it; how many had other work besides."""
    agents = {agent.agent_id: agent for agent in acd.agents()}
    contacts = {contact.contact_id: contact for contact in acd.contacts()}
    for contact in contacts.values():
        if contact.state is ContactState.WAITING:
            able = [a for a in agents.values() if may_take(a, contact, agents.values())]
            free = [a.agent_id for a in able if room_by_counting(acd, a, contact)]
            assert len(free) <= contact.route_step.min_idle, f"{contact.contact_id} waits, {free} have room"
    besides = 0
    for offer in said:
        if isinstance(offer, OfferContact):
            agent, contact = agents[offer.agent_id], contacts[offer.contact_id]
            assert room_by_counting(acd, agent, contact, without=contact.contact_id), "no room for this"
            besides += bool(counted(acd, agent, without=contact.contact_id)[0])
    return besides
