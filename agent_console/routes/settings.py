"""The lists the desk chooses from."""

import msgspec
from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import Response

from agent_console.auth import current_principal
from agent_console.console import console_of

router = APIRouter(prefix="/api", dependencies=[Depends(current_principal)])


@router.get("/settings", summary="What the desk's lists hold")
async def read_settings(request: Request) -> Response:
    """200 with ``DeskSettings``, labels in every language; 401 without a session."""
    return Response(msgspec.json.encode(console_of(request).settings), media_type="application/json")
