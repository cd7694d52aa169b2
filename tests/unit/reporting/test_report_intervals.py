"""Quarter hours: what lies where, and days of 23 and 25 hours."""

from zoneinfo import ZoneInfo

import pytest

from callcenter.reporting.intervals import INTERVAL_MS, boundaries_passed, interval_of, local_day, pieces
from tests.support.written_journal import NINE, instant

pytestmark = pytest.mark.unit

Q = INTERVAL_MS


def test_a_boundary_belongs_to_the_later_interval() -> None:
    assert (interval_of(NINE - 1), interval_of(NINE), interval_of(NINE + Q - 1)) == (NINE - Q, NINE, NINE)


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        (NINE, NINE, []),
        (NINE, NINE + Q, [(NINE, Q)]),
        (NINE - 1, NINE + 1, [(NINE - Q, 1), (NINE, 1)]),
        (NINE + 5, NINE + 2 * Q + 5, [(NINE, Q - 5), (NINE + Q, Q), (NINE + 2 * Q, 5)]),
    ],
)
def test_a_duration_is_cut_at_each_boundary(start: int, end: int, expected: list[tuple[int, int]]) -> None:
    assert list(pieces(start, end)) == expected
    assert sum(length for _, length in expected) == end - start


def test_what_goes_away_on_a_boundary_was_there_when_the_interval_ended() -> None:
    assert list(boundaries_passed(NINE, NINE + Q)) == [NINE]
    assert list(boundaries_passed(NINE, NINE + Q - 1)) == []
    assert list(boundaries_passed(NINE - 1, NINE + Q)) == [NINE - Q, NINE]


@pytest.mark.parametrize(
    ("noon", "hours"),
    [
        ("2026-03-29T12:00+02:00", 23),
        ("2026-10-25T12:00+01:00", 25),
        ("2026-06-01T12:00+02:00", 24),
        ("2026-03-29T00:00+01:00", 23),
        ("2026-03-29T23:59+02:00", 23),
    ],
)
def test_days_are_as_long_as_the_clocks_make_them(noon: str, hours: int) -> None:
    day = local_day(instant(noon), ZoneInfo("Europe/Berlin"))
    assert day.end - day.start == hours * 3_600_000
    assert day.holds(instant(noon))
    assert local_day(day.end, ZoneInfo("Europe/Berlin")).start == day.end


def test_days_of_zones_with_odd_offsets_begin_on_an_interval() -> None:
    for zone in ("Asia/Kathmandu", "Asia/Kolkata", "Australia/Lord_Howe", "Pacific/Chatham"):
        assert local_day(NINE, ZoneInfo(zone)).start % Q == 0
