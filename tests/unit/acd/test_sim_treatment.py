"""Simulated floors with all that a queue does: plans, overflow, doors, kept places, callbacks, channels, ringing."""

import re
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from acd.engine import Acd
from acd.events import ContactArrived, Event
from acd.outcomes import ContactOverflowed, ContactQueued, OfferContact, Outcome
from acd.simulator import simulate
from acd.simulator_core import is_plain
from acd.simulator_results import ContactFigures, Result
from acd.simulator_scenario import Scenario, ScenarioError
from callcenter.simulation.recorded_day import parse_day
from callcenter.simulation.scenario_file import parse_scenario

pytestmark = pytest.mark.unit

MANUAL = Path(__file__).parents[3] / "acd" / "SIMULATOR.md"
EXAMPLES = re.findall(r"```toml\n(.*?)```", MANUAL.read_text("utf-8"), re.DOTALL)

BUSY = """
[[queues]]
id = "sales"
QUEUE
[[classes]]
queue = "sales"
ARRIVALS
handle = 240
patience = 120
CUSTOMERS
[[groups]]
name = "sellers"
agents = SIZE
queues = ["sales"]
AGENTS
"""


def busy(
    *,
    queue: str = "",
    customers: str = "",
    agents: str = "",
    more: str = "",
    size: int = 22,
    arrivals: str = "arrivals_per_hour = 360",
) -> Scenario:
    """A03 of the reference table, with something more."""
    words = {"QUEUE": queue, "CUSTOMERS": customers, "AGENTS": agents, "SIZE": str(size), "ARRIVALS": arrivals}
    text = BUSY
    for word, said in words.items():
        text = text.replace(word, said)
    return parse_scenario(more + text if more.startswith("begins_at") else text + more)


class Watching:
    """The engine, and somebody who looks at each event, when it was told and what was said to it."""

    def __init__(self, look: Callable[[Event, int, Sequence[Outcome]], None]) -> None:
        self._engine = Acd()
        self._look = look

    def receive(self, event: Event, *, now: int) -> Sequence[Outcome]:
        said = self._engine.receive(event, now=now)
        self._look(event, now, said)
        return said

    def next_deadline(self) -> int | None:
        return self._engine.next_deadline()

    def handle_timer(self, *, now: int) -> Sequence[Outcome]:
        return self._engine.handle_timer(now=now)


def adds_up(result: Result) -> None:
    """Everybody who came is accounted for once, in the run and among the measured."""
    gone = result.served + result.abandoned + result.sent_away + result.unreached
    assert result.arrived == gone + result.in_system
    parts: tuple[tuple[ContactFigures, ...], ...] = (result.classes, result.queues, result.channels)
    for figures in parts:
        assert sum(each.offered for each in figures) == result.whole.offered
    whole = result.whole
    assert whole.offered == whole.served + whole.abandoned + whole.sent_away + whole.unreached + whole.unfinished
    assert sum(each.flowed_in for each in result.queues) == sum(each.flowed_out for each in result.queues)


@pytest.mark.parametrize("number", range(len(EXAMPLES)))
def test_every_example_of_the_manual_runs_and_adds_up(number: int) -> None:
    scenario = parse_scenario(EXAMPLES[number])
    once, again = (simulate(scenario, seed=1, calls=1_500 if scenario.endless else None) for _ in range(2))
    adds_up(once)
    assert once == again


def test_a_queue_that_asks_for_nothing_special_is_simulated_by_matching_alone_with_the_same_outcome() -> None:
    scenario = busy()
    assert is_plain(scenario)
    alone, whole = simulate(scenario, seed=2, calls=3_000), simulate(scenario, seed=2, calls=3_000, engine=Acd)
    assert alone.digest == whole.digest
    assert alone.groups[0].occupancy == pytest.approx(whole.groups[0].occupancy, abs=1e-9)
    assert not is_plain(busy(queue="max_waiting = 5"))
    assert not is_plain(busy(queue="ring = 'all'"))
    assert not is_plain(busy(agents="breaks = [[60, 120]]"))


def test_a_full_queue_turns_away_who_would_have_waited_behind_too_many() -> None:
    """M/M/22/22+2: never more than two wait, so nobody waits long, and some are not let in."""
    result = simulate(busy(queue="max_waiting = 2"), seed=1, calls=4_000)
    adds_up(result)
    assert result.whole.p_sent_away.value > 0.05
    assert result.mean_queue.value < 2
    assert result.whole.p_abandon.value < 0.142884604371


