"""A written day lived again: by its own policy it comes out as it was, by another as one would expect."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from acd.events import AgentSpec, FloorConfigured
from acd.ids import AgentId
from acd.simulator_journal import FloorSize, large_floor
from callcenter.cli import app
from callcenter.journal import JournalRow, SqliteJournal
from callcenter.what_if import Figures, live_again, read_day
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
