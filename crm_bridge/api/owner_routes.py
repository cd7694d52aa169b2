"""Routes about who looks after customers: claiming, giving, deciding between two, handing over."""

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Path, Query, Response

from crm_bridge.api.ports import CustomerIdPath, Principal, Surroundings, customer_id_of, editing_by, item_id_of
from crm_bridge.api.problems import responses, routes_about
from crm_bridge.api.record_answers import record_out
from crm_bridge.api.record_schemas import MovedOut, OwnerOut, RecordOut, ShortText
from crm_bridge.api.schemas import Code, Id, In, Out
from crm_bridge.errors import AlreadySettled, CustomerNotFound, InvalidField, ItemNotFound, OwnedByAnother, StaleRow
from crm_bridge.offboarding import all_holders, hand_over, holdings_of
from crm_bridge.owner_claims import claims, decide_claim, note_claim
from crm_bridge.owners import give_owner, owners_of
from crm_bridge.permissions import Permission
from crm_bridge.vocabulary import ClaimState

ClaimIdPath = Annotated[str, Path(description="Id of a claim.")]
UserPath = Annotated[str, Path(max_length=64, description="Id of a person.")]


class OwnerIn(In):
    """Who is to look after the customer; null for nobody."""

    user_id: Code | None
    line_of_business: Code = "general"
    take_over: bool = False
    reason: ShortText | None = None


class OwnedOut(OwnerOut):
    """Who looked after the customer, from when to when, and why it ended."""

    until_at: datetime | None
    end_reason: str | None


class ClaimOut(Out):
    """Two people want one customer: who has it, and who claims it."""

    id: Id
    customer_id: Id
    line_of_business: str
    owner_id: str
    claimant_id: str
    at: datetime
    reason: str | None
    state: ClaimState
    decided_by: str | None
    decided_at: datetime | None


class DecisionIn(In):
    """What becomes of a claim."""

    decision: Literal["grant", "refuse"]


class HandOverIn(In):
    """From somebody who leaves to somebody else."""

    from_user: Code
    to_user: Code


class HoldingsOut(Out):
    """What one person has: customers by line of business, open promises, open claims; and all of it."""

    user_id: str
    customers: dict[str, int]
    promises: int
    claims: int
    total: int


def owner_routes(given: Surroundings) -> APIRouter:
    """The routes."""
    router = routes_about("owners")
    _owners(router, given)
    _claims(router, given)
    _offboarding(router, given)
    return router


def _owners(router: APIRouter, given: Surroundings) -> None:
    reader, writer = Depends(given.allowed(Permission.READ)), Depends(given.allowed(Permission.WRITE))

    @router.put("/customers/{customer_id}/owner", responses=responses(CustomerNotFound, OwnedByAnother, StaleRow))
    async def put_owner(
        customer_id: CustomerIdPath, body: OwnerIn, response: Response, principal: Annotated[Principal, writer]
    ) -> RecordOut:
        """Claim the customer, or give it to somebody. Taking it over needs the permission to assign; a claim to a
        colleague's customer is refused and waits for somebody with this permission."""
        if body.take_over or body.user_id != principal.user_id:
            given.check(principal, Permission.ASSIGN)
        found, editing = customer_id_of(customer_id), editing_by(given, principal, body.reason)
        line = body.line_of_business
        try:
            async with given.writing(principal) as session:
                await give_owner(
                    session, found, body.user_id, line_of_business=line, take_over=body.take_over, editing=editing
                )
                return await record_out(session, found, response)
        except OwnedByAnother:
            async with given.writing(principal) as session:
                await note_claim(session, found, body.user_id or "", line_of_business=line, editing=editing)
            given.on_claims()
            raise

    @router.get("/customers/{customer_id}/owners", responses=responses(CustomerNotFound))
    async def list_owners(customer_id: CustomerIdPath, principal: Annotated[Principal, reader]) -> list[OwnedOut]:
        """Who looks after the customer and who did, the latest first."""
        async with given.reading(principal) as session:
            return [OwnedOut.model_validate(each) for each in await owners_of(session, customer_id_of(customer_id))]


def _claims(router: APIRouter, given: Surroundings) -> None:
    assigner = Depends(given.allowed(Permission.ASSIGN))

    @router.get("/owner-claims", responses=responses())
    async def list_claims(
        principal: Annotated[Principal, assigner],
        state: Annotated[Literal["open", "decided"], Query(description="To be decided, or decided.")] = "open",
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
    ) -> list[ClaimOut]:
        """Claims to customers who are somebody's: what is to be decided, the oldest first, or what was."""
        async with given.reading(principal) as session:
            found = await claims(session, is_open=state == "open", limit=limit)
            return [ClaimOut.model_validate(each) for each in found]

    @router.post(
        "/owner-claims/{claim_id}/decision",
        responses=responses(CustomerNotFound, ItemNotFound, AlreadySettled, StaleRow),
    )
    async def post_decision(
        claim_id: ClaimIdPath, body: DecisionIn, principal: Annotated[Principal, assigner]
    ) -> ClaimOut:
        """Give the customer to whoever claims it, or leave it where it is."""
        async with given.writing(principal) as session:
            editing = editing_by(given, principal, "claim granted")
            grant = body.decision == "grant"
            decided = ClaimOut.model_validate(
                await decide_claim(session, item_id_of(claim_id), grant=grant, editing=editing)
            )
        given.on_claims()
        return decided


def _offboarding(router: APIRouter, given: Surroundings) -> None:
    assigner = Depends(given.allowed(Permission.ASSIGN))

    @router.get("/owners", responses=responses())
    async def list_holders(principal: Annotated[Principal, assigner]) -> list[str]:
        """Everybody who looks after customers or has promised something, a thousand at most."""
        async with given.reading(principal) as session:
            return list(await all_holders(session, 1000))

    @router.get("/owners/{user_id}/holdings", responses=responses())
    async def get_holdings(user_id: UserPath, principal: Annotated[Principal, assigner]) -> HoldingsOut:
        """What somebody has who is to leave; `total` is 0 when all of it is handed over."""
        async with given.reading(principal) as session:
            return HoldingsOut.model_validate(await holdings_of(session, user_id))

    @router.post("/owners/hand-over", responses=responses(InvalidField))
    async def post_hand_over(body: HandOverIn, principal: Annotated[Principal, assigner]) -> MovedOut:
        """Move up to 500 customers and as many open promises from somebody who leaves to somebody else, and end as many
        claims; repeat until the count is 0."""
        async with given.writing(principal) as session:
            editing = editing_by(given, principal, "offboarding")
            moved = MovedOut(count=await hand_over(session, body.from_user, body.to_user, limit=500, editing=editing))
        given.on_claims()
        return moved
