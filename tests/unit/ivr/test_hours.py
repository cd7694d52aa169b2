"""Opening hours, with the clock changes of Berlin, New York, Havana and Samoa."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ivr.hours import Holiday, Hours, Period, WeeklyPeriod, is_open, next_change

pytestmark = pytest.mark.unit

EVERY_DAY = frozenset(range(7))
BERLIN = "Europe/Berlin"


def at(text: str, zone: str = BERLIN, fold: int = 0) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold).timestamp() * 1000)


def hours(*periods: tuple[int, int], zone: str = BERLIN, days: frozenset[int] = EVERY_DAY, holidays=()) -> Hours:
    weekly = tuple(WeeklyPeriod(days, Period(start * 60, end * 60)) for start, end in periods)
    return Hours(zone, weekly, tuple(holidays))


OFFICE = hours((9, 12), (13, 18), days=frozenset(range(5)))
NIGHT = hours((22, 30))
ALWAYS = hours((0, 24))


@pytest.mark.parametrize(
    ("when", "answer"),
    [
        ("2026-11-20T08:59:59.999", False),
        ("2026-11-20T09:00", True),
        ("2026-11-20T12:00", False),
        ("2026-11-20T13:00", True),
        ("2026-11-20T17:59:59.999", True),
        ("2026-11-20T18:00", False),
        ("2026-11-21T10:00", False),  # a Saturday
    ],
)
def test_a_period_holds_its_start_and_not_its_end(when: str, answer: bool) -> None:
    assert is_open(OFFICE, at(when)) is answer


def test_a_night_shift_reaches_into_the_next_day() -> None:
    assert is_open(NIGHT, at("2026-11-20T23:30"))
    assert is_open(NIGHT, at("2026-11-21T05:59"))
    assert not is_open(NIGHT, at("2026-11-21T06:00"))


def test_a_holiday_replaces_the_periods_that_begin_on_it_and_no_others() -> None:
    shift = hours((22, 30), holidays=[Holiday(date(2026, 12, 25), (Period(600, 660),))])
    assert is_open(shift, at("2026-12-25T03:00")), "the shift of the evening before goes on"
    assert is_open(shift, at("2026-12-25T10:30"))
    assert not is_open(shift, at("2026-12-25T23:00"))
    assert not is_open(shift, at("2026-12-26T03:00"))


def test_hours_without_periods_are_never_open_and_never_change() -> None:
    never = Hours("UTC", ())
    assert not is_open(never, at("2026-11-20T10:00"))
    assert next_change(never, at("2026-11-20T10:00")) is None


def test_round_the_clock_never_changes_across_midnight_or_clock_changes() -> None:
    assert is_open(ALWAYS, at("2026-03-29T03:00"))
    assert next_change(ALWAYS, at("2026-03-28T10:00")) is None


def test_the_next_change_is_the_end_of_the_period_or_the_start_of_the_next() -> None:
    assert next_change(OFFICE, at("2026-11-20T10:00")) == at("2026-11-20T12:00")
    assert next_change(OFFICE, at("2026-11-20T12:00")) == at("2026-11-20T13:00")
    assert next_change(OFFICE, at("2026-11-20T18:00")) == at("2026-11-23T09:00"), "over the weekend"


def test_periods_that_touch_or_overlap_are_one_for_the_caller() -> None:
    assert next_change(hours((9, 12), (12, 15), (14, 16)), at("2026-11-20T10:00")) == at("2026-11-20T16:00")


def test_a_change_more_than_a_week_ahead_is_found() -> None:
    once = Hours(BERLIN, (), (Holiday(date(2027, 6, 1), (Period(540, 600),)),))
    assert next_change(once, at("2026-11-20T10:00")) == at("2027-06-01T09:00")


def test_a_night_shift_is_an_hour_shorter_in_spring_and_longer_in_autumn() -> None:
    spring_start, spring_end = at("2026-03-28T22:00"), next_change(NIGHT, at("2026-03-28T23:00"))
    autumn_start, autumn_end = at("2026-10-24T22:00"), next_change(NIGHT, at("2026-10-24T23:00"))
    assert spring_end is not None
    assert autumn_end is not None
    assert (spring_end - spring_start, autumn_end - autumn_start) == (7 * 3_600_000, 9 * 3_600_000)


def test_a_period_that_begins_in_the_skipped_hour_begins_when_the_clock_jumps() -> None:
    skipped = Hours(BERLIN, (WeeklyPeriod(EVERY_DAY, Period(150, 300)),))  # 02:30 to 05:00
    assert not is_open(skipped, at("2026-03-29T01:59"))
    assert is_open(skipped, at("2026-03-29T03:00"))
    assert next_change(skipped, at("2026-03-29T00:30")) == at("2026-03-29T03:00")


def test_a_period_within_the_skipped_hour_does_not_take_place() -> None:
    swallowed = Hours("America/New_York", (WeeklyPeriod(EVERY_DAY, Period(125, 175)),))  # 02:05 to 02:55
    assert not is_open(swallowed, at("2026-03-08T03:00", "America/New_York"))
    found = next_change(swallowed, at("2026-03-08T00:00", "America/New_York"))
    assert found == at("2026-03-09T02:05", "America/New_York")


def test_a_boundary_in_the_repeated_hour_counts_the_first_time_only() -> None:
    repeated = Hours(BERLIN, (WeeklyPeriod(EVERY_DAY, Period(60, 150)),))  # 01:00 to 02:30
    assert is_open(repeated, at("2026-10-25T02:15", fold=0))
    assert not is_open(repeated, at("2026-10-25T02:45", fold=0))
    assert not is_open(repeated, at("2026-10-25T02:15", fold=1)), "it does not open a second time"


def test_midnight_itself_may_be_repeated_or_skipped() -> None:
    """Havana puts the clock back at 01:00 and forward at 00:00."""
    zone = "America/Havana"
    day = hours((0, 24), zone=zone, days=frozenset({6}))
    assert next_change(day, at("2026-10-31T12:00", zone)) == at("2026-11-01T00:00", zone, fold=0)
    assert is_open(day, at("2026-11-01T00:30", zone, fold=1))
    assert next_change(day, at("2026-03-07T12:00", zone)) == at("2026-03-08T01:00", zone)


def test_a_day_left_out_of_the_calendar_does_not_open() -> None:
    """Samoa went from Thursday 29 December 2011 to Saturday 31 December."""
    zone = "Pacific/Apia"
    friday = hours((0, 24), zone=zone, days=frozenset({4}))
    found = next_change(friday, at("2011-12-29T12:00", zone))
    assert found == at("2012-01-06T00:00", zone)


ZONES = st.sampled_from(["UTC", BERLIN, "America/New_York", "America/Havana", "Australia/Lord_Howe", "Asia/Kathmandu"])
PERIODS = st.lists(
    st.tuples(st.integers(0, 1439), st.integers(1, 1440)).map(lambda pair: Period(pair[0], pair[0] + pair[1])),
    max_size=3,
)


@settings(deadline=None)
@given(
    zone=ZONES,
    periods=PERIODS,
    days=st.frozensets(st.integers(0, 6)),
    now=st.integers(1_700_000_000_000, 1_800_000_000_000),
)
def test_nothing_changes_before_the_next_change_and_something_does_then(zone, periods, days, now) -> None:
    table = Hours(zone, tuple(WeeklyPeriod(days, period) for period in periods))
    state, change = is_open(table, now), next_change(table, now)
    if change is None:
        assert is_open(table, now + 3 * 86_400_000) is state
    else:
        assert change > now
        assert is_open(table, change) is not state
        assert is_open(table, change - 1) is state
        assert is_open(table, (now + change) // 2) is state
