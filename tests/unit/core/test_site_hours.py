"""What the console is told of the site file's opening hours."""

from datetime import date
from pathlib import Path

import pytest

from agent_console.opening_hours import HolidayView, PeriodView, QueueHoursView
from callcenter.desk.opening_hours import SiteHours
from callcenter.errors import ConfigError
from callcenter.site.models import Site
from callcenter.site.repository import load_site

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


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (
            'hours = "Mon-Fri 9-17"',
            (
                "queues.0.hours: ",
                "(this is 'sales')",
                "'Mon-Fri 9-17' is no name",
                "[hours.office], and name it here",
                'hours = "office"',
            ),
        ),
        (
            'hours = { timezone = "UTC", weekly = [] }',
            ("queues.0.hours: ", "(this is 'sales')", "a table is no name of opening hours", "[hours.office]"),
        ),
        ("callback_hours = 9", ("queues.0.callback_hours: ", "(this is 'sales')", "9 is no name", "[hours.office]")),
        ('hours = "nights"', ("queue sales: no [hours.nights] is there", "there is [hours.office]")),
    ],
)
def test_hours_of_a_queue_that_are_no_name_say_what_where_and_what_to_do(
    tmp_path: Path, line: str, told: tuple[str, ...]
) -> None:
    path = tmp_path / "site.toml"
    path.write_text(
        'company = "Quist"\nagents = []\nnumbers = []\nflows = []\n'
        '[hours.office]\ntimezone = "UTC"\nweekly = [{ days = ["mon"], from = "08:00", to = "12:00" }]\n'
        f'[[queues]]\nid = "sales"\nname = "Sales"\n{line}\n',
        "utf-8",
    )
    with pytest.raises(ConfigError) as caught:
        load_site(path)
    for part in (str(path), *told):
        assert part in str(caught.value)
    assert "pattern" not in str(caught.value)