def test_erlang_b_by_a_door_that_lets_nobody_wait() -> None:
    """A plan that ends at once is a loss system: B01 of the reference, blocked 0.0099996, here with more traffic."""
    scenario = parse_scenario("""
[[queues]]
id = "lines"
longest_wait_seconds = 0.001
[[classes]]
queue = "lines"
arrivals_per_hour = 300
handle = 180
[[groups]]
name = "line"
agents = 15
queues = ["lines"]
""")
    result = simulate(scenario, seed=3, calls=6_000)
    adds_up(result)
    assert result.whole.p_sent_away.value == pytest.approx(0.18031, rel=0.12)


def test_no_agents_rule_turns_away_before_the_shift_and_lets_in_during_it() -> None:
    day = "rates = { interval_s = 1800, per_hour = [360, 360] }"
    result = simulate(busy(queue="entry = 'signed_in'", agents="shifts = [[1800, 3600]]", arrivals=day), seed=1)
    adds_up(result)
    assert result.whole.p_sent_away.value == pytest.approx(0.5, abs=0.08)
    assert result.in_system == 0


HOURS = """
[hours.day]
timezone = "Europe/Berlin"
weekly = [{ days = ["mon"], from = "09:00", to = "10:00" }]
"""


def test_hours_are_those_of_the_clock_at_which_the_simulation_begins() -> None:
    day = "rates = { interval_s = 3600, per_hour = [100, 100, 100] }"
    begins = "begins_at = 2026-03-02T08:00:00\ntime_zone = 'Europe/Berlin'\n"
    result = simulate(busy(queue="hours = 'day'", arrivals=day, more=begins + HOURS), seed=1)
    adds_up(result)
    assert result.whole.p_sent_away.value == pytest.approx(2 / 3, abs=0.08)
    with pytest.raises(ScenarioError, match="write begins_at"):
        busy(queue="hours = 'day'", arrivals=day, more=HOURS)


def test_who_would_wait_too_long_is_not_let_in() -> None:
    limited = simulate(busy(queue="max_expected_wait_seconds = 15"), seed=1, calls=4_000)
    adds_up(limited)
    open_door = simulate(busy(), seed=1, calls=4_000)
    assert limited.whole.p_sent_away.value > 0.02
    assert limited.whole.asa_s.value < open_door.whole.asa_s.value * 0.9


OVERFLOW = """
[[queues]]
id = "help"
[[groups]]
name = "helpers"
agents = 4
queues = ["help"]
"""


def test_who_waited_too_long_goes_to_the_other_queue_with_the_own_age() -> None:
    floor = busy(queue="longest_wait_seconds = 20\notherwise = 'queue:help'", more=OVERFLOW)
    more = simulate(floor, seed=1, calls=4_000)
    adds_up(more)
    sales, help_desk = more.queues
    assert (sales.name, help_desk.name) == ("sales", "help")
    assert sales.flowed_out == help_desk.flowed_in > 100
    assert more.groups[1].served > 50
    assert more.whole.sent_away == 0
    ages: set[int] = set()

    def look(event: Event, now: int, said: Sequence[Outcome]) -> None:
        if isinstance(event, ContactArrived) and event.queue_id == "help":
            ages.add(now - event.arrived_at)

    simulate(floor, seed=1, calls=300, engine=lambda: Watching(look))
    assert ages == {20_000}
    alone = simulate(busy(), seed=1, calls=4_000)
    assert more.whole.p_abandon.value < alone.whole.p_abandon.value


RELAXING = """
[[queues]]
id = "care"
steps = [
  {{ demand = "en >= 3", until_seconds = 30 }},
  {{ demand = "{relaxed}" }},
]
[[classes]]
queue = "care"
arrivals_per_hour = 60
handle = 120
[[groups]]
name = "experts"
agents = 1
queues = ["care"]
skills = {{ en = 3 }}
[[groups]]
name = "others"
agents = 3
queues = ["care"]
skills = {{ en = 1 }}
"""


def test_a_plan_relaxes_after_its_time_and_not_before() -> None:
    relaxed, strict = (
        simulate(parse_scenario(RELAXING.format(relaxed=each)), seed=1, calls=600) for each in ("en >= 1", "en >= 2")
    )
    adds_up(relaxed)
    _, others = relaxed.groups
    assert others.served > 100
    assert strict.groups[1].served == 0
    assert relaxed.whole.asa_s.value < 40 < strict.whole.asa_s.value
    early: list[str] = []

    def look(event: Event, now: int, said: Sequence[Outcome]) -> None:
        if isinstance(event, ContactArrived):
            early.extend(each.agent_id for each in said if isinstance(each, OfferContact))

    simulate(parse_scenario(RELAXING.format(relaxed="en >= 1")), seed=1, calls=300, engine=lambda: Watching(look))
    assert set(early) == {"experts-1"}, "nobody of the second ring is asked on arrival"


