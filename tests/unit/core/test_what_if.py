"""A written day lived again: by its own policy it comes out as it was, by another as one would expect."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from acd.events import AgentSpec, Channel, FloorConfigured
from acd.ids import AgentId
from acd.outcomes import AgentState
from acd.simulator_journal import FloorSize, large_floor
from callcenter.cli import app
from callcenter.day_figures import Figures
from callcenter.journal import JournalRow, SqliteJournal
from callcenter.service_targets import ServiceTarget, TargetsConfigured
from callcenter.what_if import live_again
from callcenter.written_day import read_day
from ivr.hours import MINUTES_A_DAY, Hours, Period, WeeklyPeriod
from tests.support.simulated_journal import simulated_rows

pytestmark = pytest.mark.unit


@pytest.fixture(scope="module")
def rows() -> list[JournalRow]:
    size = FloorSize(agents=24, queues=3, profiles=3, queues_each=2, load=0.98)
    return simulated_rows(large_floor(size, seed=3), seed=3, events=12_000)


def summary(figures: Figures) -> tuple[int, float, float, float]:
    whole = figures.total()
    return whole.offered, whole.service_level, whole.asa_ms, figures.occupancy


def test_a_day_by_its_own_policy_comes_out_nearly_as_it_was(rows: list[JournalRow]) -> None:
    day = read_day(rows)
    assert day.policy is not None
    offered, level, asa_ms, occupancy = summary(day.recorded)
    again = summary(live_again(day, day.policy))
    assert offered > 2_000
    assert again[0] == offered
    assert again[1] == pytest.approx(level, abs=0.05)
    assert again[2] == pytest.approx(asa_ms, rel=0.25)
    assert again[3] == pytest.approx(occupancy, abs=0.03)
    assert summary(live_again(day, day.policy)) == again, "the same day gives the same answer"


def test_more_agents_would_have_served_more_and_fewer_less(rows: list[JournalRow]) -> None:
    day = read_day(rows)
    assert day.policy is not None
    own = summary(live_again(day, day.policy))
    more = summary(live_again(day, staffed(day.policy, 4)))
    fewer = summary(live_again(day, replace(day.policy, agents=day.policy.agents[:-4])))
    assert more[1] > own[1] + 0.03 > fewer[1] + 0.06
    assert more[2] < own[2] < fewer[2]
    assert more[3] < own[3] < fewer[3]


def test_the_service_level_is_against_what_each_queue_promised_then(rows: list[JournalRow]) -> None:
    """Promises are journaled; a queue that the day did not know is measured by the other site's."""
    plain = read_day(rows)
    assert plain.policy is not None
    strict, lax = (plain.policy.queues[place].queue_id for place in (0, 1))
    promised = TargetsConfigured(
        rows[0].at, (ServiceTarget(strict, Channel.VOICE, 1), ServiceTarget(lax, Channel.VOICE, 9_999))
    )
    day = read_day([replace(rows[0], entry=promised), *rows])
    for figures in (day.recorded, live_again(day, plain.policy)):
        tight, loose = figures.queues[strict], figures.queues[lax]
        assert tight.in_target == sum(waited <= 1_000 for waited in tight.waits) < tight.answered
        assert loose.in_target == loose.answered
    over = day.targets.over([ServiceTarget(strict, Channel.VOICE, 500), ServiceTarget("new", Channel.VOICE, 7)])
    assert [over.of(each, Channel.VOICE).within_seconds for each in (strict, lax, "new")] == [1, 9_999, 7]


def staffed(policy: FloorConfigured, count: int) -> FloorConfigured:
    queues = tuple(queue.queue_id for queue in policy.queues)
    extra = (
        replace(policy.agents[0], agent_id=AgentId(f"extra{n}"), queue_ids=queues, delays=()) for n in range(count)
    )
    return replace(policy, agents=(*policy.agents, *extra))


def test_agents_of_no_queue_and_unknown_queues_are_left_out(rows: list[JournalRow]) -> None:
    day = read_day(rows)
    assert day.policy is not None
    lost = day.policy.queues[0].queue_id
    kept = tuple(queue for queue in day.policy.queues if queue.queue_id != lost)
    agents = tuple(
        AgentSpec(agent.agent_id, agent.name, tuple(each for each in agent.queue_ids if each != lost), agent.skills)
        for agent in day.policy.agents
    )
    figures = live_again(day, replace(day.policy, queues=kept, agents=agents))
    assert lost not in figures.queues
    assert figures.total().offered > 0


