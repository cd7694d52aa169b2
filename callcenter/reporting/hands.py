"""Hands: what each agent has in hand at once, and how the time of the seat is shared among it. Pure.

In hand is what an agent talks with, works or wraps up, on whatever channel. Two chats at once take twice their time but
not the seat's: an agent's time is *occupied* once, however much there is in hand, and each contact's share of it is its
part of every instant, evenly. So the shares of all contacts add up to the occupied time, to the millisecond.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from acd.events import NO_QUEUE, Channel
from acd.outcomes import (
    AgentState,
    AgentStateChanged,
    ContactDequeued,
    DequeueReason,
    Outcome,
    WorkWrapUpBegun,
)
from callcenter.reporting.conversations import Conversations
from callcenter.reporting.intervals import pieces
from callcenter.reporting.item_lines import SEPARATOR, line_of
from callcenter.reporting.postings import Measure, Posting, of_agent, of_queue

_ON_A_CALL = frozenset({AgentState.BUSY, AgentState.WRAP_UP})


@dataclass(slots=True)
class InHand:
    """One contact in an agent's hand. Milliseconds."""

    queue_id: str
    """Whose work it is, as a line of the report; empty for nobody's."""
    agent_line: str
    seat_ms: int = 0
    """Its share of the seat's time so far."""
    wrapped_since: int | None = None
    """When its wrap-up on a shared channel began; a call's is a state of the agent."""


@dataclass(slots=True)
class Hand:
    """What one agent has in hand since an instant; with nothing in it: whether something rings, or the agent idles."""

    since: int
    contacts: dict[str, InHand] = field(default_factory=dict)
    rings: bool = False
    idle: bool = False


class Hands:
    """The agents who have anything in hand, or could. Tells ``conversations`` when an agent is done with a contact."""

    def __init__(self, conversations: Conversations) -> None:
        self._conversations = conversations
        self._hands: dict[str, Hand] = {}
        self._given: dict[str, tuple[str, Channel]] = {}
        """Contacts that routing gave to somebody during the event in progress: queue and channel."""

    def holds(self, agent_line: str, contact_id: str) -> bool:
        """Whether the agent of this line has this contact in hand."""
        hand = self._hands.get(agent_line.partition(SEPARATOR)[0])
        return hand is not None and contact_id in hand.contacts

    def take(self, outcome: Outcome, at: int) -> list[Posting]:
        """Fold one outcome of the engine."""
        match outcome:
            case ContactDequeued(contact_id=contact_id, queue_id=queue_id, reason=DequeueReason.ASSIGNED):
                self._given[contact_id] = (queue_id, outcome.channel)
            case WorkWrapUpBegun(agent_id=agent_id, contact_id=contact_id):
                held = self._held(agent_id, contact_id)
                if held is not None and held.wrapped_since is None:
                    held.wrapped_since = at
            case AgentStateChanged():
                return self._change(outcome, at)
            case _:
                pass
        return []

    def up_to(self, horizon: int) -> list[Posting]:
        """What is in hand at ``horizon`` adds up to this. Changes nothing."""
        found: list[Posting] = []
        for agent_id, hand in self._hands.items():
            found += [posting for posting, _ in _time_of(agent_id, hand, horizon)]
            for contact_id, held in hand.contacts.items():
                if held.wrapped_since is not None:
                    found += self._conversations.wrap_up_so_far(
                        contact_id, held.agent_line, held.wrapped_since, horizon
                    )
        return found

    def _held(self, agent_id: str, contact_id: str) -> InHand | None:
        hand = self._hands.get(agent_id)
        return None if hand is None else hand.contacts.get(contact_id)

    def _change(self, change: AgentStateChanged, at: int) -> list[Posting]:
        agent_id = change.agent_id
        before = self._hands.get(agent_id) or Hand(at)
        after = self._hand_after(before, change, at)
        found = []
        for posting, held in _time_of(agent_id, before, at):
            found.append(posting)
            if held is not None:
                held.seat_ms += posting.amount
        for contact_id, held in before.contacts.items():
            if contact_id not in after.contacts:
                found += self._let_go(contact_id, held, at)
        if after.contacts or after.rings or after.idle:
            self._hands[agent_id] = after
        else:
            self._hands.pop(agent_id, None)
        return found

    def _hand_after(self, before: Hand, change: AgentStateChanged, at: int) -> Hand:
        """What the agent has after a change. Works that were given to nobody yet only ring."""
        works = [each for each in change.works if each in before.contacts or each in self._given]
        call = change.contact_id if change.state in _ON_A_CALL else None
        contacts: dict[str, InHand] = {
            each: before.contacts.get(each) or self._taken(change.agent_id, each)
            for each in ([] if call is None else [call]) + works
        }
        for each in contacts:
            self._given.pop(each, None)
        rings = change.state is AgentState.OFFERED or len(works) < len(change.works)
        return Hand(at, contacts, rings, change.state is AgentState.READY)

    def _taken(self, agent_id: str, contact_id: str) -> InHand:
        queue_id, channel = self._given.get(contact_id, (NO_QUEUE, Channel.VOICE))
        return InHand(line_of(queue_id, channel) if queue_id else "", line_of(agent_id, channel))

    def _let_go(self, contact_id: str, held: InHand, at: int) -> list[Posting]:
        found = []
        if held.wrapped_since is not None:
            found += self._conversations.wrap_up(contact_id, held.agent_line, held.wrapped_since, at)
        return found + self._conversations.release(contact_id, held.agent_line, at, seat_ms=held.seat_ms)


def _time_of(agent_id: str, hand: Hand, until: int) -> Iterator[tuple[Posting, InHand | None]]:
    """The time of a hand laid across its intervals; with a contact's own share (on the agent's line) the contact."""
    agent, held = of_agent(agent_id), list(hand.contacts.values())
    for interval, length in pieces(hand.since, until):
        if held:
            yield Posting(interval, agent, Measure.OCCUPIED_SPLIT_MS, length), None
            yield Posting(interval, agent, Measure.IN_HAND_SPLIT_MS, length * len(held)), None
        elif hand.rings:
            yield Posting(interval, agent, Measure.RUNG_SPLIT_MS, length), None
        elif hand.idle:
            yield Posting(interval, agent, Measure.IDLE_SPLIT_MS, length), None
        for each, share in zip(held, _shares(length, len(held)), strict=True):
            yield Posting(interval, of_agent(each.agent_line), Measure.SEAT_SPLIT_MS, share), each
            if each.queue_id:
                yield Posting(interval, of_queue(each.queue_id), Measure.SEAT_SPLIT_MS, share), None


def _shares(length: int, among: int) -> Sequence[int]:
    """A length in equal parts; the milliseconds that are left over go to the first."""
    if not among:
        return ()
    part, left = divmod(length, among)
    return [part + (number < left) for number in range(among)]
