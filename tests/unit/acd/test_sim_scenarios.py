"""Laws of chance, scenario files, confidence: what a simulation is made of."""

import math
import statistics
from itertools import islice, pairwise
from random import Random

import pytest

from acd.events import SkillLevel
from acd.simulator_laws import (
    Deterministic,
    Empirical,
    Exponential,
    Law,
    LogNormal,
    Poisson,
    RateTable,
    Recorded,
    RecordedContact,
    moments,
)
from acd.simulator_results import Estimate, Ruler, student_quantile
from acd.simulator_scenario import Habits, Scenario, ScenarioError, single_queue
from callcenter.simulation.recorded_day import parse_day
from callcenter.simulation.scenario_file import parse_scenario

pytestmark = pytest.mark.unit

TEXT = """
[habits]
answer = { law = "exponential", mean_s = 4 }
no_answer_share = 0.01

[[queues]]
id = "sales"
target_s = 30
wrap_up = { law = "lognormal", mean_s = 30, cv = 0.8 }

[[queues]]
id = "care"
wrap_up = { law = "deterministic", mean_s = 20 }

[[classes]]
name = "gold"
queue = "sales"
priority = 1
arrivals_per_hour = 60
handle = { law = "empirical", values_s = [60, 120, 300] }
patience = 120
skills = { en = 2 }

[[classes]]
queue = "care"
rates = { interval_s = 900, per_hour = [20, 60] }
handle = 200

[[groups]]
name = "all"
agents = 12
queues = ["sales", "care"]
skills = { en = 3 }
shifts = [[0, 14400]]
"""


@pytest.mark.parametrize(
    ("law", "deviation"),
    [
        (Exponential(240), 240),
        (LogNormal(240, 1.5), 360),
        (Deterministic(240), 0),
        (Empirical((100, 200, 600)), 216.02),
    ],
)
def test_every_law_has_its_mean_and_spread(law: Law, deviation: float) -> None:
    draw = law.sampler(Random(1))
    drawn = [draw() / 1000 for _ in range(60_000)]
    assert statistics.fmean(drawn) == pytest.approx(law.mean_s, rel=0.03)
    assert statistics.pstdev(drawn) == pytest.approx(deviation, rel=0.1)


@pytest.mark.parametrize("law", [Exponential(2), LogNormal(2, 0.5), Deterministic(2), Empirical((1, 2, 6))])
def test_moments_are_those_of_what_is_drawn(law: Law) -> None:
    draw = law.sampler(Random(1))
    drawn = [draw() / 1000 + 0.5 for _ in range(100_000)]
    for power, moment in enumerate(moments(law, 0.5), 1):
        assert statistics.fmean(each**power for each in drawn) == pytest.approx(moment, rel=0.04)


def test_poisson_arrivals_come_at_their_rate_and_independently() -> None:
    instants = list(islice(Poisson(720).instants(Random(1)), 40_000))
    gaps = [after - before for before, after in pairwise(instants)]
    assert statistics.fmean(gaps) == pytest.approx(5_000, rel=0.02)
    assert statistics.pstdev(gaps) == pytest.approx(5_000, rel=0.03)


def test_a_rate_table_gives_each_interval_its_own_rate_and_then_ends() -> None:
    instants = list(RateTable(900, (4_000, 0, 400, 8_000)).instants(Random(2)))
    counts = [sum(start <= at < start + 900_000 for at in instants) for start in range(0, 3_600_000, 900_000)]
    assert counts[1] == 0
    assert sum(counts) == len(instants)
    for count, expected in zip(counts, (1_000, 0, 100, 2_000), strict=True):
        assert abs(count - expected) <= 4 * math.sqrt(expected)
    assert instants == sorted(instants)


def test_another_staffing_meets_the_same_customers() -> None:
    few, many = (single_queue(200, 180, agents, patience_s=60).customers(7) for agents in (3, 30))
    assert list(islice(few, 500)) == list(islice(many, 500))


def test_a_scenario_is_read_from_toml() -> None:
    scenario = parse_scenario(TEXT)
    gold, care = scenario.classes
    assert scenario.habits == Habits(Exponential(4), no_answer_share=0.01)
    assert [queue.spec().wrap_up_ms for queue in scenario.queues] == [24 * 3_600_000, 20_000]
    assert scenario.queues[0].target_s == 30
    assert (gold.priority, gold.arrivals, gold.patience) == (1, Poisson(60), Exponential(120))
    assert gold.handle == Empirical((60, 120, 300))
    assert gold.required_skills == (SkillLevel("en", 2),)
    assert (care.name, care.arrivals, care.patience) == ("care", RateTable(900, (20, 60)), None)
    (group,) = scenario.groups
    assert (group.count, group.queue_ids, group.shifts) == (12, ("sales", "care"), ((0, 14400),))
    assert scenario.load == pytest.approx(60 / 3600 * (160 + 30))
    assert scenario.endless


