"""Carries erasures from the customer store to the exchange's journal, until none is left waiting."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import structlog

from callcenter.errors import LinkError
from crm_bridge.database import Database
from crm_bridge.errors import CrmError
from crm_bridge.journal_erasures import done, waiting

log = structlog.get_logger(__name__)

PORTION = 50
"""Calls in one request: the exchange blanks each in a short transaction of its own."""
LOOK_SECONDS = 5.0
"""How often the list is looked at; a call that is still up is blanked once it is over."""

Erase = Callable[[Sequence[str]], Awaitable[tuple[str, ...]]]


async def carry_erasures(database: Database, erase: Erase) -> None:
    """Look at the list again and again until cancelled. ``erase`` is ``WebLink.erase``."""
    while True:
        try:
            while await carry_portion(database, erase):
                pass
            if database.needs_scrub:  # somebody read for too long when it was tried
                await database.scrub()
        except (CrmError, LinkError) as error:
            log.debug("journal not blanked yet", error=str(error))
        await asyncio.sleep(LOOK_SECONDS)


async def carry_portion(database: Database, erase: Erase) -> int:
    """Have some calls blanked; how many were. Raises ``CrmError`` and ``LinkError``: all of it waits on then."""
    async with database.read() as session:
        call_ids = await waiting(session, PORTION)
    if not call_ids:
        return 0
    blank = await erase(call_ids)
    if blank:
        async with database.begin() as session:
            await done(session, blank)
        log.info("journal blanked", calls=len(blank))
    return len(blank)
