"""How much of each channel agents take, and how queues treat what is no call, as people write it in the site file.

Who writes nothing has agents with one call, and beside it nothing; one voicemail message while there is no call; and
calls that may come while a message is worked.
"""

from collections.abc import Iterable, Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field

from acd.events import Capacity, Channel, ChannelRule, Interrupt, QueueInterrupts
from callcenter.site.fields import SiteModel

Interrupts = Mapping[Channel, Mapping[Channel, int | None]]
"""By the channel that comes, beside how many of which others; ``None``: beside any number."""

DEFAULT_CAPACITY: Mapping[Channel, int] = {Channel.VOICE: 1, Channel.MESSAGE: 1}
DEFAULT_INTERRUPTS: Interrupts = {
    Channel.VOICE: dict.fromkeys((Channel.EMAIL, Channel.SMS, Channel.MESSAGE, Channel.TASK))
}
"""A caller waits at the other end, a message does not."""
DEFAULT_PRIORITY: Mapping[Channel, int] = {
    Channel.CHAT: 0,
    Channel.SMS: -50,
    Channel.EMAIL: -100,
    Channel.MESSAGE: -100,
    Channel.TASK: -100,
}
"""Who waits at the other end goes before what can wait, however old that is."""
MOST = 25


def _one_call(capacity: dict[Channel, int]) -> dict[Channel, int]:
    if capacity.get(Channel.VOICE, 0) > 1:
        raise ValueError("voice is 1, or 0 for an agent without calls: nobody talks in two at once")
    return capacity


def _by_number(over: Any) -> Any:
    """A list of channels is a table without numbers."""
    return dict.fromkeys(over) if isinstance(over, list | tuple) else over


def _of_others(interrupts: dict[Channel, dict[Channel, int | None]]) -> dict[Channel, dict[Channel, int | None]]:
    for channel, over in interrupts.items():
        if channel in over:
            raise ValueError(f"{channel} cannot interrupt itself; capacity says how many of it there may be at once")
    return interrupts


CapacityTable = Annotated[dict[Channel, Annotated[int, Field(ge=0, le=MOST)]], AfterValidator(_one_call)]
"""So many contacts of each channel at once: ``{ chat = 3, message = 2 }``."""
Over = Annotated[dict[Channel, Annotated[int, Field(ge=0, le=MOST)] | None], BeforeValidator(_by_number)]
InterruptTable = Annotated[dict[Channel, Over], AfterValidator(_of_others)]
"""What may be offered beside what: ``{ voice = ["message", "email"] }``, or ``{ voice = { chat = 2, message = 5 } }``,
which is beside two chats at most."""


class ChannelModel(SiteModel):
    """What a queue does with contacts of one channel that is not voice."""

    service_level_seconds: int | None = Field(default=None, ge=1, le=2_592_000)
    """Until an agent takes it; left out: by the channel (a message: four hours)."""
    service_level_percent: int | None = Field(default=None, ge=1, le=100)
    """The share that is to be taken by then; left out: as of calls."""
    ring_seconds: int | None = Field(default=None, ge=3, le=900)
    """How long the card waits to be taken; left out: as a call rings."""
    wrap_up_seconds: int | None = Field(default=None, ge=0, le=3600)
    """Left out: as after calls."""
    priority: int | None = Field(default=None, ge=-1000, le=1000)
    """Left out: by the channel (a message: -100, so that calls go first)."""

    def rule(self, channel: Channel, wrap_up_seconds: int) -> ChannelRule:
        """As the engine sees it; ``wrap_up_seconds`` are those after calls."""
        wrap_up = wrap_up_seconds if self.wrap_up_seconds is None else self.wrap_up_seconds
        return ChannelRule(channel, None if self.ring_seconds is None else self.ring_seconds * 1000, wrap_up * 1000)


def capacities(*tables: Mapping[Channel, int]) -> tuple[Capacity, ...]:
    """The capacity of an agent: the last table that names a channel decides."""
    merged: dict[Channel, int] = dict(DEFAULT_CAPACITY)
    for table in tables:
        merged.update(table)
    return tuple(Capacity(channel, merged[channel]) for channel in Channel if channel in merged)


def interrupts(*tables: Interrupts | None) -> tuple[Interrupt, ...]:
    """The interrupts of an agent: the last table that is there decides."""
    chosen: Interrupts = DEFAULT_INTERRUPTS
    for table in tables:
        chosen = chosen if table is None else table
    return tuple(pair for channel in Channel for pair in _pairs(channel, chosen.get(channel, {})))


def queue_interrupts(table: Interrupts | None) -> tuple[QueueInterrupts, ...]:
    """The word of a queue, for the channels that its table names."""
    named = table or {}
    return tuple(QueueInterrupts(channel, _pairs(channel, named[channel])) for channel in Channel if channel in named)


def unknown_interrupts(table: Interrupts | None, *capacities: Iterable[Capacity]) -> Iterable[Channel]:
    """Channels that a table of interrupts speaks of and of which nobody with these capacities takes anything."""
    taken = {each.channel for capacity in capacities for each in capacity if each.most}
    return sorted({each for channel, over in (table or {}).items() for each in (channel, *over)} - taken)


def _pairs(channel: Channel, over: Mapping[Channel, int | None]) -> tuple[Interrupt, ...]:
    return tuple(Interrupt(channel, each, most) for each, most in over.items())
