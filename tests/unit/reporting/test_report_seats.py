"""Times of agents: every instant in one state, over boundaries, retirements and days of 23 and 25 hours."""

from dataclasses import replace
from zoneinfo import ZoneInfo

import msgspec
import pytest

from acd.engine import Acd
from acd.events import (
    AgentMadeNotReady,
    AgentMadeReady,
    AgentSignedIn,
    AgentSignedOut,
    AgentSpec,
    ContactArrived,
    ContactFinished,
    FloorConfigured,
    OfferAccepted,
    QueueSpec,
    WrapUpFinished,
)
from acd.ids import AgentId, ContactId, OfferId, QueueId
from callcenter.calls.facts import RoutingSnapshot
from callcenter.reporting.book import Grain
from callcenter.reporting.intervals import INTERVAL_MS
from callcenter.reporting.metrics import Value
from callcenter.reporting.postings import of_agent, of_queue
from callcenter.reporting.report import Report, Wanted, report
from tests.support.written_journal import NINE, WrittenJournal, instant

pytestmark = pytest.mark.unit

Q = INTERVAL_MS
MINUTE = 60_000
HOUR = 3_600_000
ANNA = AgentId("anna")


def values(found: Report, agent: str = "anna") -> list[dict[str, Value]]:
    return [line.values for line in found.lines if line.subject == of_agent(agent)]


def worked() -> WrittenJournal:
    """anna rings from minute 10, talks from 10:05 to minute 20, wraps up until minute 35 and pauses."""
    journal = WrittenJournal()
    journal.floor(0, "anna", wrap_up_ms=HOUR)
    journal.route(0, AgentSignedIn(ANNA))
    journal.route(MINUTE, AgentMadeNotReady(ANNA, "lunch"))
    journal.route(5 * MINUTE, AgentMadeReady(ANNA))
    journal.queued(10 * MINUTE, "c")
    journal.route(10 * MINUTE, ContactArrived(ContactId("c"), QueueId("sales"), NINE + 10 * MINUTE))
    journal.route(10 * MINUTE + 5_000, OfferAccepted(OfferId("o1")))
    journal.connected(10 * MINUTE + 5_000, "c")
    journal.ended(20 * MINUTE, "c")
    journal.route(20 * MINUTE, ContactFinished(ContactId("c")))
    journal.route(35 * MINUTE, WrapUpFinished(ANNA))
    journal.route(40 * MINUTE, AgentMadeNotReady(ANNA, "break"))
    journal.route(50 * MINUTE, AgentSignedOut(ANNA))
    return journal


def test_durations_are_split_on_the_boundary_and_closed_in_the_last_interval() -> None:
    first, second, third, fourth = values(report(worked().rows, Wanted(grain=Grain.INTERVAL)))
    assert first["time_by_state_split"] == {
        "not_ready": 5 * MINUTE,
        "offered": 5_000,
        "busy": 5 * MINUTE - 5_000,
        "ready": 5 * MINUTE,
    }
    assert second["time_by_state_split"] == {"busy": 5 * MINUTE, "wrap_up": 10 * MINUTE}
    assert second["time_by_state_closed"] == {"busy": 10 * MINUTE - 5_000}
    assert third["time_by_state_split"] == {"wrap_up": 5 * MINUTE, "ready": 5 * MINUTE, "not_ready": 5 * MINUTE}
    assert third["time_by_state_closed"] == {"wrap_up": 15 * MINUTE, "ready": 5 * MINUTE}
    assert fourth["time_by_state_closed"] == {"not_ready": 10 * MINUTE}
    assert first["not_ready_by_reason_split"] == {"lunch": 4 * MINUTE, "signed_in": MINUTE}
    assert third["not_ready_by_reason_split"] == {"break": 5 * MINUTE}
    assert fourth["not_ready_by_reason_closed"] == {"break": 10 * MINUTE}
    assert [each["handled"] for each in (first, second, third, fourth)] == [0, 0, 1, 0]
    assert third["aht"] == 25 * MINUTE - 5_000
    assert (second["wrap_up_split"], third["wrap_up_split"], third["wrap_up_closed"]) == (
        10 * MINUTE,
        5 * MINUTE,
        15 * MINUTE,
    )


def test_shares_of_time_have_the_denominators_that_their_names_say() -> None:
    (whole,) = values(report(worked().rows))
    busy = 10 * MINUTE - 5_000 + 15 * MINUTE
    assert whole["occupancy"] == busy / (busy + 10 * MINUTE)
    assert whole["occupancy_with_ringing"] == (busy + 5_000) / (busy + 5_000 + 10 * MINUTE)
    assert whole["utilization_of_signed_in"] == busy / (50 * MINUTE)
    assert whole["contacts_per_hour"] == 60 / 50
    assert (whole["offers"], whole["offers_accepted"], whole["rona_rate"]) == (1, 1, 0.0)


def test_an_offer_that_rings_out_counts_for_agent_and_queue() -> None:
    journal = WrittenJournal()
    journal.floor(0, "anna")
    journal.route(0, AgentSignedIn(ANNA))
    journal.route(0, AgentMadeReady(ANNA))
    journal.route(MINUTE, ContactArrived(ContactId("c"), QueueId("sales"), NINE + MINUTE))
    journal.route(5 * MINUTE, AgentSignedOut(ANNA))
    found = report(journal.rows)
    for subject in (of_agent("anna"), of_queue("sales")):
        line = next(line.values for line in found.lines if line.subject == subject)
        assert (line["offers"], line["offers_expired"], line["rona_rate"]) == (1, 1, 1.0)
    assert values(found)[0]["not_ready_by_reason_split"] == {"no_answer": 4 * MINUTE - 20_000}


