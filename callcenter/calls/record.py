"""Folding a call's facts into its record. Pure: the same facts give the same record, live and after a restart."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar

import msgspec

from callcenter.calls.facts import (
    NOBODY_MISSED,
    CallArrived,
    CallConnected,
    CallEnded,
    CallFact,
    CallOffered,
    CallOfferFailed,
    CallQueued,
    CallRecord,
    CallStepTaken,
    CustomerIdentified,
    CustomerMatched,
    EndedBy,
    Outcome,
)
from callcenter.calls.timeline import Timeline, begin


class OpenRecord(msgspec.Struct):
    """A record in the making. ``take`` folds one more fact into it."""

    arrived: CallArrived
    timeline: Timeline
    last_at: int
    """Instant of the newest fact: the true last sign of life of a call whose end nobody saw."""
    first_queued_at: int | None = None
    queue_id: str | None = None
    language: str | None = None
    flow_path: tuple[str, ...] = ()
    match_state: str = "pending"
    customer_id: str | None = None
    connected_at: int | None = None
    agent_id: str | None = None
    offers: int = 0
    missed_offers: int = 0

    def take(self, fact: CallFact) -> None:
        """One more fact happened."""
        if fact.at > self.last_at:
            self.last_at = fact.at
        fold = self.FOLDS.get(type(fact))
        if fold is not None:
            fold(self, fact)

    def _step(self, fact: CallStepTaken) -> None:
        if fact.choice is not None:
            self.flow_path = (*self.flow_path, fact.choice)

    def _matched(self, fact: CustomerMatched) -> None:
        self.match_state = fact.state
        self.customer_id = fact.customer_ids[0] if fact.state == "one" else None

    def _identified(self, fact: CustomerIdentified) -> None:
        self.match_state, self.customer_id = "manual", fact.customer_id

    def _on_timeline(self, fact: CallFact) -> None:
        self.timeline.take(fact)

    def _queued(self, fact: CallQueued) -> None:
        self.timeline.take(fact)
        if not fact.contact_id:
            self.first_queued_at = fact.at if self.first_queued_at is None else self.first_queued_at
            self.queue_id, self.language = fact.queue_id, fact.language

    def _offered(self, _fact: CallOffered) -> None:
        self.offers += 1

    def _offer_failed(self, fact: CallOfferFailed) -> None:
        self.missed_offers += fact.cause not in NOBODY_MISSED

    def _connected(self, fact: CallConnected) -> None:
        self.timeline.take(fact)
        if self.connected_at is None:
            self.connected_at, self.agent_id, self.queue_id = fact.at, fact.agent_id, fact.queue_id

    FOLDS: ClassVar[Mapping[type, Callable[["OpenRecord", Any], None]]] = {
        **dict.fromkeys(Timeline.FOLDS, _on_timeline),
        CallStepTaken: _step,
        CustomerMatched: _matched,
        CustomerIdentified: _identified,
        CallQueued: _queued,
        CallOffered: _offered,
        CallOfferFailed: _offer_failed,
        CallConnected: _connected,
    }

    def closed(self, outcome: Outcome, ended_by: EndedBy, *, ended_at: int) -> CallRecord:
        """The finished record. Agent and queue are those of the first segment that was connected."""
        timeline = self.timeline
        timeline.pass_time(ended_at)
        waited_until = self.connected_at if self.connected_at is not None else ended_at
        return CallRecord(
            call_id=self.arrived.call_id,
            caller=self.arrived.caller,
            caller_name=self.arrived.caller_name,
            called=self.arrived.called,
            trunk_id=self.arrived.trunk_id,
            sip_call_id=self.arrived.sip_call_id,
            flow=self.arrived.flow,
            outcome=outcome,
            ended_by=ended_by,
            arrived_at=self.arrived.at,
            ended_at=ended_at,
            connected_at=self.connected_at,
            queue_id=self.queue_id,
            agent_id=self.agent_id,
            language=self.language,
            flow_path=self.flow_path,
            match_state=self.match_state,
            customer_id=self.customer_id,
            waited_ms=0 if self.first_queued_at is None else waited_until - self.first_queued_at,
            talk_ms=timeline.talk_ms,
            offers=self.offers,
            missed_offers=self.missed_offers,
            direction=self.arrived.direction,
            diverted_from=self.arrived.diverted_from,
            hold_ms=timeline.hold_ms,
            segments=timeline.closed(ended_at),
        )


def open_record(arrived: CallArrived) -> OpenRecord:
    """The record of a call that just arrived."""
    return OpenRecord(arrived, begin(arrived), arrived.at)


def fold(facts: Iterable[CallFact]) -> OpenRecord | CallRecord | None:
    """One call's facts folded: a finished record when its end is among them, ``None`` when its arrival is not."""
    record: OpenRecord | None = None
    for fact in facts:
        if isinstance(fact, CallArrived):
            record = open_record(fact)
        elif record is not None and isinstance(fact, CallEnded):
            return record.closed(fact.outcome, fact.ended_by, ended_at=fact.at)
        elif record is not None:
            record.take(fact)
    return record
