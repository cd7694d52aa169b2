"""What people ask reports for: what cannot be meant is refused with what to write instead."""

from collections.abc import Callable
from zoneinfo import ZoneInfo

import pytest

from callcenter.reporting.asking import rules_of, window_of, zone_of
from callcenter.reporting.postings import Rules

pytestmark = pytest.mark.unit

UTC, TOKYO, NEW_YORK = ZoneInfo("UTC"), ZoneInfo("Asia/Tokyo"), ZoneInfo("America/New_York")

REFUSED: dict[str, tuple[Callable[[], object], str]] = {
    "a folder of zones": (lambda: zone_of("Europe"), "'Europe' is not a time zone"),
    "no zone": (lambda: zone_of("Mars/Olympus"), "is not a time zone"),
    "before the calendar": (lambda: window_of("0001-01-01", None, TOKYO), "beyond the years"),
    "after the calendar": (lambda: window_of("9999-12-31T23:45", None, NEW_YORK), "beyond the years"),
    "no instant": (lambda: window_of("soon", None, UTC), "'soon' is no instant"),
    "between quarters": (lambda: window_of("2026-03-29T08:10", None, UTC), "not on a quarter hour"),
    "an end before the beginning": (lambda: window_of("2026-03-29", "2026-03-28", UTC), "is before 2026-03-29"),
    "an endless target": (lambda: rules_of(["inf"], 5), "target is 30"),
    "a target before the call": (lambda: rules_of(["sales=-5"], 5), "target is 30"),
    "a target that is no number": (lambda: rules_of(["fast"], 5), "target is 30"),
    "an endless short abandon": (lambda: rules_of([], float("inf")), "no number of seconds"),
}


@pytest.mark.parametrize(("ask", "said"), REFUSED.values(), ids=REFUSED.keys())
def test_what_cannot_be_meant_is_refused(ask: Callable[[], object], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        ask()


def test_what_is_meant_is_understood() -> None:
    assert window_of("2026-03-29", "2026-03-29T00:15", UTC) == (1_774_742_400_000, 1_774_743_300_000)
    assert window_of(None, None, UTC) == (None, None)
    assert rules_of(["30", "sales=10.5", "sales/message=7200"], 4) == Rules(
        30_000, (("sales", 10_500), ("sales/message", 7_200_000)), 4_000
    )
