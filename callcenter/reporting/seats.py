"""Seats: the time each agent spent in each state, and the offers made. A fold of what the routing engine says. Pure.

What agents have in hand meanwhile is told by ``hands``.

Every instant from an agent's first configuration on belongs to exactly one state, ``offline`` among them, so the times
in all states add up to the time on the wall.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from acd.events import Channel, FloorConfigured
from acd.outcomes import (
    AgentState,
    AgentStateChanged,
    ContactDequeued,
    ContactQueued,
    DequeueReason,
    OfferContact,
    OfferEnded,
    OfferResult,
    Outcome,
    WorkEnded,
)
from callcenter.reporting.conversations import Conversations
from callcenter.reporting.intervals import interval_of, pieces
from callcenter.reporting.item_lines import line_of
from callcenter.reporting.postings import Family, Measure, Posting, member, of_agent, of_queue

NO_REASON = "none"
"""Stands for the reason of an agent who is not ready and gave none."""

_RESULTS = {
    OfferResult.ACCEPTED: Measure.OFFERS_ACCEPTED,
    OfferResult.DECLINED: Measure.OFFERS_DECLINED,
    OfferResult.EXPIRED: Measure.OFFERS_EXPIRED,
    OfferResult.WITHDRAWN: Measure.OFFERS_WITHDRAWN,
}


@dataclass(frozen=True, slots=True)
class Spell:
    """An agent in one state. ``since`` in milliseconds."""

    state: AgentState
    since: int
    reason: str | None = None
    contact_id: str | None = None


class Seats:
    """Where every agent stands. Tells ``conversations`` of wrap-ups of calls."""

    def __init__(self, conversations: Conversations) -> None:
        self._conversations = conversations
        self._spells: dict[str, Spell] = {}
        self._configured: frozenset[str] = frozenset()
        self._lines_of_offer: dict[str, tuple[str, str]] = {}
        self._channels: dict[str, Channel] = {}
        """Contacts of shared channels."""

    def configure(self, event: FloorConfigured, at: int) -> list[Posting]:
        """New agents sit down offline; those who are gone and offline are forgotten, the others when they are."""
        self._configured = frozenset(spec.agent_id for spec in event.agents)
        for spec in event.agents:
            self._spells.setdefault(spec.agent_id, Spell(AgentState.OFFLINE, at))
        gone = [
            agent_id
            for agent_id, spell in self._spells.items()
            if agent_id not in self._configured and spell.state is AgentState.OFFLINE
        ]
        return [posting for agent_id in gone for posting in self._forget(agent_id, at)]

    def take(self, outcome: Outcome, at: int) -> list[Posting]:
        """Fold one outcome of the engine."""
        match outcome:
            case AgentStateChanged():
                return self._move(outcome, at)
            case OfferContact():
                channel = self._channels.get(outcome.contact_id, Channel.VOICE)
                lines = line_of(outcome.queue_id, channel), line_of(outcome.agent_id, channel)
                self._lines_of_offer[outcome.offer_id] = lines
                return _on_both(*lines, Measure.OFFERS, at)
            case OfferEnded():
                ended = self._lines_of_offer.pop(outcome.offer_id, None)
                return [] if ended is None else _on_both(*ended, _RESULTS[outcome.result], at)
            case _:
                self._follow_channel(outcome)
                return []

    def _follow_channel(self, outcome: Outcome) -> None:
        match outcome:
            case ContactQueued(channel=channel, contact_id=contact_id) if channel is not Channel.VOICE:
                self._channels[contact_id] = channel
            case ContactDequeued(contact_id=contact_id, reason=reason) if reason is not DequeueReason.ASSIGNED:
                self._channels.pop(contact_id, None)
            case WorkEnded(contact_id=contact_id):
                self._channels.pop(contact_id, None)
            case _:
                pass

    def up_to(self, horizon: int) -> list[Posting]:
        """What the states that go on add up to at ``horizon``. Changes nothing."""
        found: list[Posting] = []
        for agent_id, spell in self._spells.items():
            found += _split(agent_id, spell, horizon)
            if spell.state is AgentState.WRAP_UP and spell.contact_id is not None:
                found += self._conversations.wrap_up_so_far(spell.contact_id, agent_id, spell.since, horizon)
        return found

    def _move(self, change: AgentStateChanged, at: int) -> list[Posting]:
        agent_id = change.agent_id
        before = self._spells.get(agent_id)
        after = Spell(change.state, at, change.reason, change.contact_id)
        if before is not None and (before.state, before.reason, before.contact_id) == (
            after.state,
            after.reason,
            after.contact_id,
        ):
            return []
        self._spells[agent_id] = after
        found = [] if before is None else self._over(agent_id, before, at)
        if after.state is AgentState.OFFLINE and agent_id not in self._configured:
            del self._spells[agent_id]
        return found

    def _over(self, agent_id: str, spell: Spell, at: int) -> list[Posting]:
        found = [*_split(agent_id, spell, at), *_closed(agent_id, spell, at)]
        if spell.state is AgentState.WRAP_UP and spell.contact_id is not None:
            found += self._conversations.wrap_up(spell.contact_id, agent_id, spell.since, at)
        return found

    def _forget(self, agent_id: str, at: int) -> list[Posting]:
        return self._over(agent_id, self._spells.pop(agent_id), at)


def _split(agent_id: str, spell: Spell, until: int) -> list[Posting]:
    return [
        Posting(interval, of_agent(agent_id), measure, length)
        for interval, length in pieces(spell.since, until)
        for measure in _measures(spell, Family.STATE_SPLIT_MS, Family.NOT_READY_SPLIT_MS)
    ]


def _closed(agent_id: str, spell: Spell, at: int) -> list[Posting]:
    return [
        Posting(interval_of(at), of_agent(agent_id), measure, at - spell.since)
        for measure in _measures(spell, Family.STATE_CLOSED_MS, Family.NOT_READY_CLOSED_MS)
    ]


def _measures(spell: Spell, states: Family, reasons: Family) -> Iterable[str]:
    yield member(states, spell.state)
    if spell.state is AgentState.NOT_READY:
        yield member(reasons, spell.reason or NO_REASON)


def _on_both(queue_id: str, agent_id: str, measure: Measure, at: int) -> list[Posting]:
    interval = interval_of(at)
    return [Posting(interval, of_queue(queue_id), measure, 1), Posting(interval, of_agent(agent_id), measure, 1)]
