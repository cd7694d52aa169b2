"""A store that refuses to be written, really: its database says so, as on a disk that was mounted for reading only."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy import event

from crm_bridge.database import Database


@asynccontextmanager
async def read_only(database: Database) -> AsyncIterator[None]:
    """Within the block every connection of the pool may read alone: SQLite's ``query_only``, on PostgreSQL the default
    of each transaction, as on a standby server."""
    engine = database.engine
    is_sqlite = engine.dialect.name == "sqlite"
    statement = "PRAGMA query_only = ON" if is_sqlite else "SET default_transaction_read_only = on"

    def refuse(connection: Any, _record: object) -> None:
        cursor = connection.cursor()
        cursor.execute(statement)
        cursor.close()
        if not is_sqlite:
            connection.commit()

    await engine.dispose()
    event.listen(engine.sync_engine, "connect", refuse)
    try:
        yield
    finally:
        event.remove(engine.sync_engine, "connect", refuse)
        await engine.dispose()
