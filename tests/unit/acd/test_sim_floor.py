"""The simulated floor: the same seed is the same day, nobody gets lost, and a broken rule shows."""

from collections.abc import Callable
from dataclasses import replace
from random import Random

import pytest

from acd.engine import Acd
from acd.events import AgentOrder, SkillLevel
from acd.ids import QueueId
from acd.simulator import simulate
from acd.simulator_core import is_plain
from acd.simulator_laws import (
    Deterministic,
    Exponential,
    LogNormal,
    Poisson,
    RateTable,
    Recorded,
    RecordedContact,
)
from acd.simulator_scenario import AgentGroup, CustomerClass, Habits, QueuePlan, Scenario, single_queue
from acd.simulator_stage import Engine
from tests.support.acd_plain_engine import PlainEngine

pytestmark = pytest.mark.unit

A, B = QueueId("a"), QueueId("b")


def floor(**changed: object) -> Scenario:
    """Two queues, three groups, skills and priorities, busy and with impatient customers."""
    english = (SkillLevel("en", 2),)
    classes = (
        CustomerClass("gold", A, Poisson(60), LogNormal(240, 1.2), Exponential(120), priority=1),
        CustomerClass("usual", A, Poisson(90), Exponential(200), Exponential(90)),
        CustomerClass("english", B, Poisson(40), Exponential(300), Exponential(200), required_skills=english),
        CustomerClass("other", B, Poisson(50), Deterministic(180), Exponential(150)),
    )
    groups = (
        AgentGroup("both", 5, (A, B), (SkillLevel("en", 3),)),
        AgentGroup("first", 5, (A,)),
        AgentGroup("second", 5, (B,), (SkillLevel("en", 1),)),
    )
    plan = Scenario((QueuePlan(A), QueuePlan(B, target_s=30)), classes, groups)
    return replace(plan, **changed)  # type: ignore[arg-type]


def lively() -> Scenario:
    """The same with everything people do: rings, unanswered offers, drawn and timed wrap-up, pauses."""
    habits = Habits(Exponential(4), no_answer_share=0.02, pause_share=0.05, pause=Exponential(200))
    queues = (QueuePlan(A, wrap_up=Deterministic(20)), QueuePlan(B, wrap_up=LogNormal(15, 0.5)))
    return floor(habits=habits, queues=queues)


def random_floor(seed: int) -> Scenario:
    dice = Random(seed)
    queues = [QueueId(f"q{number}") for number in range(dice.randint(1, 4))]
    classes = tuple(
        CustomerClass(
            f"c{number}",
            dice.choice(queues),
            Poisson(dice.uniform(20, 200)),
            Exponential(dice.uniform(60, 400)),
            Exponential(dice.uniform(10, 300)) if dice.random() < 0.8 else None,
            priority=dice.randint(0, 2),
            required_skills=(SkillLevel("s", dice.randint(1, 3)),) if dice.random() < 0.4 else (),
        )
        for number in range(dice.randint(1, 5))
    )
    groups = tuple(
        AgentGroup(
            f"g{number}",
            dice.randint(1, 12),
            tuple(dice.sample(queues, dice.randint(1, len(queues)))),
            (SkillLevel("s", dice.randint(1, 3)),),
        )
        for number in range(dice.randint(1, 4))
    )
    return Scenario(tuple(QueuePlan(queue) for queue in queues), classes, groups)


@pytest.mark.parametrize("scenario", [floor(), lively()], ids=["plain", "lively"])
def test_same_seed_is_the_same_day_and_another_seed_another(scenario: Scenario) -> None:
    once, again, other = (simulate(scenario, seed=seed, calls=2_000) for seed in (5, 5, 6))
    assert once == again
    assert once.digest != other.digest


@pytest.mark.parametrize("engine", [None, Acd])
@pytest.mark.parametrize("scenario", [floor(), lively()], ids=["plain", "lively"])
def test_every_contact_that_arrived_was_served_or_left_or_is_still_there(
    scenario: Scenario, engine: Callable[[], Engine] | None
) -> None:
    result = simulate(scenario, seed=3, calls=3_000, engine=engine)
    assert result.arrived == result.served + result.abandoned + result.in_system
    assert result.in_system <= sum(group.count for group in scenario.groups) + 100
    whole = result.whole
    assert whole.offered == 3_000 == whole.served + whole.abandoned
    for parts in (result.classes, result.queues):
        assert sum(part.offered for part in parts) == whole.offered
        assert sum(part.abandoned for part in parts) == whole.abandoned


@pytest.mark.parametrize("seed", range(8))
def test_whole_engine_its_matching_and_a_plain_scan_agree_on_any_floor(seed: int) -> None:
    """Contact by contact: who was connected to whom, and when; and who left."""
    scenario = random_floor(seed)
    engines: list[Callable[[], Engine] | None] = [None, Acd, PlainEngine]
    digests = {simulate(scenario, seed=seed, calls=1_500, engine=engine).digest for engine in engines}
    assert len(digests) == 1


QUIET = single_queue(200, 180, 14)


def test_equal_agents_get_equal_work_when_the_longest_idle_goes_first() -> None:
    (agents,) = simulate(QUIET, seed=1, calls=20_000).groups
    assert agents.occupancy_spread < 0.02
    assert agents.idle_spread < 1.2


def test_giving_work_to_whoever_just_got_idle_is_noticed() -> None:
    """In the long run all still get the same: but some are never left in peace while others are forgotten."""
    broken = simulate(QUIET, seed=1, calls=20_000, engine=lambda: PlainEngine(newest_agent=True))
    assert broken.digest != simulate(QUIET, seed=1, calls=20_000).digest
    assert broken.groups[0].idle_spread > 2.0


