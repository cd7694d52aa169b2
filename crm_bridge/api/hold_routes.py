"""Routes of legal holds: of customers, of recordings, and the list of all."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, Field

from crm_bridge.api.ports import CustomerIdPath, Principal, Surroundings, customer_id_of
from crm_bridge.api.problems import responses, routes_about
from crm_bridge.api.schemas import Id, OptionalId, Out, RecordingOut
from crm_bridge.customers import get_customer
from crm_bridge.errors import CustomerNotFound, ItemNotFound, RecordingNotFound
from crm_bridge.legal_holds import hold_customer, holds, holds_of, lift_from_customer, note_hold, note_lift
from crm_bridge.permissions import Permission
from crm_bridge.recordings import hold


class HoldIn(BaseModel):
    """Why it must be kept, such as the number of a case."""

    reason: Annotated[str, Field(min_length=1, max_length=500)]


class HoldOut(Out):
    """A hold of a customer, or of a recording of a contact."""

    id: Id
    customer_id: OptionalId
    contact_id: str | None
    recording_id: str | None
    reason: str
    held_by: str
    held_at: datetime
    lifted_by: str | None
    lifted_at: datetime | None


def hold_routes(given: Surroundings) -> APIRouter:
    """The routes, for people who decide about privacy."""
    router = routes_about("legal holds")
    _lists(router, given)
    _customers(router, given)
    _recordings(router, given)
    return router


def _lists(router: APIRouter, given: Surroundings) -> None:
    keeper = Depends(given.allowed(Permission.PRIVACY))

    @router.get("/legal-holds", responses=responses())
    async def list_holds(
        principal: Annotated[Principal, keeper],
        lifted: Annotated[bool, Query(description="Those that were lifted instead.")] = False,
    ) -> list[HoldOut]:
        """What is on hold, the newest first."""
        async with given.reading(principal) as session:
            return [HoldOut.model_validate(each) for each in await holds(session, lifted=lifted)]

    @router.get("/customers/{customer_id}/legal-hold", responses=responses(CustomerNotFound))
    async def list_customer_holds(
        customer_id: CustomerIdPath, principal: Annotated[Principal, keeper]
    ) -> list[HoldOut]:
        """The holds of a customer, also those that were lifted, the newest first."""
        async with given.reading(principal) as session:
            customer = await get_customer(session, customer_id_of(customer_id))
            return [HoldOut.model_validate(each) for each in await holds_of(session, customer.id)]


def _customers(router: APIRouter, given: Surroundings) -> None:
    keeper = Depends(given.allowed(Permission.PRIVACY))
    path = "/customers/{customer_id}/legal-hold"

    @router.put(path, responses=responses(CustomerNotFound))
    async def put_customer_on_hold(
        customer_id: CustomerIdPath, body: HoldIn, principal: Annotated[Principal, keeper]
    ) -> HoldOut:
        """Keep everything about this customer, its recordings too, until the hold is lifted: nothing is erased, and
        nothing goes because its time is over."""
        by: dict[str, Any] = {"actor_id": principal.user_id, "now": given.now()}
        async with given.writing(principal) as session:
            return HoldOut.model_validate(await hold_customer(session, customer_id_of(customer_id), body.reason, **by))

    @router.delete(path, responses=responses(CustomerNotFound, ItemNotFound))
    async def lift_customer_hold(customer_id: CustomerIdPath, principal: Annotated[Principal, keeper]) -> HoldOut:
        """Let erasure and retention decide again."""
        by: dict[str, Any] = {"actor_id": principal.user_id, "now": given.now()}
        async with given.writing(principal) as session:
            return HoldOut.model_validate(await lift_from_customer(session, customer_id_of(customer_id), **by))


def _recordings(router: APIRouter, given: Surroundings) -> None:
    keeper = Depends(given.allowed(Permission.PRIVACY))
    path = "/interactions/{contact_id}/recordings/{recording_id}/legal-hold"

    @router.put(path, responses=responses(RecordingNotFound))
    async def put_on_hold(
        contact_id: str, recording_id: str, body: HoldIn, principal: Annotated[Principal, keeper]
    ) -> RecordingOut:
        """Keep this recording until the hold is taken off, whatever its retention class says."""
        async with given.writing(principal) as session:
            held = await hold(session, contact_id, recording_id, reason=body.reason)
            by: dict[str, Any] = {"actor_id": principal.user_id, "now": given.now()}
            await note_hold(session, contact_id, recording_id, body.reason, **by)
            return RecordingOut.model_validate(held)

    @router.delete(path, responses=responses(RecordingNotFound))
    async def take_off_hold(
        contact_id: str, recording_id: str, principal: Annotated[Principal, keeper]
    ) -> RecordingOut:
        """Let the retention class decide again. That of a person who was erased meanwhile is deleted within seconds."""
        async with given.writing(principal) as session:
            lifted = await hold(session, contact_id, recording_id, reason=None)
            await note_lift(session, recording_id, actor_id=principal.user_id, now=given.now())
            return RecordingOut.model_validate(lifted)
