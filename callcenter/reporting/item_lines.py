"""Items in reports: told as if they were calls, on lines of their own for each channel. Pure.

A queue's messages are the line ``QUEUE/message`` and an agent's ``AGENT/message``, so that they mix with no calls.
Being taken is being answered; being given back or handed on is another wait, offered once more; who dealt with one that
nobody had taken has answered it. What an erasure ended was not given up by its sender: it is lost.
"""

from acd.events import Channel
from callcenter.calls.facts import CallConnected, CallEnded, CallFact, CallQueued, EndedBy, Outcome
from callcenter.channels.facts import (
    ItemAccepted,
    ItemArrived,
    ItemClosed,
    ItemFact,
    ItemMoved,
    ItemResult,
    ItemReturned,
)

_OUTCOMES = {
    ItemResult.HANDLED: Outcome.ANSWERED,
    ItemResult.LEFT: Outcome.ABANDONED,
    ItemResult.ERASED: Outcome.FAILED,
}
SEPARATOR = "/"
"""Stands between a queue's or an agent's id and a channel; no id holds it."""


def line_of(name: str, channel: Channel) -> str:
    """The id of what somebody has of a channel."""
    return name if channel is Channel.VOICE else f"{name}{SEPARATOR}{channel}"


class ItemLines:
    """Items that are not over: their channel and queue, and whether an agent has them."""

    def __init__(self) -> None:
        self._open: dict[str, tuple[Channel, str, bool]] = {}

    def channel_of(self, contact_id: str) -> Channel:
        """An item's channel; voice for what is none."""
        return self._open[contact_id][0] if contact_id in self._open else Channel.VOICE

    def as_calls(self, fact: ItemFact) -> list[CallFact]:
        """What a fact about an item means on its line; the end of an agent's work first."""
        contact_id = fact.contact_id
        if isinstance(fact, ItemArrived):
            self._open[contact_id] = (fact.channel, fact.queue_id, False)
            return [self._queued(contact_id, fact.at)]
        if contact_id not in self._open:
            return []
        channel, queue_id, had = self._open[contact_id]
        match fact:
            case ItemAccepted():
                self._open[contact_id] = (channel, fact.queue_id, True)
                return [self._taken(contact_id, fact.at, fact.agent_id)]
            case ItemMoved() | ItemReturned():
                moved_to = fact.queue_id if isinstance(fact, ItemMoved) else queue_id
                self._open[contact_id] = (channel, moved_to, False)
                return [self._queued(contact_id, fact.at)]
            case ItemClosed():
                result = fact.record.result
                handled = result is ItemResult.HANDLED
                found: list[CallFact] = [self._taken(contact_id, fact.at, fact.by)] if handled and not had else []
                del self._open[contact_id]
                return [*found, CallEnded(contact_id, fact.at, _OUTCOMES[result], EndedBy.AGENT)]
            case _:
                return []

    def _queued(self, contact_id: str, at: int) -> CallQueued:
        channel, queue_id, _ = self._open[contact_id]
        return CallQueued(contact_id, at, line_of(queue_id, channel), 0, None)

    def _taken(self, contact_id: str, at: int, agent_id: str) -> CallConnected:
        channel, queue_id, _ = self._open[contact_id]
        return CallConnected(contact_id, at, "", line_of(agent_id, channel), line_of(queue_id, channel))
