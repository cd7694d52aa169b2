"""Questions that are asked while a phone rings or with each batch of the journal: put together once, and given to the
driver as they are.

The driver of SQLite does its work in a thread of its own, and a statement that goes through SQLAlchemy visits it four
times (open a cursor, execute, fetch, close). On a busy machine each visit waits for two changes of thread, which is
what the slowest answers were made of. Here it is one visit. On PostgreSQL it is the round trip that it was, and half of
the work on our side.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Boolean, ColumnElement, Dialect, Select, Text, bindparam
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import InstrumentedAttribute
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeDecorator, TypeEngine

Translate = Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class Glance:
    """A driver's connection on which nothing is begun (``Database.glance``)."""

    dialect: Dialect
    driver: Any


Asked = AsyncSession | Glance
"""A query is asked within a session's transaction, or at a glance."""


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
    """One query over columns, with named parameters; a list of keys is one of them (``among_keys``)."""

    def __init__(self, query: Select[*tuple[Any, ...]]) -> None:
        self._query = query
        self._compiled: dict[str, _Compiled] = {}

    async def rows(self, session: Asked, **asked: Any) -> Sequence[Sequence[Any]]:
        """The rows for these parameters, as SQLAlchemy would give them."""
        at = session if isinstance(session, Glance) else await _within(session)
        dialect = at.dialect
        compiled = self._compiled.get(dialect.name)
        if compiled is None:
            compiled = self._compiled[dialect.name] = _compile(self._query, dialect)
        told = compiled.bound(asked)
        if dialect.name == "sqlite":
            found = await at.driver.execute_fetchall(compiled.sql, told)
        else:
            found = await at.driver.fetch(compiled.sql, *told)
        return [compiled.row(values) for values in found]


async def _within(session: AsyncSession) -> Glance:
    connection = await session.connection()
    return Glance(connection.dialect, (await connection.get_raw_connection()).driver_connection)


class _Keys(TypeDecorator[Sequence[Any]]):
    """Keys of one column as one value: an array, or JSON where there are none."""

    impl = Text
    cache_ok = True

    def __init__(self, column: TypeEngine[Any]) -> None:
        super().__init__()
        self.column = column

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        array: TypeEngine[Any] = ARRAY(self.column) if dialect.name == "postgresql" else Text()
        return dialect.type_descriptor(array)

    def process_bind_param(self, value: Sequence[Any] | None, dialect: Dialect) -> Any:
        return list(value or ()) if dialect.name == "postgresql" else json.dumps(value)


class _Among(FunctionElement[bool]):
    """Whether the first clause, a column, is one of the keys that are the second."""

    type = Boolean()
    inherit_cache = True


@compiles(_Among, "sqlite")
def _among_json(element: _Among, compiler: Any, **how: Any) -> str:
    column, keys = (compiler.process(each, **how) for each in element.clauses)
    return f"{column} IN (SELECT value FROM json_each({keys}))"  # noqa: S608 - a column's name and a question mark


@compiles(_Among, "postgresql")
def _among_array(element: _Among, compiler: Any, **how: Any) -> str:
    column, keys = (compiler.process(each, **how) for each in element.clauses)
    return f"{column} = ANY ({keys})"


def among_keys(column: InstrumentedAttribute[Any], name: str = "keys") -> ColumnElement[bool]:
    """Whether a column, of texts or numbers, is one of the keys in a parameter: the same statement for any number."""
    return _Among(column, bindparam(name, type_=_Keys(column.type)))


def _compile(query: Select[*tuple[Any, ...]], dialect: Dialect) -> _Compiled:
    compiled: Any = query.compile(dialect=dialect)
    binds = {}
    for parameter, name in compiled.bind_names.items():
        processor = parameter.type.dialect_impl(dialect).bind_processor(dialect)
        if processor is not None:
            binds[name] = processor
    reads = [column.type.dialect_impl(dialect).result_processor(dialect, None) for column in query.selected_columns]
    return _Compiled(str(compiled), tuple(compiled.positiontup), dict(compiled.params), binds, tuple(reads))
