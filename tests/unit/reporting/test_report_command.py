"""`callcenter report` over a journal on disk."""

import csv
import io
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from callcenter.cli import app
from callcenter.journal import SqliteJournal
from callcenter.reporting.display import as_csv, warnings
from callcenter.reporting.report import report
from tests.support.written_journal import NINE, WrittenJournal

pytestmark = pytest.mark.unit

Q = 900_000


@pytest.fixture
async def journal(tmp_path: Path) -> Path:
    written = WrittenJournal()
    written.floor(0, "anna", "ben", queues=("sales", "support"))
    written.queued(1_000, "c")
    written.connected(11_000, "c")
    written.ended(Q + 1_000, "c")
    path = tmp_path / "journal.sqlite"
    writer = SqliteJournal(path)
    await writer.open()
    for row in written.rows:
        writer.append(row.entry, at=row.at)
    await writer.close()
    return path


SITE = """
company = "X"
queues = [{ id = "sales", name = "Sales" }, { id = "support", name = "Support" }]
trunks = []
flows = []
numbers = []
agents = [
  { id = "anna", name = "A", login = "anna", password_hash = "-", queues = ["sales"], teams = ["north"] },
  { id = "ben", name = "B", login = "ben", password_hash = "-", queues = ["support"], teams = ["south"] },
  { id = "lena", name = "L", login = "lena", password_hash = "-", teams = ["north"], roles = ["team_lead"] },
]
"""


def run(*arguments: object) -> str:
    result = CliRunner().invoke(app, ["report", *map(str, arguments)])
    assert result.exit_code == 0, result.output
    return result.output


def test_json_holds_formulas_and_unrounded_figures(journal: Path) -> None:
    found = json.loads(run(journal, "--json"))
    assert (found["from"], found["horizon"]) == ("2025-10-09T09:00:00.000Z", "2025-10-09T09:15:01.000Z")
    sales, support, everything = found["queues"]
    assert (sales["id"], sales["name"], everything["id"]) == ("sales", "Sales", None)
    assert (sales["metrics"]["offered"], sales["metrics"]["asa"], support["metrics"]["offered"]) == (1, 10_000, 0)
    formulas = {each["id"]: each for each in found["formulas"]}
    assert formulas["service_level_a"]["version"] == 1
    assert formulas.keys() >= sales["metrics"].keys() | found["agents"][0]["metrics"].keys()
    assert found["warnings"] == []


def test_intervals_windows_and_filters_hold(journal: Path) -> None:
    arguments = ("--by", "interval", "--queue", "sales", "--agent", "anna", "--time-zone", "Asia/Shanghai")
    found = json.loads(run(journal, *arguments, "--from", "2025-10-09T17:15", "--json"))
    assert [(line["id"], line["from"]) for line in found["queues"]] == [("sales", "2025-10-09T09:15:00.000Z")]
    assert [line["id"] for line in found["agents"]] == ["anna"]
    assert found["queues"][0]["metrics"]["talk_split"] == 1_000


def test_a_team_is_its_seats_and_the_queues_they_serve(journal: Path, tmp_path: Path) -> None:
    (tmp_path / "site.toml").write_text(SITE, "utf-8")
    config = tmp_path / "callcenter.toml"
    config.write_text("", "utf-8")
    found = json.loads(run(journal, "--team", "north", "--config", config, "--json"))
    assert [line["id"] for line in found["agents"]] == ["anna"]
    assert [line["id"] for line in found["queues"]] == ["sales"]
    result = CliRunner().invoke(app, ["report", str(journal), "--team", "west", "--config", str(config)])
    assert (result.exit_code, "no agent of the site" in result.output) == (2, True)


def test_csv_has_one_row_for_each_figure(journal: Path) -> None:
    rows = list(csv.DictReader(io.StringIO(run(journal, "--csv", "--target", "sales=9", "--short-abandon", "2"))))
    (offered,) = [row["value"] for row in rows if row["id"] == "sales" and row["metric"] == "offered"]
    (level,) = [row["value"] for row in rows if row["id"] == "sales" and row["metric"] == "service_level_b"]
    assert (offered, level) == ("1", "0.0")
    assert any(row["metric"] == "time_by_state_split.offline" for row in rows)


def test_table_shows_names_and_local_time(journal: Path) -> None:
    text = run(journal, "--by", "day", "--time-zone", "Europe/Berlin")
    assert "2025-10-09 00:00 +0200" in text
    assert all(word in text for word in ("Sales", "Anna", "80 % in 20 s", "offline", "100.0%"))


@pytest.mark.parametrize(
    "arguments",
    [("--time-zone", "Mars/Base"), ("--from", "yesterday"), ("--from", "2025-10-09T09:10"), ("--by", "week"),
     ("--target", "sales=soon")],
)  # fmt: skip
def test_what_cannot_be_understood_is_refused(journal: Path, arguments: tuple[str, ...]) -> None:
    result = CliRunner().invoke(app, ["report", str(journal), *arguments])
    assert result.exit_code == 2


def test_absent_journal_is_refused(tmp_path: Path) -> None:
    assert CliRunner().invoke(app, ["report", str(tmp_path / "none.sqlite")]).exit_code == 2


def test_doubts_about_the_journal_are_told() -> None:
    written = WrittenJournal()
    written.floor(0, "anna")
    written.queued(0, "c")
    written.queued(1, "d")
    rows = [written.rows[0], written.rows[2], written.rows[0]]
    assert [line.split()[0:3] for line in warnings(report(rows))] == [
        ["1", "entries", "are"],
        ["1", "entries", "came"],
    ]


def test_no_spreadsheet_takes_a_name_for_a_formula() -> None:
    written = WrittenJournal()
    written.floor(0, "=1+1")
    names = {row["name"] for row in csv.DictReader(io.StringIO(as_csv(report(written.rows)))) if row["kind"] == "agent"}
    assert names == {"'=1+1"}


def test_boundary_is_where_the_tests_think_it_is() -> None:
    assert NINE % Q == 0
