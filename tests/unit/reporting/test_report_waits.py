"""Counts, service levels and waits of hand-written journals, to the millisecond."""

import pytest

from acd.events import AgentMadeReady, AgentSignedIn, Channel, ContactArrived, ContactFinished, OfferAccepted
from acd.ids import AgentId, ContactId, OfferId, QueueId
from callcenter.calls.facts import CallHeld, CallOverflowed, CallResumed, Outcome
from callcenter.reporting.book import Grain
from callcenter.reporting.intervals import INTERVAL_MS
from callcenter.reporting.metrics import Value
from callcenter.reporting.postings import Rules, of_queue
from callcenter.reporting.report import RunningReport, Target, Wanted, report
from callcenter.reporting.statistics import Statistics
from callcenter.service_targets import ServiceTarget, TargetsConfigured
from tests.support.written_journal import NINE, WrittenJournal

pytestmark = pytest.mark.unit

Q = INTERVAL_MS
GONE = Outcome.ABANDONED


def figures(journal: WrittenJournal, *, queue: str = "sales", rules: Rules | None = None) -> list[dict[str, Value]]:
    """A queue's figures in each interval."""
    found = report(journal.rows, Wanted(grain=Grain.INTERVAL, rules=rules or Rules()))
    return [line.values for line in found.lines if line.subject == of_queue(queue)]


def shown(values: dict[str, Value], *names: str) -> tuple[Value, ...]:
    return tuple(values[name] for name in names)


@pytest.fixture
def journal() -> WrittenJournal:
    written = WrittenJournal()
    written.floor(0, "anna", queues=("sales", "support"))
    return written


def test_the_service_levels_differ_where_their_denominators_do(journal: WrittenJournal) -> None:
    """Ten offered: 4 answered in target, 2 late; gone after 2 s, 10 s and 30 s; one lost."""
    for number, wait in enumerate((1_000, 5_000, 10_000, 20_000, 20_001, 60_000)):
        journal.queued(1_000, f"answered-{number}")
        journal.connected(1_000 + wait, f"answered-{number}")
        journal.ended(200_000, f"answered-{number}")
    for number, wait in enumerate((2_000, 10_000, 30_000)):
        journal.queued(1_000, f"gone-{number}")
        journal.ended(1_000 + wait, f"gone-{number}", GONE)
    journal.queued(1_000, "lost")
    journal.ended(90_000, "lost", Outcome.FAILED)
    (values,) = figures(journal)
    assert shown(values, "offered", "answered", "abandoned", "short_abandoned", "flowed_out", "lost") == (
        10, 6, 2, 1, 1, 1,
    )  # fmt: skip
    assert shown(values, *(f"service_level_{variant}" for variant in ("a", "b", "c", "d", "d_flow", "e"))) == (
        4 / 10, 4 / 6, (4 + 2) / 9, 4 / 8, 4 / 9, 4 / 7,
    )  # fmt: skip
    assert shown(values, "asa", "time_to_abandon", "max_wait") == (116_001 / 6, 42_000 / 3, 89_000)
    assert shown(values, "abandon_rate", "abandon_rate_without_short") == (3 / 10, 2 / 9)


@pytest.mark.parametrize(("wait", "levels"), [(20_000, (1.0, 1.0)), (20_001, (0.0, 0.0))])
def test_a_wait_of_exactly_the_target_is_in_the_target(
    journal: WrittenJournal, wait: int, levels: tuple[float, float]
) -> None:
    journal.queued(0, "c")
    journal.connected(wait, "c")
    assert shown(figures(journal)[0], "service_level_a", "service_level_b") == levels


@pytest.mark.parametrize(("wait", "counts"), [(4_999, (0, 1)), (5_000, (1, 0))])
def test_leaving_at_exactly_the_limit_is_not_short(journal: WrittenJournal, wait: int, counts: tuple[int, int]) -> None:
    journal.queued(0, "c")
    journal.ended(wait, "c", GONE)
    assert shown(figures(journal)[0], "abandoned", "short_abandoned") == counts


def test_each_event_counts_in_its_own_interval_and_service_level_a_in_that_of_entry(journal: WrittenJournal) -> None:
    journal.queued(Q - 5_000, "c")
    journal.connected(Q + 5_000, "c")
    journal.ended(2 * Q + 1, "c")
    first, second, third = figures(journal)
    names = ("offered", "answered", "in_progress", "service_level_a", "service_level_b", "max_wait", "asa")
    assert shown(first, *names) == (1, 0, 1, 1.0, None, 5_000, None)
    assert shown(second, *names) == (0, 1, 0, None, 1.0, 10_000, 10_000)
    assert shown(third, "offered", "answered", "in_progress", "talk_split") == (0, 0, 0, 1)


