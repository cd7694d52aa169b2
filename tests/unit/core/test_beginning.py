"""`callcenter init`: what it writes is what the product reads, and nothing is overwritten or half written."""

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from callcenter.cli import app
from callcenter.config import load_settings
from callcenter.site.beginning import AGENT, SUPERVISOR
from callcenter.site.repository import load_flows, load_site

pytestmark = pytest.mark.unit

NUMBER = "+4930123456"


def init(*arguments: object) -> tuple[int, str]:
    done = CliRunner().invoke(app, ["init", *map(str, arguments)])
    return done.exit_code, done.output


def files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")} if folder.exists() else set()


def test_a_new_installation_is_read_as_it_was_asked_for(tmp_path: Path) -> None:
    folder = tmp_path / "new"
    options = ("--number", NUMBER, "--company", 'Müller "Söhne"', "--time-zone", "Europe/Berlin")
    code, output = init(folder, *options, "--trunk", "192.0.2.0/28", "--address", "192.0.2.5")
    assert code == 0, output
    settings = load_settings(folder / "callcenter.toml")
    site = load_site(settings.site)
    flows = load_flows(site, settings.site)
    assert (site.company, site.region, site.time_zone) == ('Müller "Söhne"', "DE", "Europe/Berlin")
    assert [trunk.addresses for trunk in site.trunks] == [("192.0.2.0/28",)]
    assert {settings.sip.host, settings.web.host, settings.media.host} == {"192.0.2.5"}
    assert flows[site.flow_of(NUMBER) or ""].queue_ids()
    assert {agent.id for agent in site.agents} == {SUPERVISOR, AGENT}


def test_passwords_are_shown_once_and_stand_in_no_file_and_only_the_owner_reads_the_files(tmp_path: Path) -> None:
    code, output = init(tmp_path, "--number", NUMBER)
    assert code == 0, output
    shown = [line.split()[1] for line in output.splitlines() if line.strip().startswith((SUPERVISOR, AGENT))]
    assert len(set(shown)) == 2
    written = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(written) == 3
    for path in written:
        assert path.stat().st_mode & 0o077 == 0
        assert not any(password in path.read_text("utf-8") for password in shown)
    assert "No carrier yet" in output


def test_what_stands_there_as_a_remark_is_right_as_well(tmp_path: Path) -> None:
    assert init(tmp_path, "--number", NUMBER)[0] == 0
    for name in ("callcenter.toml", "site.toml"):
        text = (tmp_path / name).read_text("utf-8")
        (tmp_path / name).write_text(re.sub(r"(?m)^# (?=\[|[a-z_]+ = )", "", text), "utf-8")
    settings = load_settings(tmp_path / "callcenter.toml")
    site = load_site(settings.site)
    assert settings.sip.tls_key is not None
    assert settings.recordings.keep_days
    assert site.trunks[0].id == "carrier"
    assert site.queues[0].recording == "on"
    assert site.queues[0].announce_position


@pytest.mark.parametrize("there", ["callcenter.toml", "site.toml", "flows/main.toml"])
def test_nothing_that_is_there_is_overwritten(tmp_path: Path, there: str) -> None:
    (tmp_path / "flows").mkdir()
    (tmp_path / there).write_text("mine", "utf-8")
    before = files(tmp_path)
    code, output = init(tmp_path, "--number", NUMBER)
    assert code == 2
    assert f"{there}: is there already" in output
    assert (tmp_path / there).read_text("utf-8") == "mine"
    assert files(tmp_path) == before


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--number", "30123456"), "with + and country code"),
        (("--number", NUMBER, "--time-zone", "Nowhere"), "not a time zone"),
        (("--number", NUMBER, "--trunk", "carrier"), "trunks"),
    ],
)
def test_what_cannot_be_is_refused_and_leaves_nothing(tmp_path: Path, options: tuple[str, ...], said: str) -> None:
    code, output = init(tmp_path / "new", *options)
    assert code == 2, output
    assert said in output
    assert files(tmp_path) == set()


def test_a_person_added_without_a_password_is_told_the_one_that_was_made_up(tmp_path: Path) -> None:
    assert init(tmp_path, "--number", NUMBER)[0] == 0
    arguments = ["add-user", "nora", "--name", "Nora", "--config", str(tmp_path / "callcenter.toml")]
    done = CliRunner().invoke(app, arguments, input="\n")
    assert done.exit_code == 0, done.output
    (line,) = [line for line in done.output.splitlines() if "No password was given" in line]
    assert line.split(": ")[1]
    assert load_site(tmp_path / "site.toml").agents[-1].id == "nora"
