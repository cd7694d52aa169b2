"""The table of metrics is complete, and what the README shows."""

from collections import Counter
from pathlib import Path

import pytest

from callcenter.reporting.book import total
from callcenter.reporting.metrics import METRICS, evaluate, formula_table
from callcenter.reporting.postings import Measure, SubjectKind

pytestmark = pytest.mark.unit

README = Path(__file__).parents[3] / "callcenter" / "reporting" / "README.md"


def test_readme_shows_the_table() -> None:
    shown = README.read_text("utf-8").split("<!-- formulas: begin -->\n")[1].split("<!-- formulas: end -->")[0]
    assert shown == formula_table()


def test_ids_are_unique_and_versions_begin_with_one() -> None:
    assert Counter(metric.id for metric in METRICS).most_common(1)[0][1] == 1
    assert all(metric.version >= 1 and metric.formula and metric.subjects for metric in METRICS)


def test_nothing_posted_gives_zeros_and_nones_and_no_error() -> None:
    for kind in SubjectKind:
        assert {repr(value) for value in evaluate(kind, {}).values()} <= {"0", "None", "{}"}


def test_several_together_are_added_up_but_for_the_longest_and_the_length() -> None:
    together = total([{Measure.OFFERED: 2, Measure.MAX_WAIT_MS: 7, Measure.PERIOD_MS: 100},
                      {Measure.OFFERED: 3, Measure.MAX_WAIT_MS: 5, Measure.PERIOD_MS: 100}])  # fmt: skip
    assert (together[Measure.OFFERED], together[Measure.MAX_WAIT_MS], together[Measure.PERIOD_MS]) == (5, 7, 100)


def test_loads_follow_from_rates_and_handle_time() -> None:
    sums = {
        Measure.OFFERED: 100, Measure.HANDLED: 10, Measure.TALK_CLOSED_MS: 1_500_000,
        Measure.WRAP_UP_CLOSED_MS: 300_000, Measure.PERIOD_MS: 1_800_000,
    }  # fmt: skip
    assert evaluate(SubjectKind.QUEUE, sums)["offered_load"] == 10.0
