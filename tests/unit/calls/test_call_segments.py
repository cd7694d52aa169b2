"""Segments and targets: their times, their names, and that no number leaves the house unchecked."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from callcenter.calls.facts import (
    CallArrived,
    CallConnected,
    CallEnded,
    CallQueued,
    CallRecord,
    ConversationChanged,
    EndedBy,
    NumberConnected,
    Outcome,
    SegmentEnded,
    SegmentOpened,
)
from callcenter.calls.participants import Conversation
from callcenter.calls.record import fold
from callcenter.calls.segments import SegmentKind, SegmentResult, Target, TargetKind, call_of, segment_id
from callcenter.calls.targets import Directory, NoCallsOut
from callcenter.entries import decode, encode
from callcenter.ports import Allowed, Refused, TrunkPolicy

pytestmark = pytest.mark.unit

ARRIVED = CallArrived("c1", 1_000, "+1", "", "+2", "t", "x@y", "main")


class Rules:
    """Allows what begins with +1, and notes everything."""

    def __init__(self) -> None:
        self.checked: list[str] = []

    def check(self, agent_id: str, number: str, at: int) -> Allowed | Refused:
        del agent_id, at
        self.checked.append(number)
        return Allowed(number, TrunkPolicy(("t",))) if number.startswith("+1") else Refused("denied", "No.")


def test_transfer_consultation_and_handing_out_give_everybody_the_own_time() -> None:
    record = fold(
        (
            ARRIVED,
            CallQueued("c1", 2_000, "sales", 0, None),
            CallConnected("c1", 5_000, "o1", "anna", "sales"),
            ConversationChanged("c1", 15_000, Conversation.HELD),
            SegmentOpened("c1", 15_000, "c1.2", SegmentKind.CONSULT, "c1", "anna", TargetKind.AGENT, "ben"),
            CallConnected("c1", 18_000, "o2", "ben", "support", "c1.2"),
            ConversationChanged("c1", 18_000, Conversation.CONSULT),
            ConversationChanged("c1", 22_000, Conversation.CONFERENCE),
            SegmentEnded("c1", 30_000, "c1", SegmentResult.TRANSFERRED),
            ConversationChanged("c1", 30_000, Conversation.TALK),
            SegmentOpened("c1", 40_000, "c1.3", SegmentKind.TRANSFER, "c1.2", "ben", TargetKind.NUMBER, "+12"),
            ConversationChanged("c1", 40_000, Conversation.HELD),
            NumberConnected("c1", 41_000, "c1.3", "+12"),
            SegmentEnded("c1", 41_000, "c1.2", SegmentResult.TRANSFERRED),
            ConversationChanged("c1", 41_000, Conversation.PRIVATE),
            SegmentEnded("c1", 61_000, "c1.3", SegmentResult.COMPLETED),
            CallEnded("c1", 61_000, Outcome.ANSWERED, EndedBy.CUSTOMER),
        )
    )
    assert isinstance(record, CallRecord)
    parts = [(each.contact_id, each.talk_ms, each.hold_ms, each.consult_ms) for each in record.segments]
    assert parts == [("c1", 18_000, 7_000, 0), ("c1.2", 18_000, 1_000, 4_000), ("c1.3", 20_000, 0, 0)]
    assert (record.talk_ms, record.hold_ms, record.waited_ms, record.agent_id) == (28_000, 8_000, 3_000, "anna")
    assert [each.number for each in record.segments] == ["", "", "+12"]
    assert [each.parent_id for each in record.segments] == ["", "c1", "c1.2"]


def test_segments_are_named_after_their_call() -> None:
    assert [segment_id("c1", number) for number in (1, 2, 17)] == ["c1", "c1.2", "c1.17"]
    assert {call_of(segment_id("c1", number)) for number in (1, 2, 17)} == {"c1"}


def test_entries_of_a_journal_without_segments_read_as_the_first_one() -> None:
    old = {"call_id": "c1", "at": 5, "offer_id": "o1", "agent_id": "anna", "queue_id": "sales"}
    assert decode("call.connected", msgspec.msgpack.encode(old)) == CallConnected("c1", 5, "o1", "anna", "sales")
    arrived = {name: getattr(ARRIVED, name) for name in ARRIVED.__slots__ if name not in {"direction", "agent_id"}}
    assert decode("call.arrived", msgspec.msgpack.encode(arrived)) == ARRIVED
    assert decode(*encode(ARRIVED)) == ARRIVED


def test_what_a_phone_dials_is_a_colleague_a_queue_or_a_number() -> None:
    rules = Rules()
    directory = Directory({"anna": "sales", "boss": ""}, frozenset({"sales"}), rules)
    assert directory.resolve("ben", "", " anna ", 0) == Target(TargetKind.AGENT, "anna", "sales")
    assert directory.resolve("ben", "", "sales", 0) == Target(TargetKind.QUEUE, "sales", "sales")
    assert directory.resolve("ben", "", "+123", 0) == Target(TargetKind.NUMBER, "+123", policy=TrunkPolicy(("t",)))
    assert directory.resolve("ben", "", "+883", 0) == Refused("denied", "No.")
    assert rules.checked == ["+123", "+883"]


@given(st.sampled_from(["", "agent", "queue", "number", "else"]), st.text(max_size=20))
def test_no_text_becomes_a_number_without_the_rules(kind: str, text: str) -> None:
    rules = Rules()
    found = Directory({"anna": "sales"}, frozenset({"sales"}), rules).resolve("ben", kind, text, 0)
    if isinstance(found, Target) and found.kind is TargetKind.NUMBER:
        assert rules.checked == [text.strip()]
        assert found.policy is not None
    silent = Directory({"anna": "sales"}, frozenset({"sales"}), NoCallsOut()).resolve("ben", kind, text, 0)
    assert isinstance(silent, Refused) or silent.kind is not TargetKind.NUMBER
