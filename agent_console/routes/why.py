"""Why: decisions about a contact, for those who see the floor, and for team leads as far as their teams go."""

from typing import Annotated

import msgspec
from fastapi import APIRouter, Depends, Path
from starlette.requests import Request
from starlette.responses import Response

from agent_console.auth import current_principal
from agent_console.console import console_of
from agent_console.errors import NotAllowed, NotFound
from agent_console.explanations import Explanations, NothingKnown
from agent_console.ports import Principal
from agent_console.sight import Sight
from agent_console.team_explanations import TeamExplanations

router = APIRouter(prefix="/api/v1/contacts/{contact_id}/why")

Id = Annotated[str, Path(min_length=1, max_length=100)]
Asking = Annotated[Principal, Depends(current_principal)]


def _explanations(request: Request, asking: Principal) -> Explanations:
    if not asking.may_see_team():
        raise NotAllowed("Your role does not allow this.")
    explanations = console_of(request).explanations
    if explanations is None:
        raise NotFound("This installation keeps no decisions.")
    return explanations if asking.may_see_floor() else TeamExplanations(explanations, Sight.of(asking))


def _answer(body: msgspec.Struct) -> Response:
    return Response(msgspec.json.encode(body), media_type="application/json")


@router.get("", summary="Why a contact went where it went, and why it waits")
async def why(request: Request, contact_id: Id, asking: Asking) -> Response:
    """200 with ``WhyView``; 404 for a contact that nothing is known of; 403 for those who see no more
    than their own desk. A team lead gets what is about the own teams."""
    try:
        return _answer(await _explanations(request, asking).why(contact_id))
    except NothingKnown as error:
        raise NotFound(str(error)) from error


@router.get("/offers/{offer_id}", summary="The full table behind one decision")
async def decision(request: Request, contact_id: Id, offer_id: Id, asking: Asking) -> Response:
    """200 with ``DecisionTable``: every agent at that moment, the chosen one first; 404, 403 as for ``why``."""
    try:
        return _answer(await _explanations(request, asking).decision(contact_id, offer_id))
    except NothingKnown as error:
        raise NotFound(str(error)) from error


@router.get("/agents/{agent_id}", summary="Why not that agent")
async def why_not(request: Request, contact_id: Id, agent_id: Id, asking: Asking) -> Response:
    """200 with ``CandidateView`` for a contact that waits or rings now; 404, 403 as for ``why``."""
    try:
        return _answer(await _explanations(request, asking).why_not(contact_id, agent_id))
    except NothingKnown as error:
        raise NotFound(str(error)) from error