def test_a_named_plan_and_the_level_of_the_customer_go_as_in_the_site_file() -> None:
    text = """
[[queues]]
id = "care"
level_priority = { gold = 10 }
[[route_plans]]
id = "experts-first"
steps = [{ demand = "{language} >= 2", until_seconds = 20, levels = ["gold"] }, { demand = "queue:care" }]
[[classes]]
name = "gold"
queue = "care"
level = "gold"
language = "zh"
route_plan = "experts-first"
arrivals_per_hour = 60
handle = 240
[[classes]]
name = "usual"
queue = "care"
arrivals_per_hour = 60
handle = 240
[[groups]]
name = "all"
agents = 9
queues = ["care"]
skills = { zh = 2 }
"""
    gold, usual = parse_scenario(text).classes
    assert gold.priority == 10
    assert gold.plan is not None
    assert [step.demand for step in gold.plan.steps] == ["zh >= 2", "queue:care"]
    assert usual.plan is None
    first, second = simulate(parse_scenario(text), seed=1, calls=3_000).classes
    assert first.asa_s.value < 0.5 * second.asa_s.value


def test_ringing_everybody_answers_sooner_when_agents_take_their_time() -> None:
    """Ten agents, nearly all idle: the first of ten exponential times of 8 s, or of ever more of them."""
    found = {}
    for style in ("one", "all", "progressive"):
        queue = f"ring = '{style}'\nring_next_seconds = 2"
        floor = busy(queue=queue, agents="answer = 8", size=10, arrivals="arrivals_per_hour = 30")
        result = simulate(floor, seed=1, calls=800)
        adds_up(result)
        found[style] = result.whole.asa_s.value
    assert found["one"] == pytest.approx(8, rel=0.15)
    assert found["all"] == pytest.approx(8 / 8, rel=0.4)
    assert found["all"] < found["progressive"] < 0.8 * found["one"]


def test_each_group_lets_it_ring_out_as_often_as_it_is_said_to() -> None:
    more = """
[[groups]]
name = "reliable"
agents = 11
queues = ["sales"]
no_answer_share = 0
"""
    careless = "no_answer_share = 0.1\nanswer = 3\npause = 60"
    result = simulate(busy(agents=careless, size=11, more=more), seed=1, calls=4_000)
    adds_up(result)
    first, second = result.groups
    assert first.rang_out / first.offers == pytest.approx(0.1, abs=0.02)
    assert second.rang_out == 0
    assert first.staffed_hours < 0.985 * second.staffed_hours


def test_who_dials_again_within_the_window_has_the_old_place() -> None:
    """Half of those who give up are back after a minute; with their place kept they are answered sooner."""
    again = "redial = { share = 1, after = { law = 'deterministic', mean_s = 5 }, most = 3 }"
    forgotten, kept = (
        simulate(busy(queue=f"resume_seconds = {window}", customers=again), seed=1, calls=6_000) for window in (0, 600)
    )
    for result in (forgotten, kept):
        adds_up(result)
        assert result.whole.redialled > 300
    assert kept.digest != forgotten.digest


def test_only_who_dials_again_in_time_is_told_to_be_back_in_the_old_place() -> None:
    seen: list[str] = []

    def look(event: Event, now: int, said: Sequence[Outcome]) -> None:
        seen.extend(each.contact_id for each in said if isinstance(each, ContactQueued) and each.resumed)

    soon = "redial = { share = 1, after = { law = 'deterministic', mean_s = 5 } }"
    late = "redial = { share = 1, after = { law = 'deterministic', mean_s = 700 } }"
    for redial, comes_back in ((soon, True), (late, False)):
        seen.clear()
        floor = busy(queue="resume_seconds = 600", customers=redial)
        simulate(floor, seed=1, calls=1_500, engine=lambda: Watching(look))
        assert (len(seen) > 50) is comes_back


CALLBACK = "callback_most = 50\ncallback_order = '{order}'\ncallback_retry_seconds = 60\ncallback_attempts = 2"
WISH = "callback = {{ accept_share = {accept}, offered_after_seconds = 10, reached_share = {reached} }}"
STAFFED = 26
"""Enough for those who would have given up, too."""


