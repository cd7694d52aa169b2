"""Routes under ``/interactions``."""

from fastapi import APIRouter, Depends

from crm_bridge.api.ports import CursorQuery, LimitQuery, Surroundings, cursor_of, encoded
from crm_bridge.api.problems import ProblemRoute, responses
from crm_bridge.api.schemas import InteractionOut, InteractionPage
from crm_bridge.errors import BadCursor, InteractionNotFound
from crm_bridge.history import find_interaction, page_interactions


def interaction_routes(given: Surroundings) -> APIRouter:
    """The routes, for everybody who is signed in."""
    router = APIRouter(tags=["interactions"], route_class=ProblemRoute, dependencies=[Depends(given.principal)])

    @router.get("/interactions", responses=responses(BadCursor))
    async def list_interactions(cursor: CursorQuery = None, limit: LimitQuery = 50) -> InteractionPage:
        """All interactions, newest first."""
        async with given.sessions.read() as session:
            page = await page_interactions(session, before=cursor_of(cursor), limit=limit)
        items = [InteractionOut.model_validate(item) for item in page.items]
        return InteractionPage(items=items, next_cursor=encoded(page.next_cursor))

    @router.get("/interactions/{contact_id}", responses=responses(InteractionNotFound))
    async def get_interaction(contact_id: str) -> InteractionOut:
        """The interaction of a contact, with its wrap-up once there is one."""
        async with given.sessions.read() as session:
            return InteractionOut.model_validate(await find_interaction(session, contact_id))

    return router
