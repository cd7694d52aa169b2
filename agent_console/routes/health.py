"""Whether the web process answers, for whoever watches it."""

import msgspec
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from agent_console.console import console_of

router = APIRouter(prefix="/api")


class Health(msgspec.Struct, frozen=True):
    """The web process's own state, and whether it hears the exchange. Tells nothing about people."""

    status: str
    exchange_up: bool


@router.get("/health", summary="Health")
async def read_health(request: Request) -> Response:
    """200 as long as the process serves requests."""
    view = Health("ok", console_of(request).floor.is_live())
    return Response(msgspec.json.encode(view), media_type="application/json")
