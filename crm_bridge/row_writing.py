"""Many rows at once: what a batch writes, as the driver takes it fastest.

On PostgreSQL by COPY and by one statement over arrays: bound one by one, each row of a batch is a message of its own to
the server and a plan to be run. SQLite is given statements that were put together once, with all their rows, in one
visit of its thread.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Dialect, Table, any_, bindparam, insert, literal, or_, text, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from crm_bridge.models import Customer
from crm_bridge.models.base import Base, CleanText, storable

_WORTH_COPYING = 20
"""Rows below which COPY takes longer to begin than the statement to run."""
_MOVE_ALL = text(
    "UPDATE customer SET last_contact_at = told.newest "
    "FROM unnest(CAST(:customers AS bigint[]), CAST(:newest AS timestamptz[])) AS told (id, newest) "
    "WHERE customer.id = told.id AND (customer.last_contact_at IS NULL OR customer.last_contact_at < told.newest)"
)


async def insert_rows(session: AsyncSession, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows that all name the same columns."""
    if not rows:
        return
    if (await session.connection()).dialect.name == "postgresql" and len(rows) < _WORTH_COPYING:
        await session.execute(insert(table), [dict(row) for row in rows])
        return
    names = tuple(rows[0])
    await write_rows(session, table, names, [tuple(row[name] for name in names) for row in rows])


async def write_rows(
    session: AsyncSession, table: Table, names: Sequence[str], rows: Sequence[tuple[Any, ...]]
) -> None:
    """Insert rows of these columns, past the session."""
    connection = await session.connection()
    bound = _bound(table, names, connection.dialect, rows)
    driver = await _driver(connection)
    if connection.dialect.name == "postgresql":
        if not driver.is_in_transaction():  # which SQLAlchemy begins with its first statement
            await connection.execute(text("SELECT 1"))
        await driver.copy_records_to_table(table.name, records=bound, columns=names)
        return
    marks = ", ".join("?" * len(names))
    await driver.executemany(f"INSERT INTO {table.name} ({', '.join(names)}) VALUES ({marks})", bound)  # noqa: S608 - names of our own tables and columns


class Upsert:
    """Rows of one table, put together once: what is new is inserted; of what is there, by its ``key``, the columns in
    ``changes`` become those of the new row, where ``newer`` (a column) only if that is greater."""

    def __init__(
        self, model: type[Base], names: Sequence[str], *, key: Sequence[str], changes: Sequence[str], newer: str = ""
    ) -> None:
        self._table: Any = model.__table__
        self._names, self._key, self._changes, self._newer = tuple(names), tuple(key), tuple(changes), newer
        self._on_postgresql = self._statement(postgresql)
        compiled: Any = self._statement(sqlite).compile(dialect=sqlite.dialect(), column_keys=self._names)
        self._on_sqlite, self._order = str(compiled), tuple(compiled.positiontup)

    async def write(self, session: AsyncSession, rows: Sequence[Mapping[str, Any]]) -> None:
        """Write rows that name all the columns."""
        if not rows:
            return
        connection = await session.connection()
        if connection.dialect.name == "postgresql":
            await session.execute(self._on_postgresql, [dict(row) for row in rows])
            return
        told = [tuple(row[name] for name in self._order) for row in rows]
        bound = _bound(self._table, self._order, connection.dialect, told)
        await (await _driver(connection)).executemany(self._on_sqlite, bound)

    def _statement(self, dialect: Any) -> Any:
        upsert = dialect.insert(self._table)
        told = {name: upsert.excluded[name] for name in self._changes}
        newer = self._table.c[self._newer] < upsert.excluded[self._newer] if self._newer else None
        return upsert.on_conflict_do_update(index_elements=self._key, set_=told, where=newer)


async def _driver(connection: AsyncConnection) -> Any:
    return (await connection.get_raw_connection()).driver_connection


def among(session: AsyncSession, column: InstrumentedAttribute[Any], keys: Sequence[Any]) -> ColumnElement[bool]:
    """Whether a column is one of many keys; on PostgreSQL one array, so that the statement is the same each time."""
    if session.get_bind().dialect.name == "postgresql":
        return column == any_(literal(list(keys), ARRAY(column.type)))
    return column.in_(keys)


async def move_last_contacts(session: AsyncSession, newest: Mapping[int, datetime]) -> None:
    """Move the customers' last contact forward; never back, and not counted as an edit."""
    if not newest:
        return
    ordered = sorted(newest)
    if (await session.connection()).dialect.name == "postgresql":
        await session.execute(_MOVE_ALL, {"customers": ordered, "newest": [newest[each] for each in ordered]})
        return
    table: Any = Customer.__table__
    told = bindparam("newest", type_=table.c.last_contact_at.type)
    await session.execute(
        update(table)
        .where(
            table.c.id == bindparam("customer"), or_(table.c.last_contact_at.is_(None), table.c.last_contact_at < told)
        )
        .values(last_contact_at=told, updated_at=table.c.updated_at),
        [{"customer": each, "newest": newest[each]} for each in ordered],
    )


def _bound(
    table: Table, names: Sequence[str], dialect: Dialect, rows: Sequence[tuple[Any, ...]]
) -> Sequence[tuple[Any, ...]]:
    """The rows as the driver takes them, each column as its type has it."""
    columns: list[Sequence[Any]] = list(zip(*rows, strict=True))
    changed = False
    for place, name in enumerate(names):
        kind = table.c[name].type
        bind: Any = kind.dialect_impl(dialect).bind_processor(dialect)
        if bind is None or (isinstance(kind, CleanText) and _all_storable(columns[place])):
            continue
        columns[place] = _each_once(bind, columns[place])
        changed = True
    return list(zip(*columns, strict=True)) if changed else rows


def _all_storable(values: Sequence[str | None]) -> bool:
    """Whether no text has what a database refuses: asked of all of them at once, which takes a tenth of the time."""
    together = "".join(filter(None, values))
    if together.isascii():
        return "\0" not in together
    return storable(together) == together


def _each_once(bind: Any, values: Sequence[Any]) -> list[Any]:
    """What stands in a column many times, the same words and instants, is bound once."""
    met = dict(zip(map(id, values), values, strict=True))
    bound = {key: bind(value) for key, value in met.items()}
    return [bound[id(value)] for value in values]
