"""The engine and its units of work. Domain functions take a session and never commit; who opens the session does."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, event, make_url
from sqlalchemy.exc import DBAPIError, DisconnectionError, IntegrityError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm.exc import StaleDataError
from sqlalchemy.pool import PoolResetState
from sqlalchemy.util import await_only, greenlet_spawn

from crm_bridge.audit import AuditedSession
from crm_bridge.errors import CrmUnavailable, StaleRow, WriteConflict
from crm_bridge.models import Base
from crm_bridge.ready_queries import Glance

BUSY_MS = 5000
"""How long a writer waits for another one on SQLite."""
SCRUB_SECONDS = 5.0
SCRUB_PAUSE_SECONDS = 0.05
_SQLITE_PRAGMAS = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",
    f"PRAGMA busy_timeout={BUSY_MS}",
    "PRAGMA foreign_keys=ON",
    "PRAGMA secure_delete=ON",  # what is erased must not lie on in free pages
)
_SETTLE_SQLITE = ("PRAGMA optimize", "PRAGMA wal_checkpoint(TRUNCATE)")
PATIENCE_SECONDS = 10.0
"""A server that takes connections, or keeps those it has, and says nothing is away: the driver would wait for a minute,
or for ever."""
_READ_ONLY = "crm_read_only"
_NOTHING_BEGUN = "crm_nothing_begun"
_IMPERSONAL = ("audit_entry", "audit_head", "projection_cursor", "maintenance_run")
_LOCK_NOT_AVAILABLE = "55P03"
_CONTRADICTS = "23"
_TRY_AGAIN = ("40", "55P03")
"""SQLSTATE of PostgreSQL: constraints; deadlock, serialisation failure, lock not available."""
_AWAY = ("08", "25006", "53", "57", "58")
"""Connection lost, for reading alone (a standby server), out of disk, memory or connections, shut down or cancelled,
the system's own trouble."""


_NOBODY_THERE = (OperationalError, InterfaceError, DisconnectionError, sqlite3.OperationalError, PoolTimeout)


def create_engine(url: str, patience: float = PATIENCE_SECONDS) -> AsyncEngine:
    """An engine for ``sqlite+aiosqlite:///path`` or a PostgreSQL URL with an asynchronous driver.

    Each connection is asked for a sign of life before it is used; what gives none within ``patience`` seconds, or fails
    in whatever way, is thrown away and another one made, for which there is as much time.
    """
    if not _is_sqlite(url):
        engine = create_async_engine(url, connect_args={"timeout": patience})
        event.listen(engine.sync_engine, "checkout", _sign_of_life(patience))
        return engine
    engine = create_async_engine(url, pool_reset_on_return=None)
    event.listen(engine.sync_engine, "reset", _reset_sqlite)
    event.listen(engine.sync_engine, "connect", _prepare_sqlite)
    event.listen(engine.sync_engine, "begin", _begin_sqlite)
    return engine


