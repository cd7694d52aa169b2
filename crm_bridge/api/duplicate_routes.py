"""Routes of duplicates and merges."""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path
from pydantic import BaseModel, Field
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from crm_bridge.api.ports import (
    CustomerIdPath,
    LimitQuery,
    Principal,
    Surroundings,
    customer_id_of,
    editing_by,
    item_id_of,
    named_id_of,
)
from crm_bridge.api.problems import responses, routes_about
from crm_bridge.api.record_schemas import IdIn, MovedOut
from crm_bridge.api.schemas import Code, Id, In, OptionalId, Out
from crm_bridge.changes import Editing
from crm_bridge.customers import get_customer
from crm_bridge.duplicates import decide, find_links, link_records, open_candidates, propose
from crm_bridge.errors import CannotMerge, CannotUndo, CustomerNotFound, InvalidField, ItemNotFound
from crm_bridge.mergers import merges_of
from crm_bridge.merging import merge, undo_merge
from crm_bridge.models import Collision, Customer
from crm_bridge.owners import BY_RULE, apply_level_rules
from crm_bridge.permissions import Permission
from crm_bridge.visibility import hidden_from
from crm_bridge.vocabulary import DuplicateState

_SCANNED = 20_000

MergeIdPath = Annotated[str, Path(description="Id of a merge.")]
CandidateIdPath = Annotated[str, Path(description="Id of a pair.")]


class MergeIn(In):
    """Who stays, and who becomes part of it; in `fields`, such as `address` or `custom.code`, whose value is kept is
    the one's that goes."""

    survivor_id: IdIn
    merged_id: IdIn
    fields: Annotated[list[Code], Field(max_length=250, default_factory=list)]


class MergeOut(Out):
    """A merge, and whether it was taken back."""

    id: Id
    survivor_id: Id
    merged_id: Id
    at: datetime
    actor_id: str | None
    undone_at: datetime | None
    undone_by: str | None


class CandidateOut(Out):
    """Two customers that may be one. `score` is in bits: 0 is even odds; `signals` is what each field adds to it."""

    id: Id
    a_id: Id
    b_id: Id
    score: float
    signals: dict[str, Any]
    state: DuplicateState
    decided_by: str | None


class CollisionOut(Out):
    """Somebody entered a customer who seemed to be there already."""

    id: Id
    at: datetime
    existing_id: Id
    existing_owner: str | None
    entered_by: str | None
    created_id: OptionalId
    signals: list[str]
    outcome: str


class DuplicatesOut(BaseModel):
    """Pairs to be decided about, the most certain first."""

    items: list[CandidateOut]


def duplicate_routes(given: Surroundings) -> APIRouter:
    """The routes."""
    router = routes_about("duplicates")
    _candidates(router, given)
    _merges(router, given)
    return router


def _candidates(router: APIRouter, given: Surroundings) -> None:
    merger = Depends(given.allowed(Permission.MERGE))

    @router.post("/duplicates/scan", responses=responses())
    async def post_scan(principal: Annotated[Principal, merger]) -> MovedOut:
        """Look for duplicates among the twenty thousand newest customers; the count of new pairs."""
        async with given.reading(principal) as session:
            records = await link_records(session, _SCANNED)
        links = await asyncio.to_thread(find_links, records)
        async with given.writing(principal) as session:
            return MovedOut(count=await propose(session, links))

    @router.get("/duplicates", responses=responses())
    async def list_duplicates(principal: Annotated[Principal, merger], limit: LimitQuery = 50) -> DuplicatesOut:
        """Pairs to be decided about, the most certain first."""
        async with given.reading(principal) as session:
            found = await open_candidates(session, limit)
            return DuplicatesOut(items=[CandidateOut.model_validate(each) for each in found])

    @router.post("/duplicates/{candidate_id}/reject", responses=responses(ItemNotFound))
    async def reject(candidate_id: CandidateIdPath, principal: Annotated[Principal, merger]) -> CandidateOut:
        """These two are two. They are not proposed again."""
        async with given.writing(principal) as session:
            row = await decide(session, item_id_of(candidate_id), DuplicateState.REJECTED, principal.user_id)
            return CandidateOut.model_validate(row)

    @router.get("/collisions", responses=responses())
    async def list_collisions(principal: Annotated[Principal, merger], limit: LimitQuery = 50) -> list[CollisionOut]:
        """Who was entered though there already, whose customer it is and who did it; the latest first."""
        async with given.reading(principal) as session:
            query, hidden = select(Collision), hidden_from(session, Collision.existing_id)
            query = query if hidden is None else query.where(~hidden)
            rows = await session.scalars(query.order_by(Collision.id.desc()).limit(limit))
            return [CollisionOut.model_validate(each) for each in rows]


def _merges(router: APIRouter, given: Surroundings) -> None:
    merger, reader = Depends(given.allowed(Permission.MERGE)), Depends(given.allowed(Permission.READ))

    @router.post("/merges", status_code=201, responses=responses(CustomerNotFound, CannotMerge, InvalidField))
    async def post_merge(body: MergeIn, principal: Annotated[Principal, merger]) -> MergeOut:
        """Make one customer part of another. Nothing is lost, and it can be taken back."""
        survivor = named_id_of(body.survivor_id, "body.survivor_id")
        merged = named_id_of(body.merged_id, "body.merged_id")
        async with given.writing(principal) as session:
            chosen = frozenset(body.fields)
            event = await merge(session, survivor, merged, editing_by(given, principal), fields=chosen)
            await _look_at_levels(session, [survivor], editing_by(given, principal, BY_RULE))
            return MergeOut.model_validate(event)

    @router.post("/merges/{merge_id}/undo", responses=responses(ItemNotFound, CannotUndo))
    async def post_undo(merge_id: MergeIdPath, principal: Annotated[Principal, merger]) -> MergeOut:
        """Take a merge back. What people have changed since stays as they made it."""
        async with given.writing(principal) as session:
            row = await undo_merge(session, item_id_of(merge_id), editing_by(given, principal))
            await _look_at_levels(session, [row.survivor_id, row.merged_id], editing_by(given, principal, BY_RULE))
            return MergeOut.model_validate(row)

    @router.get("/customers/{customer_id}/merges", responses=responses(CustomerNotFound))
    async def list_merges(customer_id: CustomerIdPath, principal: Annotated[Principal, reader]) -> list[MergeOut]:
        """The merges the customer took part in, the latest first."""
        async with given.reading(principal) as session:
            customer = await get_customer(session, customer_id_of(customer_id))
            return [MergeOut.model_validate(each) for each in await merges_of(session, customer.id)]


async def _look_at_levels(session: AsyncSession, ids: Sequence[int], editing: Editing) -> None:
    """A merge brings contacts and tags together, or parts them: the levels follow their rules."""
    customers = (await session.scalars(select(Customer).where(Customer.id.in_(ids)).order_by(Customer.id))).all()
    await apply_level_rules(session, customers, editing)
