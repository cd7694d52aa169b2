"""The router that whoever serves the console mounts."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from fastapi import APIRouter

from crm_bridge.api.audit_routes import audit_routes
from crm_bridge.api.catalogue_routes import catalogue_routes
from crm_bridge.api.customer_routes import customer_routes
from crm_bridge.api.duplicate_routes import duplicate_routes
from crm_bridge.api.file_routes import file_routes
from crm_bridge.api.hold_routes import hold_routes
from crm_bridge.api.interaction_routes import interaction_routes
from crm_bridge.api.ports import Sessions, Surroundings
from crm_bridge.api.privacy_routes import privacy_routes
from crm_bridge.api.promise_routes import promise_routes
from crm_bridge.api.record_routes import record_routes
from crm_bridge.api.request_routes import request_routes
from crm_bridge.api.token_routes import token_routes
from crm_bridge.api.transfer_routes import transfer_routes
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
    router.include_router(record_routes(surroundings))
    router.include_router(customer_routes(surroundings))
    router.include_router(file_routes(surroundings))
    router.include_router(promise_routes(surroundings))
    router.include_router(audit_routes(surroundings))
    router.include_router(catalogue_routes(surroundings))
    router.include_router(request_routes(surroundings))
    router.include_router(transfer_routes(surroundings))
    router.include_router(duplicate_routes(surroundings))
    router.include_router(privacy_routes(surroundings))
    router.include_router(interaction_routes(surroundings))
    router.include_router(hold_routes(surroundings))
    router.include_router(token_routes(surroundings))
    return router
