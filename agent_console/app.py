"""Puts the console together: ``create_app`` is the one entrance."""

import asyncio
import math
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import APIRouter, FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from agent_console.console import Console
from agent_console.errors import (
    STATUS_NAMES,
    ConsoleError,
    ErrorBody,
    InvalidToken,
    TooManyAttempts,
    TooManyRequests,
    describe,
)
from agent_console.explanations import Explanations
from agent_console.gate import Gate, error_response
from agent_console.live import ConsoleHub, HubLimits
from agent_console.opening_hours import OpeningHours
from agent_console.ports import Accounts, Desk, DeskSettings, Floor, IntentError, Tokens
from agent_console.routes import health, hours, session, socket, why
from agent_console.routes import settings as settings_routes
from agent_console.sessions import Sessions
from agent_console.single_page import SinglePage
from agent_console.softphone import SoftphoneLine
from agent_console.throttle import SignInThrottle


def epoch_ms() -> int:
    """The wall clock in milliseconds since the epoch."""
    return time.time_ns() // 1_000_000


def create_app(
    *,
    accounts: Accounts,
    desk: Desk,
    floor: Floor,
    settings: DeskSettings,
    session_key: bytes,
    static_dir: Path | None,
    allowed_origins: Sequence[str] = (),
    extra_routers: Sequence[APIRouter] = (),
    retired_session_keys: Sequence[bytes] = (),
    clock: Callable[[], int] = epoch_ms,
    limits: HubLimits | None = None,
    explanations: Explanations | None = None,
    opening_hours: OpeningHours | None = None,
    softphones: SoftphoneLine | None = None,
    tokens: Tokens | None = None,
) -> FastAPI:
    """The web application: session, settings, socket, the routers given, and the built console for all other paths.

    ``session_key`` signs sessions and has at least 32 bytes; ``retired_session_keys`` still open them.
    ``allowed_origins`` are origins beside the console's own that may act, for proxies that change the host.
    ``extra_routers`` reuse ``agent_console.auth.current_principal``. The hub starts and stops with the lifespan.
    ``softphones`` hears the pages' phones; what it answers goes to ``ConsoleHub.tell_softphone``.
    ``tokens`` knows the programs that come with a token instead of a session.
    """
    console = Console(
        accounts=accounts,
        desk=desk,
        floor=floor,
        settings=settings,
        sessions=Sessions((session_key, *retired_session_keys)),
        throttle=SignInThrottle(),
        hub=ConsoleHub(floor, desk, clock=clock, limits=limits, softphones=softphones),
        clock=clock,
        password_checks=asyncio.Semaphore(session.CHECKED_AT_ONCE),
        explanations=explanations,
        opening_hours=opening_hours,
        tokens=tokens,
    )

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        await console.hub.start()
        try:
            yield
        finally:
            await console.hub.stop()

    app = FastAPI(
        title="callcenter",
        openapi_url="/api/openapi.json",
        docs_url=None,  # the ready-made pages load scripts from elsewhere, which the content policy forbids
        redoc_url=None,
        redirect_slashes=False,
        lifespan=lifespan,
    )
    app.state.console = console
    own = (session.router, settings_routes.router, socket.router, health.router, why.router, hours.router)
    for router in (*own, *extra_routers):
        app.router.routes.extend(router.routes)  # complete as they are; included, each would be built again
    app.router.default = SinglePage(static_dir, otherwise=app.router.default)
    app.add_middleware(Gate, allowed_origins=allowed_origins)
    _answer_errors(app)
    return app


def _answer_errors(app: FastAPI) -> None:
    app.add_exception_handler(ConsoleError, _refused)
    app.add_exception_handler(IntentError, _refused)
    app.add_exception_handler(HTTPException, _raised_by_framework)
    app.add_exception_handler(RequestValidationError, _malformed)


async def _refused(_: Request, error: Exception) -> Response:
    assert isinstance(error, ConsoleError | IntentError)  # noqa: S101 - registered for these two
    response = error_response(*describe(error))
    if isinstance(error, TooManyAttempts | TooManyRequests):
        response.headers["retry-after"] = str(math.ceil(error.retry_after_ms / 1000))
    if isinstance(error, InvalidToken):
        response.headers["www-authenticate"] = 'Bearer error="invalid_token"'
    return response


async def _raised_by_framework(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for it
    code = STATUS_NAMES.get(error.status_code, "refused")
    response = error_response(error.status_code, ErrorBody(code, str(error.detail)))
    response.headers.update(error.headers or {})
    return response


async def _malformed(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for it
    places = [".".join(str(part) for part in fault["loc"]) + ": " + fault["msg"] for fault in error.errors()]
    return error_response(422, ErrorBody("malformed-request", "; ".join(places)))
