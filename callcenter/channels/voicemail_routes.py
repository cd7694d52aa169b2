"""Messages as work: those that wait. They are heard by the player, and dealt with at the console's socket."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict

from agent_console.auth import current_principal
from agent_console.ports import Principal
from crm_bridge.api.problems import responses, routes_about
from crm_bridge.api.schemas import OptionalId
from crm_bridge.audit import ASKING
from crm_bridge.database import Database
from crm_bridge.permissions import Permission, require
from crm_bridge.voicemails import page_voicemails


class VoicemailOut(BaseModel):
    """A message that a caller left in a box: a queue's or an agent's."""

    model_config = ConfigDict(from_attributes=True)

    recording_id: str
    contact_id: str
    box: str
    caller: str
    caller_name: str
    language: str
    left_at: datetime
    worked_at: datetime | None
    worked_by: str | None
    duration_ms: int | None
    is_playable: bool
    customer_id: OptionalId


def boxes_of(principal: Principal) -> frozenset[str] | None:
    """Whose messages a person works: the own ones and those of the own queues; ``None`` for all."""
    if principal.may_see_floor():
        return None
    return principal.queue_ids | ({principal.agent_id} if principal.agent_id is not None else frozenset())


def voicemail_router(database: Database) -> APIRouter:
    """The route, for the web process."""
    router = routes_about("voicemail")

    @router.get("/voicemail", responses=responses())
    async def list_voicemail(
        principal: Annotated[Principal, Depends(current_principal)],
        worked: Annotated[bool, Query(description="Those that were dealt with, the latest first.")] = False,
        limit: Annotated[int, Query(ge=1, le=100)] = 50,
    ) -> list[VoicemailOut]:
        """Messages that wait in the boxes of whoever asks, the oldest first."""
        require(principal, Permission.READ)
        async with database.read() as session:
            session.info[ASKING] = principal
            found = await page_voicemails(session, boxes=boxes_of(principal), is_open=not worked, limit=limit)
        return [VoicemailOut.model_validate(each) for each in found]

    return router
