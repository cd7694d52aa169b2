"""Routes of the audit log."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel

from crm_bridge.api.ports import LimitQuery, Principal, Surroundings
from crm_bridge.api.problems import responses, routes_about
from crm_bridge.api.schemas import Id, Out
from crm_bridge.audit import entries, first_broken
from crm_bridge.permissions import Permission

WordQuery = Annotated[str | None, Query(max_length=64)]


class AuditOut(Out):
    """One change. The values are not in the log."""

    seq: Id
    at: datetime
    actor_id: str
    action: str
    table_name: str
    row_key: str
    fields: list[str]
    hash: str


class ChainOut(BaseModel):
    """Whether the chain is whole; `first_broken` is where it is not."""

    is_whole: bool
    first_broken: str | None


def audit_routes(given: Surroundings) -> APIRouter:
    """The routes, for administrators and auditors."""
    router = routes_about("audit")
    auditor = Depends(given.allowed(Permission.AUDIT))

    @router.get("/audit", responses=responses())
    async def list_entries(
        principal: Annotated[Principal, auditor],
        limit: LimitQuery = 50,
        before: Annotated[int | None, Query(ge=1, le=2**62, description="`seq` to go on from.")] = None,
        table: WordQuery = None,
        row_key: WordQuery = None,
        actor: WordQuery = None,
    ) -> list[AuditOut]:
        """Every change, the latest first; of one table, one row or one person where asked."""
        asked = {"table_name": table, "row_key": row_key, "actor_id": actor}
        async with given.reading(principal) as session:
            found = await entries(session, before=before, limit=limit, **asked)
            return [AuditOut.model_validate(each) for each in found]

    @router.get("/audit/chain", responses=responses())
    async def check_chain(principal: Annotated[Principal, auditor]) -> ChainOut:
        """Walk along the whole log and say whether anything in it was changed or taken out."""
        async with given.reading(principal) as session:
            broken = await first_broken(session)
        return ChainOut(is_whole=broken is None, first_broken=None if broken is None else str(broken))

    return router
