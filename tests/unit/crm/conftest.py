"""A migrated, empty customer store for each test, on SQLite and, where a server can be started, on PostgreSQL."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Iterator
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy import make_url

from crm_bridge.database import Database, migrate
from crm_bridge.models import Base
from tests.support import postgresql
from tests.support.peers import missing

_numbers = count(1)


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("store") / "template.db"
    asyncio.run(migrate(f"sqlite+aiosqlite:///{path}"))
    return path


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[str]:
    reason = postgresql.missing()
    if reason:
        missing(reason)
    with postgresql.running_server() as url:
        postgresql.execute(url, "CREATE DATABASE store")
        asyncio.run(migrate(_of_server(url, "store")))
        yield url


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.interop)])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a database without any table."""
    if request.param == "sqlite":
        return f"sqlite+aiosqlite:///{tmp_path / 'empty.db'}"
    server: str = request.getfixturevalue("postgresql_server")
    name = f"empty_{next(_numbers)}"
    postgresql.execute(server, f"CREATE DATABASE {name}")
    return _of_server(server, name)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.interop)])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a database with all tables, empty."""
    if request.param == "sqlite":
        path = tmp_path / "store.db"
        shutil.copy(request.getfixturevalue("sqlite_template"), path)
        return f"sqlite+aiosqlite:///{path}"
    url = _of_server(request.getfixturevalue("postgresql_server"), "store")
    postgresql.execute(url, postgresql.emptied(Base.metadata.tables))
    return url


@pytest.fixture
async def database(store_url: str) -> AsyncIterator[Database]:
    opened = Database(store_url)
    yield opened
    await opened.close()


def _of_server(url: str, database: str) -> str:
    return make_url(url).set(database=database).render_as_string()
