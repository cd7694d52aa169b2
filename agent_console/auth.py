"""Who is asking: from the session cookie to a ``Principal``, for this package's routes and for routers beside them."""

from collections.abc import Awaitable, Callable
from typing import Annotated

import structlog
from fastapi import Security
from fastapi.security import APIKeyCookie, HTTPBearer
from starlette.requests import HTTPConnection

from agent_console.console import Console, console_of
from agent_console.errors import InvalidToken, NotAllowed, NotSignedIn, TooManyRequests, Unavailable
from agent_console.ports import Principal, Role, TokensAway
from agent_console.sessions import Session

log = structlog.get_logger()

SESSION_COOKIE = "callcenter_session"
LONGEST_TOKEN = 200
_COOKIE_SCHEME = APIKeyCookie(
    name=SESSION_COOKIE, scheme_name="session", description="Given by `POST /api/session`.", auto_error=False
)
_TOKEN_SCHEME = HTTPBearer(
    scheme_name="token", description="Of a program; an administrator makes it.", auto_error=False
)


async def current_principal(
    connection: HTTPConnection,
    _session: Annotated[object, Security(_COOKIE_SCHEME)] = None,
    _token: Annotated[object, Security(_TOKEN_SCHEME)] = None,
) -> Principal:
    """Who is asking: the signed-in person, as the account says now, or the program whose token the request bears.

    To be used as a FastAPI dependency by any router of the app; the further parameters are there for the OpenAPI
    document alone. Raises ``NotSignedIn`` or ``InvalidToken`` (401). A token that is given decides, whatever cookie
    comes with it. An ageing session is renewed on the way; the answer carries the new cookie.
    """
    token = bearer_token(connection)
    if token is not None:
        return await holder_of(token, connection)
    _, principal = await identify(connection)
    return principal


def bearer_token(connection: HTTPConnection) -> str | None:
    """The token of the ``Authorization`` header (RFC 6750 section 2.1); ``None`` where there is none."""
    scheme, _, token = connection.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


async def holder_of(token: str, connection: HTTPConnection) -> Principal:
    """The program behind a token. Raises ``InvalidToken``, ``TooManyRequests`` and ``Unavailable``."""
    console = console_of(connection)
    now = console.clock()
    try:
        known = console.tokens is not None and len(token) <= LONGEST_TOKEN
        principal = await console.tokens.holder(token) if known and console.tokens else None
    except TokensAway as error:
        raise Unavailable("Tokens cannot be looked up at this moment.") from error
    if principal is None:
        address = connection.client.host if connection.client else ""
        if not console.wrong_token_rates.admit(address, now=now):
            raise TooManyRequests("Too many wrong tokens.", retry_after_ms=1_000)
        log.warning("console.token_refused", address_pii=address)
        raise InvalidToken("This token opens nothing.")
    if not console.program_rates.admit(principal.user_id, now=now):
        raise TooManyRequests("This program asks too often.", retry_after_ms=1_000)
    return principal


def requires(*roles: Role) -> Callable[[HTTPConnection], Awaitable[Principal]]:
    """A dependency: the signed-in person, who has one of these roles. Raises ``NotAllowed`` (403) otherwise."""

    async def allowed_principal(connection: HTTPConnection) -> Principal:
        principal = await current_principal(connection)
        if not principal.roles.intersection(roles):
            raise NotAllowed("Your role does not allow this.")
        return principal

    return allowed_principal


async def identify(connection: HTTPConnection) -> tuple[Session, Principal]:
    """The session and the person behind a request or a socket. Raises ``NotSignedIn``."""
    console = console_of(connection)
    now = console.clock()
    session = session_of(connection)
    principal = await console.accounts.find(session.user_id)
    if principal is None:
        raise NotSignedIn("the account is gone")
    token = console.sessions.renewed(session, now=now)
    if token is not None:
        connection.state.session_cookie = session_cookie(console, connection, session, token)
    return session, principal


def session_of(connection: HTTPConnection) -> Session:
    """The session in the cookie. Raises ``NotSignedIn``."""
    console = console_of(connection)
    token = connection.cookies.get(SESSION_COOKIE)
    if token is None:
        raise NotSignedIn("not signed in")
    return console.sessions.read(token, now=console.clock())


def session_cookie(console: Console, connection: HTTPConnection, session: Session, token: str) -> str:
    """The ``Set-Cookie`` value that carries a session (RFC 6265): out of scripts' reach, not sent by other sites."""
    seconds = console.sessions.remaining_ms(session, now=console.clock()) // 1000
    return _cookie(token, seconds, secure=connection.url.scheme in {"https", "wss"})


def cleared_cookie(connection: HTTPConnection) -> str:
    """The ``Set-Cookie`` value that takes the session away from the browser."""
    return _cookie("", 0, secure=connection.url.scheme in {"https", "wss"})


def _cookie(value: str, seconds: int, *, secure: bool) -> str:
    text = f"{SESSION_COOKIE}={value}; Max-Age={seconds}; Path=/; HttpOnly; SameSite=Lax"
    return f"{text}; Secure" if secure else text