def test_a_contact_answered_on_the_boundary_was_in_progress_when_the_interval_ended(journal: WrittenJournal) -> None:
    journal.queued(1, "c")
    journal.connected(Q, "c")
    journal.ended(Q + 1, "c")
    first, second = figures(journal)
    assert shown(first, "offered", "answered", "in_progress", "mean_queue") == (1, 0, 1, (Q - 1) / Q)
    assert shown(second, "offered", "answered", "in_progress", "max_wait") == (0, 1, 0, 0)


def test_who_comes_back_to_the_same_queue_keeps_the_place_and_is_offered_once(journal: WrittenJournal) -> None:
    journal.queued(0, "c")
    journal.queued(30_000, "c")
    journal.connected(40_000, "c")
    assert shown(figures(journal)[0], "offered", "flowed_out", "asa") == (1, 0, 40_000)


def test_who_goes_to_another_queue_flows_out_of_the_one_and_is_offered_in_the_other(journal: WrittenJournal) -> None:
    journal.queued(0, "c")
    journal.queued(30_000, "c", "support")
    journal.connected(40_000, "c", queue_id="support")
    assert shown(figures(journal)[0], "offered", "flowed_out", "lost", "answered") == (1, 1, 0, 0)
    assert shown(figures(journal, queue="support")[0], "offered", "answered", "asa") == (1, 1, 10_000)


def test_who_goes_to_another_queue_after_a_talk_is_transferred(journal: WrittenJournal) -> None:
    journal.queued(0, "c")
    journal.connected(10_000, "c")
    journal.queued(30_000, "c", "support")
    journal.ended(40_000, "c", GONE)
    assert shown(figures(journal)[0], "answered", "transferred", "handled", "transfer_rate", "talk_closed") == (
        1, 1, 1, 1.0, 20_000,
    )  # fmt: skip
    assert shown(figures(journal, queue="support")[0], "offered", "abandoned") == (1, 1)


def test_who_leaves_in_the_instant_of_the_answer_has_abandoned(journal: WrittenJournal) -> None:
    """Nobody was bridged: the agent's phone had answered, and routing had assigned the contact."""
    journal.queued(0, "c")
    journal.ended(12_000, "c", GONE)
    assert shown(figures(journal)[0], "answered", "abandoned", "handled") == (0, 1, 0)


def test_the_end_of_a_call_that_a_restart_found_counts_when_it_happened(journal: WrittenJournal) -> None:
    journal.queued(1_000, "c")
    journal.ended(60_000, "c", Outcome.SYSTEM_RESTART, told_at=2 * Q)
    first, second, third = figures(journal)
    assert shown(first, "offered", "flowed_out", "lost", "in_progress") == (1, 1, 1, 0)
    assert shown(second, "in_progress", "flowed_out") == shown(third, "in_progress", "flowed_out") == (0, 0)


def test_a_queue_may_have_a_target_of_its_own(journal: WrittenJournal) -> None:
    for queue in ("sales", "support"):
        journal.queued(0, queue, queue)
        journal.connected(25_000, queue, queue_id=queue)
    rules = Rules(targets_ms=(("support", 30_000),))
    assert figures(journal, rules=rules)[0]["service_level_b"] == 0
    assert figures(journal, queue="support", rules=rules)[0]["service_level_b"] == 1


def test_a_share_or_mean_of_nothing_is_none(journal: WrittenJournal) -> None:
    journal.ended(1_000, "unknown")
    (values,) = figures(journal)
    assert set(shown(values, "service_level_a", "service_level_e", "asa", "aht", "rona_rate", "abandon_rate")) == {None}


def test_a_window_takes_what_lies_in_it_and_levels_at_its_end(journal: WrittenJournal) -> None:
    for number in range(4):
        journal.queued(number * Q + 1, f"c{number}")
        journal.connected(number * Q + 2 * Q + 1, f"c{number}")
    for grain in Grain:
        found = report(journal.rows, Wanted(NINE + Q, NINE + 3 * Q, grain))
        lines = [line.values for line in found.lines if line.subject == of_queue("sales")]
        assert sum(values["offered"] for values in lines) == 2  # type: ignore[misc]
        assert sum(values["answered"] for values in lines) == 1  # type: ignore[misc]
        assert lines[-1]["in_progress"] == 2
        assert found.horizon == NINE + 3 * Q


def test_an_empty_journal_gives_an_empty_report() -> None:
    assert report([]).lines == ()


