"""Races on the whole exchange at length: stories that nobody has lived through yet."""

from functools import partial

import pytest

from tests.scenario import test_operation_races, test_races
from tests.support.virtual_time import run_virtual

pytestmark = [pytest.mark.scenario, pytest.mark.timeout(3_600)]


@pytest.mark.parametrize("races", [test_races, test_operation_races], ids=["routing", "operations"])
def test_whatever_happens_at_the_same_time_nothing_is_left(
    races: object, stories: range, caplog: pytest.LogCaptureFixture
) -> None:
    """What a story is made of and what holds afterwards: ``live_through`` of the two files."""
    for seed in stories:
        try:
            run_virtual(partial(races.live_through, seed))  # type: ignore[attr-defined]
            assert "call failed" not in caplog.text
        except BaseException as violation:
            violation.add_note(f"seed {seed}")
            raise
        caplog.clear()
