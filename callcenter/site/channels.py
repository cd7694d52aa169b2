"""How much of each channel agents take, and how queues treat what is no call, as people write it in the site file.

Who writes nothing has agents with one call, and beside it nothing; one voicemail message while there is no call; and
calls that may come while a message is worked.
"""

from collections.abc import Iterable, Mapping
from typing import Annotated

from pydantic import AfterValidator, Field

from acd.events import Capacity, Channel, ChannelRule, Interrupt
from callcenter.site.fields import SiteModel

DEFAULT_CAPACITY: Mapping[Channel, int] = {Channel.VOICE: 1, Channel.MESSAGE: 1}
DEFAULT_INTERRUPTS: Mapping[Channel, tuple[Channel, ...]] = {
    Channel.VOICE: (Channel.EMAIL, Channel.SMS, Channel.MESSAGE, Channel.TASK)
}
"""A caller waits at the other end, a message does not."""
DEFAULT_TARGET_SECONDS: Mapping[Channel, int] = {
    Channel.CHAT: 60,
    Channel.SMS: 900,
    Channel.EMAIL: 14_400,
    Channel.MESSAGE: 14_400,
    Channel.TASK: 86_400,
}
"""Service levels of queues that name none."""
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


def _of_others(interrupts: dict[Channel, tuple[Channel, ...]]) -> dict[Channel, tuple[Channel, ...]]:
    for channel, over in interrupts.items():
        if channel in over:
            raise ValueError(f"{channel} cannot interrupt itself; capacity says how many of it there may be at once")
    return interrupts


CapacityTable = Annotated[dict[Channel, Annotated[int, Field(ge=0, le=MOST)]], AfterValidator(_one_call)]
"""So many contacts of each channel at once: ``{ chat = 3, message = 2 }``."""
InterruptTable = Annotated[dict[Channel, tuple[Channel, ...]], AfterValidator(_of_others)]
"""What may be offered beside what: ``{ voice = ["message", "email"] }``."""


class ChannelModel(SiteModel):
    """What a queue does with contacts of one channel that is not voice."""

    service_level_seconds: int | None = Field(default=None, ge=1, le=2_592_000)
    """Until an agent takes it; left out: by the channel (a message: four hours)."""
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


def interrupts(*tables: Mapping[Channel, tuple[Channel, ...]] | None) -> tuple[Interrupt, ...]:
    """The interrupts of an agent: the last table that is there decides."""
    chosen: Mapping[Channel, tuple[Channel, ...]] = DEFAULT_INTERRUPTS
    for table in tables:
        chosen = chosen if table is None else table
    return tuple(Interrupt(channel, over) for channel in Channel for over in chosen.get(channel, ()))


def unknown_interrupts(
    table: Mapping[Channel, tuple[Channel, ...]] | None, capacity: Iterable[Capacity]
) -> Iterable[Channel]:
    """Channels that an agent's interrupts speak of and that the agent takes nothing of."""
    taken = {each.channel for each in capacity if each.most}
    return sorted({each for channel, over in (table or {}).items() for each in (channel, *over)} - taken)
