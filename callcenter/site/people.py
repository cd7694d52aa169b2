"""Adding people to the site file, without touching what stands in it."""

import json
from collections.abc import Mapping
from pathlib import Path

from callcenter.accounts import hash_password
from callcenter.errors import ConfigError
from callcenter.sip.digest import ha1
from callcenter.site.models import Site
from callcenter.site.repository import load_site


def person_block(
    *,
    realm: str,
    login: str,
    name: str,
    password: str,
    roles: tuple[str, ...],
    queues: tuple[str, ...],
    skills: Mapping[str, str | int],
    language: str = "en",
    teams: tuple[str, ...] = (),
) -> str:
    """An ``[[agents]]`` block of TOML: the password appears only as argon2id hash and as digest secrets."""
    lines = [
        "[[agents]]",
        f"id = {json.dumps(login)}",
        f"name = {json.dumps(name, ensure_ascii=False)}",
        f"login = {json.dumps(login)}",
        f"password_hash = {json.dumps(hash_password(password))}",
        f"roles = {json.dumps(list(roles))}",
        f"queues = {json.dumps(list(queues))}",
        f"language = {json.dumps(language)}",
    ]
    if teams:
        lines.append(f"teams = {json.dumps(list(teams))}")
    if skills:
        lines.append("skills = { " + ", ".join(f"{skill} = {int(level)}" for skill, level in skills.items()) + " }")
    if queues:
        for key, algorithm in (("sip_ha1_sha256", "SHA-256"), ("sip_ha1_md5", "MD5")):
            lines.append(f"{key} = {json.dumps(ha1(login, realm, password, algorithm))}")
    return "\n".join(lines) + "\n"


def add_person(
    path: Path,
    *,
    realm: str,
    login: str,
    name: str,
    password: str,
    roles: tuple[str, ...],
    queues: tuple[str, ...],
    skills: Mapping[str, str],
    teams: tuple[str, ...] = (),
) -> Site:
    """Append a person to the site file; the file is left as it was when the result would not be valid."""
    if "integration" in roles:
        raise ConfigError(
            f"{login}: programs do not sign in; make a token: callcenter token create {login} --scope read"
        )
    before = path.read_text("utf-8")
    block = person_block(
        realm=realm,
        login=login,
        name=name,
        password=password,
        roles=roles,
        queues=queues,
        skills=skills,
        teams=teams,
    )
    candidate = path.with_suffix(".new.toml")
    candidate.write_text(f"{before.rstrip()}\n\n{block}", "utf-8")
    try:
        site = load_site(candidate)
    except ConfigError as error:
        candidate.unlink()
        raise ConfigError(str(error).replace(str(candidate), str(path))) from error
    candidate.replace(path)
    return site
