"""What the routes need from whoever mounts them."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Protocol

from fastapi import Depends, Path, Query
from sqlalchemy.ext.asyncio import AsyncSession

from crm_bridge.api.idempotency import claim
from crm_bridge.audit import ASKING
from crm_bridge.changes import Editing
from crm_bridge.errors import CrmUnavailable, CustomerNotFound, InvalidField, ItemNotFound
from crm_bridge.ids import parse_id
from crm_bridge.keyset import MAX_LIMIT, Cursor, decode_cursor
from crm_bridge.models.base import utc_now
from crm_bridge.permissions import Permission, require
from crm_bridge.vocabulary import SourceKind

SOON_SECONDS = 2.0
"""How long a ringing phone's card may take."""


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

    async def scrub(self) -> None:
        """After an erasure: let nothing of what was deleted lie on."""
        ...


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What every route is given. ``own_numbers`` are normal forms that never match a customer."""

    sessions: Sessions
    principal: Callable[..., Any]
    region: str | None
    own_numbers: frozenset[str] = frozenset()
    now: Callable[[], datetime] = utc_now
    on_claims: Callable[[], None] = lambda: None
    """Told when a customer of somebody's is claimed, or a claim decided."""

    def allowed(self, permission: Permission) -> Callable[..., Any]:
        """A dependency that gives the person asking, once their roles allow it."""

        async def checked(principal: Annotated[Principal, Depends(self.principal)]) -> Principal:
            self.check(principal, permission)
            return principal

        return checked

    def check(self, principal: Principal, permission: Permission) -> None:
        """Raise ``Forbidden`` unless the person's roles, and a token's scopes, allow it."""
        require(principal, permission)

    @asynccontextmanager
    async def reading(self, principal: Principal) -> AsyncIterator[AsyncSession]:
        """A look at the data, with the eyes of this person."""
        async with self.sessions.read() as session:
            session.info[ASKING] = principal
            yield session

    @asynccontextmanager
    async def reading_soon(self, principal: Principal) -> AsyncIterator[AsyncSession]:
        """A look at the data while a phone rings: what is not there in time is not there.

        Raises ``CrmUnavailable`` then, so that the screen says so instead of waiting with the caller.
        """
        try:
            async with asyncio.timeout(SOON_SECONDS), self.reading(principal) as session:
                yield session
        except TimeoutError as error:
            raise CrmUnavailable("the customer store does not answer in time") from error

    @asynccontextmanager
    async def writing(self, principal: Principal) -> AsyncIterator[AsyncSession]:
        """A unit of work in the name of this person."""
        async with self.sessions.begin() as session:
            session.info[ASKING] = principal
            await claim(session, principal.user_id, self.sessions)
            yield session


def editing_by(
    given: Surroundings, principal: Principal, reason: str | None = None, *, source: SourceKind | None = None
) -> Editing:
    """Who edits, and when."""
    return Editing(given.now(), principal.user_id, principal.name, reason, source)


def named_id_of(text: str, where: str) -> int:
    """The id of a customer in a body. Raises ``InvalidField`` for what cannot be one."""
    found = parse_id(text)
    if found is None:
        raise InvalidField("this is no id", where=where)
    return found


def item_id_of(text: str) -> int:
    """The id of a part in a path. Raises ``ItemNotFound`` for what cannot be one."""
    found = parse_id(text)
    if found is None:
        raise ItemNotFound("there is nothing with this id", where="path")
    return found


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
