"""Questions that are asked while a phone rings: put together once, and given to the driver as they are.

The driver of SQLite does its work in a thread of its own, and a statement that goes through SQLAlchemy visits it four
times (open a cursor, execute, fetch, close). On a busy machine each visit waits for two changes of thread, which is
what the slowest answers were made of. Here it is one visit. On PostgreSQL it is the round trip that it was, and half of
the work on our side.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Dialect, Select
from sqlalchemy.ext.asyncio import AsyncSession

Translate = Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class _Compiled:
    """A query in the words of one database: its text, its parameters in their order, and how columns are read."""

    sql: str
    names: tuple[str, ...]
    fixed: dict[str, Any]
    binds: dict[str, Translate]
    reads: tuple[Translate | None, ...]

    def bound(self, asked: dict[str, Any]) -> tuple[Any, ...]:
        told = self.fixed | asked
        return tuple(self.binds[name](told[name]) if name in self.binds else told[name] for name in self.names)

    def row(self, values: Sequence[Any]) -> tuple[Any, ...]:
        return tuple(value if read is None else read(value) for read, value in zip(self.reads, values, strict=True))


class ReadyQuery:
    """One query over columns, with named parameters. Lists of keys (``IN``) it cannot have."""

    def __init__(self, query: Select[*tuple[Any, ...]]) -> None:
        self._query = query
        self._compiled: dict[str, _Compiled] = {}

    async def rows(self, session: AsyncSession, **asked: Any) -> Sequence[Sequence[Any]]:
        """The rows for these parameters, as SQLAlchemy would give them, within the session's transaction."""
        connection = await session.connection()
        dialect = connection.dialect
        compiled = self._compiled.get(dialect.name)
        if compiled is None:
            compiled = self._compiled[dialect.name] = _compile(self._query, dialect)
        driver: Any = (await connection.get_raw_connection()).driver_connection
        told = compiled.bound(asked)
        if dialect.name == "sqlite":
            found = await driver.execute_fetchall(compiled.sql, told)
        else:
            found = await driver.fetch(compiled.sql, *told)
        return [compiled.row(values) for values in found]


def _compile(query: Select[*tuple[Any, ...]], dialect: Dialect) -> _Compiled:
    compiled: Any = query.compile(dialect=dialect)
    binds = {}
    for parameter, name in compiled.bind_names.items():
        processor = parameter.type.dialect_impl(dialect).bind_processor(dialect)
        if processor is not None:
            binds[name] = processor
    reads = [column.type.dialect_impl(dialect).result_processor(dialect, None) for column in query.selected_columns]
    return _Compiled(str(compiled), tuple(compiled.positiontup), dict(compiled.params), binds, tuple(reads))
