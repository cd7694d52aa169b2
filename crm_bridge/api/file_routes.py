"""Routes of a customer's files: their descriptions, and the bytes of those that lie in the store."""

from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Depends, Path, Query, Request, Response

from crm_bridge.api.ports import CustomerIdPath, Principal, Surroundings, customer_id_of, editing_by, item_id_of
from crm_bridge.api.problems import responses, routes_about
from crm_bridge.api.record_schemas import AttachmentIn, AttachmentOut
from crm_bridge.customers import get_customer
from crm_bridge.errors import CustomerNotFound, InvalidFile, ItemNotFound
from crm_bridge.permissions import Permission
from crm_bridge.profiles import customer_as_seen
from crm_bridge.record_parts import add_attachment, add_file, attachments_of, file_of, remove_attachment

MAX_FILE = 20_000_000
"""Bytes of one file in the store; larger ones lie elsewhere and are only described here."""

AttachmentIdPath = Annotated[str, Path(description="Id of a file.")]
FileNameQuery = Annotated[str, Query(min_length=1, max_length=200, description="What the file is called.")]
MediaTypeQuery = Annotated[
    str, Query(pattern=r"^[a-z0-9.+-]{1,60}/[a-z0-9.+-]{1,100}$", description="Such as `application/pdf`.")
]
_UPLOAD: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
}
_BYTES: dict[int | str, dict[str, Any]] = {
    200: {"content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}}
}


def file_routes(given: Surroundings) -> APIRouter:
    """The routes."""
    router = routes_about("files")
    _described(router, given)
    _kept(router, given)
    return router


def _described(router: APIRouter, given: Surroundings) -> None:
    reader, writer = Depends(given.allowed(Permission.READ)), Depends(given.allowed(Permission.WRITE))

    @router.get("/customers/{customer_id}/attachments", responses=responses(CustomerNotFound))
    async def list_attachments(
        customer_id: CustomerIdPath, principal: Annotated[Principal, reader]
    ) -> list[AttachmentOut]:
        """The customer's files, the newest first, two hundred at most."""
        async with given.reading(principal) as session:
            customer = await get_customer(session, customer_id_of(customer_id))
            return [AttachmentOut.model_validate(each) for each in await attachments_of(session, customer.id)]

    @router.post("/customers/{customer_id}/attachments", status_code=201, responses=responses(CustomerNotFound))
    async def post_attachment(
        customer_id: CustomerIdPath, body: AttachmentIn, principal: Annotated[Principal, writer]
    ) -> AttachmentOut:
        """Write down a file. Its bytes are stored elsewhere."""
        async with given.writing(principal) as session:
            customer = await customer_as_seen(session, customer_id_of(customer_id), None)
            row = await add_attachment(session, customer, editing_by(given, principal), **body.model_dump())
            return AttachmentOut.model_validate(row)

    @router.delete(
        "/customers/{customer_id}/attachments/{attachment_id}",
        status_code=204,
        responses=responses(CustomerNotFound, ItemNotFound),
    )
    async def delete_attachment(
        customer_id: CustomerIdPath, attachment_id: AttachmentIdPath, principal: Annotated[Principal, writer]
    ) -> None:
        """Take a file away."""
        async with given.writing(principal) as session:
            customer = await customer_as_seen(session, customer_id_of(customer_id), None)
            await remove_attachment(session, customer, item_id_of(attachment_id), editing_by(given, principal))


def _kept(router: APIRouter, given: Surroundings) -> None:
    reader, writer = Depends(given.allowed(Permission.READ)), Depends(given.allowed(Permission.WRITE))

    @router.post(
        "/customers/{customer_id}/files",
        status_code=201,
        responses=responses(CustomerNotFound, InvalidFile),
        openapi_extra=_UPLOAD,
    )
    async def post_file(
        customer_id: CustomerIdPath,
        request: Request,
        file_name: FileNameQuery,
        principal: Annotated[Principal, writer],
        media_type: MediaTypeQuery = "application/octet-stream",
    ) -> AttachmentOut:
        """Keep a file about the customer: the body, twenty million bytes at most."""
        content = await _body(request)
        async with given.writing(principal) as session:
            customer = await customer_as_seen(session, customer_id_of(customer_id), None)
            editing = editing_by(given, principal)
            row = await add_file(
                session, customer, editing, file_name=file_name, media_type=media_type, content=content
            )
            return AttachmentOut.model_validate(row)

    @router.get(
        "/attachments/{attachment_id}/content",
        responses=responses(CustomerNotFound, ItemNotFound) | _BYTES,
        response_class=Response,
    )
    async def get_content(attachment_id: AttachmentIdPath, principal: Annotated[Principal, reader]) -> Response:
        """The bytes, to be saved and never shown in place: whoever sent the file may have meant harm."""
        async with given.reading(principal) as session:
            row, content = await file_of(session, item_id_of(attachment_id))
        headers = {
            "Content-Disposition": f"attachment; filename*=UTF-8''{quote(row.file_name, safe='')}",
            "X-Content-Type-Options": "nosniff",
            "Content-Security-Policy": "sandbox; default-src 'none'",
        }
        return Response(content, media_type="application/octet-stream", headers=headers)


async def _body(request: Request) -> bytes:
    content = bytearray()
    async for piece in request.stream():
        content += piece
        if len(content) > MAX_FILE:
            raise InvalidFile("the file is too large", where="body")
    return bytes(content)
