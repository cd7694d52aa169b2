"""Formulas and staffing: golden vectors, numbers that must not break at any size, the smallest floor that is enough."""

import math
from dataclasses import replace

import pytest

from acd.erlang import Workload, erlang_b, erlang_c, priority_waits, steady_state
from acd.events import SkillLevel
from acd.ids import QueueId
from acd.simulator_laws import Exponential, Poisson
from acd.simulator_scenario import AgentGroup, CustomerClass, QueuePlan, Scenario, single_queue
from acd.staffing import Targets, Unreachable, required_agents, rostered, staff_intervals
from acd.staffing_groups import staff_groups

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("per_hour", "aht_s", "agents", "p_wait", "service_level", "asa_s", "occupancy"),
    [
        (1000, 120, 40, 0.190737, 0.937211, 3.4333, 0.83333),
        (200, 180, 14, 0.174132, 0.888350, 7.8359, 0.71429),
        (200, 180, 13, 0.285270, 0.795595, 17.1162, 0.76923),
    ],
)
def test_erlang_c_agrees_with_published_vectors(
    per_hour: float, aht_s: float, agents: int, p_wait: float, service_level: float, asa_s: float, occupancy: float
) -> None:
    state = steady_state(Workload(per_hour, aht_s), agents)
    assert state.p_wait == pytest.approx(p_wait, abs=5e-7)
    assert state.service_level == pytest.approx(service_level, abs=5e-7)
    assert state.asa_s == pytest.approx(asa_s, abs=5e-5)
    assert state.occupancy == pytest.approx(occupancy, abs=5e-6)


def test_erlang_b_agrees_with_the_sum_it_stands_for() -> None:
    load, agents = 8.108, 15
    terms = [load**busy / math.factorial(busy) for busy in range(agents + 1)]
    assert erlang_b(load, agents) == pytest.approx(terms[-1] / sum(terms), rel=1e-13)


@pytest.mark.parametrize("agents", [1, 10, 300, 10_000])
@pytest.mark.parametrize("rho", [0.01, 0.5, 0.95, 1.0, 1.05, 3.0])
@pytest.mark.parametrize("patience_s", [0.0, 0.5, 120.0, 3_000.0, math.inf])
def test_every_figure_is_sensible_at_any_size(agents: int, rho: float, patience_s: float) -> None:
    work = Workload(agents * rho * 3600 / 240, 240, patience_s)
    state = steady_state(work, agents)
    for share in (state.p_wait, state.p_abandon, state.occupancy, state.service_level, state.p_wait_beyond_target):
        assert 0.0 <= share <= 1.0 + 1e-12
    assert state.asa_s >= 0
    assert state.service_level <= 1.0 - state.p_abandon + 1e-9
    if math.isfinite(state.asa_s):
        assert state.mean_queue == pytest.approx(state.asa_s * work.arrivals_per_hour / 3600, rel=1e-9)
        assert state.occupancy == pytest.approx(work.load * (1 - state.p_abandon) / agents, rel=1e-9)


def test_patience_like_handle_time_makes_the_floor_poisson() -> None:
    """With mu = theta nobody can tell who waits from who talks: the number present is Poisson (reference A05)."""
    work, agents = Workload(3600, 300, 300), 300
    busy = math.fsum(math.exp(k * math.log(300) - 300 - math.lgamma(k + 1)) for k in range(agents, 900))
    assert steady_state(work, agents).p_wait == pytest.approx(busy, rel=1e-11)


def test_long_patience_tends_to_erlang_c_and_short_patience_to_erlang_b() -> None:
    load, agents = 10.0, 12
    assert steady_state(Workload(150, 240, 1e9), agents).p_wait == pytest.approx(erlang_c(load, agents), rel=1e-5)
    assert steady_state(Workload(150, 240, 1e-6), agents).p_abandon == pytest.approx(erlang_b(load, agents), rel=1e-5)


def test_service_level_is_complete_at_infinity_and_immediate_at_zero() -> None:
    work, agents = Workload(360, 240, 120), 22
    whole = steady_state(work, agents, target_s=1e5)
    assert whole.service_level == pytest.approx(1 - whole.p_abandon, rel=1e-12)
    at_once = steady_state(work, agents, target_s=0.0)
    assert at_once.service_level == pytest.approx(1 - at_once.p_wait, rel=1e-12)


def test_priorities_share_out_the_same_waiting() -> None:
    """Conservation: weighted by arrivals, the classes wait as long as everybody would first come, first served."""
    rates = (30.0, 70.0, 50.0)
    for patience_s in (math.inf, 120.0):
        waits = priority_waits(rates, 240, 11, patience_s=patience_s)
        weighted = sum(rate * each.asa_s for rate, each in zip(rates, waits, strict=True)) / sum(rates)
        whole = steady_state(Workload(sum(rates), 240, patience_s), 11)
        assert weighted == pytest.approx(whole.asa_s, rel=1e-11)
        assert [each.asa_s for each in waits] == sorted(each.asa_s for each in waits)


