"""Several contacts at once, items that are kept and agents' own calls, against what can be reckoned exactly."""

import gc
from collections.abc import Iterator

import numpy as np
import pytest

from acd.erlang import erlang_b
from acd.simulator import simulate
from acd.simulator_results import Result
from acd.simulator_scenario import ScenarioError
from callcenter.simulation.scenario_file import parse_scenario

pytestmark = pytest.mark.unit

CALLS = 6_000
STATES = 240


@pytest.fixture(autouse=True)
def collector_at_rest() -> Iterator[None]:
    """A simulation makes no cycles."""
    gc.disable()
    yield
    gc.enable()


def floor(*, agents: int = 1, group: str = "", per_hour: float, channel: str, more: str) -> str:
    return f"""
[[queues]]
id = "q"

[[classes]]
queue = "q"
channel = "{channel}"
arrivals_per_hour = {per_hour}
{more}

[[groups]]
name = "g"
agents = {agents}
queues = ["q"]
{group}
"""


def run(text: str) -> Result:
    return simulate(parse_scenario(text), seed=1, calls=CALLS)


def stationary(rates: np.ndarray) -> np.ndarray:
    """The stationary distribution of a Markov chain in continuous time, of its rates from row to column."""
    balance = rates - np.diag(rates.sum(axis=1))
    balance[:, -1] = 1.0
    wanted = np.zeros(len(rates))
    wanted[-1] = 1.0
    return np.linalg.solve(balance.T, wanted)


def chats_of_one_agent(arrival: float, service: float, most: int, slowed_by: float) -> tuple[float, float, float]:
    """Share of chats that wait, mean wait in seconds, share of time with any, of the birth-death process."""
    rates = np.zeros((STATES, STATES))
    for number in range(1, STATES):
        together = min(number, most)
        rates[number - 1, number] = arrival
        rates[number, number - 1] = together * service / (1 + slowed_by * (together - 1))
    share = stationary(rates)
    queue = sum((number - most) * share[number] for number in range(most, STATES))
    return float(share[most:].sum()), float(queue / arrival), float(1 - share[0])


def check(found: Result, *truths: float) -> None:
    """Share that waits, mean wait and occupancy within their intervals."""
    estimates = found.whole.p_wait, found.whole.asa_s, found.occupancy
    for estimate, true in zip(estimates, truths, strict=True):
        assert estimate.covers(true, 0.999), (true, estimate)


@pytest.mark.parametrize("slowed_by", [0.0, 0.4, 1.0])
def test_chats_beside_each_other_are_as_slow_as_the_birth_death_process_says(slowed_by: float) -> None:
    """With 1 they take turns: together they get on no faster than one after the other, as in M/M/1."""
    per_hour = {0.0: 60.0, 0.4: 36.0, 1.0: 20.0}[slowed_by]
    more = f"handle = 120\nslowed_by = {slowed_by}"
    truths = chats_of_one_agent(per_hour / 3600, 1 / 120, 3, slowed_by)
    check(run(floor(per_hour=per_hour, channel="chat", more=more, group="capacity = { chat = 3 }")), *truths)
    if slowed_by == 1.0:
        assert truths[2] == pytest.approx(per_hour / 3600 * 120, abs=1e-6)


def test_what_is_kept_takes_up_room_until_it_is_closed_by_hand() -> None:
    """Erlang's loss formula, which asks for no more of a law than its mean: whoever finds no room is lost."""
    lost = "patience = { law = 'deterministic', mean_s = 0 }"
    more = f"handle = 60\n{lost}\nkept = {{ law = 'deterministic', mean_s = 90 }}"
    found = run(floor(per_hour=90, channel="chat", more=more, agents=2, group="capacity = { chat = 2 }")).whole
    truth = erlang_b(90 / 3600 * 150, 4)
    assert found.p_abandon.covers(truth, 0.999), (truth, found.p_abandon)


def with_own_calls(arrival: float, service: float, calling: float, end: float) -> tuple[float, float, float]:
    """As above of one agent who, while idle, also calls: number n is n in the system, half + n the same in a call."""
    half = STATES // 2
    rates = np.zeros((STATES, STATES))
    for number in range(1, half):
        rates[number - 1, number] = rates[half + number - 1, half + number] = arrival
        rates[number, number - 1] = service
    rates[0, half] = calling
    for number in range(half):
        rates[half + number, number] = end
    share = stationary(rates)
    queue = sum(max(0, number - 1) * share[number] + number * share[half + number] for number in range(half))
    return float(1 - share[0]), float(queue / arrival), float(1 - share[0])


def test_an_agent_who_calls_somebody_is_found_busy_as_the_markov_chain_says() -> None:
    own = "own_calls_per_hour = 12\nown_call = 150"
    found = run(floor(per_hour=15, channel="voice", more="handle = 120", group=own))
    check(found, *with_own_calls(15 / 3600, 1 / 120, 12 / 3600, 1 / 150))


def test_calls_are_neither_slowed_nor_kept() -> None:
    for word in ("slowed_by = 0.5", "kept = 60"):
        with pytest.raises(ScenarioError, match="of channels"):
            parse_scenario(floor(per_hour=10, channel="voice", more=f"handle = 60\n{word}"))
