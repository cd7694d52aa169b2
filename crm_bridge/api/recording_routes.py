"""Routes about recordings: keeping them. Their audio is served by whoever has the files."""

from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field

from crm_bridge.api.ports import Principal, Surroundings
from crm_bridge.api.problems import ProblemRoute, responses
from crm_bridge.api.schemas import RecordingOut
from crm_bridge.errors import RecordingNotFound
from crm_bridge.permissions import Permission
from crm_bridge.recordings import hold


class HoldIn(BaseModel):
    """Why a recording must be kept, such as the number of a case."""

    reason: Annotated[str, Field(min_length=1, max_length=500)]


def recording_routes(given: Surroundings) -> APIRouter:
    """The routes, for people who decide about privacy."""
    router = APIRouter(tags=["recordings"], route_class=ProblemRoute)
    keeper = Depends(given.allowed(Permission.PRIVACY))
    path = "/interactions/{contact_id}/recordings/{recording_id}/legal-hold"

    @router.put(path, responses=responses(RecordingNotFound))
    async def put_on_hold(
        contact_id: str, recording_id: str, body: HoldIn, principal: Annotated[Principal, keeper]
    ) -> RecordingOut:
        """Keep this recording until the hold is taken off, whatever its retention class says."""
        async with given.writing(principal) as session:
            return RecordingOut.model_validate(await hold(session, contact_id, recording_id, reason=body.reason))

    @router.delete(path, responses=responses(RecordingNotFound))
    async def take_off_hold(
        contact_id: str, recording_id: str, principal: Annotated[Principal, keeper]
    ) -> RecordingOut:
        """Let the retention class decide again. That of a person who was erased meanwhile is deleted within seconds."""
        async with given.writing(principal) as session:
            return RecordingOut.model_validate(await hold(session, contact_id, recording_id, reason=None))

    return router
