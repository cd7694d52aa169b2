"""The end of recordings: daily of those whose time is over, at once of those of erased people. Files first, then what
the store says of them.

Nothing is deleted while the store is away, because only the store knows what is on legal hold.
"""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import structlog

from callcenter.media.recordings import sweep
from callcenter.media.recordings.naming import sidecar_of
from callcenter.ports import Clock
from crm_bridge.database import Database
from crm_bridge.errors import CrmError
from crm_bridge.recordings import files_to_erase, held_ids, ids_to_erase, mark_deleted

log = structlog.get_logger(__name__)

RETRY_SECONDS = 300.0
LOOK_SECONDS = 5.0
"""How often files of erased people are looked for."""
PORTION = 100


def next_sweep(now: datetime, *, zone: ZoneInfo, hour: int) -> datetime:
    """The next instant at which the clock of ``zone`` shows this hour, strictly after ``now``. Pure."""
    local = now.astimezone(zone)
    due = local.replace(hour=hour, minute=0, second=0, microsecond=0)
    if due <= local:
        due = (due + timedelta(days=1)).replace(hour=hour)
    return due.astimezone(UTC)


async def sweep_recordings(
    database: Database, root: Path, keep_days: Mapping[str, int | None], *, now: datetime
) -> int:
    """Delete what is overdue, and what belongs to erased people; how many that was.

    Raises ``CrmError`` when the store cannot be asked; then nothing is deleted.
    """
    async with database.read() as session:
        held, to_erase = await held_ids(session), await ids_to_erase(session)
    at = round(now.timestamp() * 1000)
    gone = await asyncio.to_thread(sweep, root, keep_days, now=at, held=held, at_once=to_erase)
    ids = {each.recording_id for each in gone}
    async with database.begin() as session:
        await mark_deleted(session, ids, now=now)
    return len(ids)


async def sweep_daily(
    database: Database, root: Path, keep_days: Mapping[str, int | None], *, clock: Clock, zone: ZoneInfo, hour: int
) -> None:
    """Sweep once a day until cancelled, and again in a while when the store was away."""
    while True:
        now = datetime.fromtimestamp(clock.now() / 1000, UTC)
        await asyncio.sleep((next_sweep(now, zone=zone, hour=hour) - now).total_seconds())
        while True:
            try:
                gone = await sweep_recordings(
                    database, root, keep_days, now=datetime.fromtimestamp(clock.now() / 1000, UTC)
                )
            except (CrmError, OSError) as error:
                log.warning("recordings not swept", error=type(error).__name__)
                await asyncio.sleep(RETRY_SECONDS)
            else:
                log.info("recordings swept", deleted=gone)
                break


async def erase_at_once(database: Database, root: Path, *, clock: Clock) -> None:
    """Delete the files of erased people as soon as they are known, until cancelled."""
    while True:
        try:
            while await erase_portion(database, root, now=datetime.fromtimestamp(clock.now() / 1000, UTC)):
                pass
        except (CrmError, OSError) as error:
            log.warning("recordings not erased", error=type(error).__name__)
            await asyncio.sleep(RETRY_SECONDS)
        await asyncio.sleep(LOOK_SECONDS)


async def erase_portion(database: Database, root: Path, *, now: datetime) -> int:
    """Delete some files of erased people; how many recordings that were.

    Raises ``CrmError`` when the store cannot be asked, and ``OSError`` when a file cannot be deleted: then it is tried
    again.
    """
    async with database.read() as session:
        files = await files_to_erase(session, PORTION)
    if not files:
        return 0
    await asyncio.to_thread(_unlink, root, list(files.values()))
    async with database.begin() as session:
        await mark_deleted(session, files, now=now)
    await database.scrub()  # rows of erased people were written anew
    log.info("recordings erased", deleted=len(files))
    return len(files)


def _unlink(root: Path, paths: Sequence[str]) -> None:
    """Delete recordings, audio first, each with its sidecar; blocks on the disk. A path that leads out of the folder is
    nobody's to be deleted."""
    for path in paths:
        audio = root / path
        if not audio.resolve().is_relative_to(root.resolve()):
            log.error("recording outside of its folder")
            continue
        audio.unlink(missing_ok=True)
        sidecar_of(audio).unlink(missing_ok=True)
