"""Items on the floor, and what queues and agents have of shared channels: a fold of facts and routing outcomes. Pure.

Where an item stands is told by its facts; the ring and the wrap-up, which have deadlines, by routing.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from acd import outcomes as acd
from acd.events import AgentSpec
from acd.events import Channel as Shared
from agent_console.messages import (
    Channel,
    ChannelLoad,
    ChannelView,
    ContactState,
    ContactView,
    CustomerMatch,
    MatchState,
)
from callcenter.channels.facts import ItemAccepted, ItemArrived, ItemClosed, ItemMoved, ItemReturned
from callcenter.floor.contacts import NO_RINGING, FloorContacts
from callcenter.service_targets import ServiceTarget, ServiceTargets

NO_OFFER: Mapping[str, object] = {**NO_RINGING, "agent_id": None, "connected_at": None}


@dataclass(slots=True)
class ChannelCounts:
    """One queue's figures of one shared channel."""

    target: ServiceTarget
    waiting: dict[str, int] = field(default_factory=dict)
    """Contact to the instant it counts from."""
    offered: int = 0
    answered: int = 0
    abandoned: int = 0
    answered_in_target: int = 0

    def view(self, channel: Shared) -> ChannelView:
        """As consoles see it."""
        return ChannelView(
            Channel(channel),
            len(self.waiting),
            min(self.waiting.values(), default=None),
            self.offered,
            self.answered,
            self.abandoned,
            self.answered_in_target,
            self.target.within_seconds,
            self.target.percent,
        )

    def take(self, fact: acd.ContactQueued | acd.ContactDequeued | acd.ContactAssigned) -> None:
        """Count what routing says."""
        match fact:
            case acd.ContactQueued():
                self.waiting.setdefault(fact.contact_id, fact.arrived_at)
                self.offered += not fact.returned
            case acd.ContactDequeued():
                self.waiting.pop(fact.contact_id, None)
                self.abandoned += fact.reason is acd.DequeueReason.ABANDONED
            case acd.ContactAssigned():
                self.answered += 1
                self.answered_in_target += fact.waited_ms <= self.target.within_seconds * 1000

    def numbers(self) -> list[int]:
        """The day's counts for a snapshot."""
        return [self.offered, self.answered, self.abandoned, self.answered_in_target]


class FloorChannels:
    """What queues have of shared channels."""

    def __init__(self, targets: ServiceTargets) -> None:
        self._targets = targets
        self._counts: dict[tuple[str, Shared], ChannelCounts] = {}

    def take(self, fact: acd.ContactQueued | acd.ContactDequeued | acd.ContactAssigned) -> tuple[ChannelView, ...]:
        """Count an outcome about a contact of a shared channel; how its queue looks then."""
        self.of(fact.queue_id, fact.channel).take(fact)
        return self.views(fact.queue_id)

    def of(self, queue_id: str, channel: Shared) -> ChannelCounts:
        """The figures of a queue and channel."""
        key = (queue_id, channel)
        if key not in self._counts:
            self._counts[key] = ChannelCounts(self._targets.of(queue_id, channel))
        return self._counts[key]

    def views(self, queue_id: str) -> tuple[ChannelView, ...]:
        """Every channel of a queue that had anything today."""
        return tuple(
            self._counts[queue_id, channel].view(channel) for channel in Shared if (queue_id, channel) in self._counts
        )

    def turn_day(self) -> None:
        """A new day: what waits goes on waiting."""
        self._counts = {
            key: ChannelCounts(counts.target, counts.waiting) for key, counts in self._counts.items() if counts.waiting
        }

    def numbers(self) -> dict[str, list[int]]:
        """The day's counts for a snapshot, by ``QUEUE/CHANNEL``."""
        return {f"{queue_id}/{channel}": counts.numbers() for (queue_id, channel), counts in self._counts.items()}

    def restore(self, name: str, numbers: Sequence[int]) -> str:
        """Put back what a snapshot has under this name; the queue it is about."""
        queue_id, _, channel = name.partition("/")
        counts = self.of(queue_id, Shared(channel))
        counts.offered, counts.answered, counts.abandoned, counts.answered_in_target = numbers
        return queue_id


class FloorItems:
    """The items among the contacts on the floor."""

    def __init__(self, contacts: FloorContacts) -> None:
        self._contacts = contacts
        self.folds: Mapping[type, Callable[[Any], None]] = {
            ItemArrived: self._arrive,
            ItemMoved: self._move,
            ItemReturned: self._return,
            ItemAccepted: self._accept,
            ItemClosed: self._close,
            acd.WorkWrapUpBegun: self._wrap_up,
            acd.WorkEnded: self._end,
        }
        """How each fact or outcome about an item is folded."""

    def _arrive(self, fact: ItemArrived) -> None:
        self._contacts.show(_arrived(fact))

    def _move(self, fact: ItemMoved) -> None:
        self._contacts.change(
            fact.contact_id,
            state=ContactState.QUEUED,
            queue_id=fact.queue_id,
            queued_at=fact.at,
            for_agent=fact.agent_id or None,
            **NO_OFFER,
        )

    def _return(self, fact: ItemReturned) -> None:
        self._contacts.change(fact.contact_id, state=ContactState.QUEUED, queued_at=fact.at, **NO_OFFER)

    def _accept(self, fact: ItemAccepted) -> None:
        self._contacts.change(
            fact.contact_id, state=ContactState.CONNECTED, connected_at=fact.at, agent_id=fact.agent_id, ringing=()
        )

    def _wrap_up(self, fact: acd.WorkWrapUpBegun) -> None:
        self._contacts.change(fact.contact_id, wrap_up_until=fact.until)

    def _close(self, fact: ItemClosed) -> None:
        view = self._contacts.views.get(fact.contact_id)
        if view is not None and view.state is ContactState.CONNECTED:
            self._contacts.change(fact.contact_id, state=ContactState.WRAP_UP, ended_at=fact.at)
        else:
            self._contacts.remove(fact.contact_id)

    def _end(self, fact: acd.WorkEnded) -> None:
        """Its agent is through with it; one that waits again was told to before."""
        view = self._contacts.views.get(fact.contact_id)
        if view is not None and view.state is ContactState.WRAP_UP:
            self._contacts.remove(fact.contact_id)


def loads(spec: AgentSpec, held: Iterable[ContactView | None]) -> tuple[ChannelLoad, ...]:
    """How much of each shared channel an agent of this capacity has, who has these contacts."""
    channels = [view.channel for view in held if view is not None]
    most = {Channel(each.channel): each.most for each in spec.capacity}
    return tuple(
        ChannelLoad(channel, channels.count(channel), most.get(channel, 0))
        for channel in Channel
        if channel is not Channel.VOICE and (most.get(channel) or channel in channels)
    )


def takes_calls(spec: AgentSpec) -> bool:
    """Whether an agent is rung for calls."""
    return not any(each.channel is Shared.VOICE and not each.most for each in spec.capacity)


def _arrived(fact: ItemArrived) -> ContactView:
    return ContactView(
        contact_id=fact.contact_id,
        state=ContactState.QUEUED,
        caller=fact.caller,
        caller_name=fact.caller_name,
        called=fact.called,
        arrived_at=fact.at,
        customer=CustomerMatch(state=MatchState.PENDING),
        language=fact.language or None,
        queue_id=fact.queue_id,
        queued_at=fact.at,
        parent_id=fact.parent_id or None,
        channel=Channel(fact.channel),
        for_agent=fact.agent_id or None,
        recording_id=fact.recording_id or None,
        recording_ms=fact.recording_ms or None,
        text=fact.text,
    )