class Database:
    """One database. ``begin`` for work that writes, ``read`` for work that does not, ``glance`` for a ready query."""

    def __init__(self, url: str, *, patience: float = PATIENCE_SECONDS) -> None:
        self.engine = create_engine(url, patience)
        reading = self.engine.execution_options(
            **{_READ_ONLY: True} if _is_sqlite(url) else {"postgresql_readonly": True}
        )
        self.needs_scrub = False
        """Whether something that was erased still lies in the write-ahead log."""
        self._writing = async_sessionmaker(self.engine, expire_on_commit=False, sync_session_class=AuditedSession)
        self._reading = async_sessionmaker(reading, expire_on_commit=False)

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[AsyncSession]:
        """A unit of work: commits at the end of the block, rolls back when it raises.

        Raises ``CrmUnavailable`` when the database does not answer (or, on SQLite, stays locked for five seconds),
        ``WriteConflict`` and ``StaleRow`` when another writer was faster.
        """
        with _translated():
            async with self._writing.begin() as session:
                yield session

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncSession]:
        """A consistent look at the data. On SQLite it neither waits for a writer nor delays one."""
        with _translated():
            async with self._reading.begin() as session:
                yield session

    @asynccontextmanager
    async def glance(self) -> AsyncIterator[Glance]:
        """For ready queries (``ready_queries``) that stand alone: nothing is begun, and each sees the data as it is
        then. The pool alone is asked for a connection, at a third of the price of SQLAlchemy's own."""
        with _translated():
            taken = await self.engine.raw_connection()
            try:
                yield Glance(self.engine.dialect, taken.driver_connection)
            except BaseException:
                await asyncio.shield(asyncio.ensure_future(greenlet_spawn(taken.close)))
                raise
            taken.info[_NOTHING_BEGUN] = True
            await greenlet_spawn(taken.close)

    async def scrub(self) -> None:
        """After an erasure: let nothing of what was deleted lie on in the files, as far as that can be done at once.

        SQLite: the write-ahead log is emptied, and nothing lies on. While somebody reads what was in the log, or tidies
        up by themselves at the same moment, it cannot be: it is tried again for ``SCRUB_SECONDS``, and if that is not
        enough, ``needs_scrub`` says so until a later call succeeds. PostgreSQL: dead rows are vacuumed, but their
        bytes stay in the free space of pages until ``rewrite`` or until the space is used again.
        """
        if not self._is_sqlite:
            await self._outside_transactions("VACUUM")
            return
        self.needs_scrub = True
        loop = asyncio.get_running_loop()
        until = loop.time() + SCRUB_SECONDS
        while not await self._empty_log():
            if loop.time() >= until:
                return
            await asyncio.sleep(SCRUB_PAUSE_SECONDS)
        self.needs_scrub = False

    async def _empty_log(self) -> bool:
        """Empty SQLite's write-ahead log, without making anybody wait; whether it is empty."""
        with _translated():
            async with self.engine.connect() as connection:
                raw = await connection.get_raw_connection()
                driver: Any = raw.driver_connection
                await driver.execute("PRAGMA busy_timeout = 0")
                try:
                    async with driver.execute("PRAGMA wal_checkpoint(TRUNCATE)") as answer:
                        busy, *_ = await answer.fetchone()
                finally:
                    await driver.execute(f"PRAGMA busy_timeout = {BUSY_MS}")
        return not busy

    async def settle(self) -> None:
        """After very many rows were entered: let the planner know what is there now, and later readers not have to tidy
        up first."""
        await self._outside_transactions(*(_SETTLE_SQLITE if self._is_sqlite else ("VACUUM (ANALYZE)",)))

    async def rewrite(self) -> int:
        """Write all tables anew, so that no byte of what was erased is left in their files; how many could not be.

        For the night: each table is locked while it is written. One that somebody uses for longer than five seconds is
        left for the next night. Also the planner's statistics, which hold values of columns. PostgreSQL's write-ahead
        log and backups have a life of their own. Nothing is to be done on SQLite but to empty the log.
        """
        if self._is_sqlite:
            await self.scrub()
            return 0
        names = [table.name for table in Base.metadata.sorted_tables if table.name not in _IMPERSONAL]
        statements = [f"VACUUM (FULL, ANALYZE) {name}" for name in names]
        return await self._outside_transactions(*statements, "VACUUM (FULL) pg_catalog.pg_statistic")

    @property
    def _is_sqlite(self) -> bool:
        return self.engine.dialect.name == "sqlite"

    async def _outside_transactions(self, *statements: str) -> int:
        """Statements that no transaction may contain; how many of them waited for a lock in vain."""
        failed = 0
        with _translated():
            async with self.engine.connect() as connection:
                raw = await connection.get_raw_connection()
                driver: Any = raw.driver_connection
                if not self._is_sqlite:
                    await driver.execute("SET lock_timeout = '5s'")
                try:
                    for statement in statements:
                        try:
                            await driver.execute(statement)
                        except Exception as error:  # asyncpg's own class, which is not installed everywhere
                            if getattr(error, "sqlstate", None) != _LOCK_NOT_AVAILABLE:
                                raise
                            failed += 1
                finally:
                    if not self._is_sqlite:
                        await driver.execute("RESET lock_timeout")
        return failed

    async def close(self) -> None:
        """Close all connections."""
        await self.engine.dispose()