@pytest.mark.parametrize("agents", [0, -1])
def test_no_agents_is_no_floor(agents: int) -> None:
    with pytest.raises(ValueError, match="at least one agent"):
        steady_state(Workload(60, 60), agents)


@pytest.mark.parametrize("wrong", [(0, 60, 1), (60, -1, 1), (60, 60, -1), (math.inf, 60, 1)])
def test_work_that_makes_no_sense_is_refused(wrong: tuple[float, float, float]) -> None:
    with pytest.raises(ValueError, match="positive"):
        Workload(*wrong)


@pytest.mark.parametrize(
    ("work", "targets", "agents", "on_roster"),
    [
        (Workload(1000, 120), Targets(0.92), 40, 58),
        (Workload(200, 180), Targets(0.8), 14, 20),
        (Workload(200, 180), Targets(None, occupancy=0.7), 15, 22),
        (Workload(200, 180), Targets(None, asa_s=17.2), 13, 19),
        (Workload(360, 240, 120), Targets(None, p_abandon=0.0950), 24, 35),
    ],
)
def test_smallest_floor_that_meets_the_targets(work: Workload, targets: Targets, agents: int, on_roster: int) -> None:
    found = required_agents(work, targets, shrinkage=0.3)
    assert (found.agents, found.rostered) == (agents, on_roster)
    assert targets.met_by(found.state)
    assert found.one_fewer is not None
    assert not targets.met_by(found.one_fewer)


def test_bisection_finds_what_trying_every_number_finds() -> None:
    for per_hour in (1, 7, 33, 250, 900):
        for patience_s in (20.0, 300.0, math.inf):
            work, targets = Workload(per_hour, 200, patience_s), Targets(0.85, 10, occupancy=0.9)
            slow = next(n for n in range(1, 200) if targets.met_by(steady_state(work, n, target_s=10)))
            assert required_agents(work, targets).agents == slow


def test_a_day_is_staffed_interval_by_interval() -> None:
    day = staff_intervals([Workload(rate, 180) for rate in (20, 200, 40)], Targets(), shrinkage=0.3)
    assert [each.agents for each in day] == [3, 14, 4]
    assert day[1].explanation == "14 = 10.00 erlangs of work +1.26 x its square root 3.16"


def test_targets_that_nobody_can_meet_are_told() -> None:
    with pytest.raises(Unreachable):
        required_agents(Workload(200, 180), Targets(None, occupancy=0.0))


@pytest.mark.parametrize("shrinkage", [1.0, -0.1])
def test_shrinkage_is_a_share(shrinkage: float) -> None:
    with pytest.raises(ValueError, match="shrinkage"):
        rostered(10, shrinkage)


def test_one_group_by_simulation_is_what_the_formula_says() -> None:
    found = staff_groups(single_queue(360, 240, 3, patience_s=120), Targets(0.8), calls=8_000)
    formula = required_agents(Workload(360, 240, 120), Targets(0.8)).agents
    assert abs(found.agents["agent"] - formula) <= 1


def test_two_skills_by_simulation_need_fewer_than_two_silos() -> None:
    """The flexible group saves agents, and nobody can be removed from what is found."""
    english = (SkillLevel("en", 1),)
    a, b = QueueId("a"), QueueId("b")
    classes = (
        CustomerClass("a", a, Poisson(90), Exponential(300), Exponential(120)),
        CustomerClass("b", b, Poisson(60), Exponential(300), Exponential(120), required_skills=english),
    )
    groups = (AgentGroup("only-a", 1, (a,)), AgentGroup("both", 1, (a, b), english))
    scenario = Scenario((QueuePlan(a), QueuePlan(b)), classes, groups)
    targets = Targets(0.8)
    found = staff_groups(scenario, targets, calls=4_000, seed=3)
    silos = sum(required_agents(Workload(rate, 300, 120), targets).agents for rate in (90, 60))
    assert sum(found.agents.values()) < silos
    assert all(queue.service_level.value >= 0.8 for queue in found.result.queues)
    dear = staff_groups(scenario, targets, calls=4_000, seed=3, costs={"both": 3.0})
    assert dear.agents["both"] <= found.agents["both"]


def test_a_queue_that_nobody_serves_cannot_be_staffed() -> None:
    scenario = single_queue(60, 60, 1)
    lost = replace(scenario, groups=(AgentGroup("idle", 3, ()),))
    with pytest.raises(Unreachable, match="no group serves"):
        staff_groups(lost, Targets(), calls=500)
