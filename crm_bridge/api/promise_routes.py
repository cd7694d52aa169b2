"""Routes of promises: what customers wait for, and what became of it."""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Path, Query
from pydantic import AwareDatetime, BaseModel

from crm_bridge.api.ports import (
    CursorQuery,
    CustomerIdPath,
    LimitQuery,
    Principal,
    Surroundings,
    cursor_of,
    customer_id_of,
    editing_by,
    encoded,
    item_id_of,
)
from crm_bridge.api.problems import responses, routes_about
from crm_bridge.api.record_schemas import LongText
from crm_bridge.api.schemas import Code, In, PromiseOut
from crm_bridge.errors import AlreadySettled, BadCursor, CustomerNotFound, InvalidField, ItemNotFound
from crm_bridge.permissions import Permission
from crm_bridge.promises import make_promise, move_promise, promises_due, promises_of, settle_promise
from crm_bridge.vocabulary import PromiseState

PromiseIdPath = Annotated[str, Path(description="Id of a promise.")]
Settled = Literal[PromiseState.KEPT, PromiseState.BROKEN, PromiseState.WITHDRAWN]


class PromiseIn(In):
    """Something that is promised to a customer. Without an assignee, whoever promises is to keep it."""

    what: LongText
    due_at: AwareDatetime
    assignee_id: Code | None = None
    contact_id: Code | None = None


class PromisePatch(In):
    """Another time, or somebody else to keep it."""

    due_at: AwareDatetime | None = None
    assignee_id: Code | None = None


class SettleIn(In):
    """What became of it."""

    state: Settled
    outcome: LongText | None = None


class PromisePage(BaseModel):
    """Open promises, the most urgent first. ``next_cursor`` is null on the last page."""

    items: list[PromiseOut]
    next_cursor: str | None


def promise_routes(given: Surroundings) -> APIRouter:
    """The routes."""
    router = routes_about("promises")
    _reading(router, given)
    _writing(router, given)
    return router


def _reading(router: APIRouter, given: Surroundings) -> None:
    reader = Depends(given.allowed(Permission.READ))

    @router.get("/customers/{customer_id}/promises", responses=responses(CustomerNotFound))
    async def list_promises(customer_id: CustomerIdPath, principal: Annotated[Principal, reader]) -> list[PromiseOut]:
        """All that was ever promised to the customer, the latest first, two hundred at most."""
        async with given.reading(principal) as session:
            found = await promises_of(session, customer_id_of(customer_id))
            return [PromiseOut.of(each, given.now()) for each in found]

    @router.get("/promises", responses=responses(BadCursor))
    async def list_due(
        principal: Annotated[Principal, reader],
        assignee: Annotated[str | None, Query(max_length=64, description="Only this person's.")] = None,
        due_before: Annotated[AwareDatetime | None, Query(description="Only those due until then.")] = None,
        cursor: CursorQuery = None,
        limit: LimitQuery = 50,
    ) -> PromisePage:
        """What customers wait for, the most urgent first."""
        after = cursor_of(cursor)
        async with given.reading(principal) as session:
            found = await promises_due(session, until=due_before, assignee_id=assignee, after=after, limit=limit)
            items = [PromiseOut.of(each, given.now()) for each in found.items]
        return PromisePage(items=items, next_cursor=encoded(found.next_cursor))


def _writing(router: APIRouter, given: Surroundings) -> None:
    writer = Depends(given.allowed(Permission.WRITE))

    @router.post(
        "/customers/{customer_id}/promises", status_code=201, responses=responses(CustomerNotFound, InvalidField)
    )
    async def post_promise(
        customer_id: CustomerIdPath, body: PromiseIn, principal: Annotated[Principal, writer]
    ) -> PromiseOut:
        """Promise the customer something."""
        async with given.writing(principal) as session:
            row = await make_promise(
                session,
                customer_id_of(customer_id),
                body.what,
                body.due_at,
                assignee_id=body.assignee_id or principal.user_id,
                contact_id=body.contact_id,
                editing=editing_by(given, principal),
            )
            return PromiseOut.of(row, given.now())

    @router.patch("/promises/{promise_id}", responses=responses(CustomerNotFound, ItemNotFound, AlreadySettled))
    async def patch_promise(
        promise_id: PromiseIdPath, body: PromisePatch, principal: Annotated[Principal, writer]
    ) -> PromiseOut:
        """Give an open promise another time, or to somebody else."""
        async with given.writing(principal) as session:
            row = await move_promise(session, item_id_of(promise_id), due_at=body.due_at, assignee_id=body.assignee_id)
            return PromiseOut.of(row, given.now())

    @router.post("/promises/{promise_id}/settle", responses=responses(CustomerNotFound, ItemNotFound, AlreadySettled))
    async def post_settle(
        promise_id: PromiseIdPath, body: SettleIn, principal: Annotated[Principal, writer]
    ) -> PromiseOut:
        """Say that a promise was kept, broken, or that the customer does not want it any more."""
        async with given.writing(principal) as session:
            row = await settle_promise(
                session, item_id_of(promise_id), PromiseState(body.state), body.outcome, editing_by(given, principal)
            )
            return PromiseOut.of(row, given.now())