def test_wrap_up_of_a_contact_that_was_never_connected_is_time_but_no_handling() -> None:
    journal = WrittenJournal()
    journal.floor(0, "anna", wrap_up_ms=MINUTE)
    journal.route(0, AgentSignedIn(ANNA))
    journal.route(0, AgentMadeReady(ANNA))
    journal.route(1_000, ContactArrived(ContactId("c"), QueueId("sales"), NINE + 1_000))
    journal.route(2_000, OfferAccepted(OfferId("o1")))
    journal.route(2_001, ContactFinished(ContactId("c")))
    journal.route(5 * MINUTE, AgentSignedOut(ANNA))
    (whole,) = values(report(journal.rows))
    assert (whole["handled"], whole["wrap_up_split"], whole["aht"]) == (0, 0, None)
    assert whole["time_by_state_split"]["wrap_up"] == MINUTE  # type: ignore[index, call-overload]


def test_time_ends_with_the_seat_of_an_agent_who_is_no_longer_configured() -> None:
    journal = WrittenJournal()
    journal.floor(0, "anna", "ben")
    journal.route(0, AgentSignedIn(ANNA))
    journal.floor(10 * MINUTE, "chen")
    journal.floor(30 * MINUTE, "anna", "chen")
    journal.floor(40 * MINUTE, "anna", "chen")
    found = report(journal.rows)
    for agent, minutes in (("anna", 20), ("ben", 10), ("chen", 30)):
        (whole,) = values(found, agent)
        assert sum(whole["time_by_state_split"].values()) == minutes * MINUTE  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("first", "last", "hours"),
    [("2026-03-28T00:00+01:00", "2026-03-31T00:00+02:00", [24, 23, 24]),
     ("2026-10-24T00:00+02:00", "2026-10-27T00:00+01:00", [24, 25, 24])],
)  # fmt: skip
def test_times_add_up_on_days_of_23_and_25_hours(first: str, last: str, hours: list[int]) -> None:
    start, end = instant(first), instant(last)
    journal = WrittenJournal(start)
    journal.floor(0, "anna")
    at = 0
    while at < end - start:
        journal.route(at, AgentSignedIn(ANNA))
        journal.route(at + 7 * MINUTE, AgentMadeReady(ANNA))
        journal.route(at + 95 * MINUTE, AgentMadeNotReady(ANNA, "break"))
        journal.route(at + 101 * MINUTE, AgentSignedOut(ANNA))
        at += 110 * MINUTE
    journal.floor(max(at, end - start), "anna")
    wanted = Wanted(start, end, Grain.DAY, ZoneInfo("Europe/Berlin"))
    days = values(report(journal.rows, wanted))
    assert [sum(day["time_by_state_split"].values()) for day in days] == [each * HOUR for each in hours]  # type: ignore[union-attr]
    quarters = values(report(journal.rows, Wanted(start, end, Grain.INTERVAL)))
    assert len(quarters) == 4 * sum(hours)
    assert all(sum(each["time_by_state_split"].values()) == Q for each in quarters)  # type: ignore[union-attr]


def test_a_decision_that_comes_out_otherwise_is_counted() -> None:
    rows = worked().rows
    assert report(rows).divergences == 0
    other = [
        replace(row, entry=msgspec.structs.replace(row.entry, agent_id=AgentId("ben")))
        if row.kind == "offer.made"
        else row
        for row in rows
    ]
    assert report(other).divergences == 1
    without = [row for row in rows if row.kind != "agent.made_ready"]
    found = report(without)
    assert found.divergences > 0
    assert found.missing == 1


def test_a_snapshot_of_a_newer_engine_is_passed_over() -> None:
    journal = WrittenJournal()
    journal.floor(0, "anna")
    journal.route(0, AgentSignedIn(ANNA))
    journal.write(MINUTE, RoutingSnapshot(NINE + MINUTE, {"version": 10_000}, {}))
    journal.route(2 * MINUTE, AgentMadeReady(ANNA))
    journal.route(3 * MINUTE, AgentSignedOut(ANNA))
    (whole,) = values(report(journal.rows))
    assert whole["time_by_state_split"] == {"not_ready": 2 * MINUTE, "ready": MINUTE}


def test_a_journal_whose_beginning_was_cut_off_goes_on_from_its_snapshot() -> None:
    engine = Acd()
    engine.receive(FloorConfigured((QueueSpec(QueueId("sales"), "Sales"),), (AgentSpec(ANNA, "Anna", ()),)), now=NINE)
    engine.receive(AgentSignedIn(ANNA), now=NINE)
    journal = WrittenJournal()
    journal.write(0, RoutingSnapshot(NINE, dict(engine.snapshot()), {}))
    journal.write(MINUTE, AgentMadeReady(ANNA))
    journal.write(3 * MINUTE, AgentSignedOut(ANNA))
    journal.write(3 * MINUTE, FloorConfigured((), (AgentSpec(ANNA, "Anna", ()),)))
    (whole,) = values(report([replace(row, seq=row.seq + 500) for row in journal.rows]))
    assert whole["time_by_state_split"] == {"not_ready": MINUTE, "ready": 2 * MINUTE}
