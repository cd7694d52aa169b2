"""A written day in the simulator: its customers on its own floor, and on another."""

import asyncio
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from acd.events import Channel
from acd.simulator import simulate
from acd.simulator_scenario import Scenario, ScenarioError
from callcenter.cli import app
from callcenter.journal import SqliteJournal
from callcenter.simulation.recorded_day import customers_of, floor_of
from callcenter.simulation.scenario_file import parse_scenario
from callcenter.written_day import WrittenDay, read_day
from tests.support.house import House
from tests.support.messages_left import a_house, message_arrives, site_with_exit
from tests.support.virtual_time import pass_seconds, run_virtual

pytestmark = pytest.mark.scenario

FLOOR = """
[[queues]]
id = "sales"
[[groups]]
name = "robots"
agents = {agents}
queues = ["sales"]
capacity = {{ message = 2 }}
"""


async def a_day() -> House:
    """Two calls that anna answers, one that gives up while she pauses, two messages."""
    house = await a_house(site=site_with_exit())
    await house.sign_in("anna")
    for _ in range(2):
        caller = await house.call()
        await house.answer("anna")
        await pass_seconds(100)
        await house.hang_up(caller)
        await pass_seconds(60)
    await house.core.desk.not_ready("anna", "lunch")
    caller = await house.call()
    await pass_seconds(45)
    await house.hang_up(caller)
    for number in range(2):
        await message_arrives(house, number)
    await pass_seconds(5)
    return house


def lived() -> tuple[WrittenDay, House]:
    found: list[House] = []

    async def live() -> None:
        found.append(await a_day())

    run_virtual(live)
    return read_day(found[0].journal.rows), found[0]


def test_the_days_own_floor_serves_whom_it_served_and_loses_whom_it_lost() -> None:
    day, _ = lived()
    floor = floor_of(day)
    (anna,) = floor.groups
    assert (anna.name, len(anna.shifts), len(anna.breaks)) == ("anna", 1, 1)
    result = simulate(floor, seed=1)
    assert (result.whole.offered, result.served, result.abandoned) == (5, 2, 1)
    assert result.in_system == 2, "nobody is there for the messages, and nobody gives them up"
    assert {each.name for each in result.channels} == {"voice", "message"}


def test_its_customers_on_a_floor_with_more_agents_are_all_served() -> None:
    day, _ = lived()
    robots = customers_of(day, parse_scenario(FLOOR.format(agents=2)))
    assert {each.channel for each in robots.classes} == {Channel.VOICE, Channel.MESSAGE}
    result = simulate(robots, seed=1)
    assert (result.served, result.abandoned) == (5, 0)


def test_a_day_whose_queue_the_floor_does_not_have_is_refused() -> None:
    day, _ = lived()
    with pytest.raises(ScenarioError, match="'sales', which the scenario does not have"):
        customers_of(day, parse_scenario(FLOOR.format(agents=2).replace("sales", "help")))
    with pytest.raises(ScenarioError, match="holds no floor"):
        floor_of(WrittenDay())
    assert isinstance(floor_of(day), Scenario)


def test_the_command_takes_a_journal_for_a_day(tmp_path: Path) -> None:
    _, house = lived()

    async def write() -> None:
        journal = SqliteJournal(tmp_path / "journal.sqlite")
        await journal.open()
        for row in house.journal.rows:
            await journal.committed(journal.append(row.entry, at=row.at))
        await journal.close()

    asyncio.run(write())
    (tmp_path / "floor.toml").write_text(FLOOR.format(agents=2), "utf-8")
    day = ["--day", str(tmp_path / "journal.sqlite"), "--json"]
    own, other = (
        json.loads(CliRunner().invoke(app, ["simulate", *which, *day]).stdout)
        for which in ([], [str(tmp_path / "floor.toml")])
    )
    assert (own["served"], own["abandoned"], own["unfinished"]) == (2, 1, 2)
    assert (other["served"], other["abandoned"]) == (5, 0)
    assert [group["name"] for group in other["groups"]] == ["robots"]