def test_a_running_report_equals_the_report_of_what_was_read_so_far(journal: WrittenJournal) -> None:
    for number in range(6):
        journal.queued(number * Q // 2, f"c{number}")
        journal.connected(number * Q // 2 + 500_000, f"c{number}")
        journal.ended(number * Q // 2 + 900_000, f"c{number}")
    running = RunningReport(Wanted(grain=Grain.INTERVAL))
    for count in range(0, len(journal.rows), 4):
        running.read(journal.rows[max(0, count - 6) : count])  # two of them were read before
        assert running.report().lines == report(journal.rows[:count], Wanted(grain=Grain.INTERVAL)).lines
        assert running.report() == running.report()


def test_nothing_is_kept_of_contacts_that_are_gone() -> None:
    written = WrittenJournal()
    written.floor(0, "anna", wrap_up_ms=1_000)
    written.route(0, AgentSignedIn(AgentId("anna")))
    written.route(0, AgentMadeReady(AgentId("anna")))
    for number in range(200):
        at, call_id = 1_000 + number * 10_000, f"c{number}"
        written.queued(at, call_id)
        written.route(at, ContactArrived(ContactId(call_id), QueueId("sales"), NINE + at))
        written.route(at + 10, OfferAccepted(OfferId(f"o{number + 1}")))
        written.connected(at + 11, call_id)
        written.ended(at + 5_000, call_id)
        written.route(at + 5_001, ContactFinished(ContactId(call_id)))
        written.route(at + 6_500, AgentSignedIn(AgentId("anna")))
    statistics = Statistics(Rules())
    handled = sum(
        posting.amount
        for row in written.rows
        for posting in statistics.take(row)
        if posting[1:3] == (of_queue("sales"), "handled")
    )
    assert handled == 200
    assert statistics.waits._waiting == {}
    assert (statistics._conversations._open, statistics._conversations._agent_of) == ({}, {})
    assert (statistics._seats._lines_of_offer, len(statistics._seats._spells)) == ({}, 1)


def promised(journal: WrittenJournal, at: int, within_seconds: int) -> None:
    target = ServiceTarget("sales", Channel.VOICE, within_seconds, 90)
    journal.write(at, TargetsConfigured(NINE + at, (target,)))


def test_each_answer_is_measured_against_what_was_promised_then(journal: WrittenJournal) -> None:
    """The site's promise is in the journal; a later one changes no figure of the past, and whoever asks may want
    another."""
    promised(journal, 0, 10)
    for at, call_id in ((0, "late"), (Q, "in time")):
        if at:
            promised(journal, at, 40)
        journal.queued(at, call_id)
        journal.connected(at + 15_000, call_id)
        journal.ended(at + 60_000, call_id)
    assert [each["service_level_b"] for each in figures(journal)] == [0.0, 1.0]
    assert [each["service_level_b"] for each in figures(journal, rules=Rules(14_000))] == [0.0, 0.0]
    assert [each["service_level_b"] for each in figures(journal, rules=Rules(9, (("sales", 15_000),)))] == [1.0, 1.0]
    lines = {line.subject.id: line.target for line in report(journal.rows).lines if line.subject.id}
    assert lines == {"sales": Target(40_000, 90), "support": Target(20_000, 80), "anna": None}


def test_hold_is_a_part_of_talk_and_cut_at_the_boundary(journal: WrittenJournal) -> None:
    journal.queued(0, "c")
    journal.connected(1_000, "c")
    for begin, end in ((Q - 10_000, Q + 20_000), (Q + 30_000, None)):
        journal.write(begin, CallHeld("c", NINE + begin, "c", "anna"))
        if end is not None:
            journal.write(end, CallResumed("c", NINE + end, "c", "anna"))
    journal.queued(Q + 40_000, "another")
    going_on = figures(journal)
    journal.ended(Q + 45_000, "c")
    assert shown(going_on[0], "hold_split", "hold_closed", "talk_split") == (10_000, 0, Q - 1_000)
    assert shown(going_on[1], "hold_split", "hold_closed", "talk_split") == (20_000 + 10_000, 0, 40_000)
    before, after = figures(journal)
    assert shown(before, "hold_split", "hold_closed") == (10_000, 0)
    assert shown(after, "hold_split", "talk_split") == (20_000 + 15_000, 45_000)
    assert shown(after, "handled", "hold_closed") == (1, 45_000)


@pytest.mark.parametrize(
    ("reason", "blocked"), [("queue_full", 1), ("closed_hours", 1), ("plan_over", 0), ("exit_key", 0)]
)
def test_who_is_not_let_in_is_blocked_and_who_waited_in_vain_is_not(
    journal: WrittenJournal, reason: str, blocked: int
) -> None:
    journal.queued(0, "c")
    journal.write(0, CallOverflowed("c", NINE, "sales", reason))
    journal.ended(1_000, "c", Outcome.FAILED)
    (values,) = figures(journal)
    assert shown(values, "offered", "flowed_out", "blocked", "blockage") == (1, 1, blocked, float(blocked))
