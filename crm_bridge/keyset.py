"""Paging by key instead of by offset: the thousandth page costs what the first does, and new rows shift nothing."""

import base64
import binascii
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

from sqlalchemy import ColumnElement, literal, tuple_
from sqlalchemy.orm import InstrumentedAttribute

from crm_bridge.errors import BadCursor
from crm_bridge.ids import parse_id
from crm_bridge.models.base import from_micros, to_micros

MAX_LIMIT = 100

_Item = TypeVar("_Item")
_TEXT = re.compile(r"1:(-?\d{1,18}):(\d{1,19})")
_MAX_ENCODED = 80


@dataclass(frozen=True, slots=True)
class Cursor:
    """The key of the last row of a page: its instant and its id."""

    at: datetime
    id: int

    def encode(self) -> str:
        """Opaque text for a URL. Unsigned on purpose: it grants nothing, it only says where to go on."""
        return base64.urlsafe_b64encode(f"1:{to_micros(self.at)}:{self.id}".encode()).decode().rstrip("=")


def decode_cursor(text: str) -> Cursor:
    """The cursor that ``encode`` wrote. Raises ``BadCursor`` for any other text."""
    try:
        plain = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True).decode("ascii")
        parts = _TEXT.fullmatch(plain) if len(text) <= _MAX_ENCODED else None
        row_id = parse_id(parts[2]) if parts else None
        if parts is None or row_id is None:
            raise BadCursor("this cursor was not made by this API", where="query.cursor")
        return Cursor(from_micros(int(parts[1])), row_id)
    except (binascii.Error, ValueError, OverflowError) as error:
        raise BadCursor("this cursor was not made by this API", where="query.cursor") from error


@dataclass(frozen=True, slots=True)
class Page(Generic[_Item]):
    """Some rows, newest first, and where the next ones begin; ``None`` when these were the last.

    ``previous_cursor`` is where those before them begin, in lists that are read both ways; ``None`` at the start.
    """

    items: tuple[_Item, ...]
    next_cursor: Cursor | None
    previous_cursor: Cursor | None = None


def older_than(
    cursor: Cursor, at: InstrumentedAttribute[datetime], row_id: InstrumentedAttribute[int]
) -> ColumnElement[bool]:
    """The condition that continues after ``cursor`` in the order ``(at, id)`` descending."""
    here: Any = tuple_(literal(cursor.at, at.type), literal(cursor.id, row_id.type))
    older: ColumnElement[bool] = tuple_(at, row_id) < here
    return older


def later_than(
    cursor: Cursor, at: InstrumentedAttribute[datetime], row_id: InstrumentedAttribute[int]
) -> ColumnElement[bool]:
    """The condition that continues after ``cursor`` in the order ``(at, id)`` ascending."""
    here: Any = tuple_(literal(cursor.at, at.type), literal(cursor.id, row_id.type))
    later: ColumnElement[bool] = tuple_(at, row_id) > here
    return later


def bounded(limit: int) -> int:
    """A page size within reason."""
    return max(1, min(limit, MAX_LIMIT))
