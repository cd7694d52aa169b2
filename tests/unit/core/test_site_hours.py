"""What the console is told of the site file's opening hours."""

from datetime import date

import pytest

from agent_console.opening_hours import HolidayView, PeriodView, QueueHoursView
from callcenter.desk.opening_hours import SiteHours
from callcenter.site.models import Site

pytestmark = pytest.mark.unit

HOUR = 3_600_000
MONDAY = 1_798_416_000_000
"""2026-12-28 00:00 UTC."""
OFFICE = {
    "timezone": "UTC",
    "weekly": [
        {"days": ["mon", "tue"], "from": "13:00", "to": "17:00"},
        {"days": ["mon"], "from": "08:00", "to": "12:00"},
        {"days": ["sat"], "from": "22:00", "to": "06:00"},
    ],
    "holidays": [
        {"date": [date(2027, 1, 1), date(2026, 12, 25)]},
        {"date": date(2026, 12, 31), "periods": [{"from": "09:00", "to": "12:00"}]},
    ],
}


def hours() -> SiteHours:
    return SiteHours(
        Site.model_validate(
            {
                "company": "Quist",
                "agents": [],
                "numbers": [],
                "flows": [],
                "hours": {"office": OFFICE},
                "queues": [{"id": "sales", "name": "Sales", "hours": "office"}, {"id": "help", "name": "Help"}],
            }
        )
    )


def test_days_have_their_periods_in_order_and_past_holidays_are_left_out() -> None:
    told = hours().of("sales", MONDAY + 9 * HOUR)
    assert told is not None
    morning, afternoon = PeriodView(480, 720), PeriodView(780, 1020)
    assert told.week == ((morning, afternoon), (afternoon,), (), (), (), (PeriodView(1320, 1800),), ())
    assert told.holidays == (HolidayView("2026-12-31", (PeriodView(540, 720),)), HolidayView("2027-01-01", ()))
    assert (told.timezone, told.is_open, told.next_change_at) == ("UTC", True, MONDAY + 12 * HOUR)


def test_at_lunch_the_queue_is_outside_its_hours() -> None:
    told = hours().of("sales", MONDAY + 12 * HOUR)
    assert told is not None
    assert (told.is_open, told.next_change_at) == (False, MONDAY + 13 * HOUR)


def test_a_queue_without_hours_is_always_open_and_an_unknown_one_is_none() -> None:
    assert hours().of("help", MONDAY) == QueueHoursView("help", None, is_open=True, next_change_at=None)
    assert hours().of("nowhere", MONDAY) is None
