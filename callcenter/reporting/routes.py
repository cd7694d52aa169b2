"""Reports over HTTP: the command of the same name, run in a process of its own, so that a long journal holds up nobody.

One runs at a time; who asks meanwhile waits, and not longer than the deadline.
"""

import asyncio
import contextlib
import os
import sys
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from typing import Annotated, Literal

import structlog
from fastapi import APIRouter, Depends, Query
from starlette.responses import Response

from agent_console.auth import current_principal
from agent_console.errors import MalformedRequest, NotAllowed, Unavailable
from agent_console.ports import Principal, Role
from callcenter.reporting.asking import window_of, zone_of

log = structlog.get_logger(__name__)

DEADLINE_SECONDS = 120.0
NICENESS = 10
_SEE_EVERYTHING = {Role.SUPERVISOR, Role.ADMINISTRATOR, Role.AUDITOR, Role.INTEGRATION}
_MEDIA_TYPES = {"json": "application/json", "csv": "text/csv; charset=utf-8"}


def subjects_for(asking: Principal) -> list[str]:
    """The options that leave only what this person may see. Raises ``NotAllowed``."""
    if asking.roles & _SEE_EVERYTHING:
        if asking.scopes is not None and "read" not in asking.scopes:
            raise NotAllowed("The token has not the scope to read.")
        return []
    if asking.led_agents:
        queues = [part for queue_id in sorted(asking.led_queues) for part in ("--queue", queue_id)]
        return queues + [part for agent_id in sorted(asking.led_agents) for part in ("--agent", agent_id)]
    raise NotAllowed("Reports are for team leads and those above.")


async def run_report(journal: Path, options: Iterable[str], *, deadline_seconds: float = DEADLINE_SECONDS) -> bytes:
    """What the command prints. Raises ``Unavailable`` when it fails or takes too long."""
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "callcenter",
        "report",
        str(journal),
        *options,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        preexec_fn=_give_way,
    )
    try:
        async with asyncio.timeout(deadline_seconds):
            printed, complaint = await child.communicate()
    except TimeoutError:
        raise Unavailable(f"The report took longer than {deadline_seconds:g} s; ask for fewer days.") from None
    finally:
        if child.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                child.kill()
            await child.wait()
    if child.returncode:
        log.warning("report failed", status=child.returncode, complaint=complaint[-500:].decode(errors="replace"))
        raise Unavailable("The report could not be made; the server's log says why.")
    return printed


def _give_way() -> None:
    with contextlib.suppress(OSError):
        os.nice(NICENESS)


def report_router(journal: Path, *, make: Callable[[Path, Iterable[str]], Awaitable[bytes]] = run_report) -> APIRouter:
    """The route, for the web process. ``make`` is what makes a report, a program of its own."""
    router = APIRouter(prefix="/api/v1/reports", tags=["reports"])
    one_at_a_time = asyncio.Semaphore(1)

    @router.get("/statistics", summary="Every metric of queues and agents, with formula id and version")
    async def statistics(
        asking: Annotated[Principal, Depends(current_principal)],
        start: Annotated[str | None, Query(alias="from", max_length=40)] = None,
        end: Annotated[str | None, Query(alias="to", max_length=40)] = None,
        by: Annotated[Literal["interval", "day", "total"], Query()] = "total",
        time_zone: Annotated[str, Query(max_length=60)] = "UTC",
        form: Annotated[Literal["json", "csv"], Query(alias="format")] = "json",
    ) -> Response:
        """What `callcenter report` prints; 403 for agents, 422 for an instant or zone that is none, 503 when it takes
        too long. Team leads get their teams' agents and the queues those serve."""
        own = subjects_for(asking)
        try:
            zone = zone_of(time_zone)
            window_of(start, end, zone)
            given = (("--from", start), ("--to", end))
            limits = [part for name, text in given if text is not None for part in (name, text)]
        except ValueError as error:
            raise MalformedRequest(str(error)) from None
        try:
            async with asyncio.timeout(DEADLINE_SECONDS):
                await one_at_a_time.acquire()
        except TimeoutError:
            raise Unavailable("Other reports are being made; try again in a moment.") from None
        try:
            printed = await make(journal, [*limits, "--by", by, "--time-zone", time_zone, *own, f"--{form}"])
        finally:
            one_at_a_time.release()
        return Response(printed, media_type=_MEDIA_TYPES[form])

    return router
