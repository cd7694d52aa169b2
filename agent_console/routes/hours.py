"""When a queue lets people in, for those who see more of the floor than their own desk."""

from typing import Annotated

import msgspec
from fastapi import APIRouter, Depends, Path
from starlette.requests import Request
from starlette.responses import Response

from agent_console.auth import current_principal
from agent_console.console import console_of
from agent_console.errors import NotAllowed, NotFound
from agent_console.ports import Principal

router = APIRouter(prefix="/api/v1/queues")


@router.get("/{queue_id}/hours", summary="The opening hours of a queue, and whether they hold now")
async def hours(
    request: Request,
    queue_id: Annotated[str, Path(min_length=1, max_length=100)],
    asking: Annotated[Principal, Depends(current_principal)],
) -> Response:
    """200 with ``QueueHoursView``; 404 for an unknown queue; 403 for those who see no more than their own desk."""
    if not asking.may_see_team():
        raise NotAllowed("Your role does not allow this.")
    console = console_of(request)
    found = None if console.opening_hours is None else console.opening_hours.of(queue_id, console.clock())
    if found is None:
        raise NotFound("No queue of this name is known here.")
    return Response(msgspec.json.encode(found), media_type="application/json")
