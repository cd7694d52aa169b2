"""The record is a fold: the same facts give the same record, live and after a restart."""

import pytest

from callcenter.calls.facts import (
    CallArrived,
    CallConnected,
    CallEnded,
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
from callcenter.calls.record import OpenRecord, fold

pytestmark = pytest.mark.unit

ARRIVED = CallArrived("c1", 1_000, "+12025550123", "Ann", "+12025550100", "demo", "x@y", "main")
STORY = (
    ARRIVED,
    CallStepTaken("c1", 1_200, "language", None),
    CustomerMatched("c1", 1_250, "one", ("42",), "Ann"),
    CallStepTaken("c1", 2_000, "menu", "English"),
    CallStepTaken("c1", 3_000, "sales", "Sales"),
    CallQueued("c1", 3_000, "sales", 0, "en"),
    CallOffered("c1", 4_000, "o1", "anna", 24_000),
    CallOfferFailed("c1", 24_000, "o1", "anna", "expired"),
    CallOffered("c1", 24_001, "o2", "ben", 44_000),
    CallConnected("c1", 30_000, "o2", "ben", "sales"),
    CallEnded("c1", 90_000, Outcome.ANSWERED, EndedBy.CUSTOMER),
)


def test_answered_call_folds_to_its_record() -> None:
    record = fold(STORY)
    assert isinstance(record, CallRecord)
    assert (record.waited_ms, record.talk_ms) == (27_000, 60_000)
    assert (record.offers, record.missed_offers) == (2, 1)
    assert record.flow_path == ("English", "Sales")
    assert (record.agent_id, record.queue_id, record.customer_id) == ("ben", "sales", "42")


def test_call_without_an_end_keeps_the_instant_of_its_last_fact() -> None:
    record = fold(STORY[:-1])
    assert isinstance(record, OpenRecord)
    closed = record.closed(Outcome.SYSTEM_RESTART, EndedBy.SYSTEM, ended_at=record.last_at)
    assert closed.ended_at == 30_000
    assert closed.talk_ms == 0


def test_abandoned_call_waited_until_its_end() -> None:
    record = fold((*STORY[:6], CallEnded("c1", 10_000, Outcome.ABANDONED, EndedBy.CUSTOMER)))
    assert isinstance(record, CallRecord)
    assert (record.waited_ms, record.talk_ms, record.connected_at) == (7_000, 0, None)


def test_several_matches_choose_nobody_until_the_agent_does() -> None:
    many = (ARRIVED, CustomerMatched("c1", 1_100, "many", ("1", "2")))
    record = fold(many)
    assert isinstance(record, OpenRecord)
    assert record.customer_id is None
    told = fold((*many, CustomerIdentified("c1", 1_200, "2", "anna")))
    assert isinstance(told, OpenRecord)
    assert (told.match_state, told.customer_id) == ("manual", "2")
