"""From errors to answers: one table, and the route class that applies it, so that the router carries its own edge."""

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute

from crm_bridge.api.schemas import Problem
from crm_bridge.errors import (
    BadCursor,
    ContactPointExists,
    CrmError,
    CrmUnavailable,
    CustomerNotFound,
    InteractionNotFound,
    InvalidContactPoint,
    StaleRow,
    WriteConflict,
)

STATUSES: dict[type[CrmError], int] = {
    BadCursor: 400,
    CustomerNotFound: 404,
    InteractionNotFound: 404,
    ContactPointExists: 409,
    StaleRow: 409,
    WriteConflict: 409,
    InvalidContactPoint: 422,
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
                return await handle(request)
            except RequestValidationError as error:
                return _answer(422, _malformed(error))
            except CrmError as error:
                problem = Problem(code=error.code, message=error.message, where=error.where)
                return _answer(STATUSES.get(type(error), 500), problem)

        return answered


def responses(*declared: type[CrmError]) -> dict[int | str, dict[str, Any]]:
    """The error answers of a route, for the OpenAPI document."""
    by_status: dict[int | str, dict[str, Any]] = {422: {"model": Problem, "description": "`malformed-request`"}}
    errors: tuple[type[CrmError], ...] = (*declared, CrmUnavailable)
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
