"""Everything that is in a customer store: to compare what was with what is, and to take it out."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import delete, select, text

from crm_bridge.database import Database
from crm_bridge.models import Base

BOOKKEEPING = frozenset({"updated_at", "row_version"})


async def dump(
    database: Database, *, without: Collection[str] = (), without_kinds: Collection[str] = ()
) -> dict[str, list[tuple[Any, ...]]]:
    """All rows of all tables but those of ``without``, sorted; timeline entries of ``without_kinds`` left out."""
    found: dict[str, list[tuple[Any, ...]]] = {}
    async with database.read() as session:
        for table in Base.metadata.sorted_tables:
            if table.name in without:
                continue
            columns = [column for column in table.columns if column.name not in BOOKKEEPING]
            query = select(*columns)
            if table.name == "timeline_event" and without_kinds:
                query = query.where(table.c.kind.not_in(list(without_kinds)))
            rows = [tuple(_plain(value) for value in row) for row in await session.execute(query)]
            found[table.name] = sorted(rows, key=repr)
    return found


async def empty(database: Database) -> None:
    """Nothing of the example before is left."""
    async with database.begin() as session:
        for table in reversed(Base.metadata.sorted_tables):
            if table.name != "audit_entry":
                await session.execute(delete(table))
    async with database.engine.begin() as connection:
        if database.engine.dialect.name == "postgresql":
            await connection.execute(text("SET session_replication_role = replica"))
        else:
            for guard in ("audit_entry_no_update", "audit_entry_no_delete"):
                await connection.execute(text(f"DROP TRIGGER IF EXISTS {guard}"))
        await connection.execute(text("DELETE FROM audit_entry"))
        if database.engine.dialect.name == "postgresql":
            await connection.execute(text("RESET session_replication_role"))


def _plain(value: Any) -> Any:
    return repr(sorted(value.items())) if isinstance(value, dict) else value
