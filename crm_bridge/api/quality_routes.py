"""The route of what is to be tidied up among the customers."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Query

from crm_bridge.api.ports import CursorQuery, LimitQuery, Principal, Surroundings, cursor_of, encoded
from crm_bridge.api.problems import responses, routes_about
from crm_bridge.api.schemas import CustomerPage, CustomerSummary, Out
from crm_bridge.data_quality import QualityProblem, customers_with, quality_reports
from crm_bridge.errors import BadCursor
from crm_bridge.permissions import Permission


class QualityOut(Out):
    """Active customers at an instant, and how many of them want looking after: `without_phone`, `doubtful_phone` (no
    full number), `unreachable` (no number and no address), `stale` (no contact within a year), `duplicates` (pairs
    that nobody has decided about)."""

    at: datetime
    customers: int
    counts: dict[str, int]


def quality_routes(given: Surroundings) -> APIRouter:
    """The routes, for those who may tidy up."""
    router = routes_about("data quality")
    keeper = Depends(given.allowed(Permission.MERGE))

    @router.get("/data-quality", responses=responses())
    async def list_quality(
        principal: Annotated[Principal, keeper],
        weeks: Annotated[int, Query(ge=1, le=52, description="How many of the weekly counts.")] = 12,
    ) -> list[QualityOut]:
        """What is to be tidied up, as the daily run counts it once a week; the newest first."""
        async with given.reading(principal) as session:
            return [QualityOut.model_validate(each) for each in await quality_reports(session, weeks)]

    @router.get("/data-quality/{problem}", responses=responses(BadCursor))
    async def list_customers_with(
        problem: QualityProblem,
        principal: Annotated[Principal, keeper],
        cursor: CursorQuery = None,
        limit: LimitQuery = 50,
    ) -> CustomerPage:
        """Customers to be looked at one by one, the newest first. A page looks at 20,000 of them at most: it may have
        few or none, and a `next_cursor` all the same."""
        async with given.reading(principal) as session:
            found = await customers_with(session, problem, before=cursor_of(cursor), limit=limit, now=given.now())
            items = [CustomerSummary.model_validate(each) for each in found.items]
        return CustomerPage(items=items, next_cursor=encoded(found.next_cursor))

    return router
