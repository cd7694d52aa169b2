"""How the wrap-up of one contact ends: the modes of a queue, fixed for a contact when its offer is accepted."""

import msgspec

from acd.events import Channel, ChannelRule, QueueSpec, WrapUpMode


class WrapUpRule(msgspec.Struct, frozen=True):
    """How the wrap-up of one contact ends, fixed when the offer is accepted."""

    mode: WrapUpMode = WrapUpMode.TIMED
    extension_ms: int = 0
    """By how much it may still be extended."""
    timeout_code: str | None = None
    finished: bool = False
    """The agent is done and waits for the clock."""

    @property
    def ends_early(self) -> bool:
        """Whether asking for work ends it."""
        return self.mode in {WrapUpMode.OPTIONAL, WrapUpMode.TIMED}

    @property
    def forces_code(self) -> bool:
        """Whether the clock forces a code."""
        return self.mode is not WrapUpMode.OPTIONAL and not self.finished


def rule_of(queue: QueueSpec, channel: Channel) -> WrapUpRule | None:
    """How wrap-ups of this queue end; ``None`` is the plain timed one, or that there is none."""
    if channel is not Channel.VOICE and not wrap_up_ms(queue, channel):
        return None
    if queue.wrap_up_mode is WrapUpMode.TIMED and not queue.wrap_up_extension_ms and queue.wrap_up_timeout_code is None:
        return None
    return WrapUpRule(queue.wrap_up_mode, queue.wrap_up_extension_ms, queue.wrap_up_timeout_code)


def wrap_up_ms(queue: QueueSpec, channel: Channel) -> int:
    """How long a wrap-up of this queue lasts."""
    if channel is Channel.VOICE:
        return queue.wrap_up_ms
    rule = _rule_for(queue, channel)
    return 0 if rule is None else rule.wrap_up_ms


def ring_timeout_ms(queue: QueueSpec, channel: Channel) -> int:
    """How long a contact of this queue rings."""
    rule = None if channel is Channel.VOICE else _rule_for(queue, channel)
    return queue.ring_timeout_ms if rule is None or rule.ring_timeout_ms is None else rule.ring_timeout_ms


def takes_time(rule: WrapUpRule | None, duration_ms: int) -> bool:
    """Whether there is a wrap-up at all."""
    return duration_ms > 0 or (rule is not None and rule.mode is WrapUpMode.MANDATORY)


def _rule_for(queue: QueueSpec, channel: Channel) -> ChannelRule | None:
    return next((rule for rule in queue.channels if rule.channel is channel), None)
