"""What every request passes on its way in and out: the origin rule, the security headers, the renewed cookie, and the
edge where an unexpected error becomes a plain 500."""

import traceback
from collections.abc import Collection

import msgspec
import structlog
from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from agent_console.auth import SESSION_COOKIE
from agent_console.errors import ErrorBody, ForeignOrigin, describe
from agent_console.origins import SAFE_METHODS, origin_is_allowed

log = structlog.get_logger()

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        # The component library writes its colour variables into style elements; no script can come that way.
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "font-src 'self'",
        "media-src 'self' blob:",
        "connect-src 'self'",
        "worker-src 'self'",
        "manifest-src 'self'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)
HEADERS = (
    ("content-security-policy", CONTENT_SECURITY_POLICY),
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("referrer-policy", "same-origin"),
    ("cross-origin-opener-policy", "same-origin"),
    ("permissions-policy", "camera=(), geolocation=(), microphone=(self)"),
)


def error_response(status: int, error: ErrorBody) -> Response:
    """A refused request's answer."""
    return Response(msgspec.json.encode(error), status_code=status, media_type="application/json")


class Gate:
    """ASGI middleware around the whole application."""

    def __init__(self, app: ASGIApp, *, allowed_origins: Collection[str] = ()) -> None:
        self._app = app
        self._allowed_origins = frozenset(allowed_origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request or socket; the server's own lifespan messages pass untouched."""
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        if not self._may_pass(scope):
            await self._refuse(scope, receive, send)
        elif scope["type"] == "websocket":
            await self._app(scope, receive, send)
        else:
            await self._serve(scope, receive, send)

    def _may_pass(self, scope: Scope) -> bool:
        if scope["type"] == "http" and scope["method"] in SAFE_METHODS:
            return True
        connection = HTTPConnection(scope)
        return origin_is_allowed(
            connection.headers.get("origin"),
            scheme=scope["scheme"],
            host=connection.headers.get("host", ""),
            has_cookie=SESSION_COOKIE in connection.cookies,
            allowed=self._allowed_origins,
        )

    async def _refuse(self, scope: Scope, receive: Receive, send: Send) -> None:
        log.warning("console.foreign_origin", kind=scope["type"], path=scope["path"])
        if scope["type"] == "http" or "websocket.http.response" in scope.get("extensions", {}):
            await error_response(*describe(ForeignOrigin("This page may not act here.")))(scope, receive, send)
            return
        await receive()
        await send({"type": "websocket.close", "code": 1008})  # before the accept: the server answers 403

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = False

        async def send_with_headers(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                _complete(scope, MutableHeaders(scope=message))
            await send(message)

        try:
            await self._app(scope, receive, send_with_headers)
        except Exception as error:
            log.error(
                "http.request_failed",
                method=scope["method"],
                path=scope["path"],
                error_type=type(error).__name__,
                error_pii=str(error),
                places=traceback.format_tb(error.__traceback__),
            )
            if started:
                raise
            failure = error_response(500, ErrorBody("internal-error", "This did not work; it has been noted."))
            await failure(scope, receive, send_with_headers)


def _complete(scope: Scope, headers: MutableHeaders) -> None:
    for name, value in HEADERS:
        headers.setdefault(name, value)
    if scope["path"].startswith("/api/"):
        headers.setdefault("cache-control", "no-store")
    cookie = scope.get("state", {}).get("session_cookie")
    if cookie is not None:
        headers.append("set-cookie", cookie)