async def migrate(url: str, revision: str = "head") -> None:
    """Bring the schema up to ``revision``, or down with ``"-1"`` (one step) and ``"base"`` (removes everything).

    Everything happens, or nothing.
    """
    engine = create_engine(url)
    try:
        async with engine.begin() as connection:
            await connection.run_sync(_run_migrations, revision)
    finally:
        await engine.dispose()


def alembic_config(connection: Connection | None = None) -> Config:
    """Alembic's configuration: the migrations lie inside the package, so an installed wheel has them."""
    config = Config()
    config.set_main_option("script_location", "crm_bridge:migrations")
    config.attributes["connection"] = connection
    return config


def _run_migrations(connection: Connection, revision: str) -> None:
    config = alembic_config(connection)
    if revision == "base" or revision.startswith("-"):
        command.downgrade(config, revision)
    else:
        command.upgrade(config, revision)


def _is_sqlite(url: str) -> bool:
    return make_url(url).get_backend_name() == "sqlite"


def _sign_of_life(patience: float) -> Callable[[Any, object, object], None]:
    """What the pool asks of a connection that is taken out of it (``DisconnectionError`` makes it try another)."""

    def ask(connection: Any, _record: object, _fairy: object) -> None:
        try:
            await_only(asyncio.wait_for(connection.driver_connection.fetchrow(";"), patience))
        except Exception as error:  # the driver's, the event loop's, or none in time: it is of no use any more
            raise DisconnectionError("the database says nothing") from error

    return ask


def _prepare_sqlite(connection: Any, _record: object) -> None:
    """Transactions are begun by us, not by the driver, which would leave schema changes outside of them."""
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in _SQLITE_PRAGMAS:
        cursor.execute(pragma)
    cursor.close()


def _reset_sqlite(connection: Any, record: Any, state: PoolResetState) -> None:
    """What comes back to the pool is rolled back, behind whatever its thread may still be at; but for a glance that
    ended well, which would wait for the thread once more in vain."""
    is_clean = record.info.pop(_NOTHING_BEGUN, False) or state.transaction_was_reset
    if state.asyncio_safe and not is_clean:
        connection.rollback()


def _begin_sqlite(connection: Connection) -> None:
    """A writer takes the lock at once: one that began as a reader cannot wait for it and would fail instead."""
    reading = connection.get_execution_options().get(_READ_ONLY, False)
    connection.exec_driver_sql("BEGIN DEFERRED" if reading else "BEGIN IMMEDIATE")


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except StaleDataError as error:
        raise StaleRow("somebody else changed this meanwhile") from error
    except (IntegrityError, sqlite3.IntegrityError) as error:
        raise WriteConflict("the database refused a contradicting row") from error
    except (*_NOBODY_THERE, OSError) as error:
        raise CrmUnavailable("the customer store does not answer") from error
    except Exception as error:  # DBAPIError, or what went past SQLAlchemy: the SQLSTATE tells
        cause = error.orig if isinstance(error, DBAPIError) else error
        state = str(getattr(cause, "sqlstate", None) or "")
        if state.startswith(_CONTRADICTS):
            raise WriteConflict("the database refused a contradicting row") from error
        if state.startswith(_TRY_AGAIN):
            raise WriteConflict("another writer was in the way") from error
        if state.startswith(_AWAY) or type(error).__name__ == "InterfaceError":  # asyncpg's own, of a closed connection
            raise CrmUnavailable("the customer store does not answer") from error
        if isinstance(error, DBAPIError) and error.connection_invalidated:
            raise CrmUnavailable("the customer store does not answer") from error
        raise
