"""Signing in and out."""

import asyncio
from typing import Any

import msgspec
import structlog
from fastapi import APIRouter
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response

from agent_console.auth import cleared_cookie, identify, session_cookie, session_of
from agent_console.console import Console, console_of
from agent_console.errors import (
    BodyTooLarge,
    MalformedRequest,
    NotSignedIn,
    TooManyAttempts,
    WrongCredentials,
    WrongMediaType,
)
from agent_console.ports import IntentError, Principal, Role

log = structlog.get_logger()
router = APIRouter(prefix="/api")

LARGEST_BODY = 16_384
CHECKED_AT_ONCE = 8
"""Passwords that may be verified side by side: each costs memory and processor time on purpose."""
SEAT_WITHIN_SECONDS = 5.0


WITH_A_SESSION: dict[str, Any] = {"security": [{"session": []}]}
"""For the OpenAPI document: these two are about the session in the cookie, and no token is one."""


class Credentials(msgspec.Struct, frozen=True):
    """What signing in takes."""

    login: str
    password: str


class SessionView(msgspec.Struct, frozen=True):
    """Who is signed in."""

    user_id: str
    name: str
    roles: tuple[Role, ...]
    agent_id: str | None
    language: str
    queue_ids: tuple[str, ...]
    teams: tuple[str, ...] = ()
    sees_floor: bool = False
    """Whether there is more to see than the own desk: the whole floor, or the teams led."""

    @classmethod
    def of(cls, principal: Principal) -> "SessionView":
        """The person as the browser sees it; sets become sorted lists."""
        return cls(
            user_id=principal.user_id,
            name=principal.name,
            roles=tuple(sorted(principal.roles)),
            agent_id=principal.agent_id,
            language=principal.language,
            queue_ids=tuple(sorted(principal.queue_ids)),
            teams=tuple(sorted(principal.teams)),
            sees_floor=principal.may_see_team(),
        )


@router.post("/session", summary="Sign in")
async def sign_in(request: Request) -> Response:
    """Body ``{login, password}``. 200 with the person and the session cookie, 401 ``wrong-credentials``,
    429 ``too-many-attempts`` with ``Retry-After``."""
    console = console_of(request)
    credentials = await _credentials(request)
    principal = await _verify(console, credentials, _address(request))
    now = console.clock()
    token = console.sessions.open(principal.user_id, now=now)
    log.info("console.signed_in", user_id=principal.user_id)
    response = _shown(principal)
    session = console.sessions.read(token, now=now)
    response.headers.append("set-cookie", session_cookie(console, request, session, token))
    return response


@router.get("/session", summary="Who is signed in", openapi_extra=WITH_A_SESSION)
async def read_session(request: Request) -> Response:
    """200 with the person, 401 ``not-signed-in``."""
    _, principal = await identify(request)
    return _shown(principal)


@router.delete("/session", summary="Sign out", status_code=204, openapi_extra=WITH_A_SESSION)
async def sign_out(request: Request) -> Response:
    """End the session, close its sockets and leave the agent's seat. 204, also when nobody was signed in."""
    console = console_of(request)
    response = Response(status_code=204)
    response.headers.append("set-cookie", cleared_cookie(request))
    try:
        session = session_of(request)
    except NotSignedIn:
        return response
    console.sessions.revoke(session, now=console.clock())
    principal = console.hub.end_session(session) or await console.accounts.find(session.user_id)
    if principal is not None:
        await _leave_seat(console, principal)
    log.info("console.signed_out", user_id=session.user_id)
    return response


async def _credentials(request: Request) -> Credentials:
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/json":
        raise WrongMediaType("Send JSON.")
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > LARGEST_BODY:
            raise BodyTooLarge(f"At most {LARGEST_BODY} bytes.")
    try:
        return msgspec.json.decode(body, type=Credentials)
    except msgspec.DecodeError as error:
        raise MalformedRequest("Send login and password as text.") from error


async def _verify(console: Console, credentials: Credentials, address: str) -> Principal:
    if console.password_checks.locked():
        raise TooManyAttempts("Too many people sign in at this moment.", retry_after_ms=1_000)
    wait_ms = console.throttle.admit(credentials.login, address, now=console.clock())
    if wait_ms:
        log.warning("console.sign_in_delayed", login_pii=credentials.login, address_pii=address, wait_ms=wait_ms)
        raise TooManyAttempts("Too many attempts, try again later.", retry_after_ms=wait_ms)
    async with console.password_checks:
        principal = await console.accounts.verify(credentials.login, credentials.password)
    if principal is None:
        log.warning("console.sign_in_refused", login_pii=credentials.login, address_pii=address)
        raise WrongCredentials("Login or password is wrong.")
    console.throttle.succeeded(credentials.login, address)
    return principal


async def _leave_seat(console: Console, principal: Principal) -> None:
    """Sign the agent out of the seat. The session is over by now, so a seat that cannot be left is only logged."""
    if principal.agent_id is None or Role.AGENT not in principal.roles:
        return
    try:
        async with asyncio.timeout(SEAT_WITHIN_SECONDS):
            await console.desk.sign_out(principal.agent_id)
    except IntentError as refusal:
        log.warning("console.seat_not_left", agent_id=principal.agent_id, code=refusal.code)
    except TimeoutError:
        log.warning("console.seat_not_left", agent_id=principal.agent_id, code="no-answer")


def _shown(principal: Principal) -> Response:
    return Response(msgspec.json.encode(SessionView.of(principal)), media_type="application/json")


def _address(connection: HTTPConnection) -> str:
    return connection.client.host if connection.client else ""
