"""How much an agent may have at once, by channel, and what may come in addition to what.

Voice is exclusive: one conversation, or none. Chats and e-mails are *shared*: several at once. An agent who has work on
one channel is offered work of another only where the interrupts say so: those of the contact's queue where it has a
word for the channel, else the agent's.
"""

import msgspec

from acd.events import AgentSpec, Channel, Interrupt, QueueSpec
from acd.ids import ContactId, OfferId
from acd.wrap_ups import WrapUpRule

ANY_NUMBER = 1 << 30
"""More than anybody has."""
PATIENT = frozenset({Channel.EMAIL, Channel.SMS, Channel.MESSAGE, Channel.TASK})
"""Channels at whose other end nobody waits: no door refuses their contacts, and a call takes the place of one that
rings, where it may interrupt them."""


class Lane(msgspec.Struct, frozen=True):
    """Contacts of one channel that may come beside the same work, and so find room at the same agents."""

    channel: Channel
    interrupts: tuple[Interrupt, ...] | None = None
    """The word of their queues; ``None``: the agents' interrupts hold."""


CALLS = Lane(Channel.VOICE)
"""Calls of queues that leave it to the agents what a call may come beside."""


class Work(msgspec.Struct, frozen=True):
    """One contact of a shared channel at an agent: ringing while ``offer_id`` is set, then connected, then ``over``."""

    contact_id: ContactId
    channel: Channel
    since: int
    """When it began to ring, was answered, or was over; milliseconds."""
    offer_id: OfferId | None = None
    over: bool = False
    """The contact is over, and the agent wraps it up."""
    until: int | None = None
    """When the wrap-up ends by the clock."""
    wrap_up: WrapUpRule | None = None
    """While it is wrapped up: how that ends; ``None`` is the plain timed one."""


def most(spec: AgentSpec, channel: Channel) -> int:
    """How many contacts of this channel the agent may have at once; by default one call and nothing else."""
    for each in spec.capacity:
        if each.channel is channel:
            return each.most if channel is not Channel.VOICE or each.most < 1 else 1
    return 1 if channel is Channel.VOICE else 0


def lane_of(queue: QueueSpec | None, channel: Channel) -> Lane:
    """The lane of this queue's contacts of the channel."""
    for each in () if queue is None else queue.interrupts:
        if each.channel is channel:
            return Lane(channel, each.pairs)
    return Lane(channel)


def beside(spec: AgentSpec, lane: Lane, over: Channel) -> int:
    """How many contacts of the channel ``over`` the agent may have while one of this lane is offered; 0: none."""
    for each in spec.interrupts if lane.interrupts is None else lane.interrupts:
        if each.channel is lane.channel and each.over is over:
            return ANY_NUMBER if each.up_to is None else each.up_to
    return 0


def channels_of(spec: AgentSpec) -> tuple[Channel, ...]:
    """The channels on which the agent takes work at all."""
    return tuple(channel for channel in Channel if most(spec, channel))
