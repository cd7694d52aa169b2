"""The call machine: takes one event, follows the table, hands out facts and orders. Pure.

Everything that moves a call is a row of ``calls.table.TABLE``; nothing else assigns the state. An event without a row
raises ``IllegalCallEvent`` and changes nothing. Before the table is asked an event gets its name from who is meant by
it: a leg that ended is the customer's, the agent's, the second party's, or nobody's any more; an answer about an offer
that no longer stands, and an order of somebody who has nothing to say here, are races of the outside: they change
nothing.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, get_args

from callcenter.calls import effects as fx
from callcenter.calls import events as ev
from callcenter.calls.call import Call
from callcenter.calls.facts import CallFact
from callcenter.calls.legs import EndCause
from callcenter.calls.queueing import after_overflow
from callcenter.calls.searching import IllegalCallEvent
from callcenter.calls.segments import SegmentKind, TargetKind
from callcenter.calls.states import CallState
from callcenter.calls.table import TABLE

__all__ = ["TABLE", "CallMachine", "IllegalCallEvent"]

LegNews = ev.AgentRinging | ev.AgentAnswered | ev.AgentRefused | ev.AgentGone
DeskOrder = (
    ev.HoldOrdered
    | ev.ResumeOrdered
    | ev.TransferOrdered
    | ev.ConsultOrdered
    | ev.CompleteOrdered
    | ev.CancelOrdered
    | ev.SwapOrdered
    | ev.ConferenceOrdered
    | ev.ParkOrdered
    | ev.PartyBrought
    | ev.PartyTaken
)


@dataclass(slots=True)
class CallMachine(Call):
    """One call. ``receive`` returns the facts to be journaled and then the orders to be carried out."""

    def receive(self, event: ev.CallEvent, *, now: int) -> tuple[tuple[CallFact, ...], tuple[fx.Effect, ...]]:
        """Take one event at ``now`` (milliseconds), and what follows from it at once. Raises ``IllegalCallEvent`` for
        one without a row."""
        self.facts, self.effects, self.following = [], [], []
        pending: list[ev.CallEvent] = [event]
        while pending:
            meant = self._meant(pending.pop(0))
            if meant is None:
                continue
            row = TABLE.get((self.state, type(meant)))
            if row is None:
                raise IllegalCallEvent(f"call {self.call_id}: {type(meant).__name__} does not fit state {self.state}")
            if row.act is not None:
                row.act(self, meant, now)
            self.state = row.to
            if self.following:
                pending, self.following = [*self.following, *pending], []
        return tuple(self.facts), tuple(self.effects)

    def next_deadline(self) -> int | None:
        """When ``handle_timer`` has something to do."""
        return None if self.deadline is None else self.deadline[0]

    def handle_timer(self, *, now: int) -> tuple[tuple[CallFact, ...], tuple[fx.Effect, ...]]:
        """Let what is due happen; nothing when nothing is."""
        if self.deadline is None or self.deadline[0] > now:
            return (), ()
        event, self.deadline = self.deadline[1], None
        return self.receive(event, now=now)

    # Who is meant.

    def _meant(self, event: ev.CallEvent) -> ev.CallEvent | None:
        named = self.MEANT.get(type(event))
        return event if named is None else named(self, event)

    def _of_sound(self, event: ev.NumberEarlyMedia) -> ev.CallEvent | None:
        search = self.search
        if self.colleague is not None and event.leg_id == self.colleague.leg_id:
            return ev.CustomerEarlyMedia()
        number = search is not None and search.target.kind is TargetKind.NUMBER and search.leg_id == event.leg_id
        return event if number else None

    def _of_offer(self, event: ev.OfferTakenBack | ev.OfferConfirmed | ev.OfferTooLate) -> ev.CallEvent | None:
        return event if event.offer_id in self.offers else None

    def _declined(self, event: ev.DeclineOrdered) -> ev.CallEvent | None:
        rings = self.declined_by(event.agent_id) is not None
        return event if rings and (not event.contact_id or self._seeks(event.contact_id)) else None

    def _of_leg(self, event: LegNews) -> ev.CallEvent | None:
        standing = self.standing_at(event.leg_id)
        if standing is not None:
            broken = isinstance(event, ev.AgentRefused) and standing.answered  # its media, after a new offer
            return ev.AgentGone(event.leg_id, EndCause.ERROR) if broken else event
        if self.search is not None and event.leg_id == self.search.leg_id:
            return self._of_sought_leg(event, self.search.target.kind)
        if self.agent is not None and event.leg_id == self.agent.leg_id:
            if isinstance(event, ev.AgentGone):
                return ev.TalkOver(gone=True) if self._is_surveyed() else ev.AgentLeft(event.leg_id, event.cause)
            return event if self.state is CallState.CALLING_AGENT else None
        if self.colleague is not None and event.leg_id == self.colleague.leg_id:
            return self._of_colleague(event)
        if self.consulted is not None and event.leg_id == self.consulted.leg_id:
            return ev.ConsultedLeft(event.leg_id, event.cause) if isinstance(event, ev.AgentGone) else None
        if isinstance(event, ev.AgentAnswered):
            self.effects.append(fx.EndAgent(event.leg_id, EndCause.ANSWERED_ELSEWHERE))
        return None

    def _is_surveyed(self) -> bool:
        """Whether the customer alone is left when the agent hangs up, and the flow has something to ask."""
        return self.surveys and self.state in {CallState.TALKING, CallState.HELD} and self.colleague is None

    def _of_colleague(self, event: LegNews) -> ev.CallEvent | None:
        """Of whoever sits in the customer's place: what it is of a customer's leg."""
        rings = self.state is CallState.CALLING
        match event:
            case ev.AgentRinging():
                return ev.CustomerRinging() if rings else None
            case ev.AgentAnswered():
                return ev.CustomerAnswered() if rings else None
            case ev.AgentRefused(status=status):
                return ev.CustomerRefused(status) if rings else ev.CustomerGone(EndCause.ERROR)
            case ev.AgentGone(cause=cause):
                return ev.CustomerRefused(480) if rings else ev.CustomerGone(cause)

    def _of_sought_leg(self, event: LegNews, kind: TargetKind) -> ev.CallEvent:
        """Of a leg that routing did not choose: a number, or the phone of an agent who takes up a parked call."""
        leg_id = event.leg_id
        if kind is TargetKind.AGENT:
            return ev.AgentRefused(leg_id, 480) if isinstance(event, ev.AgentGone) else event
        match event:
            case ev.AgentRinging():
                return ev.NumberRinging(leg_id)
            case ev.AgentAnswered():
                return ev.NumberAnswered(leg_id)
            case ev.AgentRefused(status=status):
                return ev.NumberRefused(leg_id, status)
            case ev.AgentGone():
                return ev.NumberRefused(leg_id, 480)

    def _of_search(
        self, event: ev.AgentOffered | ev.QueueVanished | ev.QueueOverflowed | ev.SearchFailed
    ) -> ev.CallEvent | None:
        if isinstance(event, ev.AgentOffered) and event.offer_id in self.offers:
            return None  # it rings already: the customer was there when routing still thought of keeping the agent
        if isinstance(event, ev.QueueVanished) and self.state in {CallState.REACHING, CallState.GREETING}:
            return event
        if event.contact_id and not self._seeks(event.contact_id):
            return event if self.state is CallState.ENDED and not isinstance(event, ev.QueueOverflowed) else None
        first = self.search is None or self.search.kind is SegmentKind.INBOUND
        if isinstance(event, ev.QueueVanished) and not first:
            return ev.SearchFailed()
        if isinstance(event, ev.QueueOverflowed):
            after = after_overflow(self.queue, self.visited, event)
            return after if first or isinstance(after, ev.QueueMoved) else ev.SearchFailed()
        return event

    def _seeks(self, contact_id: str) -> bool:
        return self.search is not None and self.search.contact_id == contact_id

    def _hung_up(self, event: ev.HangUpOrdered) -> ev.CallEvent | None:
        """Whoever hangs up at a desk leaves the call, and ends it when it was the agent's."""
        contact_id = event.contact_id
        if not contact_id or (self.agent is not None and self.agent.contact_id == contact_id):
            return ev.TalkOver(gone=False) if self._is_surveyed() else event
        if self.consulted is not None and self.consulted.contact_id == contact_id:
            self.effects.append(fx.EndAgent(self.consulted.leg_id, EndCause.NORMAL))
        elif self.colleague is not None and self.colleague.contact_id == contact_id:
            self.end_far_leg(EndCause.NORMAL)
        return event if self.state is CallState.RETRIEVING and self._seeks(contact_id) else None

    def _not_engaged(self, event: ev.EngagementRefused) -> ev.CallEvent | None:
        self.unengaged |= {event.contact_id}
        if self.colleague is not None and self.colleague.contact_id == event.contact_id:
            return ev.CustomerRefused(486)
        if self.search is not None and self._seeks(event.contact_id):
            return ev.AgentRefused(self.search.leg_id, 486)
        return event

    def _ordered(self, event: DeskOrder) -> ev.CallEvent | None:
        seat = self.seat_of(event.contact_id) if event.contact_id else self.agent
        if seat is None:
            return None
        if seat is self.colleague:
            row = TABLE[self.state, type(event)]
            return None if row.act is None else ev.ColleagueOrdered(event)
        if isinstance(event, ev.CompleteOrdered) and self.consulted is not None and not self.consulted.agent_id:
            return ev.HandedOut()
        return event

    MEANT: ClassVar[Mapping[type, Callable[["CallMachine", Any], ev.CallEvent | None]]] = {
        **dict.fromkeys(get_args(LegNews), _of_leg),
        ev.NumberEarlyMedia: _of_sound,
        **dict.fromkeys((ev.OfferTakenBack, ev.OfferConfirmed, ev.OfferTooLate), _of_offer),
        **dict.fromkeys((ev.AgentOffered, ev.QueueVanished, ev.QueueOverflowed, ev.SearchFailed), _of_search),
        ev.DeclineOrdered: _declined,
        ev.HangUpOrdered: _hung_up,
        ev.EngagementRefused: _not_engaged,
        **dict.fromkeys(get_args(DeskOrder), _ordered),
    }
    """How an event gets its name that may mean several; the others have theirs. ``None``: it means nothing."""
