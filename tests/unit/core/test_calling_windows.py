"""When a customer may be called, on the customer's own clock."""

from datetime import UTC, date, datetime

import pytest

from callcenter.callbacks.calling_windows import next_call_at, zones_of
from callcenter.site.opening_hours import opening_hours

pytestmark = pytest.mark.unit

WORKDAYS = opening_hours(
    {
        "timezone": "Europe/Berlin",
        "weekly": [{"days": ["mon", "tue", "wed", "thu", "fri"], "from": "09:00", "to": "20:00"}],
        "holidays": [{"date": date(2025, 10, 10)}],
    }
)


def at(text: str) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


def test_a_number_tells_where_the_clock_hangs() -> None:
    assert zones_of("+4930901820") == ("Europe/Berlin",)
    assert zones_of("+12125550100") == ("America/New_York",)
    assert zones_of("+886223456789") == ("Asia/Taipei",)
    assert zones_of("anonymous") == ()
    assert zones_of("+88312345678") == ()


@pytest.mark.parametrize(
    ("zone", "now", "then"),
    [
        ("Asia/Tokyo", "2025-10-09T08:53:00", "2025-10-09T08:53:00"),  # 17:53 there
        ("Asia/Tokyo", "2025-10-09T11:00:00", "2025-10-13T00:00:00"),  # 20:00 there; a holiday and a week-end follow
        ("America/New_York", "2025-10-09T08:53:00", "2025-10-09T13:00:00"),  # 4:53 there
    ],
)
def test_hours_are_read_on_the_customers_clock(zone: str, now: str, then: str) -> None:
    assert next_call_at(WORKDAYS, (zone,), at(now)) == at(then)


def test_the_clock_change_is_the_customers() -> None:
    """On 26 October 2025 Berlin's clock goes back; New York's does a week later."""
    monday = at("2025-10-27T07:59:59")
    assert next_call_at(WORKDAYS, ("Europe/Berlin",), monday) == at("2025-10-27T08:00:00")
    assert next_call_at(WORKDAYS, ("America/New_York",), monday) == at("2025-10-27T13:00:00")


def test_where_nobody_knows_the_zone_the_hour_must_suit_in_all_of_them() -> None:
    zones = ("America/New_York", "America/Los_Angeles")
    assert next_call_at(WORKDAYS, zones, at("2025-10-09T13:30:00")) == at("2025-10-09T16:00:00")
    assert next_call_at(WORKDAYS, (), at("2025-10-09T05:00:00")) == at("2025-10-09T07:00:00"), "the table's own zone"


def test_hours_that_never_come_are_not_waited_for() -> None:
    never = opening_hours({"timezone": "UTC", "weekly": []})
    assert next_call_at(never, ("Asia/Tokyo",), at("2025-10-09T08:53:00")) is None
    morning = opening_hours({"timezone": "UTC", "weekly": [{"days": ["mon"], "from": "08:00", "to": "09:00"}]})
    assert next_call_at(morning, ("Asia/Tokyo", "America/New_York"), at("2025-10-09T08:53:00")) is None
