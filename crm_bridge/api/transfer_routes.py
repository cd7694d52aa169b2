"""Routes of import and export. Files are streamed: in through a temporary file, out page by page."""

import asyncio
import json
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing
from datetime import datetime
from itertools import islice
from typing import IO, Annotated, Any

import structlog
from fastapi import APIRouter, BackgroundTasks, Depends, Path, Query, Request
from fastapi.responses import StreamingResponse
from sqlalchemy import select

from crm_bridge.api.ports import LimitQuery, Principal, Surroundings, item_id_of
from crm_bridge.api.problems import responses, routes_about
from crm_bridge.api.schemas import Id, Out
from crm_bridge.audit import note
from crm_bridge.errors import CannotUndo, CrmError, InvalidField, InvalidFile, ItemNotFound
from crm_bridge.exporting import customer_rows
from crm_bridge.importing import (
    PORTION,
    ImportReport,
    begin_import,
    check_mapping,
    find_import,
    finish_import,
    import_portion,
    preview,
    undo_import,
)
from crm_bridge.levels_after_contacts import follow_import
from crm_bridge.models import ImportJob
from crm_bridge.permissions import Permission
from crm_bridge.spreadsheets import Row, XlsxWriter, csv_lines, guess_mapping, read_table
from crm_bridge.vocabulary import ImportState

log = structlog.get_logger(__name__)

MAX_UPLOAD = 1_000_000_000
_IN_MEMORY = 1_000_000

FileNameQuery = Annotated[str, Query(min_length=1, max_length=200, description="Ends with .csv or .xlsx.")]
MappingQuery = Annotated[
    str | None, Query(max_length=2000, description='Place of the column by field, such as `{"display_name": 0}`.')
]
JobIdPath = Annotated[str, Path(description="Id of an import.")]
_UPLOAD: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
}


class ReportOut(Out):
    """What became of the rows; the lists hold the first hundred of each kind."""

    rows: int
    created: int
    duplicates: int
    invalid: int
    duplicate_rows: list[dict[str, Any]]
    invalid_rows: list[dict[str, Any]]


class PreviewOut(ReportOut):
    """What importing would do with the first rows, and which column was taken for which field."""

    header: list[str]
    mapping: dict[str, int]


class JobOut(Out):
    """One import."""

    id: Id
    file_name: str
    state: ImportState
    at: datetime
    actor_id: str | None
    report: dict[str, Any]


class UndoneOut(Out):
    """How many customers went, and how many stay because somebody has worked with them."""

    removed: int
    kept: int


def transfer_routes(given: Surroundings) -> APIRouter:
    """The routes."""
    router = routes_about("import and export")
    _imports(router, given)
    _exports(router, given)
    return router


async def _levels(given: Surroundings, job_id: int) -> None:
    """What does not come to its end here, the daily run does."""
    try:
        await follow_import(given.sessions, job_id, given.now())
    except CrmError as error:
        log.warning("levels of an import wait for the daily run", error=type(error).__name__)


def _imports(router: APIRouter, given: Surroundings) -> None:
    importer = Depends(given.allowed(Permission.IMPORT))

    @router.post("/imports/preview", responses=responses(InvalidFile, InvalidField), openapi_extra=_UPLOAD)
    async def post_preview(
        request: Request,
        file_name: FileNameQuery,
        principal: Annotated[Principal, importer],
        mapping: MappingQuery = None,
    ) -> PreviewOut:
        """Look at a file: which columns it has, and what importing its first 200 rows would do."""
        async with uploaded(request) as file, given.reading(principal) as session:
            with closing(read_table(file, file_name)) as rows:
                header = _header(rows)
                places = _mapping(mapping, header)
                check_mapping(places, len(header))
                report = await preview(session, rows, places, region=given.region)
            told = ReportOut.model_validate(report).model_dump()
        return PreviewOut(**told, header=header, mapping=places)

    @router.post("/imports", status_code=201, responses=responses(InvalidFile, InvalidField), openapi_extra=_UPLOAD)
    async def post_import(
        request: Request,
        file_name: FileNameQuery,
        principal: Annotated[Principal, importer],
        behind: BackgroundTasks,
        mapping: MappingQuery = None,
    ) -> JobOut:
        """Import a file. Rows that are there already are left out and reported. Levels by rule follow behind the
        answer."""
        report = ImportReport()
        told: dict[str, Any] = {"now": given.now(), "actor_id": principal.user_id}
        async with uploaded(request) as file:
            with closing(read_table(file, file_name)) as rows:
                header = _header(rows)
                places = _mapping(mapping, header)
                check_mapping(places, len(header))
                async with given.writing(principal) as session:
                    job_id = (await begin_import(session, file_name, **told)).id
                while portion := await asyncio.to_thread(_next_rows, rows):
                    async with given.writing(principal) as session:
                        await import_portion(session, job_id, portion, places, report, region=given.region, **told)
        async with given.writing(principal) as session:
            job = JobOut.model_validate(await finish_import(session, job_id, report))
        behind.add_task(_levels, given, job_id)
        return job

    @router.get("/imports", responses=responses())
    async def list_imports(principal: Annotated[Principal, importer], limit: LimitQuery = 50) -> list[JobOut]:
        """The imports, the latest first."""
        async with given.reading(principal) as session:
            rows = await session.scalars(select(ImportJob).order_by(ImportJob.id.desc()).limit(limit))
            return [JobOut.model_validate(each) for each in rows]

    @router.get("/imports/{job_id}", responses=responses(ItemNotFound))
    async def get_import(job_id: JobIdPath, principal: Annotated[Principal, importer]) -> JobOut:
        """What became of an import."""
        async with given.reading(principal) as session:
            return JobOut.model_validate(await find_import(session, item_id_of(job_id)))

    @router.post("/imports/{job_id}/undo", responses=responses(ItemNotFound, CannotUndo))
    async def post_undo(job_id: JobIdPath, principal: Annotated[Principal, importer]) -> UndoneOut:
        """Take the customers of an import away again, but for those somebody has worked with since."""
        async with given.writing(principal) as session:
            removed, kept = await undo_import(session, item_id_of(job_id))
        return UndoneOut(removed=removed, kept=kept)