@pytest.fixture(scope="module")
def careless() -> list[JournalRow]:
    """A floor where every seventh call rings out."""
    scenario = large_floor(FloorSize(agents=24, queues=3, profiles=3, queues_each=2, load=0.8), seed=5)
    return simulated_rows(
        replace(scenario, habits=replace(scenario.habits, no_answer_share=1 / 7)), seed=5, events=5_000
    )


def test_calls_ring_out_as_often_in_the_same_life(careless: list[JournalRow]) -> None:
    day = read_day(careless)
    assert day.policy is not None
    then, again = day.recorded.total(), live_again(day, day.policy).total()
    assert then.rang_out > 80, "or nothing is shown"
    assert again.rang_out == pytest.approx(then.rang_out, rel=0.25)
    assert again.asa_ms == pytest.approx(day.recorded.total().asa_ms, rel=0.5)


def test_who_lets_it_ring_is_away_as_long_as_on_the_day(careless: list[JournalRow]) -> None:
    day = read_day(careless)
    assert day.policy is not None
    always = replace(day, habits={agent: replace(each, refusals=[]) for agent, each in day.habits.items()})
    away = live_again(day, day.policy).states_ms[AgentState.NOT_READY]
    assert away > 1.3 * live_again(always, day.policy).states_ms[AgentState.NOT_READY]
    assert away == pytest.approx(day.recorded.states_ms[AgentState.NOT_READY], rel=0.25)


def test_new_agents_let_it_ring_as_the_others_do(careless: list[JournalRow]) -> None:
    day = read_day(careless)
    assert day.policy is not None
    strangers = tuple(replace(each, agent_id=AgentId(f"new-{each.agent_id}")) for each in day.policy.agents)
    figures = live_again(day, replace(day.policy, agents=strangers)).total()
    share = figures.rang_out / (figures.rang_out + figures.answered)
    assert share == pytest.approx(1 / 7, rel=0.3)


def test_other_hours_send_away_who_comes_outside_of_them(careless: list[JournalRow]) -> None:
    day = read_day(careless)
    assert day.policy is not None
    end = day.ends_at // 2
    minute = end // 60_000
    assert minute < MINUTES_A_DAY, "the day is shorter than one"
    hours = Hours("UTC", (WeeklyPeriod(frozenset(range(7)), Period(0, minute)),))
    figures = live_again(day, day.policy, {"q0": hours})
    late = sum(each.arrived.queue_id == "q0" and each.at >= minute * 60_000 for each in day.customers)
    assert figures.queues["q0"].sent_away == late > 0
    assert figures.queues["q1"].sent_away == 0
    assert live_again(day, day.policy, {}).queues["q0"].sent_away == 0


SITE = """
company = "Other"
trunks = []
numbers = []
flows = []
[[queues]]
id = "q0"
name = "Q0"
[[queues]]
id = "q1"
name = "Q1"
[[queues]]
id = "q2"
name = "Q2"
[[agents]]
id = "only"
name = "Only"
login = "only"
password_hash = "-"
queues = ["q0", "q1", "q2"]
skills = { language = 5 }
"""


async def test_the_command_shows_three_lives_side_by_side(rows: list[JournalRow], tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    journal = SqliteJournal(path)
    await journal.open()
    seq = 0
    for row in rows[:3_000]:
        seq = journal.append(row.entry, at=row.at)
    await journal.committed(seq)
    await journal.close()
    site = tmp_path / "other.toml"
    site.write_text(SITE, "utf-8")
    printed = CliRunner().invoke(app, ["replay", str(path), "--policy", str(site), "--json"])
    assert printed.exit_code == 0, printed.output
    lives = json.loads(printed.output)
    assert lives["recorded"]["all"]["offered"] == lives["same policy"]["all"]["offered"]
    assert lives["other"]["all"]["service_level"] < lives["same policy"]["all"]["service_level"]
    shown = CliRunner().invoke(app, ["replay", str(path), "--policy", str(site)])
    assert "same policy" in shown.output
