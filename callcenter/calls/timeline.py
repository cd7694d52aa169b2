"""The segments of a call and how long each talked, held and was asked: a fold of the call's facts. Pure.

Every instant of a call belongs to one mode; each segment that is connected then gets it as talk, hold or consultation,
so the three of a segment add up to the time it was connected, whatever was pressed in between.
"""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import msgspec

from callcenter.calls.facts import (
    CallArrived,
    CallConnected,
    CallFact,
    CallQueued,
    ConversationChanged,
    NumberConnected,
    PlacesChanged,
    SegmentEnded,
    SegmentOpened,
    SegmentRecord,
)
from callcenter.calls.participants import Conversation
from callcenter.calls.segments import SegmentKind, SegmentResult, TargetKind

TALKS = frozenset({Conversation.TALK, Conversation.CONFERENCE})
HOLDS = frozenset({Conversation.HELD, Conversation.CONSULT})


class Stretch(msgspec.Struct):
    """One segment in the making."""

    contact_id: str
    kind: SegmentKind
    parent_id: str
    opened_at: int
    target_kind: TargetKind = TargetKind.QUEUE
    target: str = ""
    queue_id: str = ""
    queued_at: int | None = None
    connected_at: int | None = None
    ended_at: int | None = None
    agent_id: str = ""
    number: str = ""
    talk_ms: int = 0
    hold_ms: int = 0
    consult_ms: int = 0
    result: SegmentResult | None = None

    def closed(self, at: int) -> SegmentRecord:
        """As it is kept; what lasted to the end of the call ended at ``at``."""
        ended_at = at if self.ended_at is None else self.ended_at
        since = self.opened_at if self.queued_at is None else self.queued_at
        asked = self.queued_at is not None or self.kind not in {SegmentKind.INBOUND, SegmentKind.OUTBOUND}
        until = ended_at if self.connected_at is None else self.connected_at
        lasted = SegmentResult.COMPLETED if self.connected_at is not None else SegmentResult.CANCELLED
        return SegmentRecord(
            contact_id=self.contact_id,
            kind=self.kind,
            parent_id=self.parent_id,
            opened_at=self.opened_at,
            ended_at=ended_at,
            connected_at=self.connected_at,
            agent_id=self.agent_id,
            number=self.number,
            queue_id=self.queue_id,
            waited_ms=max(0, until - since) if asked else 0,
            talk_ms=self.talk_ms,
            hold_ms=self.hold_ms,
            consult_ms=self.consult_ms,
            result=self.result or lasted,
        )


