"""Rosters over HTTP: brought in as CSV by those who lead, read by everybody for what they may see."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import JSONResponse, Response

from agent_console.auth import current_principal
from agent_console.errors import BodyTooLarge, MalformedRequest, NotAllowed
from agent_console.ports import Principal, Role
from callcenter.journal import JournalReader
from callcenter.reporting.asking import zone_of
from callcenter.workforce.activities import Activity
from callcenter.workforce.plan_file import PlanFault, read_plan, write_plan
from callcenter.workforce.shifts import Roster, Shift, ShiftsPlanned

MAX_BYTES = 4_000_000
DAY_MS = 86_400_000
_CSV: dict[str, Any] = {
    "requestBody": {"required": True, "content": {"text/csv": {"schema": {"type": "string"}}}},
}


def plannable(asking: Principal, agent_ids: Iterable[str]) -> bool:
    """Whether this person may plan for all of these agents; without any, whether for anybody."""
    if asking.scopes is not None and "import" not in asking.scopes:
        return False
    if asking.may_see_floor() or Role.INTEGRATION in asking.roles:
        return True
    return bool(asking.led_agents) and asking.led_agents.issuperset(agent_ids)


def sees(asking: Principal, agent_id: str) -> bool:
    """Whether this person may see an agent's plan."""
    everything = asking.may_see_floor() or bool(asking.roles & {Role.INTEGRATION, Role.AUDITOR})
    return everything or agent_id == asking.agent_id or agent_id in asking.led_agents


def shifts_router(
    reader: JournalReader, write_down: Callable[[object], Awaitable[None]], *, time_zone: str
) -> APIRouter:
    """The routes, for the web process. ``time_zone`` is the site's."""
    router = APIRouter(prefix="/api/v1/shifts", tags=["shifts"])

    @router.post("", summary="Bring in a roster as CSV", openapi_extra=_CSV)
    async def bring_in(
        request: Request,
        asking: Annotated[Principal, Depends(current_principal)],
        zone: Annotated[str, Query(alias="time_zone", max_length=60)] = time_zone,
        preview: Annotated[bool, Query(description="Only say what it would plan.")] = False,
    ) -> Response:
        """200 with ``{agents, shifts, from, to, planned}``. The plan of the agents in the file is what the file says,
        for all its days. 422 names the line; 409 `unknown-agent`, `too-late`, `invalid-plan`; 403."""
        if not plannable(asking, ()):
            raise NotAllowed("Rosters are brought in by team leads and those above.")
        try:
            text = (await _body(request)).decode("utf-8-sig")
            plan = read_plan(text, zone=zone_of(zone), at=0, by=asking.user_id)
        except UnicodeDecodeError:
            raise MalformedRequest("The file is not in UTF-8; save it as CSV UTF-8.") from None
        except PlanFault as fault:
            raise MalformedRequest(f"{fault}") from None
        except ValueError as error:
            raise MalformedRequest(str(error)) from None
        if not plannable(asking, plan.agent_ids):
            raise NotAllowed("You may plan for the agents you lead.")
        if not preview:
            await write_down(plan)
        return JSONResponse(
            {
                "agents": list(plan.agent_ids),
                "shifts": len(plan.shifts),
                "from": plan.start,
                "to": plan.end,
                "planned": not preview,
            }
        )

    @router.get("", summary="Who is planned for what")
    async def planned(
        asking: Annotated[Principal, Depends(current_principal)],
        start: Annotated[int | None, Query(alias="from", description="Milliseconds; now without it.")] = None,
        end: Annotated[int | None, Query(alias="to", description="Milliseconds; a day later without it.")] = None,
        form: Annotated[Literal["json", "csv"], Query(alias="format")] = "json",
        zone: Annotated[str, Query(alias="time_zone", max_length=60)] = time_zone,
    ) -> Response:
        """200 with the shifts between two instants, cut at them, of the agents whom the asking person may see; 403 for
        programs without the scope to read."""
        if asking.scopes is not None and "read" not in asking.scopes:
            raise NotAllowed("The token has not the scope to read.")
        first = round(time.time() * 1000) if start is None else start
        last = first + DAY_MS if end is None else end
        try:
            own_zone = zone_of(zone)
        except ValueError as error:
            raise MalformedRequest(str(error)) from None
        shifts = [
            each for each in await asyncio.to_thread(_between, reader, first, last) if sees(asking, each.agent_id)
        ]
        if form == "csv":
            return Response(write_plan(shifts, own_zone), media_type="text/csv; charset=utf-8")
        return JSONResponse([_shown(each) for each in shifts])

    return router


def _between(reader: JournalReader, start: int, end: int) -> list[Shift]:
    roster = Roster()
    for row in reader.every("shifts.planned"):
        if isinstance(row.entry, ShiftsPlanned) and row.entry.end > start and row.entry.start < end:
            roster.take(row.entry)
    return [
        each
        for agent_id in sorted(roster.agents())
        for each in roster.between(agent_id, start, end)
        if each.activity is not Activity.OFF
    ]


def _shown(shift: Shift) -> dict[str, object]:
    return {
        "agent_id": shift.agent_id,
        "from": shift.start,
        "to": shift.end,
        "activity": shift.activity,
        "paid": shift.paid,
    }


async def _body(request: Request) -> bytes:
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > MAX_BYTES:
            raise BodyTooLarge(f"A roster has {MAX_BYTES} bytes at most; bring it in parts.")
        parts.append(part)
    return b"".join(parts)
