"""The segments of a call and how long each talked, held and was asked: a fold of the call's facts. Pure.

Every instant of a call belongs to one mode; each segment that is connected then gets it as talk, hold or consultation,
so the three of a segment add up to the time it was connected, whatever was pressed in between.
"""

import msgspec
from msgspec.structs import replace

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


class Stretch(msgspec.Struct, frozen=True):
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


class Timeline(msgspec.Struct, frozen=True):
    """All segments of one call so far, by contact id in the order they began."""

    call_id: str
    stretches: dict[str, Stretch] = {}
    mode: Conversation = Conversation.WAITING
    since: int = 0
    agent: str = ""
    """The contact of the agent who has the customer."""
    consulted: str = ""
    colleague: str = ""
    """The contact of the colleague in the customer's place, or of the number outside that has it."""
    talk_ms: int = 0
    """The customer with an agent."""
    hold_ms: int = 0

    def with_fact(self, fact: CallFact) -> "Timeline":
        """This timeline after one more fact."""
        match fact:
            case SegmentOpened():
                return self._opened(fact)
            case CallQueued():
                return self._queued(fact)
            case CallConnected():
                return self._connected(fact)
            case NumberConnected():
                now = self.at(fact.at).put(fact.contact_id, connected_at=fact.at, number=fact.number)
                return replace(now, consulted=fact.contact_id)
            case ConversationChanged():
                return replace(self.at(fact.at), mode=fact.mode)
            case PlacesChanged(contact_id=contact_id):
                now = self.at(fact.at)
                if fact.number:
                    return replace(now, agent=contact_id, colleague=now.consulted, consulted="")
                return replace(now, agent=contact_id, colleague=now.agent)
            case SegmentEnded():
                return self._ended(fact)
            case _:
                return self

    def at(self, now: int) -> "Timeline":
        """With the time up to ``now`` given to whoever was there."""
        elapsed = max(0, now - self.since)
        if not elapsed:
            return self if self.since else replace(self, since=now)
        told = replace(self, since=max(now, self.since))
        for contact_id, name in self._shares():
            before = told.stretches[contact_id]
            told = told.put(contact_id, **{name: getattr(before, name) + elapsed})
        talked = elapsed if self.agent and self.mode in TALKS else 0
        held = elapsed if self.agent and self.mode in HOLDS else 0
        return replace(told, talk_ms=told.talk_ms + talked, hold_ms=told.hold_ms + held)

    def closed(self, at: int) -> "tuple[SegmentRecord, ...]":
        """Every segment of a call that ended at ``at``."""
        return tuple(stretch.closed(at) for stretch in self.at(at).stretches.values())

    def _shares(self) -> list[tuple[str, str]]:
        """Which segments the present time belongs to, and as what."""
        mode = self.mode
        found = []
        if self.agent:
            found.append((self.agent, "talk_ms" if mode in TALKS else "hold_ms"))
        if self.consulted:
            with_customer = mode in {Conversation.CONFERENCE, Conversation.PRIVATE}
            found.append((self.consulted, "talk_ms" if with_customer else "consult_ms"))
        if self.colleague:
            talks = mode in TALKS or mode is Conversation.PRIVATE
            found.append((self.colleague, "talk_ms" if talks else "hold_ms"))
        return found

    def put(self, contact_id: str, **fields: object) -> "Timeline":
        """With these fields of one segment changed; a segment that is not there is not made."""
        present = self.stretches.get(contact_id or self.call_id)
        if present is None:
            return self
        return replace(self, stretches={**self.stretches, present.contact_id: replace(present, **fields)})

    def _opened(self, fact: SegmentOpened) -> "Timeline":
        queue_id = fact.target if fact.target_kind is TargetKind.QUEUE else ""
        stretch = Stretch(
            fact.contact_id, fact.kind, fact.parent_id, fact.at, fact.target_kind, fact.target, queue_id=queue_id
        )
        now = self.at(fact.at)
        return replace(now, stretches={**now.stretches, fact.contact_id: stretch})

    def _queued(self, fact: CallQueued) -> "Timeline":
        present = self.stretches.get(fact.contact_id or self.call_id)
        queued_at = fact.at if present is None or present.queued_at is None else present.queued_at
        return self.put(fact.contact_id, queue_id=fact.queue_id, queued_at=queued_at)

    def _connected(self, fact: CallConnected) -> "Timeline":
        contact_id = fact.contact_id or self.call_id
        now = self.at(fact.at).put(
            contact_id, connected_at=fact.at, agent_id=fact.agent_id, queue_id=fact.queue_id, number=""
        )
        if now.agent and now.agent != contact_id:
            return replace(now, consulted=contact_id)
        called = [each for each in now.stretches.values() if each.kind is SegmentKind.INTERNAL and each.parent_id]
        for each in called:
            if each.connected_at is None and each.ended_at is None:
                now = now.put(each.contact_id, connected_at=fact.at, agent_id=each.target)
                now = replace(now, colleague=each.contact_id)
        return replace(now, agent=contact_id, mode=Conversation.TALK)

    def _ended(self, fact: SegmentEnded) -> "Timeline":
        now = self.at(fact.at).put(fact.contact_id, ended_at=fact.at, result=fact.result)
        contact_id = fact.contact_id or self.call_id
        if contact_id == now.agent:
            follower = now.stretches.get(now.consulted)
            if follower is not None and follower.agent_id:
                return replace(now, agent=now.consulted, consulted="")
            return replace(now, agent="")
        if contact_id == now.consulted:
            return replace(now, consulted="")
        return replace(now, colleague="") if contact_id == now.colleague else now


def begin(arrived: CallArrived) -> Timeline:
    """The timeline of a call that just arrived, or that an agent just began."""
    kind = SegmentKind(arrived.direction)
    first = Stretch(arrived.call_id, kind, "", arrived.at)
    return Timeline(arrived.call_id, {arrived.call_id: first}, since=arrived.at)
