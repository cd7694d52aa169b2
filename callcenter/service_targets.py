"""What a site promises its customers: so large a share is taken by an agent within so long, by queue and channel. Pure.

The promise is journaled whenever the exchange starts, so that a report of an old day knows what held then.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from acd.events import Channel

DEFAULT_WITHIN_SECONDS: Mapping[Channel, int] = {
    Channel.VOICE: 20,
    Channel.CHAT: 60,
    Channel.SMS: 900,
    Channel.EMAIL: 14_400,
    Channel.MESSAGE: 14_400,
    Channel.TASK: 86_400,
}
"""Of queues that say nothing."""
DEFAULT_PERCENT = 80


@dataclass(frozen=True, slots=True)
class ServiceTarget:
    """The promise of one queue for one channel."""

    queue_id: str
    channel: Channel
    within_seconds: int
    percent: int = DEFAULT_PERCENT


@dataclass(frozen=True, slots=True)
class TargetsConfigured:
    """These promises hold from now on, instead of all earlier ones. ``at`` in milliseconds."""

    at: int
    targets: tuple[ServiceTarget, ...]


class ServiceTargets:
    """The promises that hold."""

    def __init__(self, targets: Iterable[ServiceTarget] = ()) -> None:
        self._targets = {(each.queue_id, each.channel): each for each in targets}

    def over(self, others: Iterable[ServiceTarget]) -> "ServiceTargets":
        """These, and for queues of which nothing is said here what ``others`` say."""
        here = {queue_id for queue_id, _ in self._targets}
        return ServiceTargets((*(each for each in others if each.queue_id not in here), *self._targets.values()))

    def of(self, queue_id: str, channel: Channel) -> ServiceTarget:
        """What holds for a queue and channel; the default where nothing was said."""
        known = self._targets.get((queue_id, channel))
        return ServiceTarget(queue_id, channel, DEFAULT_WITHIN_SECONDS[channel]) if known is None else known