def test_serving_whoever_came_last_is_noticed() -> None:
    """Mean wait is the same, since work is: the share that is answered in time is not."""
    right = simulate(QUIET, seed=1, calls=20_000)
    broken = simulate(QUIET, seed=1, calls=20_000, engine=lambda: PlainEngine(newest_contact=True))
    assert broken.digest != right.digest
    assert broken.whole.asa_s.value == pytest.approx(right.whole.asa_s.value, rel=0.2)
    assert not broken.whole.service_level.covers(0.888350019179)
    assert right.whole.service_level.covers(0.888350019179)


def test_another_order_of_agents_spreads_the_work_its_own_way() -> None:
    """Top-down wears out the first as configured; fewest calls evens out the number of contacts."""
    found = {}
    for order in (AgentOrder.LONGEST_IDLE, AgentOrder.FEWEST_CALLS, AgentOrder.TOP_DOWN):
        scenario = replace(QUIET, queues=(replace(QUIET.queues[0], order=order),))
        found[order] = simulate(scenario, seed=1, calls=3_000).groups[0].occupancy_spread
    assert found[AgentOrder.LONGEST_IDLE] < 0.04
    assert found[AgentOrder.FEWEST_CALLS] < 0.1
    assert found[AgentOrder.TOP_DOWN] > 0.2


def test_urgent_customers_wait_less_and_impatient_ones_leave() -> None:
    gold, usual, *_ = simulate(floor(), seed=2, calls=10_000).classes
    assert gold.asa_s.value < 0.6 * usual.asa_s.value
    assert gold.p_abandon.value < usual.p_abandon.value


def test_wrap_up_timed_by_the_engine_is_work_like_talking() -> None:
    """60 s of conversation and 60 s of wrap-up keep agents as busy as 120 s of conversation."""
    scenario = single_queue(120, 120, 6, wrap_up_s=60)
    assert not is_plain(scenario)
    result = simulate(scenario, seed=1, calls=8_000)
    assert result.occupancy.covers(4 / 6)
    drawn = replace(scenario, queues=(replace(scenario.queues[0], wrap_up=Exponential(60)),))
    assert simulate(drawn, seed=1, calls=8_000).occupancy.covers(4 / 6)


def test_two_kinds_of_skilled_agents_do_no_better_than_if_all_could_do_all() -> None:
    """Pooling bound: S02 of the reference is the best that 16 agents can give to these customers."""
    patience = Exponential(120)
    classes = tuple(CustomerClass(str(q), q, Poisson(90), Exponential(300), patience) for q in (A, B))
    queues = (QueuePlan(A), QueuePlan(B))
    silos = Scenario(queues, classes, (AgentGroup("a", 8, (A,)), AgentGroup("b", 8, (B,))))
    crossed = Scenario(
        queues, classes, (AgentGroup("a", 6, (A,)), AgentGroup("b", 6, (B,)), AgentGroup("both", 4, (A, B)))
    )
    pooled = Scenario(queues, classes, (AgentGroup("both", 16, (A, B)),))
    alone, some, best = (
        simulate(each, seed=1, calls=30_000).whole.p_abandon.value for each in (silos, crossed, pooled)
    )
    assert best < some < alone
    assert best == pytest.approx(0.0939648630288, rel=0.03)
    assert alone == pytest.approx(0.143960787143, rel=0.03)


def test_an_offer_that_rings_out_costs_the_customer_the_ring_and_the_agent_a_pause() -> None:
    scenario = replace(single_queue(30, 100, 6), habits=Habits(no_answer_share=0.1, pause=Deterministic(60)))
    result = simulate(scenario, seed=1, calls=4_000)
    assert result.whole.p_wait.value < 0.05
    assert result.whole.asa_s.value == pytest.approx(20 * 0.1 / 0.9, rel=0.15)
    assert result.occupancy.value < 30 * 100 / 3600 / 6 * 1.1


def test_a_recorded_day_is_run_to_its_end() -> None:
    contacts = tuple(RecordedContact(1000 * at, 60_000, 30_000) for at in (0, 1, 2, 50))
    day = replace(QUIET, groups=(AgentGroup("agent", 1, (QueueId("queue"),)),))
    day = replace(day, classes=(replace(day.classes[0], arrivals=Recorded(contacts)),))
    for engine in (None, Acd):
        result = simulate(day, seed=1, engine=engine)
        assert (result.arrived, result.served, result.abandoned, result.in_system) == (4, 2, 2, 0)
        assert result.whole.asa_s.value == pytest.approx((0 + 30 + 30 + 10) / 4)
        assert result.whole.service_level.value == pytest.approx(2 / 4)
        assert result.hours == pytest.approx(120 / 3600)


def test_agents_come_and_go_with_their_shifts() -> None:
    """An hour of customers, agents in the second half only: who came before the shift waits for it or leaves."""
    rates = RateTable(1800, (60, 60))
    group = AgentGroup("late", 10, (QueueId("queue"),), shifts=((1800, 3600),))
    day = Scenario(QUIET.queues, (replace(QUIET.classes[0], arrivals=rates, patience=Exponential(120)),), (group,))
    result = simulate(day, seed=4)
    assert result.arrived == result.served + result.abandoned
    assert result.in_system == 0
    assert 0.35 < result.whole.p_abandon.value < 0.6
    assert result.occupancy.value < 1


def test_customers_who_never_stop_need_a_number_of_calls() -> None:
    with pytest.raises(ValueError, match="how many calls"):
        simulate(QUIET, seed=1)
