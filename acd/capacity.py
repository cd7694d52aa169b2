"""How much an agent may have at once, by channel, and what may come in addition to what.

Voice is exclusive: one conversation, or none. Chats and e-mails are *shared*: several at once. An agent who has work on
one channel is offered work of another only where the agent's interrupts say so.
"""

import msgspec

from acd.events import AgentSpec, Channel
from acd.ids import ContactId, OfferId
from acd.wrap_ups import WrapUpRule

PATIENT = frozenset({Channel.EMAIL, Channel.SMS, Channel.MESSAGE, Channel.TASK})
"""Channels at whose other end nobody waits: no door refuses their contacts, and a call takes the place of one that
rings, where it may interrupt them."""


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
            return min(each.most, 1) if channel is Channel.VOICE else each.most
    return 1 if channel is Channel.VOICE else 0


def may_interrupt(spec: AgentSpec, channel: Channel, over: Channel) -> bool:
    """Whether work of ``channel`` may be offered to the agent while there is work of the channel ``over``."""
    return any(each.channel is channel and each.over is over for each in spec.interrupts)


def channels_of(spec: AgentSpec) -> tuple[Channel, ...]:
    """The channels on which the agent takes work at all."""
    return tuple(channel for channel in Channel if most(spec, channel))
