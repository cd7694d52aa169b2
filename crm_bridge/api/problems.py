"""From errors to answers: one table, and the route class that applies it, so that the router carries its own edge."""

import json
from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute

from crm_bridge.api.idempotency import HEADER, MAX_KEY, Attempt, Replayed, fingerprint, keep_answer, present_attempt
from crm_bridge.api.schemas import Problem
from crm_bridge.errors import (
    AlreadyDone,
    AlreadySettled,
    BadCursor,
    CannotMerge,
    CannotUndo,
    ContactPointExists,
    CrmError,
    CrmUnavailable,
    CustomerNotFound,
    DuplicateCustomer,
    EtagMismatch,
    EtagRequired,
    Forbidden,
    HierarchyLoop,
    IdempotencyMismatch,
    IdentityTaken,
    InteractionNotFound,
    InvalidContactPoint,
    InvalidField,
    InvalidFile,
    ItemNotFound,
    NotContactable,
    OnLegalHold,
    OwnedByAnother,
    RecordingGone,
    RecordingNotFound,
    StaleRow,
    TokenNameTaken,
    WriteConflict,
)

STATUSES: dict[type[CrmError], int] = {
    BadCursor: 400,
    CustomerNotFound: 404,
    InteractionNotFound: 404,
    RecordingNotFound: 404,
    RecordingGone: 410,
    ContactPointExists: 409,
    StaleRow: 409,
    WriteConflict: 409,
    Forbidden: 403,
    ItemNotFound: 404,
    HierarchyLoop: 409,
    IdentityTaken: 409,
    TokenNameTaken: 409,
    OnLegalHold: 409,
    OwnedByAnother: 409,
    AlreadyDone: 409,
    AlreadySettled: 409,
    IdempotencyMismatch: 422,
    CannotMerge: 409,
    CannotUndo: 409,
    DuplicateCustomer: 409,
    NotContactable: 409,
    EtagMismatch: 412,
    InvalidContactPoint: 422,
    InvalidField: 422,
    InvalidFile: 422,
    EtagRequired: 428,
    CrmUnavailable: 503,
}

_RETRY_AFTER_SECONDS = "2"


class ProblemRoute(APIRoute):
    """A route that answers the errors of this package, and malformed requests, with a ``Problem``."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler FastAPI would use, inside the edge."""
        handle = super().get_route_handler()

        async def answered(request: Request) -> Response:
            try:
                return await _once(handle, request)
            except Replayed as before:
                return JSONResponse(before.answer, status_code=before.status, headers={"Idempotent-Replayed": "true"})
            except RequestValidationError as error:
                return _answer(422, _malformed(error))
            except CrmError as error:
                problem = Problem(code=error.code, message=error.message, where=error.where)
                return _answer(STATUSES.get(type(error), 500), problem)

        return answered


def routes_about(tag: str) -> APIRouter:
    """A router for one subject, with the place and the edge that all routes of the store have."""
    return APIRouter(prefix="/api/v1", tags=[tag], route_class=ProblemRoute)


async def _once(handle: Callable[[Request], Coroutine[Any, Any, Response]], request: Request) -> Response:
    """Handle the request; one that is a POST with an idempotency key, only once."""
    key = request.headers.get(HEADER) if request.method == "POST" else None
    if not key:
        return await handle(request)
    if len(key) > MAX_KEY:
        raise IdempotencyMismatch("an idempotency key has 200 characters at most", where="header.idempotency-key")
    told = fingerprint(request.method, request.url.path, request.url.query, await request.body())
    attempt = Attempt(key, told)
    token = present_attempt.set(attempt)
    try:
        response = await handle(request)
    finally:
        present_attempt.reset(token)
    await keep_answer(attempt, response.status_code, json.loads(bytes(response.body)) if response.body else None)
    return response


def responses(*declared: type[CrmError]) -> dict[int | str, dict[str, Any]]:
    """The error answers of a route, for the OpenAPI document."""
    by_status: dict[int | str, dict[str, Any]] = {422: {"model": Problem, "description": "`malformed-request`"}}
    errors: tuple[type[CrmError], ...] = (*declared, Forbidden, CrmUnavailable)
    for error in errors:
        status = STATUSES[error]
        told = by_status.get(status, {}).get("description", "")
        by_status[status] = {"model": Problem, "description": f"{told}, `{error.code}`".lstrip(", ")}
    return by_status


def _answer(status: int, problem: Problem) -> JSONResponse:
    headers = {"Retry-After": _RETRY_AFTER_SECONDS} if status == STATUSES[CrmUnavailable] else None
    return JSONResponse(problem.model_dump(), status_code=status, headers=headers)


def _malformed(error: RequestValidationError) -> Problem:
    """The first thing that is wrong; the value itself is not repeated, it may be personal."""
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"])
    return Problem(code="malformed-request", message=str(first["msg"]), where=where)
