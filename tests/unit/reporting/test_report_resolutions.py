"""First-contact resolution: weeks of one customer counted by hand."""

import pytest

from acd.events import Channel
from callcenter.calls.facts import CallArrived, CallClosed, CallCorrected, CallRecord, EndedBy, Outcome, WrapUpRecorded
from callcenter.channels.facts import ItemClosed, ItemRecord, ItemResult
from callcenter.code_meanings import CodesConfigured, WrapUpMeaning
from callcenter.reporting.book import Grain
from callcenter.reporting.postings import of_agent, of_queue
from callcenter.reporting.report import Wanted, report
from tests.support.written_journal import NINE, WrittenJournal

pytestmark = pytest.mark.unit

HOUR, DAY = 3_600_000, 86_400_000


def record(call_id: str, at: int, *, customer: str | None = "7", outcome: Outcome = Outcome.ANSWERED,
           direction: str = "inbound", flow: str = "main", caller: str = "+1") -> CallRecord:  # fmt: skip
    """A call of one minute."""
    agent = "anna" if outcome is Outcome.ANSWERED else None
    return CallRecord(
        call_id, caller, "", "", "", "", flow, outcome, EndedBy.CUSTOMER, NINE + at, NINE + at + 60_000, NINE + at,
        "sales", agent, None, (), "one", customer, 0, 60_000, 1, 0, direction,
    )  # fmt: skip


class Customer:
    """A journal of somebody who calls."""

    def __init__(self) -> None:
        self.journal = WrittenJournal()
        self.journal.floor(0, "anna")
        self.count = 0

    def calls(self, at: int, code: str = "", **fields: object) -> str:
        self.count += 1
        call_id = f"c{self.count}"
        self.journal.write(at, CallArrived(call_id, NINE + at, "+1", "", "", "", "", "main"))
        self.journal.write(at + 60_000, CallClosed(call_id, NINE + at + 60_000, record(call_id, at, **fields)))  # type: ignore[arg-type]
        if code:
            self.journal.write(at + 61_000, WrapUpRecorded(call_id, NINE + at + 61_000, "anna", code, "", 1))
        return call_id

    def writes(self, at: int, parent: str = "") -> None:
        item = ItemRecord("m", Channel.MESSAGE, "+1", "", "", "sales", "", "en", parent, ItemResult.HANDLED, NINE + at,
                          None, NINE + at, 0, "one", "7")  # fmt: skip
        self.journal.write(at, ItemClosed("m", NINE + at, "", item))

    def figures(self, until: int = 40 * DAY) -> dict[str, object]:
        self.journal.floor(until, "anna")
        found = report(self.journal.rows)
        agent, queue = (
            next(line.values for line in found.lines if line.subject == subject)
            for subject in (of_agent("anna"), of_queue("sales"))
        )
        assert {name: queue[name] for name in queue if name.startswith("fcr")} == {
            name: agent[name] for name in agent if name.startswith("fcr")
        }
        return agent


def test_a_call_again_after_three_days_is_within_seven_and_thirty_and_not_within_one() -> None:
    ada = Customer()
    ada.calls(0)
    ada.calls(3 * DAY)
    found = ada.figures()
    assert [found[f"fcr_{days}d_contacts"] for days in (1, 7, 30)] == [2, 2, 2]
    assert [found[f"fcr_{days}d"] for days in (1, 7, 30)] == [1.0, 0.5, 0.5]


def test_what_is_not_decided_yet_does_not_count() -> None:
    ada = Customer()
    ada.calls(0)
    found = ada.figures(until=5 * DAY)
    assert [found[f"fcr_{days}d_contacts"] for days in (1, 7, 30)] == [1, 0, 0]
    assert (found["fcr_1d"], found["fcr_7d"]) == (1.0, None)


def test_a_call_that_is_still_up_may_be_another_try() -> None:
    ada = Customer()
    ada.calls(0)
    ada.journal.write(23 * HOUR, CallArrived("late", NINE + 23 * HOUR, "+1", "", "", "", "", "main"))
    assert ada.figures(until=26 * HOUR)["fcr_1d_contacts"] == 0


def test_the_last_instant_of_the_days_is_within_and_the_next_is_not() -> None:
    for late, share in ((0, 0.5), (1, 1.0)):
        ada = Customer()
        ada.calls(0)
        ada.calls(60_000 + DAY + late)
        assert ada.figures()["fcr_1d"] == share


