"""Whatever is typed wrongly, or cannot be had, is told in a line; only a defect of ours keeps its traceback."""

import sqlite3
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from callcenter.cli import app
from callcenter.commands.known_errors import Commands
from callcenter.errors import ConfigError, JournalError

pytestmark = pytest.mark.unit


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with files that are not what a command wants."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "noise").write_bytes(bytes(range(128, 256)) * 40)
    with sqlite3.connect(tmp_path / "other.sqlite") as database:
        database.execute("create table other (a)")
    return tmp_path


@pytest.mark.parametrize(
    ("typed", "code", "told"),
    [
        ("audit noise", 1, "journal noise cannot be read: file is not a database"),
        ("audit other.sqlite", 1, "no such table: entries"),
        ("replay noise", 1, "noise"),
        ("report noise", 1, "noise"),
        ("why v1 --journal noise", 1, "noise"),
        ("why v1 --agent anna --journal noise", 1, "journal noise cannot be read"),
        ("lint-flow nowhere.toml", 1, "nowhere.toml: No such file or directory"),
        ("lint-flow noise", 2, "no text in UTF-8"),
        ("check-config", 2, "callcenter.toml: cannot be read"),
        ("token list", 2, "callcenter.toml: cannot be read"),
        ("maintain", 2, "callcenter.toml: cannot be read"),
        ("generate --customers 1 --database x", 2, "the database's URL"),
        ("generate --customers 1 --database nosql://x", 2, "the database's URL"),
        ("generate --customers 1 --database sqlite+aiosqlite:///noise", 1, "the database: file is not a database"),
        ("init --number 12", 2, "--number 12"),
    ],
)
def test_a_known_error_is_one_line_and_an_exit_code(folder: Path, typed: str, code: int, told: str) -> None:
    result = CliRunner().invoke(app, typed.split())
    assert result.exit_code == code
    (line,) = result.stderr.splitlines()
    assert line.startswith("error: ")
    assert told in line


@pytest.mark.parametrize("command", ["audit", "replay", "report"])
def test_a_journal_that_is_not_there_is_no_journal_without_a_fault(folder: Path, command: str) -> None:
    result = CliRunner().invoke(app, [command, "nowhere.sqlite"])
    assert result.exit_code == 2
    assert "nowhere.sqlite" in result.stderr
    assert not (folder / "nowhere.sqlite").exists()


def test_a_defect_of_ours_keeps_its_traceback() -> None:
    app = typer.Typer(cls=Commands)

    @app.command()
    def fail(how: str) -> None:
        raise {"config": ConfigError("a"), "journal": JournalError("b"), "defect": KeyError("c")}[how]

    @app.command()
    def other() -> None: ...

    assert CliRunner().invoke(app, ["fail", "config"]).exit_code == 2
    assert CliRunner().invoke(app, ["fail", "journal"]).exit_code == 1
    assert isinstance(CliRunner().invoke(app, ["fail", "defect"]).exception, KeyError)


def test_a_fault_of_the_whole_file_has_no_empty_place(tmp_path: Path) -> None:
    arguments = ["init", str(tmp_path / "new"), "--number", "+4930123456"]
    assert CliRunner().invoke(app, arguments).exit_code == 0
    config = str(tmp_path / "new" / "callcenter.toml")
    typed = ["add-user", "nora", "--name", "Nora", "--queues", "nowhere", "--config", config]
    result = CliRunner().invoke(app, typed, input="secret-of-nora\n")
    assert result.exit_code == 2
    assert "site.toml: agent nora: no queue is called 'nowhere'" in result.stderr
