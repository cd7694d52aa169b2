"""Routes of a person's rights: what is known about them, and its erasure; and how long things are kept."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path
from pydantic import BaseModel, Field
from sqlalchemy import select

from crm_bridge.api.ports import CustomerIdPath, LimitQuery, Principal, Surroundings, customer_id_of, item_id_of
from crm_bridge.api.problems import responses, routes_about
from crm_bridge.api.schemas import Code, Id, In, Out
from crm_bridge.audit import note
from crm_bridge.erasure import erase, export_person, is_genuine, preview_erasure
from crm_bridge.errors import CustomerNotFound, InvalidField, ItemNotFound, OnLegalHold
from crm_bridge.held_erasures import held_of
from crm_bridge.journal_erasures import count_waiting
from crm_bridge.models import ErasureReceipt
from crm_bridge.permissions import Permission
from crm_bridge.recordings import count_to_erase
from crm_bridge.retention import expire, rules, set_rule


class ErasureIn(In):
    """Why the person is erased."""

    legal_basis: Code


class PreviewOut(BaseModel):
    """What an erasure would take: rows by table."""

    customer_ids: list[str]
    rows: dict[str, int]


class ReceiptOut(Out):
    """What was erased, signed by the store."""

    id: Id
    customer_id: Id
    at: datetime
    actor_id: str | None
    legal_basis: str
    erased: dict[str, Any]
    signature: str


class HeldRecordingOut(Out):
    """A recording that a legal hold kept from the erasure. Deleted once the hold is lifted: then it has the instant,
    and ``is_genuine`` says whether the store has signed that."""

    recording_id: str
    erased_at: datetime | None
    signature: str | None
    is_genuine: bool


class CheckedReceiptOut(ReceiptOut):
    """A receipt, and whether the store has signed it as it is."""

    is_genuine: bool
    journal_waiting: int
    """Calls whose entries in the exchange's journal are still to be blanked: some seconds, or until it is up again."""
    recordings_waiting: int
    """Recordings and messages whose files are still to be deleted; those on legal hold are not counted."""
    held: list[HeldRecordingOut]
    """What a legal hold kept, and what has become of it since: amendments of the receipt, each signed by itself."""


class RetentionIn(In):
    """How many days things of the class are kept."""

    days: Annotated[int, Field(ge=1, le=36_500)]


def request_routes(given: Surroundings) -> APIRouter:
    """The routes, for those who answer for privacy."""
    router = routes_about("rights of a person")
    _erasures(router, given)
    _retention(router, given)
    return router


def _erasures(router: APIRouter, given: Surroundings) -> None:
    privacy = Depends(given.allowed(Permission.PRIVACY))

    @router.get("/customers/{customer_id}/export", responses=responses(CustomerNotFound))
    async def get_export(
        customer_id: CustomerIdPath, principal: Annotated[Principal, privacy]
    ) -> dict[str, list[dict[str, Any]]]:
        """Everything the store knows about the person, by table (GDPR articles 15 and 20)."""
        async with given.writing(principal) as session:
            told = await export_person(session, customer_id_of(customer_id))
            note(session, "export", "customer", customer_id)
        return told

    @router.get("/customers/{customer_id}/erasure-preview", responses=responses(CustomerNotFound))
    async def get_preview(customer_id: CustomerIdPath, principal: Annotated[Principal, privacy]) -> PreviewOut:
        """What an erasure would take."""
        async with given.reading(principal) as session:
            found = await preview_erasure(session, customer_id_of(customer_id))
        return PreviewOut(customer_ids=[str(each) for each in found.customer_ids], rows=found.rows)

    @router.post(
        "/customers/{customer_id}/erasure", status_code=201, responses=responses(CustomerNotFound, OnLegalHold)
    )
    async def post_erasure(
        customer_id: CustomerIdPath, body: ErasureIn, principal: Annotated[Principal, privacy]
    ) -> ReceiptOut:
        """Erase the person. This cannot be taken back (GDPR article 17)."""
        async with given.writing(principal) as session:
            receipt = await erase(
                session,
                customer_id_of(customer_id),
                legal_basis=body.legal_basis,
                actor_id=principal.user_id,
                now=given.now(),
            )
            answer = ReceiptOut.model_validate(receipt)
        await given.sessions.scrub()
        return answer

    @router.get("/erasures", responses=responses())
    async def list_receipts(principal: Annotated[Principal, privacy], limit: LimitQuery = 50) -> list[ReceiptOut]:
        """The receipts, the latest first."""
        async with given.reading(principal) as session:
            rows = await session.scalars(select(ErasureReceipt).order_by(ErasureReceipt.id.desc()).limit(limit))
            return [ReceiptOut.model_validate(each) for each in rows]

    @router.get("/erasures/{receipt_id}", responses=responses(ItemNotFound))
    async def get_receipt(
        receipt_id: Annotated[str, Path(description="Id of a receipt.")], principal: Annotated[Principal, privacy]
    ) -> CheckedReceiptOut:
        """A receipt, and whether the store has signed it as it is."""
        async with given.reading(principal) as session:
            row = await session.get(ErasureReceipt, item_id_of(receipt_id))
            if row is None:
                raise ItemNotFound("there is no such receipt", where="path.receipt_id")
            genuine = await is_genuine(session, row)
            waiting = await count_waiting(session, row.customer_id)
            files = await count_to_erase(session, row.customer_id)
            told = ReceiptOut.model_validate(row).model_dump()
            held = [HeldRecordingOut.model_validate(each) for each in await held_of(session, row)]
            return CheckedReceiptOut(
                **told, is_genuine=genuine, journal_waiting=waiting, recordings_waiting=files, held=held
            )


def _retention(router: APIRouter, given: Surroundings) -> None:
    privacy = Depends(given.allowed(Permission.PRIVACY))

    @router.get("/retention", responses=responses())
    async def get_retention(principal: Annotated[Principal, privacy]) -> dict[str, int]:
        """Days by class."""
        async with given.reading(principal) as session:
            return dict(await rules(session))

    @router.put("/retention/{data_class}", responses=responses(InvalidField))
    async def put_retention(
        data_class: Code, body: RetentionIn, principal: Annotated[Principal, privacy]
    ) -> dict[str, int]:
        """Keep things of this class for so many days."""
        async with given.writing(principal) as session:
            await set_rule(session, data_class, body.days)
            return dict(await rules(session))

    @router.post("/retention/expire", responses=responses())
    async def post_expire(principal: Annotated[Principal, privacy]) -> dict[str, int]:
        """Let go a portion of what is older than its rule; repeat until all counts are 0."""
        async with given.writing(principal) as session:
            return await expire(session, given.now())
