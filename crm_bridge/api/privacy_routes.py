"""Routes of consents, suppression, contactability and sensitive fields."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query

from crm_bridge.api.ports import (
    CustomerIdPath,
    LimitQuery,
    Principal,
    Surroundings,
    customer_id_of,
    item_id_of,
)
from crm_bridge.api.privacy_schemas import (
    AccessOut,
    ConsentEntryIn,
    ConsentOut,
    ContactabilityOut,
    OverrideOut,
    SensitiveIn,
    SensitiveOut,
    SuppressionIn,
    SuppressionOut,
)
from crm_bridge.api.problems import responses, routes_about
from crm_bridge.consents import (
    NewConsent,
    check_contact,
    ledger,
    overrides,
    record_consent,
    suppress,
    suppressed,
    unsuppress,
)
from crm_bridge.customers import get_customer
from crm_bridge.errors import CustomerNotFound, InvalidContactPoint, InvalidField, ItemNotFound
from crm_bridge.permissions import Permission
from crm_bridge.sensitive_fields import accesses, accesses_of, look_at_fields

ValueQuery = Annotated[str, Query(min_length=1, max_length=254, description="A number or address.")]
ValueOrNone = Annotated[str | None, Query(min_length=1, max_length=254, description="Only about this one.")]
SuppressionIdPath = Annotated[str, Path(description="Id of an entry.")]
WordQuery = Annotated[str, Query(min_length=1, max_length=64)]


def privacy_routes(given: Surroundings) -> APIRouter:
    """The routes."""
    router = routes_about("consent and privacy")
    _consents(router, given)
    _contact(router, given)
    _sensitive(router, given)
    return router


def _consents(router: APIRouter, given: Surroundings) -> None:
    reader, writer = Depends(given.allowed(Permission.READ)), Depends(given.allowed(Permission.WRITE))

    @router.get("/customers/{customer_id}/consents", responses=responses(CustomerNotFound))
    async def list_consents(customer_id: CustomerIdPath, principal: Annotated[Principal, reader]) -> list[ConsentOut]:
        """Everything the customer said about being contacted, the newest first."""
        async with given.reading(principal) as session:
            customer = await get_customer(session, customer_id_of(customer_id))
            return [ConsentOut.model_validate(each) for each in await ledger(session, customer.id)]

    @router.post(
        "/customers/{customer_id}/consents", status_code=201, responses=responses(CustomerNotFound, InvalidContactPoint)
    )
    async def post_consent(
        customer_id: CustomerIdPath, body: ConsentEntryIn, principal: Annotated[Principal, writer]
    ) -> ConsentOut:
        """Append to the ledger. Nothing in it is ever changed."""
        async with given.writing(principal) as session:
            row = await record_consent(
                session,
                customer_id_of(customer_id),
                NewConsent(**body.model_dump()),
                now=given.now(),
                region=given.region,
                actor_id=principal.user_id,
            )
            return ConsentOut.model_validate(row)


def _contact(router: APIRouter, given: Surroundings) -> None:
    reader, privacy = Depends(given.allowed(Permission.READ)), Depends(given.allowed(Permission.PRIVACY))
    auditor = Depends(given.allowed(Permission.AUDIT))

    @router.get("/hours-overrides", responses=responses())
    async def list_overrides(
        principal: Annotated[Principal, auditor],
        limit: LimitQuery = 50,
        before: Annotated[int | None, Query(ge=1, le=2**62, description="`id` to go on from.")] = None,
    ) -> list[OverrideOut]:
        """Who called customers in quiet hours, and why, the latest first."""
        async with given.reading(principal) as session:
            return [OverrideOut.model_validate(each) for each in await overrides(session, before=before, limit=limit)]

    @router.get("/contactability", responses=responses())
    async def get_contactability(
        value: ValueQuery, channel: WordQuery, purpose: WordQuery, principal: Annotated[Principal, reader]
    ) -> ContactabilityOut:
        """Whether this number or address may be contacted now, and everything that speaks against it."""
        async with given.reading(principal) as session:
            found = await check_contact(
                session, value, channel=channel, purpose=purpose, now=given.now(), region=given.region
            )
            return ContactabilityOut.model_validate(found)

    @router.post("/suppressions", status_code=201, responses=responses(InvalidContactPoint))
    async def post_suppression(body: SuppressionIn, principal: Annotated[Principal, privacy]) -> SuppressionOut:
        """Never contact this number or address again, or not by this channel, or not for this purpose."""
        async with given.writing(principal) as session:
            row = await suppress(session, **body.model_dump(), region=given.region, actor_id=principal.user_id)
            return SuppressionOut.model_validate(row)

    @router.get("/suppressions", responses=responses(InvalidContactPoint))
    async def list_suppressions(
        principal: Annotated[Principal, privacy], value: ValueOrNone = None, limit: LimitQuery = 50
    ) -> list[SuppressionOut]:
        """What is on the list, the latest first; numbers are not in it, so name one to find it."""
        async with given.reading(principal) as session:
            found = await suppressed(session, value, region=given.region, limit=limit)
            return [SuppressionOut.model_validate(each) for each in found]

    @router.delete("/suppressions/{suppression_id}", status_code=204, responses=responses(ItemNotFound))
    async def delete_suppression(suppression_id: SuppressionIdPath, principal: Annotated[Principal, privacy]) -> None:
        """Take an entry off the list; who did is in the audit log."""
        async with given.writing(principal) as session:
            await unsuppress(session, item_id_of(suppression_id))


def _sensitive(router: APIRouter, given: Surroundings) -> None:
    viewer, auditor = Depends(given.allowed(Permission.SENSITIVE)), Depends(given.allowed(Permission.AUDIT))

    @router.post("/customers/{customer_id}/sensitive-fields", responses=responses(CustomerNotFound, InvalidField))
    async def post_look(
        customer_id: CustomerIdPath, body: SensitiveIn, principal: Annotated[Principal, viewer]
    ) -> SensitiveOut:
        """Look at sensitive fields. It is written down who did, what for and on which legal ground."""
        async with given.writing(principal) as session:
            values = await look_at_fields(
                session,
                customer_id_of(customer_id),
                body.fields,
                purpose=body.purpose,
                legal_basis=body.legal_basis,
                actor_id=principal.user_id,
                now=given.now(),
            )
            return SensitiveOut(values=values)

    @router.get("/customers/{customer_id}/access-log", responses=responses(CustomerNotFound))
    async def list_accesses(customer_id: CustomerIdPath, principal: Annotated[Principal, auditor]) -> list[AccessOut]:
        """Who has looked at the customer's sensitive fields."""
        async with given.reading(principal) as session:
            customer = await get_customer(session, customer_id_of(customer_id))
            return [AccessOut.model_validate(each) for each in await accesses_of(session, customer.id)]

    @router.get("/access-log", responses=responses())
    async def list_all_accesses(
        principal: Annotated[Principal, auditor],
        limit: LimitQuery = 50,
        before: Annotated[int | None, Query(ge=1, le=2**62, description="`id` to go on from.")] = None,
        customer_id: Annotated[int | None, Query(ge=1, le=2**62)] = None,
        actor: Annotated[str | None, Query(max_length=64)] = None,
    ) -> list[AccessOut]:
        """Who has looked at whose sensitive fields, the latest first; of one customer or one person where asked."""
        asked: dict[str, Any] = {"customer_id": customer_id, "actor_id": actor, "before": before}
        async with given.reading(principal) as session:
            return [AccessOut.model_validate(each) for each in await accesses(session, **asked, limit=limit)]