def _exports(router: APIRouter, given: Surroundings) -> None:
    exporter = Depends(given.allowed(Permission.EXPORT))

    @router.get("/exports/customers.csv", responses=responses(), response_class=StreamingResponse)
    async def get_csv(principal: Annotated[Principal, exporter]) -> StreamingResponse:
        """All customers as CSV."""
        await _audit(given, principal, "customers.csv")

        async def lines() -> AsyncIterator[str]:
            async for row in customer_rows(lambda: given.reading(principal)):
                for line in csv_lines([row]):
                    yield line

        return StreamingResponse(lines(), media_type="text/csv; charset=utf-8", headers=_attached("customers.csv"))

    @router.get("/exports/customers.xlsx", responses=responses(), response_class=StreamingResponse)
    async def get_xlsx(principal: Annotated[Principal, exporter]) -> StreamingResponse:
        """All customers as XLSX."""
        await _audit(given, principal, "customers.xlsx")
        writer, waiting = XlsxWriter("customers"), []
        async for row in customer_rows(lambda: given.reading(principal)):
            waiting.append(row)
            if len(waiting) == PORTION:  # in a thread: nobody else's request waits for it
                await asyncio.to_thread(writer.write, waiting)
                waiting = []
        await asyncio.to_thread(writer.write, waiting)
        file = tempfile.TemporaryFile()  # noqa: SIM115 - closed when the answer has been sent
        await asyncio.to_thread(writer.save, file)
        file.seek(0)

        async def pieces() -> AsyncIterator[bytes]:
            with file:
                while piece := file.read(64_000):
                    yield piece

        media_type = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
        return StreamingResponse(pieces(), media_type=media_type, headers=_attached("customers.xlsx"))


@asynccontextmanager
async def uploaded(request: Request) -> AsyncIterator[IO[bytes]]:
    """The body as a file: in memory while it is small, in a temporary file when it is not."""
    with tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY) as file:
        size = 0
        async for piece in request.stream():
            size += len(piece)
            if size > MAX_UPLOAD:
                raise InvalidFile("the file is too large", where="body")
            file.write(piece)
        file.seek(0)
        yield file


def _next_rows(rows: Iterator[Row]) -> list[Row]:
    return list(islice(rows, PORTION))


def _header(rows: Any) -> list[str]:
    first = next(rows, None)
    if first is None or not any(first.cells):
        raise InvalidFile("the file has no header", where="body")
    return list(first.cells)


def _mapping(text: str | None, header: list[str]) -> dict[str, int]:
    if text is None:
        return guess_mapping(header)
    try:
        told = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidField("this is no JSON", where="query.mapping") from error
    if not isinstance(told, dict) or any(type(place) is not int for place in told.values()):
        raise InvalidField("this is not a place of a column by field", where="query.mapping")
    return told


async def _audit(given: Surroundings, principal: Principal, name: str) -> None:
    async with given.writing(principal) as session:
        note(session, "export", "customer", name)


def _attached(name: str) -> dict[str, str]:
    return {"Content-Disposition": f'attachment; filename="{name}"', "X-Content-Type-Options": "nosniff"}
