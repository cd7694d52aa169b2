"""On what terms a queue calls back: how often, until when, at what hours of the customer's; and what it dials by."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from callcenter.callbacks.book import Callback
from callcenter.callbacks.calling_windows import next_call_at, zones_of
from callcenter.calls.callback_facts import CallbackRequested
from callcenter.calls.events import CallBackOrdered, HangUpOrdered, QueueVanished
from callcenter.calls.queueing import CallbackRule
from callcenter.calls.segments import Target


class Dialling(Protocol):
    """What is needed of the switchboard."""

    def call_back(
        self, call_id: str, agent_id: str, queue_id: str, target: Target, callback_id: str, ring_ms: int
    ) -> None:
        """Ring the agent, then the customer, as one call of this id."""
        ...

    def call_first(self, call_id: str, order: CallBackOrdered) -> None:
        """Call the customer, as the call of this id; agents are rung once the customer is there."""
        ...

    def is_up(self, call_id: str) -> bool:
        """Whether this call goes on."""
        ...

    def is_on_line(self, number: str, besides: str) -> bool:
        """Whether somebody with this number is in a call of ours other than ``besides``, whoever called whom."""
        ...

    def tell(self, contact_id: str, mail: QueueVanished | HangUpOrdered) -> bool:
        """Bring mail to the call of a contact."""
        ...


@dataclass(frozen=True, slots=True)
class CallbackTerms:
    """The rules of all queues. Pure; instants are milliseconds."""

    rules: Mapping[str, CallbackRule]

    def rule(self, queue_id: str) -> CallbackRule:
        """How a queue calls back."""
        return self.rules.get(queue_id, CallbackRule())

    def ends_at(self, asked: CallbackRequested) -> int:
        """When the promise is over; at once when its queue is gone."""
        return asked.at + (self.rule(asked.queue_id).within_ms if asked.queue_id in self.rules else 0)

    def next_hour(self, callback: Callback, now: int) -> int | None:
        """When the customer may be called next, by the customer's clock; ``None``: never."""
        hours = self.rule(callback.asked.queue_id).hours
        return now if hours is None else next_call_at(hours, callback.zones or zones_of(callback.asked.caller), now)

    def comes_an_hour(self, asked: CallbackRequested, zones: tuple[str, ...]) -> bool:
        """Whether the promise could be kept before it is over."""
        at = self.next_hour(Callback(asked, zones=zones), asked.at)
        return at is not None and at < self.ends_at(asked)
