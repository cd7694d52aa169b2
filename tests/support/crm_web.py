"""The customer store's routes in an application of their own, and somebody who is signed in."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

import httpx
from fastapi import FastAPI, Header, HTTPException
from sqlalchemy.ext.asyncio import AsyncSession

from crm_bridge.api import Principal, Sessions, create_router
from crm_bridge.phone_numbers import normal_forms
from tests.support.crm_records import NOON, REGION

BASE = "/api/v1"
OWN_NUMBER = "+862161234567"


@dataclass(frozen=True)
class SignedIn:
    """Somebody with roles and teams."""

    user_id: str = "u1"
    name: str = "Lin"
    roles: frozenset[str] = frozenset({"agent"})
    teams: frozenset[str] = frozenset()


def signed_in(x_user: str = Header(""), x_roles: str = Header("agent"), x_teams: str = Header("")) -> Principal:
    """Whoever the headers name; nobody without one."""
    if not x_user:
        raise HTTPException(401)
    return SignedIn(x_user, "Lin", frozenset(x_roles.split(",")), frozenset(filter(None, x_teams.split(","))))


class _Present:
    """Stands for whatever store the present test has: building the routes costs more than most tests."""

    sessions: Sessions
    at: datetime = NOON
    claims_told: int = 0
    """How often somebody was told that there are other claims."""

    def count_claims(self) -> None:
        self.claims_told += 1

    def begin(self) -> AbstractAsyncContextManager[AsyncSession]:
        return self.sessions.begin()

    def read(self) -> AbstractAsyncContextManager[AsyncSession]:
        return self.sessions.read()

    async def scrub(self) -> None:
        await self.sessions.scrub()


_present = _Present()


@cache
def application() -> FastAPI:
    """The routes, once for all tests of a process."""
    app = FastAPI()
    app.router.routes.extend(
        create_router(
            sessions=_present,
            principal_dependency=signed_in,
            region=REGION,
            own_numbers=normal_forms([OWN_NUMBER], REGION),
            now=lambda: _present.at,
            on_claims=_present.count_claims,
        ).routes
    )
    return app


def claims_told() -> int:
    """How often it was told that there are other claims than before, in this process."""
    return _present.claims_told


@asynccontextmanager
async def client_of(
    sessions: Sessions, *, roles: str = "administrator", at: datetime = NOON
) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the routes over this store, signed in as ``u1``, at noon unless told otherwise."""
    _present.sessions, _present.at = sessions, at
    transport = httpx.ASGITransport(application())
    headers = {"x-user": "u1", "x-roles": roles}
    async with httpx.AsyncClient(transport=transport, base_url=f"http://store{BASE}", headers=headers) as client:
        yield client


async def enter(web: httpx.AsyncClient, name: str, *numbers: str, **fields: Any) -> dict[str, Any]:
    """Enter a customer; its JSON."""
    body = {"display_name": name, "contact_points": [{"value": number} for number in numbers]} | fields
    response = await web.post("/customers", json=body)
    assert response.status_code == 201, response.text
    created: dict[str, Any] = response.json()
    return created


def problem(response: httpx.Response) -> tuple[int, str, str]:
    """Status, code and place; also that nothing else is in the body."""
    body = response.json()
    assert set(body) == {"code", "message", "where"}, body
    return response.status_code, body["code"], body["where"]
