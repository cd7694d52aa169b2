"""The store's daily run in the web process: at an hour of the company's night, or at once when one was missed."""

import asyncio
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import structlog

from callcenter.ports import Clock
from crm_bridge.database import Database
from crm_bridge.errors import CrmError
from crm_bridge.maintenance import last_run, maintain, next_run

log = structlog.get_logger(__name__)

RETRY_SECONDS = 300.0
LONGEST_WAIT_SECONDS = 3600.0
"""The clock of the wall may be set meanwhile, and somebody may run it by hand."""


async def maintain_daily(database: Database, *, clock: Clock, zone: ZoneInfo, hour: int) -> None:
    """Run once a day until cancelled. A store that is away is asked again in a while, and logged once."""
    told = False
    while True:
        try:
            wait = await until_due(database, now=instant(clock), zone=zone, hour=hour)
            if wait <= 0:
                report = await maintain(database, now=instant(clock))
                log.info("store maintained", **report)
            told = False
        except CrmError as error:
            if not told:
                log.warning("store not maintained", error=str(error))
            told, wait = True, RETRY_SECONDS
        await asyncio.sleep(min(max(wait, 0.0), LONGEST_WAIT_SECONDS))


async def until_due(database: Database, *, now: datetime, zone: ZoneInfo, hour: int) -> float:
    """Seconds until the next run is due; not positive when it is. Raises ``CrmError``."""
    async with database.read() as session:
        last = await last_run(session)
    return (next_run(None if last is None else last.at, now=now, zone=zone, hour=hour) - now).total_seconds()


def instant(clock: Clock) -> datetime:
    """The clock's now as an aware datetime."""
    return datetime.fromtimestamp(clock.now() / 1000, UTC)
