"""Rosters as CSV: what is taken, what is refused and how it is said."""

from zoneinfo import ZoneInfo

import pytest

from callcenter.workforce.activities import Activity
from callcenter.workforce.plan_file import PlanFault, read_plan, write_plan
from callcenter.workforce.shifts import Roster
from tests.support.written_journal import instant

pytestmark = pytest.mark.unit

BERLIN = ZoneInfo("Europe/Berlin")
HEAD = "agent,from,to,activity,paid,time_zone\n"


def plan(text: str):  # type: ignore[no-untyped-def]
    return read_plan(HEAD + text, zone=BERLIN, at=1, by="boss")


def test_a_day_with_a_break_within_it() -> None:
    found = plan(
        "anna,2026-03-02T09:00,2026-03-02T17:00,on_queue,,\nanna,2026-03-02 12:00,2026-03-02 12:30,break,no,\n"
    )
    assert [(each.activity, each.paid) for each in found.shifts] == [
        (Activity.ON_QUEUE, True), (Activity.BREAK, False), (Activity.ON_QUEUE, True),
    ]  # fmt: skip
    assert found.shifts[0].start == instant("2026-03-02T09:00+01:00")
    assert found.shifts[1].start == found.shifts[0].end == instant("2026-03-02T12:00+01:00")
    assert (found.start, found.end) == (instant("2026-03-02T00:00+01:00"), instant("2026-03-03T00:00+01:00"))
    assert (found.agent_ids, found.by) == (("anna",), "boss")


def test_each_line_may_have_its_zone_or_offset() -> None:
    found = plan("ben,2026-07-01T09:00,2026-07-01T10:00,meeting,yes,Asia/Shanghai\n"
                 "anna,2026-07-01T09:00Z,2026-07-01T10:00Z,leave,1,\n")  # fmt: skip
    assert [each.start for each in found.shifts] == [
        instant("2026-07-01T09:00+00:00"),
        instant("2026-07-01T09:00+08:00"),
    ]


def test_the_day_the_clocks_change_is_as_long_as_it_is() -> None:
    found = plan("anna,2026-03-29T01:00,2026-03-29T09:00,on_queue,,\n")
    assert found.shifts[0].end - found.shifts[0].start == 7 * 3_600_000
    assert found.end - found.start == 23 * 3_600_000


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("anna,2026-03-29T02:30,2026-03-29T09:00,on_queue,,\n", "line 2: 2026-03-29T02:30 is not there"),
        ("anna,2026-03-02T09:00,2026-03-02T09:00,on_queue,,\n", "line 2: 2026-03-02T09:00 is not after"),
        ("anna,2026-03-02T09:00,soon,on_queue,,\n", "line 2: 'soon' is no instant"),
        ("anna,2026-03-02T09:00,2026-03-02T10:00,sleep,,\n", "line 2: 'sleep' is no activity; write on_queue, break"),
        ("anna,2026-03-02T09:00,2026-03-02T10:00,off,,\n", "line 2: 'off' is no activity"),
        ("anna,2026-03-02T09:00,2026-03-02T10:00,break,maybe,\n", "line 2: paid is yes or no, not 'maybe'"),
        ("anna,2026-03-02T09:00,2026-03-02T10:00,break,,Mars\n", "line 2: 'Mars' is no time zone"),
        (",2026-03-02T09:00,2026-03-02T10:00,break,,\n", "line 2: no agent"),
        ("", "line 1: the file plans nothing"),
        ("anna,2026-03-02T09:00,2026-03-02T10:00,on_queue,,\nanna,2026-03-02T09:30,2026-03-02T11:00,on_queue,,\n",
         "line 3: anna is planned twice at a time: see line 2"),
        ("anna,2026-03-02T09:00,2026-03-02T10:00,break,,\nanna,2026-03-02T09:30,2026-03-02T11:00,training,,\n",
         "line 3: anna is planned twice"),
        ("anna,2026-03-02T09:00,2026-03-02T10:00,break,,\nanna,2027-04-02T09:30,2027-04-02T11:00,break,,\n",
         "line 3: the file is about more than 366 days"),
    ],
)  # fmt: skip
def test_what_cannot_be_taken_is_named_with_its_line(text: str, said: str) -> None:
    with pytest.raises(PlanFault) as fault:
        plan(text)
    assert said in str(fault.value)


def test_a_missing_column_is_named() -> None:
    with pytest.raises(PlanFault, match="line 1: no column to, activity"):
        read_plan("agent,from\nanna,x\n", zone=BERLIN, at=1, by="boss")


def test_what_is_written_is_read_again_as_it_was() -> None:
    found = plan("anna,2026-03-02T09:00,2026-03-02T17:00,on_queue,,\nben,2026-03-02T12:00,2026-03-02T12:30,break,no,\n")
    again = read_plan(write_plan(found.shifts, BERLIN), zone=ZoneInfo("UTC"), at=1, by="boss")
    assert again.shifts == found.shifts


def test_a_newer_plan_takes_the_place_of_the_older_within_its_days_only() -> None:
    roster = Roster()
    for text in (
        "anna,2026-03-02T09:00,2026-03-02T17:00,on_queue,,\nanna,2026-03-03T09:00,2026-03-03T17:00,on_queue,,\n",
        "anna,2026-03-03T10:00,2026-03-03T11:00,leave,,\n",
    ):
        roster.take(plan(text))
    found = [(each.activity, each.start) for each in roster.between("anna", 0, 1 << 60) if each.activity != "off"]
    assert found == [
        (Activity.ON_QUEUE, instant("2026-03-02T09:00+01:00")), (Activity.LEAVE, instant("2026-03-03T10:00+01:00")),
    ]  # fmt: skip
    assert roster.at("anna", instant("2026-03-03T12:00+01:00")).activity is Activity.OFF  # type: ignore[union-attr]
    assert roster.at("anna", instant("2026-03-05T12:00+01:00")) is None
    assert roster.next_turn(instant("2026-03-03T10:00+01:00")) == instant("2026-03-03T11:00+01:00")
