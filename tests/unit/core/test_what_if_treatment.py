"""What another policy would have made of a day with callbacks, several channels, skills and agents who wrap up as they
like: staffing, skill set and strategy, side by side."""

import asyncio
import json
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from acd.events import AgentOrder, Capacity, Channel, FloorConfigured, RingStyle, SkillLevel
from acd.ids import AgentId
from acd.outcomes import AgentState
from callcenter.cli import app
from callcenter.commands.replay import summary
from callcenter.day_figures import Figures
from callcenter.journal import JournalRow, SqliteJournal
from callcenter.simulation.scenario_file import parse_scenario
from callcenter.what_if import live_again
from callcenter.written_day import WrittenDay, read_day
from tests.support.simulated_journal import simulated_rows

pytestmark = pytest.mark.unit

DAY = """
[[queues]]
id = "sales"
wrap_up = { law = "lognormal", mean_s = 8, cv = 0.5 }
wrap_up_mode = "mandatory"
callback_most = 40
callback_retry_seconds = 60
[[queues]]
id = "desk"
[[classes]]
name = "english"
queue = "sales"
arrivals_per_hour = 120
handle = 150
patience = 90
skills = { en = 1 }
callback = { accept_share = 0.5, offered_after_seconds = 20, reached_share = 0.8 }
[[classes]]
queue = "desk"
channel = "chat"
arrivals_per_hour = 60
handle = 400
patience = 120
[[groups]]
name = "english"
agents = 5
queues = ["sales"]
skills = { en = 2 }
answer = 4
[[groups]]
name = "others"
agents = 3
queues = ["sales", "desk"]
capacity = { chat = 2 }
answer = 4
"""


@pytest.fixture(scope="module")
def rows() -> list[JournalRow]:
    """Calls that only the English speakers take, chats that the others do."""
    return simulated_rows(parse_scenario(DAY), seed=4, events=9_000)


@pytest.fixture(scope="module")
def day(rows: list[JournalRow]) -> WrittenDay:
    return read_day(rows)


def policy(day: WrittenDay) -> FloorConfigured:
    assert day.policy is not None
    return day.policy


def life(day: WrittenDay, other: FloorConfigured | None = None) -> Figures:
    return live_again(day, policy(day) if other is None else other)


def with_agents(floor: FloorConfigured, **changed: object) -> FloorConfigured:
    """The same floor where the agents who speak no English are otherwise."""
    agents = (replace(each, **changed) if not each.skills else each for each in floor.agents)  # type: ignore[arg-type]
    return replace(floor, agents=tuple(agents))


def test_callbacks_and_chats_of_a_day_come_out_as_they_were(day: WrittenDay) -> None:
    then, again = day.recorded, life(day)
    assert then.queues["sales"].called_back > 50
    assert again.queues["sales"].called_back == pytest.approx(then.queues["sales"].called_back, rel=0.1)
    assert set(summary(again)) == {"sales", "desk", "channel voice", "channel chat", "all"}
    for channel in (Channel.VOICE, Channel.CHAT):
        assert again.channels[channel].offered == pytest.approx(then.channels[channel].offered, rel=0.05)
        assert again.channels[channel].answered == pytest.approx(then.channels[channel].answered, rel=0.1)
    for figures in (then, again):
        whole = figures.total()
        assert sum(each.offered for each in figures.channels.values()) == whole.offered
        assert sum(each.answered for each in figures.channels.values()) == whole.answered


def test_another_skill_set_is_seen_in_the_calls_and_another_capacity_in_the_chats(day: WrittenDay) -> None:
    own = life(day)
    english = life(day, with_agents(policy(day), skills=(SkillLevel("en", 1),)))
    assert english.channels[Channel.VOICE].abandoned < 0.92 * own.channels[Channel.VOICE].abandoned
    one = life(day, with_agents(policy(day), capacity=(Capacity(Channel.VOICE, 1), Capacity(Channel.CHAT, 1))))
    assert one.channels[Channel.CHAT].answered < 0.8 * own.channels[Channel.CHAT].answered


def test_another_strategy_is_seen_in_who_works(day: WrittenDay) -> None:
    """Top-down the first as configured is busy most of the time; ringing all of them answers no later."""
    floor = policy(day)
    queues = tuple(replace(each, order=AgentOrder.TOP_DOWN) for each in floor.queues)
    down = life(day, replace(floor, queues=queues))
    assert summary(down)["sales"] != summary(life(day))["sales"]
    everybody = tuple(replace(each, ring=RingStyle.ALL) for each in floor.queues)
    together = life(day, replace(floor, queues=everybody)).queues["sales"]
    assert together.answered == pytest.approx(life(day).queues["sales"].answered, rel=0.05)


def test_who_was_not_served_then_is_wrapped_up_as_others_of_the_queue_were(day: WrittenDay) -> None:
    """With twenty agents more nobody is lost. No clock ends these wrap-ups: without that they would last for ever."""
    floor = policy(day)
    skilled = next(each for each in floor.agents if each.skills)
    extra = tuple(replace(skilled, agent_id=AgentId(f"more-{n}")) for n in range(20))
    figures = life(day, replace(floor, agents=(*floor.agents, *extra)))
    served = figures.queues["sales"].answered
    assert served > day.recorded.queues["sales"].answered + 20
    assert figures.states_ms[AgentState.WRAP_UP] == pytest.approx(served * 8_000, rel=0.3)


SITE = """
company = "Other"
numbers = []
flows = []
[[queues]]
id = "sales"
name = "Sales"
agent_order = "fewest_calls"
[[queues]]
id = "desk"
name = "Desk"
"""
AGENT = """
[[agents]]
id = "{name}"
name = "{name}"
login = "{name}"
password_hash = "x"
queues = ["sales", "desk"]
skills = {{ en = 1 }}
capacity = {{ chat = 2 }}
"""


def test_the_command_shows_queues_and_channels_side_by_side(rows: list[JournalRow], tmp_path: Path) -> None:
    async def write() -> None:
        journal = SqliteJournal(tmp_path / "journal.sqlite")
        await journal.open()
        last = 0
        for row in rows:
            last = journal.append(row.entry, at=row.at)
        await journal.committed(last)
        await journal.close()

    asyncio.run(write())
    site = SITE + "".join(AGENT.format(name=f"agent{n}") for n in range(9))
    (tmp_path / "other.toml").write_text(site, "utf-8")
    arguments = ["replay", str(tmp_path / "journal.sqlite"), "--policy", str(tmp_path / "other.toml")]
    table = json.loads(CliRunner().invoke(app, [*arguments, "--json"]).stdout)
    assert list(table) == ["recorded", "same policy", "other"]
    assert {"sales", "desk", "channel voice", "channel chat"} < set(table["other"])
    assert table["other"]["sales"]["asa_s"] < table["same policy"]["sales"]["asa_s"]
    told = CliRunner().invoke(app, arguments).stdout
    assert "channel chat" in told
    assert "called_back" in told
