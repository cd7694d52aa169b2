"""What the routes need from whoever mounts them."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Protocol

from fastapi import Path, Query
from sqlalchemy.ext.asyncio import AsyncSession

from crm_bridge.errors import CustomerNotFound
from crm_bridge.ids import parse_id
from crm_bridge.keyset import MAX_LIMIT, Cursor, decode_cursor
from crm_bridge.models.base import utc_now


class Principal(Protocol):
    """Who is asking. Whether anybody is, the dependency decides by raising."""

    @property
    def user_id(self) -> str:
        """Stable id of the person."""
        ...

    @property
    def name(self) -> str:
        """The person's name, written under notes."""
        ...

    @property
    def roles(self) -> Any:
        """What the person may do; everything here is open to everybody who is signed in."""
        ...


class Sessions(Protocol):
    """Units of work; ``crm_bridge.database.Database`` is one."""

    def begin(self) -> AbstractAsyncContextManager[AsyncSession]:
        """For work that writes."""
        ...

    def read(self) -> AbstractAsyncContextManager[AsyncSession]:
        """For work that does not."""
        ...


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What every route is given. ``own_numbers`` are normal forms that never match a customer."""

    sessions: Sessions
    principal: Callable[..., Any]
    region: str | None
    own_numbers: frozenset[str] = frozenset()
    now: Callable[[], datetime] = utc_now


def customer_id_of(customer_id: str) -> int:
    """The id in a path. What cannot be an id is the id of nobody."""
    found = parse_id(customer_id)
    if found is None:
        raise CustomerNotFound("no customer has this id", where="path.customer_id")
    return found


CustomerIdPath = Annotated[str, Path(description="Id of a customer.")]
CursorQuery = Annotated[str | None, Query(description="`next_cursor` of the page before.", max_length=200)]
LimitQuery = Annotated[int, Query(ge=1, le=MAX_LIMIT, description="Rows in a page.")]


def cursor_of(text: str | None) -> Cursor | None:
    """The cursor in a query; none for the first page."""
    return decode_cursor(text) if text else None


def encoded(cursor: Cursor | None) -> str | None:
    """The cursor for a response."""
    return cursor.encode() if cursor else None
