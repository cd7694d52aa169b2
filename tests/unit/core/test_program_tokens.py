"""Tokens by which programs use the API: told once, kept as a digest, narrow, short-lived, revocable, counted."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import text
from typer.testing import CliRunner

from callcenter.cli import app as command_line
from crm_bridge.database import Database, migrate
from tests.support.whole_web import WholeWeb, whole_web

pytestmark = pytest.mark.unit

CUSTOMERS = "/api/v1/customers"
TOKENS = "/api/v1/tokens"
ADA = {"display_name": "Ada Lovelace"}


@pytest.fixture
async def web(tmp_path: Path) -> AsyncIterator[WholeWeb]:
    url = f"sqlite+aiosqlite:///{tmp_path}/store.db"
    await migrate(url)
    database = Database(url)
    async with whole_web(database) as web:
        yield web
    await database.close()


@pytest.fixture
async def administrator(web: WholeWeb) -> AsyncIterator[httpx.AsyncClient]:
    client = await web.person("administrator")
    yield client
    await client.aclose()


def everything_in(folder: Path) -> bytes:
    return b"".join(file.read_bytes() for file in folder.iterdir())


async def make(administrator: httpx.AsyncClient, **fields: Any) -> dict[str, Any]:
    answer = await administrator.post(TOKENS, json={"name": "erp", "scopes": ["read", "write"], **fields})
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def test_a_token_is_told_once_and_only_its_digest_is_kept(
    web: WholeWeb, administrator: httpx.AsyncClient, tmp_path: Path
) -> None:
    made = await make(administrator)
    async with web.program(made["token"]) as erp:
        assert (await erp.post(CUSTOMERS, json=ADA)).status_code == 201
    again = await administrator.get(TOKENS)
    assert made["token"] not in again.text
    assert made["token"].startswith(again.json()[0]["hint"])
    await web.database.scrub()
    on_disk = everything_in(tmp_path)
    assert made["token"].encode() not in on_disk
    assert b"Ada Lovelace" in on_disk, "the search would find what is there"


async def test_the_answer_with_a_token_is_not_kept_for_a_repetition(
    web: WholeWeb, administrator: httpx.AsyncClient, tmp_path: Path
) -> None:
    body, key = {"name": "erp", "scopes": ["read"]}, {"idempotency-key": "k1"}
    first = await administrator.post(TOKENS, json=body, headers=key)
    second = await administrator.post(TOKENS, json=body, headers=key)
    assert (first.status_code, second.status_code, second.json()["code"]) == (201, 409, "already-done")
    await web.database.scrub()
    assert first.json()["token"].encode() not in everything_in(tmp_path)
    assert len((await administrator.get(TOKENS)).json()) == 1


async def test_audit_entries_and_notes_name_the_token(web: WholeWeb, administrator: httpx.AsyncClient) -> None:
    made = await make(administrator)
    async with web.program(made["token"]) as erp:
        ada = (await erp.post(CUSTOMERS, json=ADA)).json()
        note = await erp.post(f"{CUSTOMERS}/{ada['id']}/notes", json={"body": "from the shop"})
        assert note.json()["actor_name"] == "erp"
    log = (await administrator.get("/api/v1/audit")).json()
    assert {(each["actor_id"], each["table_name"]) for each in log} >= {
        ("user-administrator", "api_token"),
        ("token:erp", "customer"),
        ("token:erp", "note"),
    }
    used = [each for each in log if each["table_name"] == "api_token" and each["action"] == "update"]
    assert used == [], "that it was used is no change"


async def test_idempotency_keys_and_etags_are_the_programs_own(web: WholeWeb, administrator: httpx.AsyncClient) -> None:
    made, other = await make(administrator), await make(administrator, name="shop")
    async with web.program(made["token"]) as erp, web.program(other["token"]) as shop:
        key = {"idempotency-key": "k1"}
        first = await erp.post(CUSTOMERS, json=ADA, headers=key)
        again = await erp.post(CUSTOMERS, json=ADA, headers=key)
        theirs = await shop.post(CUSTOMERS, json={"display_name": "Bo"}, headers=key)
        assert (first.json()["id"], again.headers["idempotent-replayed"]) == (again.json()["id"], "true")
        assert theirs.status_code == 201
        path = f"{CUSTOMERS}/{first.json()['id']}"
        tag = (await erp.get(f"{path}/record")).headers["etag"]
        edits = [
            (await erp.patch(path, json={"occupation": word}, headers={"if-match": tag})).status_code
            for word in ("poet", "engineer")
        ]
        assert edits == [200, 412]


async def test_a_token_does_what_its_scopes_allow_and_sees_customers_of_all_teams(
    web: WholeWeb, administrator: httpx.AsyncClient
) -> None:
    ada = (await administrator.post(CUSTOMERS, json=ADA)).json()
    edit = await administrator.patch(f"{CUSTOMERS}/{ada['id']}", json={"team_id": "north"}, headers={"if-match": "*"})
    assert edit.status_code == 200, edit.text
    made = await make(administrator, scopes=["read"])
    async with web.program(made["token"]) as erp:
        assert (await erp.get(f"{CUSTOMERS}/{ada['id']}")).status_code == 200
        refused = await erp.post(CUSTOMERS, json=ADA)
        assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")


async def test_a_token_ends_when_it_expires_and_at_once_when_it_is_revoked(
    web: WholeWeb, administrator: httpx.AsyncClient
) -> None:
    made = await make(administrator, days=1)
    async with web.program(made["token"]) as erp:
        assert (await erp.get(CUSTOMERS)).status_code == 200
        revoked = await administrator.delete(f"{TOKENS}/{made['id']}")
        assert (revoked.status_code, revoked.json()["revoked_by"]) == (200, "user-administrator")
        refused = await erp.get(CUSTOMERS)
        assert (refused.status_code, refused.json()["code"]) == (401, "invalid-token")
        assert refused.headers["www-authenticate"] == 'Bearer error="invalid_token"'
    assert (await administrator.delete(f"{TOKENS}/1")).status_code == 404
    taken = await administrator.post(TOKENS, json={"name": "erp", "scopes": ["read"]})
    assert (taken.status_code, taken.json()["code"]) == (409, "token-name-taken")
    short = await make(administrator, name="short", days=1)
    async with web.program(short["token"]) as program:
        web.clock.ticker.pass_seconds(86_399)
        assert (await program.get(CUSTOMERS)).status_code == 200
        web.clock.ticker.pass_seconds(1)
        assert (await program.get(CUSTOMERS)).status_code == 401


async def test_when_it_was_last_used_is_exact_to_a_minute(web: WholeWeb, administrator: httpx.AsyncClient) -> None:
    made = await make(administrator)

    async def last_used() -> str | None:
        await asyncio.gather(*web.tokens.notes())
        found: str | None = (await administrator.get(TOKENS)).json()[0]["last_used_at"]
        return found

    assert await last_used() is None
    async with web.program(made["token"]) as erp:
        await erp.get(CUSTOMERS)
        first = await last_used()
        assert first is not None
        web.clock.ticker.pass_seconds(59)
        await erp.get(CUSTOMERS)
        assert await last_used() == first
        web.clock.ticker.pass_seconds(1)
        await erp.get(CUSTOMERS)
        assert await last_used() != first


async def test_a_program_that_asks_too_often_is_told_to_wait_and_others_are_not(
    web: WholeWeb, administrator: httpx.AsyncClient
) -> None:
    made, other = await make(administrator), await make(administrator, name="shop")
    async with web.program(made["token"]) as erp, web.program(other["token"]) as shop:
        statuses = [(await erp.get("/api/settings")).status_code for _ in range(101)]
        assert statuses == [200] * 100 + [429]
        told = await erp.get("/api/settings")
        assert (told.json()["code"], told.headers["retry-after"]) == ("too-many-requests", "1")
        assert (await shop.get("/api/settings")).status_code == 200
        web.clock.ticker.pass_seconds(1)
        assert (await erp.get("/api/settings")).status_code == 200


async def test_who_comes_with_wrong_tokens_again_and_again_is_told_to_wait(web: WholeWeb) -> None:
    async with web.program("cct_" + "x" * 43) as stranger:
        statuses = [(await stranger.get("/api/settings")).status_code for _ in range(21)]
        assert statuses == [401] * 20 + [429]


async def test_a_token_decides_whatever_session_comes_with_it(web: WholeWeb, administrator: httpx.AsyncClient) -> None:
    """Else a program's mistake in the token would go unseen where a browser's cookie happens to be sent along."""
    wrong = await administrator.get(CUSTOMERS, headers={"authorization": "Bearer cct_wrong"})
    assert wrong.status_code == 401
    assert (await administrator.get(CUSTOMERS, headers={"authorization": "Basic eDp5"})).status_code == 200


async def test_a_page_elsewhere_gains_nothing_from_a_token(web: WholeWeb, administrator: httpx.AsyncClient) -> None:
    made = await make(administrator)
    async with web.program(made["token"]) as erp:
        foreign = await erp.post(CUSTOMERS, json=ADA, headers={"origin": "https://elsewhere.example"})
        assert (foreign.status_code, foreign.json()["code"]) == (403, "foreign-origin")


async def test_no_session_and_no_socket_comes_from_a_token(web: WholeWeb, administrator: httpx.AsyncClient) -> None:
    made = await make(administrator)
    async with web.program(made["token"]) as erp:
        assert (await erp.get("/api/session")).status_code == 401
        assert (await erp.get("/api/v1/contacts/c1/why")).status_code == 403


async def test_a_store_that_is_away_is_told_apart_from_a_wrong_token(
    web: WholeWeb, administrator: httpx.AsyncClient
) -> None:
    made = await make(administrator)
    async with web.database.engine.begin() as connection:
        await connection.execute(text("ALTER TABLE api_token RENAME TO api_token_elsewhere"))
    async with web.program(made["token"]) as erp:
        away = await erp.get(CUSTOMERS)
        assert (away.status_code, away.json()["code"]) == (503, "unavailable")


def test_the_command_line_makes_lists_and_revokes(tmp_path: Path) -> None:
    config = tmp_path / "callcenter.toml"
    config.write_text('data_dir = "."\n')

    def told(*words: str, status: int = 0) -> str:
        result = CliRunner().invoke(command_line, ["token", *words, "--config", str(config)])
        assert result.exit_code == status, result.output
        return result.output.strip()

    token = told("create", "erp", "--scope", "read", "--scope", "import", "--days", "30")
    assert token.startswith("cct_")
    assert len(token) == 47
    [listed] = json.loads(told("list", "--json"))
    assert (listed["name"], listed["scopes"], listed["created_by"]) == ("erp", ["import", "read"], "command line")
    assert token not in told("list")
    assert "choose another" in told("create", "erp", status=1)
    assert "scopes are" in told("create", "shop", "--scope", "erase", status=1)
    assert told("revoke", "erp") == "erp is revoked"
    assert "revoked" in told("list")
    assert "no such token" in told("revoke", "nobody", status=1)
