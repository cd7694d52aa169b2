"""The reference table at length: every row, and those that hang on rare congestions with several seeds."""

import gc
import math
from collections.abc import Iterator

import pytest

from acd.erlang import Workload, steady_state
from acd.simulator import simulate
from acd.simulator_scenario import single_queue
from tests.unit.acd.test_sim_reference import (
    CALLS,
    CLOSE,
    CLOSE_NEAR_SATURATION,
    NEAR_SATURATION,
    estimates_of,
    floor_of,
    needs_table,
    rows,
)

pytestmark = [pytest.mark.unit, pytest.mark.timeout(3_600)]


@pytest.fixture(autouse=True)
def collector_at_rest() -> Iterator[None]:
    """A simulation makes no cycles."""
    gc.disable()
    yield
    gc.enable()


@pytest.mark.parametrize("seed", [1, 3, 5])
@pytest.mark.parametrize(
    ("work", "agents", "calls", "close"),
    [
        pytest.param(Workload(162.16, 180, 0.0), 15, 3_000_000, 0.02, id="B01"),
        pytest.param(Workload(1681.2, 180, 0.0), 100, 5_000_000, 0.02, id="B03"),
        pytest.param(Workload(3600, 300, math.inf), 320, 5_000_000, 0.05, id="C07"),
    ],
)
def test_rare_congestions_come_as_often_as_they_should(
    work: Workload, agents: int, calls: int, close: float, seed: int
) -> None:
    truth = steady_state(work, agents)
    patience_s = None if math.isinf(work.patience_s) else work.patience_s
    floor = single_queue(work.arrivals_per_hour, work.aht_s, agents, patience_s=patience_s)
    whole = simulate(floor, seed=seed, calls=calls).whole
    found = {"p_wait": (whole.p_wait, truth.p_wait), "asa_s": (whole.asa_s, truth.asa_s)}
    if work.patience_s == 0:
        found = {"p_abandon": (whole.p_abandon, truth.p_abandon)}
    for name, (estimate, true) in found.items():
        assert estimate.covers(true, 0.999), (name, true, estimate)
        assert abs(estimate.value - true) <= close * true, (name, true, estimate)


@needs_table
@pytest.mark.parametrize("name", CALLS)
def test_every_row_of_the_reference_with_four_times_the_calls(name: str) -> None:
    """Of another seed than the suite's."""
    row, close = rows()[name], CLOSE_NEAR_SATURATION if name in NEAR_SATURATION else CLOSE
    found = estimates_of(simulate(floor_of(row), seed=1, calls=4 * CALLS[name]))
    compared = {column: estimate for column, estimate in found.items() if row[column]}
    assert compared
    for column, estimate in compared.items():
        truth = float(row[column])
        assert estimate.covers(truth, 0.999), (column, truth, estimate, estimate.half_width())
        assert abs(estimate.value - truth) <= close * truth, (column, truth, estimate)
