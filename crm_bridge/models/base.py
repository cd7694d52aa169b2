"""What all tables share: naming of constraints, column types that mean the same on both databases, common columns."""

from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, TypeVar

from sqlalchemy import BigInteger, DateTime, Dialect, Integer, MetaData, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import JSON, TypeDecorator, TypeEngine

from crm_bridge.ids import new_id

NAMING_CONVENTION = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}
DEFAULT_TENANT = 1

_Word = TypeVar("_Word", bound=StrEnum)

BIG_INT = BigInteger().with_variant(Integer(), "sqlite")
"""64 bits on both: SQLite's INTEGER has them, and only a column of that very type is the row id itself."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def to_micros(instant: datetime) -> int:
    """Microseconds since the Unix epoch, exactly. Raises ``ValueError`` for a naive instant."""
    if instant.tzinfo is None:
        raise ValueError("an instant needs a time zone")
    return (instant - _EPOCH) // _MICROSECOND


def from_micros(micros: int) -> datetime:
    """The instant in UTC. Raises ``OverflowError`` outside the years 1 to 9999."""
    return _EPOCH + micros * _MICROSECOND


def storable(text: str) -> str:
    """The text with U+FFFD for what one of the databases refuses: NUL and lone surrogates."""
    if text.isascii() and "\0" not in text:
        return text
    return text.replace("\0", "\ufffd").encode("utf-16", "surrogatepass").decode("utf-16", "replace")


class UtcDateTime(TypeDecorator[datetime]):
    """An instant: microseconds since the epoch on SQLite, ``timestamptz`` on PostgreSQL. Naive values are refused."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """An integer where the database has no instants."""
        plain: TypeEngine[Any] = BIG_INT if dialect.name == "sqlite" else DateTime(timezone=True)
        return dialect.type_descriptor(plain)

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | datetime | None:
        """Python to database."""
        if value is None:
            return None
        micros = to_micros(value)
        return micros if dialect.name == "sqlite" else from_micros(micros)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        """Database to Python, always in UTC."""
        if value is None:
            return None
        return from_micros(value) if dialect.name == "sqlite" else value.astimezone(UTC)


class CleanText(TypeDecorator[str]):
    """Text from outside, made storable: a caller's odd display name must not stop the projection of the journal."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:  # noqa: ARG002 - the base's signature
        """Python to database."""
        return None if value is None else storable(value)


class TextList(TypeDecorator[list[str]]):
    """A few texts from outside, as JSON (``jsonb`` on PostgreSQL, which refuses the same characters)."""

    impl = JSON
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """The database's best JSON."""
        best: TypeEngine[Any] = JSONB() if dialect.name == "postgresql" else JSON()
        return dialect.type_descriptor(best)

    def process_bind_param(self, value: list[str] | None, dialect: Dialect) -> list[str] | None:  # noqa: ARG002 - the base's signature
        """Python to database."""
        return None if value is None else [storable(text) for text in value]


class JsonValue(TypeDecorator[Any]):
    """Any JSON from outside, with its texts made storable. Compared by value: an object changed in place is not
    noticed, a new one is."""

    impl = JSON
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """The database's best JSON; nothing is SQL's NULL, not JSON's."""
        best: TypeEngine[Any] = JSONB(none_as_null=True) if dialect.name == "postgresql" else JSON(none_as_null=True)
        return dialect.type_descriptor(best)

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:  # noqa: ARG002 - the base's signature
        """Python to database."""
        return _storable_json(value)


def _storable_json(value: Any) -> Any:
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, dict):
        return {storable(str(key)): _storable_json(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_storable_json(each) for each in value]
    return value


class EnumText(TypeDecorator[_Word]):
    """A word of a ``StrEnum``, stored as short text: readable in the database, an enum in Python."""

    impl = Text
    cache_ok = True

    def __init__(self, words: type[_Word]) -> None:
        super().__init__()
        self.words = words

    def process_bind_param(self, value: _Word | None, dialect: Dialect) -> str | None:  # noqa: ARG002 - the base's signature
        """Python to database."""
        return None if value is None else self.words(value).value

    def process_result_value(self, value: str | None, dialect: Dialect) -> _Word | None:  # noqa: ARG002 - the base's signature
        """Database to Python."""
        return None if value is None else self.words(value)


class Base(DeclarativeBase):
    """All tables of the customer store."""

    metadata = MetaData(naming_convention=NAMING_CONVENTION)


def utc_now() -> datetime:
    """The wall clock, for the columns that say when a row was written."""
    return datetime.now(UTC)


class Identified:
    """Adds the application-made primary key."""

    id: Mapped[int] = mapped_column(BIG_INT, primary_key=True, autoincrement=False, default=new_id, sort_order=-10)


class TenantOwned:
    """Adds the tenant; there is one today."""

    tenant_id: Mapped[int] = mapped_column(Integer, default=DEFAULT_TENANT, sort_order=-9)


class Stamped:
    """Adds when the row was written and last changed: bookkeeping, not facts about the customer."""

    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now, sort_order=90)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now, onupdate=utc_now, sort_order=91)