@pytest.mark.parametrize(
    ("before", "after", "complaint"),
    [
        ("priority = 1", "prio = 1", "scenario: classes.0.prio: unknown key"),
        ('id = "care"', 'id = "sales"', "queue 'sales' is given twice"),
        ('queue = "care"', 'queue = "fax"', "class 'fax' names queue 'fax'"),
        ("handle = 200", "", "scenario: classes.1.handle: Field required"),
        ("handle = 200", "handle = 0", "scenario: classes.1.handle: a law must be more than 0"),
        ("handle = 200", "handle = nan", "scenario: classes.1.handle: a law must be a number"),
        ("arrivals_per_hour = 60", "arrivals_per_hour = inf", "arrivals_per_hour: Input should be a finite number"),
        ("[[0, 14400]]", "[[0, inf]]", "groups.0.shifts.0.1: Input should be a finite number"),
        ('law = "exponential"', 'law = "weibull"', "known are exponential, lognormal"),
        ("agents = 12", 'agents = "many"', "scenario: groups.0.agents: Input should be a valid integer"),
        (
            "no_answer_share = 0.01",
            "no_answer_share = 7",
            "habits.no_answer_share: Input should be less than or equal to 1",
        ),
        ("[[0, 14400]]", "[[14400, 0]]", "groups.0.shifts: [14400, 0] must be [from, until]"),
        ("arrivals_per_hour = 60", "", "write either arrivals_per_hour or rates"),
        ('["sales", "care"]', '"sales"', "groups.0.queues: Input should be a valid tuple"),
        (
            "target_s = 30",
            'order = "alphabetical"',
            "queues.0.agent_order: Input should be 'longest_idle', 'most_skilled'",
        ),
        ("[habits]", "[habits", "not TOML"),
    ],
)
def test_a_wrong_scenario_is_refused_with_its_place(before: str, after: str, complaint: str) -> None:
    assert before in TEXT
    with pytest.raises(ScenarioError) as refusal:
        parse_scenario(TEXT.replace(before, after, 1))
    assert complaint in str(refusal.value)


def test_a_recorded_day_replaces_the_customers() -> None:
    day = "at_s,queue,handle_s,patience_s\n0,sales,60,\n1.5,care,,30\n2,sales,,\n"
    scenario = parse_day(day, parse_scenario(TEXT))
    sales, care = scenario.classes
    first, third = RecordedContact(0, 60_000, None), RecordedContact(2_000, None, None)
    assert sales.arrivals == Recorded((first, third))
    assert care.arrivals == Recorded((RecordedContact(1_500, None, 30_000),))
    assert (sales.priority, sales.patience) == (1, Exponential(120))
    assert not scenario.endless
    contacts = list(scenario.customers(1))
    assert [(at, number) for at, number, _, _ in contacts] == [(0, 0), (1_500, 1), (2_000, 0)]
    assert contacts[0][2] == 60_000
    assert contacts[1][3] == 30_000


@pytest.mark.parametrize(
    ("day", "complaint"),
    [
        ("at_s,queue\nsoon,sales\n", "line 2"),
        ("at_s,queue\n5,sales\n4,sales\n", "line 3: comes before"),
        ("at_s,queue\n", "no contacts"),
        ("queue\nsales\n", "line 1 has no column at_s"),
        ("at_s,queue\n-5,sales\n", "line 2: at_s is '-5'"),
        ("at_s,queue\ninf,sales\n", "line 2: at_s is 'inf'"),
        ("at_s,queue,handle_s\n5,sales,-1\n", "line 2: handle_s is '-1'"),
        ("at_s,queue\n5,\n", "line 2: at_s and queue may not be blank"),
    ],
)
def test_a_wrong_day_is_refused_with_its_line(day: str, complaint: str) -> None:
    with pytest.raises(ScenarioError, match=complaint):
        parse_day(day, parse_scenario(TEXT))


def test_a_floor_without_groups_is_no_scenario() -> None:
    full = single_queue(60, 60, 1)
    with pytest.raises(ScenarioError, match="at least one group"):
        Scenario(full.queues, full.classes, ())


@pytest.mark.parametrize(("freedom", "quantile"), [(15, 4.0728), (39, 3.5581), (99, 3.3915)])
def test_student_quantiles_agree_with_the_tables(freedom: int, quantile: float) -> None:
    assert student_quantile(0.9995, freedom) == pytest.approx(quantile, abs=2e-3)


def test_luck_that_is_known_is_taken_out_of_a_figure() -> None:
    """A figure that is half known luck is found much closer than by averaging, and its interval still holds."""
    dice = Random(3)
    luck = [dice.gauss(0, 1) for _ in range(60)]
    parts = [5 + each + dice.gauss(0, 0.1) for each in luck]
    plain, better = (Ruler(60, known).ratio(parts, [1.0] * 60) for known in ([], [luck]))
    assert better.error < plain.error / 5
    assert plain.covers(5.0)
    assert better.covers(5.0)
    assert abs(better.value - 5.0) < 0.06


def test_luck_that_follows_from_other_luck_changes_nothing() -> None:
    dice = Random(4)
    luck = [dice.gauss(0, 1) for _ in range(60)]
    parts = [5 + each + dice.gauss(0, 0.5) for each in luck]
    once = Ruler(60, [luck]).ratio(parts, [1.0] * 60)
    twice = Ruler(60, [luck, [2 * each for each in luck], [0.0] * 60]).ratio(parts, [1.0] * 60)
    assert (twice.value, twice.freedom) == (pytest.approx(once.value), once.freedom)


def test_confidence_intervals_hold_as_often_as_they_say() -> None:
    held = 0
    for seed in range(300):
        dice = Random(seed)
        luck = [dice.gauss(0, 1) for _ in range(30)]
        parts = [2 + each + dice.expovariate(1.0) - 1.0 for each in luck]
        held += Ruler(30, [luck]).ratio(parts, [1.0] * 30).covers(2.0, 0.9)
    assert 250 <= held <= 288


def test_one_batch_alone_has_no_interval() -> None:
    estimate = Ruler(1).ratio([3.0], [6.0])
    assert estimate == Estimate(0.5)
    assert math.isinf(estimate.half_width())
