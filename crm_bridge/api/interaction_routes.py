"""Routes under ``/interactions``."""

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Query

from crm_bridge.api.ports import CursorQuery, LimitQuery, Principal, Surroundings, cursor_of, encoded
from crm_bridge.api.problems import responses, routes_about
from crm_bridge.api.schemas import InteractionOut, InteractionPage, UnmatchedOut
from crm_bridge.errors import BadCursor, InteractionNotFound
from crm_bridge.history import find_interaction, page_interactions, unmatched_numbers
from crm_bridge.permissions import Permission


def interaction_routes(given: Surroundings) -> APIRouter:
    """The routes, for everybody who is signed in."""
    router = routes_about("interactions")
    reader = Depends(given.allowed(Permission.READ))

    @router.get("/interactions", responses=responses(BadCursor))
    async def list_interactions(
        principal: Annotated[Principal, reader], cursor: CursorQuery = None, limit: LimitQuery = 50
    ) -> InteractionPage:
        """All interactions, newest first."""
        async with given.reading(principal) as session:
            page = await page_interactions(session, before=cursor_of(cursor), limit=limit)
        items = [InteractionOut.model_validate(item) for item in page.items]
        return InteractionPage(items=items, next_cursor=encoded(page.next_cursor))

    @router.get("/unmatched-numbers", responses=responses())
    async def list_unmatched(
        principal: Annotated[Principal, reader],
        limit: LimitQuery = 50,
        days: Annotated[int, Query(ge=1, le=365, description="How far back.")] = 30,
    ) -> list[UnmatchedOut]:
        """Numbers that contacted us and are no customer's, the most frequent first."""
        async with given.reading(principal) as session:
            found = await unmatched_numbers(session, since=given.now() - timedelta(days=days), limit=limit)
        return [UnmatchedOut.model_validate(each) for each in found]

    @router.get("/interactions/{contact_id}", responses=responses(InteractionNotFound))
    async def get_interaction(contact_id: str, principal: Annotated[Principal, reader]) -> InteractionOut:
        """The interaction of a contact, with its wrap-up once there is one."""
        async with given.reading(principal) as session:
            return InteractionOut.model_validate(await find_interaction(session, contact_id))

    return router
