"""Consultations: a call counted by hand, with and without them in the handle time."""

import pytest

from acd.events import AgentSignedIn
from acd.ids import AgentId
from callcenter.calls.facts import CallConnected, CallHeld, ConversationChanged, SegmentEnded, SegmentOpened
from callcenter.calls.participants import Conversation
from callcenter.calls.segments import SegmentKind, SegmentResult, TargetKind
from callcenter.reporting.book import Grain
from callcenter.reporting.postings import Subject, of_agent, of_queue
from callcenter.reporting.report import Wanted, report
from tests.support.written_journal import NINE, WrittenJournal

pytestmark = pytest.mark.unit

MINUTE = 60_000


def call(*, end: str) -> WrittenJournal:
    """anna talks from minute 1, asks ben from minute 10 to 20, talks with both to 22; then ``end``s."""
    journal = WrittenJournal()
    journal.floor(0, "anna", "ben")
    for agent in ("anna", "ben"):
        journal.route(0, AgentSignedIn(AgentId(agent)))
    journal.queued(0, "c")
    journal.connected(MINUTE, "c")

    def at(minute: int) -> int:
        return NINE + minute * MINUTE

    journal.write(8 * MINUTE, CallHeld("c", at(8), "c", "anna"))
    journal.write(
        8 * MINUTE, SegmentOpened("c", at(8), "c.2", SegmentKind.CONSULT, "c", "anna", TargetKind.AGENT, "ben")
    )
    journal.write(8 * MINUTE, ConversationChanged("c", at(8), Conversation.HELD))
    journal.write(10 * MINUTE, CallConnected("c", at(10), "", "ben", "", "c.2"))
    journal.write(10 * MINUTE, ConversationChanged("c", at(10), Conversation.CONSULT))
    journal.write(20 * MINUTE, ConversationChanged("c", at(20), Conversation.CONFERENCE))
    if end == "leaves":
        journal.write(22 * MINUTE, SegmentEnded("c", at(22), "c.2", SegmentResult.COMPLETED))
    else:
        journal.write(22 * MINUTE, SegmentEnded("c", at(22), "", SegmentResult.TRANSFERRED))
    journal.ended(30 * MINUTE, "c")
    return journal


def values(journal: WrittenJournal, subject: Subject) -> dict[str, object]:
    (line,) = [line for line in report(journal.rows).lines if line.subject == subject]
    return line.values


def test_ten_minutes_of_asking_are_the_askers_and_the_asked_ones() -> None:
    journal = call(end="leaves")
    anna, ben = values(journal, of_agent("anna")), values(journal, of_agent("ben"))
    sales = values(journal, of_queue("sales"))
    assert (anna["consultations"], ben["consultations"], ben["consulted"]) == (1, 0, 1)
    assert (anna["consulting_split"], sales["consulting_split"], ben["consulted_split"]) == (10 * MINUTE,) * 3
    assert (anna["talk_closed"], anna["aht"]) == (29 * MINUTE, 29 * MINUTE)
    assert anna["aht_without_consultation"] == 19 * MINUTE
    assert (ben["handled"], ben["handled_consulted"], ben["aht"]) == (1, 1, 12 * MINUTE)
    assert ben["aht_without_consultation"] is None, "of being asked alone there is no handle time"


def test_who_gets_the_customer_has_handled_one() -> None:
    journal = call(end="completes")
    ben, anna = values(journal, of_agent("ben")), values(journal, of_agent("anna"))
    assert (anna["transferred_consulted"], anna["transferred_blind"], anna["transferred_to_queue"]) == (1, 0, 0)
    assert (ben["handled"], ben["handled_consulted"]) == (1, 0)
    assert (ben["consulted_closed"], ben["aht"], ben["aht_without_consultation"]) == (
        10 * MINUTE,
        20 * MINUTE,
        10 * MINUTE,
    )


def test_it_is_split_on_the_boundary_and_closed_where_the_conversation_is() -> None:
    lines = report(call(end="leaves").rows, Wanted(grain=Grain.INTERVAL)).lines
    anna = [line.values for line in lines if line.subject == of_agent("anna")]
    assert [each["consulting_split"] for each in anna] == [5 * MINUTE, 5 * MINUTE, 0]
    assert [each["consulting_closed"] for each in anna] == [0, 0, 10 * MINUTE]
