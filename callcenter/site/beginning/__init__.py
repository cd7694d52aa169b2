"""The files a new installation begins with: complete, small, commented, and meant to be edited."""

import contextlib
import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from string import Template

import phonenumbers

from callcenter.config import load_settings
from callcenter.errors import ConfigError
from callcenter.site.people import person_block
from callcenter.site.repository import load_flows, load_site

CONFIG, SITE, FLOW = "callcenter.toml", "site.toml", "flows/main.toml"
SUPERVISOR, AGENT = "admin", "agent1"
QUEUE = "service"


@dataclass(frozen=True, slots=True)
class Beginning:
    """What was written, and what is shown once: the passwords stand in no file."""

    config: Path
    passwords: Mapping[str, str]
    """Login -> password."""


def begin(folder: Path, *, company: str, number: str, address: str, time_zone: str, trunk: str | None) -> Beginning:
    """Write an installation's files into ``folder`` and read them back as the product does.

    ``number`` is the company's own (E.164), ``address`` where phones and browsers reach this machine, ``trunk`` where
    the carrier's calls come from (an address or a network; ``None``: no carrier yet). Raises ``ConfigError`` when a
    value cannot be, or a file is there already; then nothing is written.
    """
    there = [name for name in (CONFIG, SITE, FLOW) if (folder / name).exists()]
    if there:
        raise ConfigError(f"{folder / there[0]}: is there already; choose another folder, or edit it")
    values = {
        "company": _text(company),
        "number": _text(number),
        "region": _text(_region(number)),
        "address": _text(address),
        "time_zone": _text(time_zone),
        "trunk": "" if trunk is None else f'\n[[trunks]]\nid = "carrier"\naddresses = [{_text(trunk)}]\n',
        "greeting": _text(f"Welcome to {company}."),
    }
    passwords = {login: secrets.token_urlsafe(9) for login in (SUPERVISOR, AGENT)}
    people = (
        person_block(
            realm="callcenter",
            login=SUPERVISOR,
            name="Administrator",
            password=passwords[SUPERVISOR],
            roles=("supervisor", "administrator"),
            queues=(),
            skills={},
        ),
        person_block(
            realm="callcenter",
            login=AGENT,
            name="First agent",
            password=passwords[AGENT],
            roles=("agent",),
            queues=(QUEUE,),
            skills={},
        ),
    )
    texts = {
        CONFIG: _filled(CONFIG, values),
        FLOW: _filled("main.toml", values),
        SITE: _filled(SITE, values) + "\n" + "\n".join(people),
    }
    written = []
    try:
        for name, text in texts.items():
            written.append(_write(folder / name, text))
        settings = load_settings(folder / CONFIG)
        load_flows(load_site(settings.site), settings.site)
    except ConfigError:
        for path in written:
            path.unlink()
        for emptied in ((folder / FLOW).parent, folder):
            with contextlib.suppress(OSError):  # it holds something else
                emptied.rmdir()
        raise
    return Beginning(folder / CONFIG, passwords)


def _text(value: str) -> str:
    """As a TOML string."""
    return json.dumps(value, ensure_ascii=False)


def _region(number: str) -> str:
    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException as error:
        raise ConfigError(f"--number {number}: write the company's number with + and country code") from error
    return phonenumbers.region_code_for_number(parsed) or "US"


def _filled(name: str, values: Mapping[str, str]) -> str:
    return Template(files(__name__).joinpath(name).read_text("utf-8")).substitute(values)


def _write(path: Path, text: str) -> Path:
    """A file that only its owner reads: the site file holds what phones log in with."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
    return path
