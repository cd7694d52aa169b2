"""Routes that answer "why do you know this", and on which legal ground fields are kept."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Path

from crm_bridge.api.ports import CustomerIdPath, Principal, Surroundings, customer_id_of
from crm_bridge.api.problems import responses, routes_about
from crm_bridge.api.schemas import Code, In, OptionalId, Out
from crm_bridge.errors import CustomerNotFound, InvalidField, ItemNotFound
from crm_bridge.field_bases import field_bases, forget_basis, state_basis
from crm_bridge.permissions import Permission
from crm_bridge.provenance import known_of
from crm_bridge.vocabulary import SourceKind

FieldPath = Annotated[
    str, Path(max_length=64, description="A field of the record, a part of it such as `phone`, or `custom.CODE`.")
]


class SourceOut(Out):
    """Where it is known from: `import` (a table), `api` (a program), `agent`, `call` (an agent in a contact with the
    customer), `merge` (another customer who is the same), `self` (the customer), `rule` (the product), `unknown`."""

    kind: SourceKind
    at: datetime | None
    actor_id: str | None
    contact_id: str | None
    import_id: OptionalId
    file_name: str | None
    customer_id: OptionalId
    origin: "SourceOut | None"


class GroundOut(Out):
    """Why it may be kept; `decided_by` is `installation`, `consent`, `usual`, or null where nobody has said."""

    legal_basis: str | None
    purpose: str | None
    decided_by: str | None


class KnownOut(Out):
    """One thing that the record shows: a field, or with `item_id` a row of one of its lists."""

    field: str
    item_id: OptionalId
    source: SourceOut
    ground: GroundOut


class BasisIn(In):
    """One of the six grounds of GDPR article 6(1), and what the field is kept for."""

    legal_basis: Code
    purpose: Code | None = None


class BasisOut(Out):
    """What the installation says about a field."""

    field: str
    legal_basis: str
    purpose: str | None


def provenance_routes(given: Surroundings) -> APIRouter:
    """The routes."""
    router = routes_about("provenance")
    reader, definer = Depends(given.allowed(Permission.READ)), Depends(given.allowed(Permission.DEFINE))

    @router.get("/customers/{customer_id}/provenance", responses=responses(CustomerNotFound))
    async def get_provenance(customer_id: CustomerIdPath, principal: Annotated[Principal, reader]) -> list[KnownOut]:
        """Why each thing that the record shows is known: who wrote it, when, from where, and on which legal ground it
        is kept. No values, and nothing of a sensitive class."""
        async with given.reading(principal) as session:
            return [KnownOut.model_validate(each) for each in await known_of(session, customer_id_of(customer_id))]

    @router.get("/field-bases", responses=responses())
    async def list_bases(principal: Annotated[Principal, reader]) -> list[BasisOut]:
        """What the installation has said about the grounds of fields; the others have the usual one."""
        async with given.reading(principal) as session:
            return [BasisOut.model_validate(each) for each in await field_bases(session)]

    @router.put("/field-bases/{field}", responses=responses(InvalidField))
    async def put_basis(field: FieldPath, body: BasisIn, principal: Annotated[Principal, definer]) -> BasisOut:
        """Say on which legal ground a field is kept."""
        async with given.writing(principal) as session:
            return BasisOut.model_validate(await state_basis(session, field, body.legal_basis, body.purpose))

    @router.delete("/field-bases/{field}", status_code=204, responses=responses(ItemNotFound))
    async def delete_basis(field: FieldPath, principal: Annotated[Principal, definer]) -> None:
        """Leave it to what is usual again."""
        async with given.writing(principal) as session:
            await forget_basis(session, field)

    return router
