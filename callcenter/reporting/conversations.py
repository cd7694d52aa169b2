"""Conversations: from being connected to the end of the agent's wrap-up. Pure.

Two sources meet here. When customer and agent talked is told by call facts; when the agent was done with it is told by
the agent's states. The one may be journaled before the other, so a conversation is closed when both are known.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from callcenter.calls.facts import CallConnected
from callcenter.reporting.intervals import interval_of, pieces
from callcenter.reporting.postings import Measure, Posting, of_agent, of_queue


@dataclass(slots=True)
class Conversation:
    """One agent with one contact. Milliseconds; ``None`` until it is known."""

    queue_id: str
    agent_id: str
    since: int
    ended_at: int | None = None
    released_at: int | None = None
    wrap_up_ms: int = 0
    held_since: int | None = None
    """The customer is on hold since then."""
    hold_ms: int = 0
    seat_ms: int = 0
    """Its share of the agent's time."""
    asking_ms: int = 0
    """Of the talk: somebody else was asked."""
    asked_ms: int = 0
    """Of the talk: the agent was asked, and the customer not there."""
    asked_only: bool = False
    """The agent was asked and never had the customer."""


class Conversations:
    """The conversations whose end, or whose wrap-up's end, is not known yet."""

    def __init__(self) -> None:
        self._open: dict[tuple[str, str], Conversation] = {}
        self._agent_of: dict[str, str] = {}
        """Contact to the agent who talks now."""
        self._parts: dict[str, list[str]] = {}
        """Call to its contacts in which somebody talks."""

    def connect(self, fact: CallConnected, *, held: bool) -> None:
        """Customer and agent are bridged. ``held``: the agent has the contact; without it nobody will be told of the
        agent's release, and the conversation is over with the talk."""
        released_at = None if held else fact.at
        contact_id = fact.contact_id or fact.call_id
        self._open[contact_id, fact.agent_id] = Conversation(
            fact.queue_id, fact.agent_id, fact.at, released_at=released_at
        )
        self._agent_of[contact_id] = fact.agent_id
        self._parts.setdefault(fact.call_id, []).append(contact_id)

    def hold(self, contact_id: str, at: int) -> None:
        """The customer is on hold from here on."""
        conversation = self._talking(contact_id)
        if conversation is not None and conversation.held_since is None:
            conversation.held_since = max(at, conversation.since)

    def resume(self, contact_id: str, at: int) -> list[Posting]:
        """The customer is on hold no more."""
        conversation = self._talking(contact_id)
        if conversation is None or conversation.held_since is None:
            return []
        since, conversation.held_since = conversation.held_since, None
        conversation.hold_ms += max(0, at - since)
        return _split(conversation, Measure.HOLD_SPLIT_MS, since, at)

    def queue_of(self, contact_id: str) -> str:
        """The queue whose customer this conversation is with; empty for nobody's."""
        conversation = self._talking(contact_id)
        return "" if conversation is None else conversation.queue_id

    def consult(self, contact_id: str, *, asking_ms: int = 0, asked_ms: int = 0, asked_only: bool = False) -> None:
        """So much of this conversation was a consultation."""
        conversation = self._talking(contact_id)
        if conversation is not None:
            conversation.asking_ms += asking_ms
            conversation.asked_ms += asked_ms
            conversation.asked_only = conversation.asked_only or asked_only

    def _talking(self, contact_id: str) -> Conversation | None:
        agent_id = self._agent_of.get(contact_id)
        return None if agent_id is None else self._open[contact_id, agent_id]

    def end_call(self, call_id: str, at: int) -> list[Posting]:
        """The call is over, for everybody who is still in it."""
        return [posting for each in self._parts.pop(call_id, ()) for posting in self.end(each, at)]

    def end(self, contact_id: str, at: int, *, counted: Sequence[Measure] = ()) -> list[Posting]:
        """The talk is over: the call ended, the customer was handed on, or went on to another queue; ``counted``: what
        it is one more of."""
        found = self.resume(contact_id, at)
        agent_id = self._agent_of.pop(contact_id, None)
        if agent_id is None:
            return []
        conversation = self._open[contact_id, agent_id]
        conversation.ended_at = at = max(at, conversation.since)
        found += _split(conversation, Measure.TALK_SPLIT_MS, conversation.since, at)
        for measure in counted:
            found += _both(conversation, at, measure, 1)
        return found + self._close_if_over(contact_id, agent_id)

    def wrap_up(self, contact_id: str, agent_id: str, start: int, end: int) -> list[Posting]:
        """The agent's wrap-up was from ``start`` to ``end``; nothing when customer and agent never talked."""
        conversation = self._open.get((contact_id, agent_id))
        if conversation is None:
            return []
        conversation.wrap_up_ms += end - start
        return _split(conversation, Measure.WRAP_UP_SPLIT_MS, start, end)

    def wrap_up_so_far(self, contact_id: str, agent_id: str, start: int, horizon: int) -> list[Posting]:
        """As ``wrap_up``, of one that goes on. Changes nothing."""
        conversation = self._open.get((contact_id, agent_id))
        return [] if conversation is None else _split(conversation, Measure.WRAP_UP_SPLIT_MS, start, horizon)

    def release(self, contact_id: str, agent_id: str, at: int, *, seat_ms: int) -> list[Posting]:
        """The agent is done with the contact, which had this much of the agent's time."""
        conversation = self._open.get((contact_id, agent_id))
        if conversation is None:
            return []
        conversation.released_at = at
        conversation.seat_ms += seat_ms
        return self._close_if_over(contact_id, agent_id)

    def up_to(self, horizon: int) -> list[Posting]:
        """What is being talked at ``horizon``. Changes nothing."""
        found: list[Posting] = []
        for conversation in [self._open[key] for key in self._agent_of.items()]:
            found += _split(conversation, Measure.TALK_SPLIT_MS, conversation.since, horizon)
            if conversation.held_since is not None:
                found += _split(conversation, Measure.HOLD_SPLIT_MS, conversation.held_since, horizon)
        return found

    def _close_if_over(self, contact_id: str, agent_id: str) -> list[Posting]:
        conversation = self._open[contact_id, agent_id]
        ended_at, released_at = conversation.ended_at, conversation.released_at
        if ended_at is None or released_at is None:
            return []
        del self._open[contact_id, agent_id]
        closed_at = max(ended_at, released_at)
        return [
            *_both(conversation, closed_at, Measure.HANDLED, 1),
            *_both(conversation, closed_at, Measure.TALK_CLOSED_MS, ended_at - conversation.since),
            *_both(conversation, closed_at, Measure.HOLD_CLOSED_MS, conversation.hold_ms),
            *_both(conversation, closed_at, Measure.WRAP_UP_CLOSED_MS, conversation.wrap_up_ms),
            *_both(conversation, closed_at, Measure.SEAT_CLOSED_MS, conversation.seat_ms),
            *_consulted(conversation, closed_at),
        ]


def _consulted(conversation: Conversation, at: int) -> list[Posting]:
    amounts = (
        (Measure.CONSULTING_CLOSED_MS, conversation.asking_ms),
        (Measure.CONSULTED_CLOSED_MS, conversation.asked_ms),
        (Measure.HANDLED_CONSULTED, int(conversation.asked_only)),
    )
    return [posting for measure, amount in amounts if amount for posting in _both(conversation, at, measure, amount)]


def _both(conversation: Conversation, at: int, measure: Measure, amount: int) -> list[Posting]:
    """On the agent, and on the queue when it was a queue's work."""
    interval = interval_of(at)
    agent = Posting(interval, of_agent(conversation.agent_id), measure, amount)
    if not conversation.queue_id:
        return [agent]
    return [Posting(interval, of_queue(conversation.queue_id), measure, amount), agent]


def _split(conversation: Conversation, measure: Measure, start: int, end: int) -> list[Posting]:
    return [
        posting for interval, length in pieces(start, end) for posting in _both(conversation, interval, measure, length)
    ]
