"""The process is killed in the middle of a migration. Nothing of it has happened then; the next one succeeds."""

import asyncio
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, inspect, make_url, text

import crm_bridge
from crm_bridge.database import Database, migrate
from crm_bridge.interactions import record
from tests.support import postgresql
from tests.support.crm_records import NOON, NUMBER, REGION, call
from tests.support.crm_web import client_of, enter
from tests.support.peers import missing

pytestmark = pytest.mark.faults

STEPS = len(list((Path(crm_bridge.__file__).parent / "migrations" / "versions").glob("rev_*.py")))
BEFORE = 6
"""The revision with which the old installation ran."""
POINTS = (
    "CREATE TABLE promise",
    "INSERT INTO search_text",
    f"UPDATE alembic_version SET version_num='{STEPS:04}'",
)
"""At the first change, in the middle of writing data, and just before the end."""


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    reason = postgresql.missing()
    if reason:
        missing(reason)
    with postgresql.running_server() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite+aiosqlite:///{tmp_path / 'store.db'}"
    server: str = request.getfixturevalue("server")
    postgresql.execute(server, "CREATE DATABASE killed")
    return make_url(server).set(database="killed").render_as_string()


async def test_a_killed_migration_leaves_the_old_store_and_the_next_one_succeeds(url: str) -> None:
    await migrate(url)
    database = Database(url)
    async with client_of(database) as web:
        for n in range(3):
            await enter(web, f"Ada {n}", f"{NUMBER[:-1]}{n}")
    async with database.begin() as session:
        await record(session, call(), region=REGION)
    await migrate(url, f"-{STEPS - BEFORE}")
    old = await look(database)
    assert old["version"] == f"{BEFORE:04}"
    for point in POINTS:
        status = await asyncio.to_thread(killed_before, url, point)
        assert status == -signal.SIGKILL, point
        assert await look(database) == old, point
    await migrate(url)
    new = await look(database)
    assert (new["version"], new["customers"], new["interactions"]) == (f"{STEPS:04}", old["customers"], 1)
    async with client_of(database, at=NOON) as web:
        assert len((await web.get("/customers", params={"q": "ada"})).json()["items"]) == 3
        assert (await web.get("/audit/chain")).json()["is_whole"]
    await database.close()


def killed_before(url: str, statement: str) -> int:
    """Migrate in a process of its own that is killed before this statement; its status."""
    command = [sys.executable, "-m", "tests.support.killed_migration", url, statement]
    return subprocess.run(command, cwd=Path(__file__).parents[2], timeout=200, check=False).returncode


async def look(database: Database) -> dict[str, Any]:
    """What there is: the revision, the tables, what is in them."""

    def tables(connection: Connection) -> list[str]:
        return sorted(inspect(connection).get_table_names())

    async with database.engine.connect() as connection:
        return {
            "version": await connection.scalar(text("SELECT version_num FROM alembic_version")),
            "tables": await connection.run_sync(tables),
            "customers": (await connection.scalars(text("SELECT display_name FROM customer ORDER BY id"))).all(),
            "interactions": await connection.scalar(text("SELECT count(*) FROM interaction")),
        }
