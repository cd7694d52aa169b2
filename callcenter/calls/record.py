"""Folding a call's facts into its record. Pure: the same facts give the same record, live and after a restart."""

from collections.abc import Iterable

import msgspec
from msgspec.structs import replace

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

NO_TIMELINE = Timeline("")


class OpenRecord(msgspec.Struct, frozen=True):
    """A record in the making."""

    arrived: CallArrived
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
    timeline: Timeline = NO_TIMELINE

    def with_fact(self, fact: CallFact) -> "OpenRecord":
        """This record after one more fact."""
        seen = replace(self, last_at=max(self.last_at, fact.at), timeline=self.timeline.with_fact(fact))
        match fact:
            case CallStepTaken(choice=str() as choice):
                return replace(seen, flow_path=(*seen.flow_path, choice))
            case CustomerMatched(state=state, customer_ids=ids):
                return replace(seen, match_state=state, customer_id=ids[0] if state == "one" else None)
            case CustomerIdentified(customer_id=customer_id):
                return replace(seen, match_state="manual", customer_id=customer_id)
            case CallQueued(contact_id=""):
                first = seen.first_queued_at if seen.first_queued_at is not None else fact.at
                return replace(seen, first_queued_at=first, queue_id=fact.queue_id, language=fact.language)
            case CallOffered():
                return replace(seen, offers=seen.offers + 1)
            case CallOfferFailed(cause=cause) if cause not in NOBODY_MISSED:
                return replace(seen, missed_offers=seen.missed_offers + 1)
            case CallConnected() if seen.connected_at is None:
                return replace(seen, connected_at=fact.at, agent_id=fact.agent_id, queue_id=fact.queue_id)
            case _:
                return seen

    def closed(self, outcome: Outcome, ended_by: EndedBy, *, ended_at: int) -> CallRecord:
        """The finished record. Agent and queue are those of the first segment that was connected."""
        timeline = self.timeline.at(ended_at)
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
    return OpenRecord(arrived=arrived, last_at=arrived.at, timeline=begin(arrived))


def fold(facts: Iterable[CallFact]) -> OpenRecord | CallRecord | None:
    """One call's facts folded: a finished record when its end is among them, ``None`` when its arrival is not."""
    record: OpenRecord | None = None
    for fact in facts:
        if isinstance(fact, CallArrived):
            record = open_record(fact)
        elif record is not None and isinstance(fact, CallEnded):
            return record.closed(fact.outcome, fact.ended_by, ended_at=fact.at)
        elif record is not None:
            record = record.with_fact(fact)
    return record
