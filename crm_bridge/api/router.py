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
from crm_bridge.api.owner_routes import owner_routes
from crm_bridge.api.ports import Sessions, Surroundings
from crm_bridge.api.privacy_routes import privacy_routes
from crm_bridge.api.promise_routes import promise_routes
from crm_bridge.api.provenance_routes import provenance_routes
from crm_bridge.api.quality_routes import quality_routes
from crm_bridge.api.record_routes import record_routes
from crm_bridge.api.request_routes import request_routes
from crm_bridge.api.token_routes import token_routes
from crm_bridge.api.transfer_routes import transfer_routes
from crm_bridge.models.base import utc_now

_PARTS: tuple[Callable[[Surroundings], APIRouter], ...] = (
    record_routes,
    owner_routes,
    provenance_routes,
    customer_routes,
    file_routes,
    promise_routes,
    audit_routes,
    catalogue_routes,
    request_routes,
    transfer_routes,
    duplicate_routes,
    quality_routes,
    privacy_routes,
    interaction_routes,
    hold_routes,
    token_routes,
)


def create_router(
    *,
    sessions: Sessions,
    principal_dependency: Callable[..., Any],
    region: str | None,
    own_numbers: frozenset[str] = frozenset(),
    now: Callable[[], datetime] = utc_now,
    on_claims: Callable[[], None] = lambda: None,
) -> APIRouter:
    """All routes of the customer store, under ``/api/v1``.

    ``principal_dependency`` is a FastAPI dependency that returns a ``Principal`` or raises; ``region`` is the country
    in which numbers without country code are read; ``own_numbers`` are normal forms that never match a customer;
    ``on_claims`` is told when there are other claims to decide than before.
    """
    surroundings = Surroundings(sessions, principal_dependency, region, own_numbers, now, on_claims)
    router = APIRouter()
    for part in _PARTS:
        router.routes.extend(part(surroundings).routes)  # complete as they are; included, each would be built again
    return router
