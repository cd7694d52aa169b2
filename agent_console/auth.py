"""Who is asking: from the session cookie to a ``Principal``, for this package's routes and for routers beside them."""

from collections.abc import Awaitable, Callable

from starlette.requests import HTTPConnection

from agent_console.console import Console, console_of
from agent_console.errors import NotAllowed, NotSignedIn
from agent_console.ports import Principal, Role
from agent_console.sessions import Session

SESSION_COOKIE = "callcenter_session"


async def current_principal(connection: HTTPConnection) -> Principal:
    """The signed-in person, as the account says now. To be used as a FastAPI dependency by any router of the app.

    Raises ``NotSignedIn`` (401). An ageing session is renewed on the way; the answer carries the new cookie.
    """
    _, principal = await identify(connection)
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