class Timeline(msgspec.Struct):
    """All segments of one call so far, by contact id in the order they began. ``take`` folds one more fact into it."""

    call_id: str
    stretches: dict[str, Stretch]
    mode: Conversation = Conversation.WAITING
    since: int = 0
    """Up to when time was counted."""
    agent: str = ""
    """The contact of the agent who has the customer."""
    consulted: str = ""
    colleague: str = ""
    """The contact of the colleague in the customer's place, or of the number outside that has it."""
    talk_ms: int = 0
    """The customer with an agent."""
    hold_ms: int = 0

    def take(self, fact: CallFact) -> None:
        """One more fact happened; most change nothing here."""
        fold = self.FOLDS.get(type(fact))
        if fold is not None:
            fold(self, fact)

    def pass_time(self, now: int) -> None:
        """Give the time up to ``now`` to whoever was there."""
        elapsed = now - self.since
        if elapsed <= 0:
            self.since = self.since or now
            return
        self.since, mode = now, self.mode
        talks = mode in TALKS
        if self.agent:
            self._count(self.agent, "talk_ms" if talks else "hold_ms", elapsed)
            self.talk_ms += elapsed if talks else 0
            self.hold_ms += elapsed if mode in HOLDS else 0
        if self.consulted:
            with_customer = mode in {Conversation.CONFERENCE, Conversation.PRIVATE}
            self._count(self.consulted, "talk_ms" if with_customer else "consult_ms", elapsed)
        if self.colleague:
            self._count(self.colleague, "talk_ms" if talks or mode is Conversation.PRIVATE else "hold_ms", elapsed)

    def closed(self, at: int) -> "tuple[SegmentRecord, ...]":
        """Every segment of a call that ended at ``at``, up to which time was counted."""
        return tuple(stretch.closed(at) for stretch in self.stretches.values())

    def _count(self, contact_id: str, name: str, elapsed: int) -> None:
        stretch = self.stretches[contact_id]
        setattr(stretch, name, getattr(stretch, name) + elapsed)

    def _of(self, contact_id: str) -> Stretch | None:
        """The segment of a contact as facts name it; one that is not there is not made."""
        return self.stretches.get(contact_id or self.call_id)

    def _opened(self, fact: SegmentOpened) -> None:
        queue_id = fact.target if fact.target_kind is TargetKind.QUEUE else ""
        self.pass_time(fact.at)
        self.stretches[fact.contact_id] = Stretch(
            fact.contact_id, fact.kind, fact.parent_id, fact.at, fact.target_kind, fact.target, queue_id=queue_id
        )

    def _queued(self, fact: CallQueued) -> None:
        stretch = self._of(fact.contact_id)
        if stretch is not None:
            stretch.queue_id = fact.queue_id
            stretch.queued_at = fact.at if stretch.queued_at is None else stretch.queued_at

    def _connected(self, fact: CallConnected) -> None:
        self.pass_time(fact.at)
        contact_id, stretch = fact.contact_id or self.call_id, self._of(fact.contact_id)
        if stretch is not None:
            stretch.connected_at, stretch.agent_id = fact.at, fact.agent_id
            stretch.queue_id, stretch.number = fact.queue_id, ""
        if self.agent and self.agent != contact_id:
            self.consulted = contact_id
            return
        for each in self.stretches.values():  # the colleague who was called
            called = each.kind is SegmentKind.INTERNAL and each.parent_id
            if called and each.connected_at is None and each.ended_at is None:
                each.connected_at, each.agent_id = fact.at, each.target
                self.colleague = each.contact_id
        self.agent, self.mode = contact_id, Conversation.TALK

    def _number_connected(self, fact: NumberConnected) -> None:
        self.pass_time(fact.at)
        stretch = self._of(fact.contact_id)
        if stretch is not None:
            stretch.connected_at, stretch.number = fact.at, fact.number
        self.consulted = fact.contact_id

    def _conversed(self, fact: ConversationChanged) -> None:
        self.pass_time(fact.at)
        self.mode = fact.mode

    def _places_changed(self, fact: PlacesChanged) -> None:
        self.pass_time(fact.at)
        if fact.number:
            self.agent, self.colleague, self.consulted = fact.contact_id, self.consulted, ""
        else:
            self.agent, self.colleague = fact.contact_id, self.agent

    def _ended(self, fact: SegmentEnded) -> None:
        self.pass_time(fact.at)
        contact_id, stretch = fact.contact_id or self.call_id, self._of(fact.contact_id)
        if stretch is not None:
            stretch.ended_at, stretch.result = fact.at, fact.result
        if contact_id == self.agent:
            follower = self.stretches.get(self.consulted)
            if follower is not None and follower.agent_id:
                self.agent, self.consulted = self.consulted, ""
            else:
                self.agent = ""
        elif contact_id == self.consulted:
            self.consulted = ""
        elif contact_id == self.colleague:
            self.colleague = ""

    FOLDS: ClassVar[Mapping[type, Callable[["Timeline", Any], None]]] = {
        SegmentOpened: _opened,
        SegmentEnded: _ended,
        CallQueued: _queued,
        CallConnected: _connected,
        NumberConnected: _number_connected,
        ConversationChanged: _conversed,
        PlacesChanged: _places_changed,
    }


def begin(arrived: CallArrived) -> Timeline:
    """The timeline of a call that just arrived, or that an agent just began."""
    kind = SegmentKind(arrived.direction)
    first = Stretch(arrived.call_id, kind, "", arrived.at)
    return Timeline(arrived.call_id, {arrived.call_id: first}, since=arrived.at)