@pytest.mark.parametrize("order", ["agent", "customer"])
def test_callbacks_serve_who_would_have_given_up(order: str) -> None:
    wish = WISH.format(accept=1.0, reached=1.0)
    result = simulate(busy(queue=CALLBACK.format(order=order), customers=wish, size=STAFFED), seed=1, calls=3_000)
    adds_up(result)
    plain = simulate(busy(size=STAFFED), seed=1, calls=3_000)
    assert result.whole.called_back > 300
    assert result.whole.unreached == 0
    assert result.whole.p_abandon.value < 0.6 * plain.whole.p_abandon.value
    assert result.whole.asa_s.value < plain.whole.asa_s.value, "nobody is on the line for long"
    assert result.occupancy.value > plain.occupancy.value, "work is moved, not removed"


@pytest.mark.parametrize("order", ["agent", "customer"])
def test_who_is_never_there_is_called_as_often_as_the_queue_says(order: str) -> None:
    dialled: Counter[int] = Counter()

    def look(event: Event, now: int, said: Sequence[Outcome]) -> None:
        if isinstance(event, ContactArrived) and event.is_away:
            dialled[event.arrived_at] += 1

    wish = WISH.format(accept=0.5, reached=0.0)
    scenario = busy(queue=CALLBACK.format(order=order), customers=wish)
    result = simulate(scenario, seed=1, calls=1_500, engine=lambda: Watching(look))
    adds_up(result)
    whole = result.whole
    assert whole.called_back > 100
    assert whole.unreached + whole.unfinished >= whole.called_back
    assert whole.unreached > 0.8 * whole.called_back
    assert max(dialled.values()) == 2


def test_callbacks_are_capped() -> None:
    wish = WISH.format(accept=1.0, reached=1.0)
    few = busy(queue=CALLBACK.format(order="agent").replace("50", "2"), customers=wish)
    many = busy(queue=CALLBACK.format(order="agent"), customers=wish)
    assert simulate(few, seed=1, calls=1_500).whole.called_back < simulate(many, seed=1, calls=1_500).whole.called_back


def test_who_is_turned_away_may_be_called_back_instead() -> None:
    wish = "callback = { accept_share = 1, when_sent_away = true }"
    queue = "max_waiting = 3\n" + CALLBACK.format(order="agent")
    result = simulate(busy(queue=queue.replace("50", "500"), customers=wish), seed=1, calls=400)
    adds_up(result)
    assert result.whole.called_back > 50
    assert result.whole.sent_away == 0


def test_customer_first_no_agent_is_busy_while_the_phone_rings_in_vain() -> None:
    """Nobody is ever there. Agent first they all sit through 30 s of ringing; customer first agents are only kept."""
    wish = WISH.format(accept=1.0, reached=0.0)
    busy_share = {}
    for order in ("agent", "customer"):
        result = simulate(busy(queue=CALLBACK.format(order=order), customers=wish), seed=1, calls=1_500)
        busy_share[order] = result.occupancy.value
        assert result.groups[0].rang_out == 0, "who is kept misses nothing"
    assert busy_share["agent"] > busy_share["customer"]


CHANNELS = """
[[queues]]
id = "desk"
[[classes]]
queue = "desk"
arrivals_per_hour = 60
handle = 180
patience = 120
[[classes]]
queue = "desk"
channel = "chat"
arrivals_per_hour = 60
handle = { law = "lognormal", mean_s = 600, cv = 0.5 }
patience = 180
[[classes]]
queue = "desk"
channel = "email"
arrivals_per_hour = 30
handle = 300
[[groups]]
name = "desk"
agents = 10
queues = ["desk"]
capacity = { chat = CHATS, email = 2 }
interrupts = { voice = ["email"], chat = ["email"] }
"""


def test_an_agent_with_room_for_three_chats_has_up_to_three() -> None:
    one, three = (simulate(parse_scenario(CHANNELS.replace("CHATS", most)), seed=1, calls=2_000) for most in "13")
    for result in (one, three):
        adds_up(result)
        assert [each.name for each in result.channels] == ["voice", "chat", "email"]
    assert three.channels[1].asa_s.value < 0.5 * one.channels[1].asa_s.value
    assert three.channels[2].abandoned == 0, "nobody waits for the answer to an e-mail"


def test_calls_wait_behind_chats_unless_they_may_come_beside_them() -> None:
    beside = CHANNELS.replace('voice = ["email"]', 'voice = ["email", "chat"]')
    behind, may = (
        simulate(parse_scenario(each.replace("CHATS", "3")), seed=1, calls=2_000) for each in (CHANNELS, beside)
    )
    assert may.channels[0].asa_s.value < 0.5 * behind.channels[0].asa_s.value