def test_giving_up_is_another_try_and_what_we_begin_is_none() -> None:
    tried, called = Customer(), Customer()
    tried.calls(0)
    tried.calls(HOUR, outcome=Outcome.ABANDONED)
    called.calls(0)
    called.calls(HOUR, direction="outbound")
    found = tried.figures()
    assert (found["fcr_1d"], found["fcr_1d_contacts"]) == (0.0, 1), "what nobody dealt with is no contact of its own"
    assert called.figures()["fcr_1d"] == 1.0


def test_another_channel_counts_for_any_and_not_for_the_same() -> None:
    ada = Customer()
    ada.calls(0)
    ada.writes(HOUR)
    found = ada.figures()
    assert (found["fcr_1d"], found["fcr_1d_same_channel"]) == (0.0, 1.0)


def test_a_message_that_came_of_the_call_is_the_same_contact() -> None:
    ada = Customer()
    ada.writes(HOUR, parent=ada.calls(0))
    assert ada.figures()["fcr_1d"] == 1.0


def test_another_issue_by_wrap_up_code_is_another_contact_and_issues_may_be_shared() -> None:
    other, same = Customer(), Customer()
    for ada, meanings in (
        (other, ()),
        (same, (WrapUpMeaning("bill", issue="money"), WrapUpMeaning("fee", issue="money"))),
    ):
        ada.journal.write(0, CodesConfigured(NINE, (), meanings))
        ada.calls(0, "bill")
        ada.calls(HOUR, "fee")
    assert (other.figures()["fcr_1d"], same.figures()["fcr_1d"]) == (1.0, 0.5)


def test_without_codes_the_flow_tells_issues_apart() -> None:
    ada = Customer()
    ada.calls(0, flow="orders")
    ada.calls(HOUR, flow="repairs")
    assert ada.figures()["fcr_1d"] == 1.0


def test_a_number_stands_for_who_is_not_known_and_an_erased_one_for_nobody() -> None:
    ada = Customer()
    ada.calls(0, customer=None)
    ada.calls(HOUR, customer=None)
    assert ada.figures()["fcr_1d"] == 0.5
    gone = Customer()
    gone.calls(0, customer=None, caller="erased")
    gone.calls(HOUR, customer=None, caller="erased")
    assert gone.figures()["fcr_1d_contacts"] == 0


def test_who_turns_out_to_be_somebody_else_counts_there() -> None:
    ada = Customer()
    ada.calls(0)
    second = ada.calls(HOUR, customer="8")
    ada.journal.write(2 * HOUR, CallCorrected(second, NINE + 2 * HOUR, record(second, HOUR)))
    assert ada.figures()["fcr_1d"] == 0.5


def test_it_counts_in_the_interval_in_which_the_contact_ended() -> None:
    ada = Customer()
    ada.calls(0)
    ada.journal.floor(40 * DAY, "anna")
    lines = report(ada.journal.rows, Wanted(grain=Grain.DAY)).lines
    counted = [line.values["fcr_30d_contacts"] for line in lines if line.subject == of_agent("anna")]
    assert counted[0] == 1 == sum(counted)  # type: ignore[arg-type]


def test_what_was_said_before_the_call_was_over_is_what_it_was_about() -> None:
    """As with a survey: the agent wraps up while the customer is still on the line."""
    ada = Customer()
    ada.journal.write(0, CodesConfigured(NINE, (), (WrapUpMeaning("sold"), WrapUpMeaning("fault"))))
    ada.journal.write(0, CallArrived("c9", NINE, "+1", "", "", "", "", "main"))
    ada.journal.write(30_000, WrapUpRecorded("c9", NINE + 30_000, "anna", "sold", "", 1))
    ada.journal.write(60_000, CallClosed("c9", NINE + 60_000, record("c9", 0)))
    ada.calls(HOUR, code="fault")
    assert ada.figures()["fcr_1d"] == 1.0, "about something else"


def test_whom_nobody_knew_at_first_counts_as_who_it_was() -> None:
    ada = Customer()
    first = ada.calls(0, customer=None, caller="")
    ada.journal.write(70_000, CallCorrected(first, NINE + 70_000, record(first, 0, caller="")))
    ada.calls(HOUR)
    found = ada.figures()
    assert (found["fcr_1d_contacts"], found["fcr_1d"]) == (2, 0.5)
