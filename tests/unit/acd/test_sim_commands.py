"""The commands around the simulator: what they print is what the simulator found."""

import asyncio
import json
import math
from pathlib import Path

import pytest
from typer.testing import CliRunner

from acd.events import AgentMadeNotReady, AgentMadeReady, AgentSignedIn, AgentSignedOut
from acd.ids import AgentId
from callcenter.cli import app
from callcenter.journal import SqliteJournal
from callcenter.workforce.activities import Activity
from callcenter.workforce.shifts import Shift, ShiftsPlanned
from tests.support.written_journal import NINE, WrittenJournal

pytestmark = pytest.mark.unit

FLOOR = """
[[queues]]
id = "a"
[[queues]]
id = "b"
[[classes]]
queue = "a"
arrivals_per_hour = 60
handle = 120
patience = 60
[[classes]]
queue = "b"
arrivals_per_hour = 40
handle = 120
patience = 60
[[groups]]
name = "both"
agents = 5
queues = ["a", "b"]
"""


def run(*arguments: str) -> tuple[int, str, str]:
    found = CliRunner().invoke(app, list(arguments))
    return found.exit_code, found.stdout, found.stderr


def numbers(*arguments: str) -> dict[str, object]:
    code, out, err = run(*arguments, "--json")
    assert (code, err) == (0, "")
    found: dict[str, object] = json.loads(out)
    return found


SINGLE = ("simulate", "--calls", "4000", "--arrivals-per-hour", "360", "--aht", "240", "--agents", "22", "--seed", "3")


def test_simulate_prints_one_object_with_every_figure() -> None:
    found = numbers(*SINGLE, "--patience", "120")
    for name, truth in {
        "p_wait": 0.585744220663,
        "asa_s": 17.1461525246,
        "p_abandon": 0.142884604371,
        "service_level": 0.592829402773,
        "occupancy": 0.93503497705,
        "mean_queue": 1.71461525246,
    }.items():
        assert found[name] == pytest.approx(truth, rel=0.15)
    assert found == numbers(*SINGLE, "--patience", "120")
    assert found != numbers(*SINGLE[:-1], "4", "--patience", "120")


def test_simulate_for_people_names_the_figures() -> None:
    code, out, _ = run(*SINGLE, "--patience", "120")
    assert code == 0
    assert out.startswith("p_wait")
    assert "4000 contacts measured" in out


def test_simulate_takes_a_scenario_and_a_recorded_day(tmp_path: Path) -> None:
    (tmp_path / "floor.toml").write_text(FLOOR, "utf-8")
    (tmp_path / "day.csv").write_text("at_s,queue,handle_s\n0,a,60\n10,b,60\n", "utf-8")
    floor = ("simulate", "--scenario", str(tmp_path / "floor.toml"))
    found = numbers(*floor, "--calls", "1000")
    assert [each["name"] for each in found["queues"]] == ["a", "b"]  # type: ignore[index, attr-defined]
    assert numbers(*floor, "--day", str(tmp_path / "day.csv"))["served"] == 2


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("simulate", "--calls", "10"), "--arrivals-per-hour"),
        (SINGLE[:1] + SINGLE[3:], "give --calls"),
        ((*SINGLE, "--wrap-up", "240"), "shorter than"),
        ((*SINGLE, "--day", "x.csv"), "x.csv: No such file"),
        (("simulate", "floor.toml", "--scenario", "floor.toml"), "two scenarios"),
        (("simulate", "--scenario", "nowhere.toml"), "nowhere.toml"),
        (("staffing", "--aht", "60"), "--arrivals-per-hour"),
        (("staffing", "--arrivals-per-hour", "1,x", "--aht", "60"), "could not convert"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(arguments: tuple[str, ...], complaint: str) -> None:
    code, out, err = run(*arguments)
    assert code in {1, 2}
    assert out == ""
    assert complaint in err
    assert len(err.splitlines()) == 1


def test_staffing_prints_a_row_for_each_interval() -> None:
    arguments = ("staffing", "--arrivals-per-hour", "200,1000", "--aht", "180", "--shrinkage", "0.3")
    rows = numbers(*arguments)["intervals"]
    assert isinstance(rows, list)
    assert (rows[0]["agents"], rows[0]["rostered"]) == (14, 20)
    assert rows[0]["service_level"] == pytest.approx(0.888350, abs=1e-6)
    assert len(run(*arguments)[1].splitlines()) == 3


def test_staffing_takes_the_shrinkage_that_was_measured(tmp_path: Path) -> None:
    """A quarter of the paid time was a break: 4 on the roster for every 3 at work."""
    path = tmp_path / "journal.db"
    shifts = (
        Shift("anna", NINE, NINE + 2_700_000, Activity.ON_QUEUE),
        Shift("anna", NINE + 2_700_000, NINE + 3_600_000, Activity.BREAK),
    )
    hand = WrittenJournal()
    hand.floor(0, "anna")
    hand.write(0, ShiftsPlanned(NINE, "boss", ("anna",), NINE, NINE + 3_600_000, shifts))
    hand.route(0, AgentSignedIn(AgentId("anna")))
    hand.route(0, AgentMadeReady(AgentId("anna")))
    hand.route(2_700_000, AgentMadeNotReady(AgentId("anna"), "break"))
    hand.route(3_600_000, AgentSignedOut(AgentId("anna")))
    asyncio.run(keep(path, hand))
    found = numbers("staffing", "--arrivals-per-hour", "200", "--aht", "180", "--shrinkage-of", str(path))
    assert found["shrinkage"] == 0.25
    assert found["intervals"][0]["rostered"] == math.ceil(found["intervals"][0]["agents"] / 0.75)


async def keep(path: Path, hand: WrittenJournal) -> None:
    journal = SqliteJournal(path)
    await journal.open()
    for row in hand.rows:
        journal.append(row.entry, at=row.at)
    await journal.close()


def test_staffing_of_a_scenario_sizes_its_groups(tmp_path: Path) -> None:
    (tmp_path / "floor.toml").write_text(FLOOR, "utf-8")
    found = numbers("staffing", "--scenario", str(tmp_path / "floor.toml"), "--calls", "1500", "--shrinkage", "0.3")
    assert found["agents"] == {"both": 5}
    assert found["rostered"] == {"both": 8}


def test_bench_routing_prints_speed_and_latency() -> None:
    found = numbers("bench", "routing", "--agents", "20", "--queues", "5", "--profiles", "4", "--events", "600")
    assert {"events_per_s", "p50_us", "p99_us"} <= set(found)
    assert found["events"] == 600
    mix = found["mix"]
    assert isinstance(mix, dict)
    assert {"ContactArrived", "OfferAccepted", "ContactFinished", "Timer", "ContactLeft"} <= set(mix)
