"""The router that whoever serves the console mounts."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from fastapi import APIRouter

from crm_bridge.api.customer_routes import customer_routes
from crm_bridge.api.interaction_routes import interaction_routes
from crm_bridge.api.ports import Sessions, Surroundings
from crm_bridge.models.base import utc_now


def create_router(
    *,
    sessions: Sessions,
    principal_dependency: Callable[..., Any],
    region: str | None,
    own_numbers: frozenset[str] = frozenset(),
    now: Callable[[], datetime] = utc_now,
) -> APIRouter:
    """All routes of the customer store, under ``/api/v1``.

    ``principal_dependency`` is a FastAPI dependency that returns a ``Principal`` or raises; ``region`` is the country
    in which numbers without country code are read; ``own_numbers`` are normal forms that never match a customer.
    """
    surroundings = Surroundings(sessions, principal_dependency, region, own_numbers, now)
    router = APIRouter(prefix="/api/v1")
    router.include_router(customer_routes(surroundings))
    router.include_router(interaction_routes(surroundings))
    return router
