"""Adherence, conformance and shrinkage: days counted by hand."""

import pytest

from acd.events import AgentMadeNotReady, AgentMadeReady, AgentSignedIn, AgentSignedOut, FloorConfigured
from acd.ids import AgentId
from callcenter.code_meanings import CodesConfigured
from callcenter.reporting.book import Grain
from callcenter.reporting.postings import of_agent
from callcenter.reporting.report import Wanted, report
from callcenter.workforce.activities import Activity, PauseMeaning
from callcenter.workforce.shifts import REACH_BACK_MS, Shift, ShiftsPlanned
from tests.support.written_journal import NINE, WrittenJournal

pytestmark = pytest.mark.unit

MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
ANNA = AgentId("anna")


def planned(at: int, *shifts: tuple[int, int, Activity], paid: bool = True, start: int = 0) -> ShiftsPlanned:
    """Minutes after nine."""
    own = tuple(Shift("anna", NINE + begin * MINUTE, NINE + end * MINUTE, what, paid) for begin, end, what in shifts)
    begin, end = NINE + start * MINUTE, NINE + 8 * HOUR
    return ShiftsPlanned(NINE + at * MINUTE, "boss", ("anna",), begin, end, own)


def working_day() -> WrittenJournal:
    """anna begins ten minutes late and comes back from a half hour's lunch a quarter of an hour late, of 8 hours."""
    journal = WrittenJournal()
    journal.floor(0, "anna")
    journal.route(0, AgentSignedIn(ANNA))
    journal.route(10 * MINUTE, AgentMadeReady(ANNA))
    journal.route(180 * MINUTE, AgentMadeNotReady(ANNA, "lunch"))
    journal.route(225 * MINUTE, AgentMadeReady(ANNA))
    journal.route(480 * MINUTE, AgentSignedOut(ANNA))
    return journal


EIGHT_HOURS = ((0, 180, Activity.ON_QUEUE), (180, 210, Activity.BREAK), (210, 480, Activity.ON_QUEUE))


def with_plan(journal: WrittenJournal, plan: ShiftsPlanned) -> WrittenJournal:
    """The plan stands behind everything in the journal."""
    journal.write(plan.at - NINE, plan)
    return journal


def total(journal: WrittenJournal) -> dict[str, object]:
    (line,) = [each for each in report(journal.rows).lines if each.subject == of_agent("anna")]
    return line.values


def test_twenty_five_minutes_of_eight_hours_are_an_adherence_of_95_percent() -> None:
    """The published example (SWPP): 25 of 480 minutes out, 94.79 %."""
    found = total(with_plan(working_day(), planned(480, *EIGHT_HOURS)))
    assert (found["scheduled_split"], found["out_of_schedule_split"]) == (480 * MINUTE, 25 * MINUTE)
    assert found["adherence"] == pytest.approx(455 / 480)
    assert found["on_queue_split"] == 425 * MINUTE
    assert found["scheduled_on_queue_split"] == 450 * MINUTE
    assert found["conformance"] == pytest.approx(425 / 450)
    assert found["shrinkage"] == pytest.approx(55 / 480)
    assert (found["shrinkage_external"], found["shrinkage_internal"]) == (0.0, pytest.approx(55 / 480))
    assert found["shrinkage_planned"] == pytest.approx(30 / 480)


def test_a_plan_made_before_and_one_brought_in_afterwards_count_the_same_in_every_interval() -> None:
    before = WrittenJournal()
    before.floor(0, "anna")
    before.write(0, planned(0, *EIGHT_HOURS))
    before.rows += list(working_day().rows[1:])
    before.rows = [each.__class__(seq, each.at, each.kind, each.entry) for seq, each in enumerate(before.rows, 1)]
    after = with_plan(working_day(), planned(480, *EIGHT_HOURS))
    for grain in Grain:
        one, other = (report(each.rows, Wanted(grain=grain)).lines for each in (before, after))
        assert [each.values for each in one] == [each.values for each in other]


def test_leave_is_external_shrinkage_and_no_adherence() -> None:
    journal = WrittenJournal()
    journal.floor(0, "anna")
    journal.write(0, planned(0, (0, 120, Activity.LEAVE), (120, 240, Activity.ON_QUEUE)))
    journal.route(180 * MINUTE, AgentSignedIn(ANNA))
    journal.route(180 * MINUTE, AgentMadeReady(ANNA))
    journal.route(240 * MINUTE, AgentSignedOut(ANNA))
    found = total(journal)
    assert found["scheduled_split"] == 120 * MINUTE
    assert found["adherence"] == 0.5
    assert found["shrinkage_external"] == pytest.approx(180 / 240)
    assert found["shrinkage_internal"] == 0.0


def test_unpaid_breaks_shrink_nothing_and_are_kept_to_also_signed_out() -> None:
    journal = WrittenJournal()
    journal.floor(0, "anna")
    journal.write(0, planned(0, (0, 60, Activity.BREAK), paid=False))
    journal.write(60 * MINUTE, planned(60, (0, 60, Activity.BREAK), paid=False))
    found = total(journal)
    assert (found["adherence"], found["shrinkage"], found["paid_split"]) == (1.0, None, 0)


def test_working_longer_than_planned_is_a_conformance_above_one() -> None:
    journal = WrittenJournal()
    journal.floor(0, "anna")
    journal.write(0, planned(0, (0, 60, Activity.ON_QUEUE)))
    journal.route(0, AgentSignedIn(ANNA))
    journal.route(0, AgentMadeReady(ANNA))
    journal.route(90 * MINUTE, AgentSignedOut(ANNA))
    assert total(journal)["conformance"] == 1.5


def test_what_reasons_mean_holds_from_when_it_was_said() -> None:
    journal = WrittenJournal()
    journal.floor(0, "anna")
    journal.write(0, planned(0, (0, 120, Activity.TRAINING)))
    journal.route(0, AgentSignedIn(ANNA))
    journal.route(0, AgentMadeNotReady(ANNA, "school"))
    journal.write(60 * MINUTE, CodesConfigured(NINE + HOUR, (PauseMeaning("school", Activity.TRAINING),), ()))
    journal.route(120 * MINUTE, AgentSignedOut(ANNA))
    assert total(journal)["adherence"] == 0.5


def test_of_an_agent_who_left_the_site_nothing_is_expected() -> None:
    journal = WrittenJournal()
    journal.floor(0, "anna", "ben")
    journal.write(0, planned(0, (0, 240, Activity.ON_QUEUE)))
    journal.floor(60 * MINUTE, "ben")
    journal.floor(120 * MINUTE, "ben")
    assert total(journal)["scheduled_split"] == 60 * MINUTE


def test_a_year_of_states_is_not_kept_longer_than_a_plan_reaches_back() -> None:
    from callcenter.reporting.adherence import Adherence

    fold = Adherence()
    engine_rows = WrittenJournal()
    engine_rows.floor(0, "anna")
    fold.configure(next(row.entry for row in engine_rows.rows if isinstance(row.entry, FloorConfigured)), NINE)
    from acd.outcomes import AgentState, AgentStateChanged

    for hour in range(0, 365 * 24, 4):
        state = AgentState.READY if hour % 8 else AgentState.OFFLINE
        fold.take(AgentStateChanged(ANNA, state, NINE + hour * HOUR), NINE + hour * HOUR)
    kept = fold._doings["anna"].spells
    assert len(kept) <= REACH_BACK_MS // (4 * HOUR) + 2
