"""Filling an empty store with millions of rows: indexes and constraints are made when all rows are there.

All of it is one transaction, the caller's: whoever is killed in the middle leaves an empty store with all its indexes.
Rows that each look for their place in a dozen indexes take three times as long on PostgreSQL; on SQLite the index of
the search texts does, and what stays needs its pages in memory, or each portion of rows reads and writes all of them.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

_FOREIGN_KEYS = (
    "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint "
    "WHERE contype = 'f' AND conrelid = ANY(CAST(:tables AS regclass[]))"
)
_KEYS = (
    "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint AS held "
    "WHERE contype IN ('p', 'u') AND conrelid = ANY(CAST(:tables AS regclass[])) AND NOT EXISTS "
    "(SELECT FROM pg_constraint AS held_by WHERE held_by.contype = 'f' AND held_by.conindid = held.conindid)"
)
"""What a foreign key refers to stays."""
_INDEXES = (
    "SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index "
    "WHERE indrelid = ANY(CAST(:tables AS regclass[])) "
    "AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid)"
)
_SORTING_MEMORY = "512MB"
_SQLITE_CACHE_BYTES = 1_500_000_000
"""Ten million customers need 1.2 GB of it: the pages that numbers and addresses are strewn over."""
_SQLITE_DEFAULT_CACHE_KB = 2000


@asynccontextmanager
async def indexed_afterwards(session: AsyncSession, tables: Sequence[str]) -> AsyncIterator[None]:
    """Within the block the tables, which are empty, have no index that could wait. Others wait for the whole of it."""
    connection = await session.connection()
    if connection.dialect.name == "postgresql":
        async with _bare_tables(connection, tables):
            yield
    else:
        async with _roomy_cache(connection), _bare_texts(connection):
            yield


@asynccontextmanager
async def _bare_tables(connection: AsyncConnection, tables: Sequence[str]) -> AsyncIterator[None]:
    asked = {"tables": list(tables)}
    put_back: list[str] = []
    for part in (_FOREIGN_KEYS, _KEYS):
        for home, name, meaning in (await connection.execute(text(part), asked)).all():
            await connection.execute(text(f"ALTER TABLE {home} DROP CONSTRAINT {name}"))
            put_back.append(f"ALTER TABLE {home} ADD CONSTRAINT {name} {meaning}")
    for name, statement in (await connection.execute(text(_INDEXES), asked)).all():
        await connection.execute(text(f"DROP INDEX {name}"))
        put_back.append(statement)
    yield
    await connection.execute(text(f"SET LOCAL maintenance_work_mem = '{_SORTING_MEMORY}'"))
    for statement in reversed(put_back):
        await connection.exec_driver_sql(statement)


@asynccontextmanager
async def _roomy_cache(connection: AsyncConnection) -> AsyncIterator[None]:
    await connection.exec_driver_sql(f"PRAGMA cache_size = -{_SQLITE_CACHE_BYTES // 1024}")
    try:
        yield
    finally:
        await connection.exec_driver_sql(f"PRAGMA cache_size = -{_SQLITE_DEFAULT_CACHE_KB}")


@asynccontextmanager
async def _bare_texts(connection: AsyncConnection) -> AsyncIterator[None]:
    """Without the triggers that keep the index of the search texts, which is then built from the table."""
    triggers = "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'search_text'"
    put_back: Sequence[Any] = (await connection.exec_driver_sql(triggers)).all()
    for name, _ in put_back:
        await connection.exec_driver_sql(f"DROP TRIGGER {name}")
    yield
    await connection.exec_driver_sql("INSERT INTO search_index (search_index) VALUES ('rebuild')")
    for _, statement in put_back:
        await connection.exec_driver_sql(statement)