def test_a_break_begins_after_the_call_and_ends_as_planned() -> None:
    day = "rates = { interval_s = 3600, per_hour = [300] }"
    there, away = (simulate(busy(agents=breaks, arrivals=day), seed=1) for breaks in ("", "breaks = [[600, 1800]]"))
    adds_up(away)
    lost = there.groups[0].staffed_hours - away.groups[0].staffed_hours
    assert 0.6 * 22 / 3 < lost < 22 / 3, "who talks at the beginning is there until that is over"
    assert away.whole.p_abandon.value > 2 * there.whole.p_abandon.value


def test_second_lines_help_only_who_waited_long_enough() -> None:
    more = """
[[groups]]
name = "second"
agents = 6
queues = ["sales"]
second_line = { sales = 25 }
"""
    result = simulate(busy(more=more), seed=1, calls=3_000)
    adds_up(result)
    assert 0 < result.groups[1].served < 0.2 * result.groups[0].served


@pytest.mark.parametrize(
    ("scenario", "complaint"),
    [
        ({"queue": "otherwise = 'queue:nowhere'"}, "otherwise names 'nowhere', which is no other queue"),
        ({"queue": "hours = 'day'"}, "no [hours.day] is there"),
        ({"queue": "steps = [{ demand = 'en >' }]"}, "queues.0.steps.0.demand"),
        ({"queue": "wrap_up = 20\nwrap_up_seconds = 20"}, "both say how long a wrap-up is"),
        ({"queue": "wrap_up_mode = 'mandatory'"}, "a mandatory wrap-up has no clock"),
        ({"queue": "wrap_up_mode = 'timed_no_early_exit'\nwrap_up = 20"}, "ends by the clock"),
        ({"queue": "target_s = 20\nservice_level_seconds = 20"}, "are the same; write service_level_seconds"),
        ({"queue": "order = 'alphabetical'"}, "queues.0.agent_order"),
        ({"customers": "route_plan = 'vip'"}, "no route plan is called 'vip'"),
        ({"customers": "callback = { accept_share = 1 }"}, "it is never offered"),
        ({"customers": WISH.format(accept=1, reached=1)}, "write callback_most there"),
        ({"customers": "channel = 'chat'"}, "takes chat; write capacity"),
        ({"customers": "channel = 'fax'"}, "classes.0.channel"),
        (
            {"customers": "channel = 'chat'\nredial = { share = 1, after = 60 }", "agents": "capacity = { chat = 1 }"},
            "chat has no redial",
        ),
        ({"customers": "redial = { share = 1.5, after = 60 }"}, "classes.0.redial.share"),
        ({"agents": "breaks = [[20, 10]]"}, "must be [from, until]"),
        ({"agents": "capacity = { voice = 2 }"}, "nobody talks in two at once"),
        ({"agents": "second_line = { other = 20 }"}, "which is none of its queues"),
        ({"agents": "answer = { law = 'normal' }"}, "known are exponential"),
        ({"agents": "answer = { law = 'lognormal', cv = 1 }"}, "lognormal needs mean_s"),
    ],
)
def test_what_does_not_fit_together_is_said_with_its_place(scenario: dict[str, str], complaint: str) -> None:
    with pytest.raises(ScenarioError) as refusal:
        busy(**scenario)
    assert complaint in str(refusal.value)
    assert str(refusal.value).startswith("scenario: ")


def test_a_queue_closed_by_hand_lets_in_nobody_and_whoever_waits_stays() -> None:
    """Of a caller each ten seconds those are sent away who come from second 600 on and before second 900."""
    day = "at_s,queue,handle_s\n" + "".join(f"{at},sales,35\n" for at in range(0, 1_500, 10))
    floor = parse_day(day, busy(queue="closed = [[600, 900]]", size=3))
    told: list[tuple[float, str]] = []

    def look(_: Event, now: int, said: Sequence[Outcome]) -> None:
        told.extend((now / 1000, str(each.reason)) for each in said if isinstance(each, ContactOverflowed))

    result = simulate(floor, seed=1, engine=lambda: Watching(look))
    assert told == [(float(at), "queue_closed") for at in range(600, 900, 10)]
    assert (result.sent_away, result.arrived) == (30, 150)
    assert result.served + result.abandoned == 120, "who waited at second 600 was served, or gave up"
